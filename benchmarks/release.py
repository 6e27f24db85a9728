"""Release of headers: how many attributes are treated as DICOM PS3.15 says, what is left, how many files a second.

The actions come from the tables that `dicom-anonymizer` generated from PS3.15 Table E.1-1 (2026c), the types of the
attributes from the tables of PS3.3 that `highdicom` ships: neither is part of scanote. Every attribute of the table is
planted at the top of objects and inside sequences, with random values that carry a canary.

    .venv/bin/python benchmarks/release.py
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import highdicom
import numpy as np
from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector
from pydicom import Dataset, FileDataset, dcmread
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pipelines.scans.index import index_paths
from pipelines.scans.release.batch import release_scans
from pipelines.scans.release.object import release_object
from pipelines.scans.release.profile import Profile

KEY = bytes(range(32))
SOP = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PET": "1.2.840.10008.5.1.4.1.1.128",
    "enhanced CT": "1.2.840.10008.5.1.4.1.1.2.1",
    "enhanced MR": "1.2.840.10008.5.1.4.1.1.4.1",
}
SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)
# Where attributes are planted: at the top, and inside sequences that an image keeps.
CLASSIC_PATHS = ((), ("AnatomicRegionSequence",), ("ContrastBolusAgentSequence", "ContrastBolusIngredientCodeSequence"))
ENHANCED_PATHS = (
    (),
    ("SharedFunctionalGroupsSequence",),
    ("SharedFunctionalGroupsSequence", "FrameAnatomySequence"),
    ("PerFrameFunctionalGroupsSequence", "DerivationImageSequence"),
)
# Modules whose attributes an image is not understood without; of patient, study, trial, specimen, device and
# signature modules nothing is asked to stay.
NOT_OF_THE_IMAGE = {
    "patient", "clinical-trial-subject", "general-study", "patient-study", "clinical-trial-study",
    "clinical-trial-series", "general-reference", "device", "specimen", "overlay-plane", "common-instance-reference",
    "acquisition-context", "intervention", "icc-profile", "frame-extraction",
    "supplemental-palette-color-lookup-table", "sop-common",
}  # fmt: skip
NUMBERS_AND_CODES = {"CS", "DS", "IS", "US", "SS", "US or SS", "UL", "SL", "UV", "SV", "OV", "FL", "FD", "AT", "SQ"}
CHARACTERISTICS = {
    "PatientSex", "PatientSexNeutered", "PatientAge", "PatientSize", "PatientWeight", "EthnicGroup",
    "PregnancyStatus", "SmokingStatus",
}  # fmt: skip
PIXEL_MODULE = {
    "Rows": 4, "Columns": 4, "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0,
    "SamplesPerPixel": 1, "NumberOfFrames": "1", "PhotometricInterpretation": "MONOCHROME2", "PlanarConfiguration": 0,
    "SpecificCharacterSet": "ISO_IR 192",
}  # fmt: skip


def oracle() -> dict[int, str]:
    """Action by tag, as the third party's table has it; repeating groups by a tag of theirs."""
    tables = dicom_anonymization_database_selector("dicomfields_2026c")
    found = {}
    for name, tags in tables.items():
        if name != "ALL_TAGS":
            action = name.removesuffix("_TAGS").replace("_STAR", "*").replace("_", "/")
            for group, element, *mask in tags:
                groups = (group, group + 2) if mask else (group,)
                for one in groups:
                    found[one << 16 | (element or 0x0010)] = action
    # Group 0000 and 0002 stand in no data set; the file meta group is looked at on its own.
    return {tag: action for tag, action in found.items() if tag >> 16 >= 0x0004}


def iods() -> tuple[dict[str, dict[tuple[tuple[str, ...], str], int]], dict[str, set[str]]]:
    """For each object: the type of each attribute by path and keyword; and the image attributes that are to stay."""
    folder = Path(highdicom.__file__).parent / "_standard"
    modules = json.loads((folder / "module_attribute_map.json").read_text())
    of_iod = json.loads((folder / "iod_module_map.json").read_text())
    of_sop = json.loads((folder / "sop_class_iod_map.json").read_text())
    acted = oracle()
    types: dict[str, dict[tuple[tuple[str, ...], str], int]] = {}
    stay: dict[str, set[str]] = {}
    for name, sop in SOP.items():
        types[name], stay[name] = {}, set()
        for module in (row["key"] for row in of_iod[of_sop[sop]]):
            for row in modules[module]:
                place = (tuple(row["path"]), row["keyword"])
                types[name][place] = min(types[name].get(place, 3), int(row["type"][0]))
                tags = [tag_for_keyword(word) for word in (*row["path"], row["keyword"])]
                if module in NOT_OF_THE_IMAGE or None in tags or any(int(tag) in acted for tag in tags):
                    continue
                if dictionary_VR(tags[-1]) in NUMBERS_AND_CODES:
                    stay[name].add(row["keyword"])
    return types, stay


