"""Objects with every attribute of the table planted, at the top and in sequences, with canaries in the values."""

from __future__ import annotations

import io

import numpy as np
from pydicom import Dataset, FileDataset
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from release_rules import CHARACTERISTICS, SOP

SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)
# Where attributes are planted: at the top, and inside sequences that an image keeps.
CLASSIC_PATHS = ((), ("AnatomicRegionSequence",), ("ContrastBolusAgentSequence", "ContrastBolusIngredientCodeSequence"))
ENHANCED_PATHS = (
    (),
    ("SharedFunctionalGroupsSequence",),
    ("SharedFunctionalGroupsSequence", "FrameAnatomySequence"),
    ("PerFrameFunctionalGroupsSequence", "DerivationImageSequence"),
)
PIXEL_MODULE = {
    "Rows": 4, "Columns": 4, "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0,
    "SamplesPerPixel": 1, "NumberOfFrames": "1", "PhotometricInterpretation": "MONOCHROME2", "PlanarConfiguration": 0,
    "SpecificCharacterSet": "ISO_IR 192",
}  # fmt: skip


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


def paths_of(name: str) -> tuple[tuple[str, ...], ...]:
    """Where attributes are planted in an object of a kind."""
    return ENHANCED_PATHS if "enhanced" in name else CLASSIC_PATHS


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
    for path in paths_of(name):
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
