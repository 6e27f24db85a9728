"""How slices become files: classic, uncompressed or in JPEG Lossless, or one enhanced multi-frame file a series."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    CTImageStorage,
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    JPEGLosslessSV1,
    MRImageStorage,
)

from pipelines.synthetic.faults.wedge import write_raw
from pipelines.synthetic.names import make_uid

CLASSIC, JPEG, ENHANCED = "classic", "jpeg-lossless", "enhanced"
FORMS = (CLASSIC, JPEG, ENHANCED)

Encoder = Callable[[np.ndarray], bytes]

_ENHANCED_CLASS = {CTImageStorage: EnhancedCTImageStorage, MRImageStorage: EnhancedMRImageStorage}
_FRAME_TYPE = {CTImageStorage: "CTImageFrameTypeSequence", MRImageStorage: "MRImageFrameTypeSequence"}
# Attributes of a slice that become those of a frame: macro, and the names inside it.
_MACROS = {
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness"),
    "PixelValueTransformationSequence": ("RescaleIntercept", "RescaleSlope", "RescaleType"),
}
_OF_FRAMES = {name for names in _MACROS.values() for name in names}
_OF_FRAMES |= {"SOPInstanceUID", "InstanceNumber", "AcquisitionTime", "ImageType", "Laterality", "ImageLaterality"}
_OF_FRAMES |= {"PixelData", "AcquisitionNumber", "GantryDetectorTilt"}


def write_form(slices: Sequence[Dataset], folder: Path, form: str, *, seed: int) -> list[Path]:
    """Write slices in one of `FORMS`; file names are a permutation and tell nothing of the order."""
    if form == ENHANCED:
        slices = [enhance(found) for found in _by_series(slices)]
    encode = encode_jpeg_lossless if form == JPEG else None
    syntax = JPEGLosslessSV1 if form == JPEG else ExplicitVRLittleEndian
    return write_files(slices, folder, syntax=syntax, encode=encode, seed=seed)


def write_files(
    slices: Iterable[Dataset],
    folder: Path,
    *,
    syntax: str = ExplicitVRLittleEndian,
    encode: Encoder | None = None,
    seed: int = 0,
    names: Sequence[str] = (),
) -> list[Path]:
    """Write data sets into a folder. With ``encode`` the monochrome 16-bit ones are compressed, in ``syntax``."""
    folder.mkdir(parents=True, exist_ok=True)
    slices = list(slices)
    numbers = np.random.default_rng([seed, 7]).permutation(len(slices))
    paths = []
    for index, ds in enumerate(slices):
        path = folder / (names[index] if names else f"IM{numbers[index] + 1:04d}.dcm")
        _write(ds, path, syntax, encode)
        paths.append(path)
    return paths


def encode_jpeg_lossless(plane: np.ndarray) -> bytes:
    """One plane of 16-bit values as JPEG Lossless, first-order prediction."""
    import imagecodecs

    return bytes(imagecodecs.jpeg8_encode(plane, lossless=True, predictor=1))


def enhance(slices: Sequence[Dataset]) -> Dataset:
    """One enhanced multi-frame data set of classic slices.

    What differs between slices stands in the per-frame functional groups, what does not in the shared ones.

    Raises
    ------
    ValueError
        Slices differ in something that an enhanced object holds once, such as the patient.
    """
    first = slices[0]
    result = Dataset()
    for element in first:
        if element.keyword in _OF_FRAMES or element.keyword == "SOPClassUID":
            continue
        if any(ds.get(element.tag) != element for ds in slices):
            raise ValueError(f"slices differ in {element.keyword or element.tag}, which no frame can tell")
        result[element.tag] = element
    result.SOPClassUID = _ENHANCED_CLASS[first.SOPClassUID]
    result.SOPInstanceUID = make_uid(first.SOPInstanceUID, "enhanced")
    result.ImageType = first.ImageType
    result.InstanceNumber, result.NumberOfFrames = 1, len(slices)
    groups = [_groups(ds, index) for index, ds in enumerate(slices)]
    shared = Dataset()
    for name in list(groups[0]):
        keyword = name.keyword
        if keyword != "FrameContentSequence" and all(group.get(name.tag) == name for group in groups):
            shared[name.tag] = name
    for group in groups:
        for element in shared:
            del group[element.tag]
    result.SharedFunctionalGroupsSequence = [shared]
    result.PerFrameFunctionalGroupsSequence = groups
    if all("PixelData" in ds for ds in slices):
        result.add_new(0x7FE00010, "OW", b"".join(ds.PixelData for ds in slices))
    return result


def _groups(ds: Dataset, index: int) -> Dataset:
    group = Dataset()
    for macro, names in _MACROS.items():
        item = Dataset()
        for name in names:
            if name in ds:
                item[name] = ds[name]
        if len(item):
            setattr(group, macro, [item])
    kind, content = Dataset(), Dataset()
    kind.FrameType = [*ds.ImageType, "NONE"][:4]
    setattr(group, _FRAME_TYPE[ds.SOPClassUID], [kind])
    content.FrameAcquisitionNumber = int(ds.get("AcquisitionNumber") or 1)
    content.StackID, content.InStackPositionNumber = "1", index + 1
    content.FrameAcquisitionDateTime = f"{ds.get('AcquisitionDate') or '20250310'}{ds.get('AcquisitionTime', '101600')}"
    group.FrameContentSequence = [content]
    side = ds.get("ImageLaterality") or ds.get("Laterality")
    if side:
        anatomy = Dataset()
        anatomy.FrameLaterality = side
        group.FrameAnatomySequence = [anatomy]
    return group


def _by_series(slices: Sequence[Dataset]) -> list[list[Dataset]]:
    found: dict[str, list[Dataset]] = {}
    for ds in slices:
        found.setdefault(str(ds.get("SeriesInstanceUID", "")), []).append(ds)
    return list(found.values())


def _write(ds: Dataset, path: Path, syntax: str, encode: Encoder | None) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ds.get("SOPClassUID") or CTImageStorage
    write_raw(meta, "MediaStorageSOPInstanceUID", "UI", ds.get("SOPInstanceUID") or "2.25.1")
    plain = ds.get("SamplesPerPixel") == 1 and ds.get("BitsAllocated") == 16 and "PixelData" in ds
    compress = encode is not None and plain
    meta.TransferSyntaxUID = UID(syntax) if compress or encode is None else ExplicitVRLittleEndian
    transfer = meta.TransferSyntaxUID
    copy = Dataset()
    copy.update(ds)  # the data set of the caller stays as it is
    file = FileDataset(
        str(path),
        copy,
        file_meta=meta,
        preamble=b"\0" * 128,
        is_implicit_VR=transfer.is_implicit_VR,
        is_little_endian=transfer.is_little_endian,
    )
    native = ds.get("PixelData")
    if compress and encode is not None:
        # A plane of another size than the header states stays one: that is a fault, and not for this writer to mend.
        planes = np.frombuffer(native, "<u2").reshape(int(ds.get("NumberOfFrames", 1)), -1, _columns(ds))
        file.add_new(0x7FE00010, "OB", encapsulate([encode(plane) for plane in planes]))
        file["PixelData"].is_undefined_length = True
    elif native is not None and not transfer.is_little_endian and ds.get("BitsAllocated") == 16:
        file.add_new(0x7FE00010, "OW", np.frombuffer(native, "<u2").astype(">u2").tobytes())
    with warnings.catch_warnings():
        # Values that the standard forbids are meant.
        warnings.simplefilter("ignore", UserWarning)
        file.save_as(path, enforce_file_format=True)


def _columns(ds: Dataset) -> int:
    """Columns of a plane as it is stored, where the header may say anything."""
    count, rows = len(ds.PixelData) // 2 // int(ds.get("NumberOfFrames", 1)), int(ds.get("Rows", 64))
    return int(ds.Columns) if ds.get("Columns") and count % int(ds.Columns) == 0 else max(1, count // max(rows, 1))