def resolved(action: str, attribute_type: int) -> str:
    """PS3.15 Table E.1-1a in the words of the standard: X unless Z or D is required to maintain conformance."""
    if "/" not in action:
        return action
    if action == "Z/D":
        return "D" if attribute_type == 1 else "Z"
    if action == "X/D":
        return "D" if attribute_type == 1 else "X"
    if action == "X/Z":
        return "X" if attribute_type == 3 else "Z"
    if action == "X/Z/D":
        return {1: "D", 2: "Z", 3: "X"}[attribute_type]
    return "X" if attribute_type == 3 else "Z or U"


class Planter:
    """Random values with canaries in them."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.count = 0
        self.canaries: set[str] = set()

    def word(self, room: int = 16) -> str:
        self.count += 1
        word = f"KANARI{self.count:05d}{self.rng.integers(10**5):05d}"[:room]
        self.canaries.add(word)
        return word

    def value(self, vr: str, tag: int) -> object:
        rng = self.rng
        if vr in {"LO", "SH", "ST", "LT", "UT", "UC", "AE", "CS"}:
            return self.word()
        if vr == "PN":
            return f"{self.word()}^{self.word()}"
        if vr == "UR":
            return f"http://host.example/{self.word()}"
        if vr == "UI":
            uid = f"1.2.826.0.1.3680043.8.498.{rng.integers(10**12)}{rng.integers(10**12)}"
            self.canaries.add(uid)
            return uid
        if vr == "DA":
            return f"{rng.integers(1990, 2024)}{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}"
        if vr == "DT":
            return f"{self.value('DA', tag)}{self.value('TM', tag)}"
        if vr == "TM":
            return f"{rng.integers(24):02d}{rng.integers(60):02d}{rng.integers(60):02d}.{rng.integers(10**6):06d}"
        if vr == "AS":
            return f"{rng.integers(18, 89):03d}Y"
        if vr == "DS":
            return f"{rng.uniform(0.1, 90):.4f}"
        if vr == "IS":
            return str(rng.integers(1, 10**6))
        if vr in {"FD", "FL"}:
            return float(np.float32(rng.uniform(0.1, 90)))
        if vr in {"US", "SS", "UL", "SL", "UV", "SV"}:
            return int(rng.integers(1, 30000))
        if vr == "AT":
            return 0x00200032
        return self.word(16).encode()

    def code(self) -> str:
        return f"WORD_{self.rng.integers(10**6)}"


def vr_of(tag: int) -> str:
    try:
        vr = dictionary_VR(tag)
    except KeyError:
        return "OB"
    return {"US or SS": "US", "OB or OW": "OW", "US or OW": "OW"}.get(vr, vr)


def plant(target: Dataset, acted: dict[int, str], planter: Planter) -> None:
    for tag, action in acted.items():
        vr = vr_of(tag)
        if vr == "SQ":
            item = Dataset()
            if "*" not in action:  # codes beside the references that U* keeps are no identifiers
                item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = planter.word(), "99X", planter.word()
            item.ReferencedSOPClassUID = SOP["CT"]
            item.ReferencedSOPInstanceUID = planter.value("UI", tag)
            target.add_new(tag, "SQ", [item])
        elif keyword_for_tag(tag) in CHARACTERISTICS and vr in {"CS", "SH"}:
            target.add_new(tag, vr, planter.code())
        elif keyword_for_tag(tag) == "TimezoneOffsetFromUTC":
            target.add_new(tag, vr, f"+{planter.rng.integers(1, 12):02d}00")
        else:
            target.add_new(tag, vr, planter.value(vr, tag))


def at_path(ds: Dataset, path: tuple[str, ...]) -> Dataset | None:
    for keyword in path:
        found = ds.get(keyword)
        if not found:
            return None
        ds = found[0]
    return ds


def make(name: str, planter: Planter, syntax: UID, stay: set[str], acted: dict[int, str]) -> FileDataset:
    """An object with every attribute planted, canaries in all the places that no table names, and valid pixels."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.SourceApplicationEntityTitle = planter.word()
    meta.PrivateInformationCreatorUID, meta.PrivateInformation = "1.2.3.4", planter.word().encode()
    meta.ImplementationVersionName = planter.word()
    ds = FileDataset(
        "", {}, file_meta=meta, preamble=planter.word().encode().ljust(128, b"\0"),
        is_implicit_VR=syntax.is_implicit_VR, is_little_endian=syntax.is_little_endian,
    )  # fmt: skip
    for keyword in sorted(stay):
        vr = vr_of(tag_for_keyword(keyword))
        if vr == "SQ":
            child = Dataset()
            child.SliceThickness = planter.value("DS", 0)
            setattr(ds, keyword, [child])
        elif vr == "CS":
            setattr(ds, keyword, planter.code())
        elif vr == "OV":
            ds.add_new(tag_for_keyword(keyword), "OV", planter.rng.bytes(16))
        elif keyword not in PIXEL_MODULE:
            setattr(ds, keyword, planter.value(vr, 0))
    for keyword, value in PIXEL_MODULE.items():
        setattr(ds, keyword, value)
    ds.SOPClassUID = SOP[name]
    ds.BurnedInAnnotation = ds.RecognizableVisualFeatures = "NO"
    paths = ENHANCED_PATHS if "enhanced" in name else CLASSIC_PATHS
    for path in paths:
        target = ds
        for keyword in path:
            if not target.get(keyword):
                setattr(target, keyword, [Dataset()])
            target = target[keyword][0]
        plant(target, {tag: act for tag, act in acted.items() if tag >> 16 < 0x7FE0 or not path}, planter)
    for group in (0x0009, 0x0019, 0x2001, 0x7FE1):
        block = ds.private_block(group, f"OWNER {planter.word()[:10]}", create=True)
        block.add_new(0x01, "LO", planter.word())
        block.add_new(0x02, "UN", planter.word().encode())
        child = Dataset()
        child.PatientName = planter.word()
        block.add_new(0x03, "SQ", [child])
    ds.add_new(0x00100099, "LO", planter.word())
    ds.add_new(0x60000022, "LO", planter.word())
    # What identifies, copied to where the standard keeps: the name in two words that stay.
    ds.ManufacturerModelName = f"{str(ds.PatientName).split('^')[0]} scanner"
    ds.SequenceName = str(ds.PatientID)
    ds.PixelData = planter.rng.integers(0, 2**12, 16, dtype=np.uint16).tobytes()
    ds["PixelData"].VR = "OW"
    ds.add_new(0xFFFCFFFC, "OB", planter.word().encode())
    return ds


