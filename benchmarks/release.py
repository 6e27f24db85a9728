"""Release of headers: how many attributes are treated as DICOM PS3.15 says, what is left, how many files a second.

The actions come from the tables that `dicom-anonymizer` generated from PS3.15 Table E.1-1 (2026c), the types of the
attributes from the tables of PS3.3 that `highdicom` ships: neither is part of scanote. Every attribute of the table is
planted at the top of objects and inside sequences, with random values that carry a canary (`release_planting.py`).

    .venv/bin/python benchmarks/release.py
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom import FileDataset, dcmread
from pydicom.datadict import keyword_for_tag, tag_for_keyword
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from release_planting import SYNTAXES, Planter, at_path, make, paths_of, vr_of, written
from release_rules import CHARACTERISTICS, SOP, iods, oracle, resolved, verdict

from pipelines.scans.index import index_paths
from pipelines.scans.release.batch import release_scans
from pipelines.scans.release.object import release_object
from pipelines.scans.release.profile import Profile

KEY = bytes(range(32))
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
    for path in paths_of(name):
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