def written(ds: FileDataset) -> bytes:
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


def moved_days(before: str, after: str) -> int | None:
    try:
        return int((np.datetime64(f"{before[:4]}-{before[4:6]}-{before[6:8]}")
                    - np.datetime64(f"{after[:4]}-{after[4:6]}-{after[6:8]}")).astype(int))  # fmt: skip
    except ValueError:
        return None


def verdict(expected: str, before: object, after: object, *, days: int, canaries: set[str]) -> bool:
    """Whether an attribute was treated as expected; ``before`` and ``after`` are elements, or None where absent."""
    if expected == "X":
        return after is None
    if after is None:
        return False
    if before.VR == "SQ":
        text = str(after.value)
        clean = not any(word in text for word in canaries)
        return clean and {"Z": True, "Z or U": True, "D": len(after.value) > 0, "K": len(after.value) > 0}[expected]
    if expected == "K":
        return after.value == before.value and after.VR == before.VR
    if expected == "C":
        if before.VR == "TM" or before.keyword == "TimezoneOffsetFromUTC":
            return after.value == before.value
        old, new = str(before.value), str(after.value)
        return moved_days(old, new) == days and old[8:] == new[8:]
    same = after.value == before.value
    if expected == "U":
        return not same and UID(str(after.value)).is_valid and len(str(after.value)) > 4
    empty = after.value is None or (hasattr(after.value, "__len__") and len(after.value) == 0)
    return not same and (expected == "Z" or not empty)


Way = Callable[[bytes, Profile], tuple[bytes, int]]


def our_way(data: bytes, profile: Profile) -> tuple[bytes, int]:
    released = release_object(data, key=KEY, profile=profile)
    return released.head + bytes(released.pixels) + released.tail, released.shift_days


def dicognito_way(data: bytes, _profile: Profile) -> tuple[bytes, int]:
    from dicognito.anonymizer import Anonymizer

    ds = dcmread(io.BytesIO(data))
    Anonymizer(seed="benchmark").anonymize(ds)
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue(), 0


def dicom_anonymizer_way(data: bytes, _profile: Profile) -> tuple[bytes, int]:
    from dicomanonymizer.simpledicomanonymizer import anonymize_dataset, initialize_actions

    ds = dcmread(io.BytesIO(data))
    anonymize_dataset(ds, base_rules_gen=lambda: initialize_actions("dicomfields_2026c"))
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue(), 0


def score(
    name: str, seed: int, profile: Profile, types: dict, stay: set[str], acted: dict[int, str], way: Way = our_way
) -> tuple:
    """Plant, release, and compare: counts by kind of expectation, the misses, and the canaries left."""
    planter = Planter(seed)
    source = make(name, planter, SYNTAXES[seed % len(SYNTAXES)], stay, acted)
    data = written(source)
    out, days = way(data, profile)
    before, after = dcmread(io.BytesIO(data)), dcmread(io.BytesIO(out))
    right: Counter = Counter()
    asked: Counter = Counter()
    misses: Counter = Counter()
    for path in ENHANCED_PATHS if "enhanced" in name else CLASSIC_PATHS:
        old, new = at_path(before, path), at_path(after, path)
        for tag, action in acted.items():
            if tag not in old:
                continue
            keyword = keyword_for_tag(tag)
            expected = resolved(action, types.get((path, keyword), 3))
            temporal = vr_of(tag) in {"DA", "DT", "TM"} or keyword == "TimezoneOffsetFromUTC"
            if profile.modified_dates and temporal and keyword not in {"PatientBirthDate", "PatientBirthTime"}:
                expected = "C"
            if profile.patient_characteristics and keyword in CHARACTERISTICS:
                expected = "K"
            found = new.get(tag) if new is not None else None
            ok = verdict(expected, old[tag], found, days=days, canaries=planter.canaries)
            asked[f"listed, {'top' if not path else 'nested'}"] += 1
            right[f"listed, {'top' if not path else 'nested'}"] += ok
            if not ok:
                misses[f"{expected} {keyword or hex(tag)} in {'/'.join(path) or 'top'}"] += 1
    for keyword in stay:
        ok = verdict("K", before[keyword], after.get(tag_for_keyword(keyword)), days=0, canaries=planter.canaries)
        asked["image attributes kept"] += 1
        right["image attributes kept"] += ok
        misses[f"K {keyword}"] += not ok
    of_file = (after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID) + (
        bytes(after.PixelData) == before.PixelData
    )
    asked["file meta and pixels"] += 2
    right["file meta and pixels"] += of_file
    left = sum(word.encode(code) in out for word in planter.canaries for code in ("utf-8", "utf-16-le"))
    return right, asked, misses, left, len(planter.canaries)


def speed(files: int) -> tuple[float, float]:
    """512 x 512 uncompressed CT, read, checked, written, searched and synced: files a second, and CPU ms a file.

    The median of three. The second number tells whether a busy machine is to blame for the first.
    """
    root = Path(tempfile.mkdtemp(prefix="release-"))
    try:
        planter = Planter(0)
        (root / "in").mkdir()
        pixels = planter.rng.integers(0, 2**12, (512, 512), dtype=np.uint16)
        study, series, frame = (planter.value("UI", 0) for _ in range(3))
        for index in range(files):
            ds = FileDataset(
                "", {}, file_meta=FileMetaDataset(), preamble=b"\0" * 128, is_implicit_VR=False, is_little_endian=True
            )
            ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            ds.SOPClassUID, ds.SOPInstanceUID = SOP["CT"], f"{series}.{index + 1}"
            ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = study, series, frame
            ds.Modality, ds.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
            ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = (
                "Kanari^Vogel",
                "K4711X9",
                "19510203",
                "F",
            )
            ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = "20200102"
            ds.StudyTime = ds.AcquisitionTime = "101500.5"
            ds.AccessionNumber, ds.InstitutionName, ds.ReferringPhysicianName = "ACC90017", "Kanari Hospital", "Doe^Jo"
            ds.Manufacturer, ds.ManufacturerModelName, ds.ConvolutionKernel = "ACME", "One", "B30f"
            ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, index * 2.5], [1, 0, 0, 0, 1, 0]
            ds.PixelSpacing, ds.SliceThickness, ds.PatientPosition = [0.7, 0.7], "2.5", "HFS"
            ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType, ds.InstanceNumber = "-1024", "1", "HU", str(index + 1)
            ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.Rows, ds.Columns = 1, "MONOCHROME2", 512, 512
            ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
            block = ds.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
            block.add_new(0x10, "OB", planter.rng.bytes(8000))
            ds.PixelData = np.roll(pixels, index).tobytes()
            ds["PixelData"].VR = "OW"
            (root / "in" / f"{index:04d}.dcm").write_bytes(written(ds))
        scans = [scan for series in index_paths([root / "in"]).series for scan in series.scans]
        rates = []
        for number in range(3):
            began, cpu = time.perf_counter(), time.process_time()
            done = release_scans(scans, root / f"out{number}", key=KEY, profile=Profile())
            rates.append((files / (time.perf_counter() - began), 1000 * (time.process_time() - cpu) / files))
            assert done.files == files, done
            shutil.rmtree(done.folder)
        return sorted(rates)[1]
    finally:
        shutil.rmtree(root)


def others(objects: int, types: dict, stay: dict, acted: dict[int, str]) -> None:
    """The same score, basic profile, for two libraries in their default configuration."""
    print("\n| library, as it comes | correct actions | planted values left |\n| --- | ---: | ---: |")
    basic = Profile(modified_dates=False, patient_characteristics=False)
    for label, way in (("dicognito", dicognito_way), ("dicom-anonymizer", dicom_anonymizer_way)):
        good = total = left = planted = failed = 0
        for name in SOP:
            for seed in range(objects):
                try:
                    found = score(name, seed, basic, types[name], stay[name], acted, way)
                except Exception:
                    failed += 1
                    continue
                good, total = good + sum(found[0].values()), total + sum(found[1].values())
                left, planted = left + found[3], planted + found[4]
        shown = f"{100 * good / total:.1f} %" if total else "none"
        print(f"| {label} | {shown} ({failed} objects failed) | {left} of {planted} |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=12, help="objects of each kind and profile")
    parser.add_argument("--files", type=int, default=300, help="slices of 512 x 512 for the speed")
    parser.add_argument("--others", action="store_true", help="score other de-identifiers by the same yardstick")
    parser.add_argument("--misses", type=int, default=10, help="how many misses to name")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    types, stay = iods()
    acted = oracle()
    right: dict[str, Counter] = defaultdict(Counter)
    asked: dict[str, Counter] = defaultdict(Counter)
    misses: Counter = Counter()
    left = canaries = 0
    profiles = {"basic": Profile(modified_dates=False, patient_characteristics=False), "with options": Profile()}
    for label, profile in profiles.items():
        for name in SOP:
            for seed in range(given.objects):
                found = score(name, seed, profile, types[name], stay[name], acted)
                right[label] += found[0]
                asked[label] += found[1]
                misses += found[2]
                left, canaries = left + found[3], canaries + found[4]
    print(f"| {'profile':<13} | {'expectation':<22} | {'asked':>7} | {'right':>7} | {'share':>8} |")
    print("| --- | --- | ---: | ---: | ---: |")
    for label in profiles:
        for kind in asked[label]:
            all_, good = asked[label][kind], right[label][kind]
            print(f"| {label:<13} | {kind:<22} | {all_:>7} | {good:>7} | {100 * good / all_:7.3f}% |")
    total, good = (sum(sum(part.values()) for part in side.values()) for side in (asked, right))
    share = good / total
    rate, cpu = speed(given.files)
    if given.others:
        others(given.objects, types, stay, acted)
    print(f"\n| measure | value | floor |\n| --- | ---: | ---: |\n| correct actions | {100 * share:.3f} % | 99.9 % |")
    print(f"| planted identifiers left, of {canaries} | {left} | 0 |\n| files a second | {rate:.0f} | 100 |")
    print(f"| CPU a file | {cpu:.1f} ms | |")
    for miss, count in misses.most_common(given.misses):
        print(f"missed {count}x: {miss}", file=sys.stderr)
    return int(share < 0.999 or left > 0 or rate < 100)


if __name__ == "__main__":
    sys.exit(main())
