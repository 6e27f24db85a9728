"""Faults of the files themselves: their bytes, their syntax, their frames; and what happens to them after the index."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import (
    MPEG2MPML,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
)

from data_schemas.reasons import Reason, Remark
from pipelines.synthetic.faults.fault import CLASSIC_FORMS, DAMAGE, UNCOMPRESSED, Fault
from pipelines.synthetic.faults.forms import ENHANCED, JPEG

Rng = np.random.Generator


def inner_file(folder: Path, rng: Rng) -> Path:
    """A file that is neither of the two at each end of the stack; the one file of an enhanced series."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if len(paths) < 6:
        return paths[0]
    places = []
    for path in paths:
        ds = pydicom.dcmread(path, specific_tags=["ImagePositionPatient", "ImageOrientationPatient"])
        directions = np.array(ds.ImageOrientationPatient, float)
        along = np.cross(directions[:3], directions[3:]) @ np.array(ds.ImagePositionPatient, float)
        places.append((float(along), path))
    return sorted(places)[int(rng.integers(2, len(paths) - 2))][1]


def damaged(change: Callable[[bytes, Rng], bytes], *, every: bool = False) -> DAMAGE:
    """Change the bytes of one file, or of all."""

    def damage(folder: Path, rng: Rng) -> None:
        paths = sorted(folder.rglob("*.dcm")) if every else [inner_file(folder, rng)]
        for path in paths:
            path.write_bytes(change(path.read_bytes(), rng))

    return damage


def _pixel_offset(data: bytes) -> int:
    """Where the pixel element begins: its last occurrence, for a tag may also stand in a value before it."""
    return data.rfind(b"\xe0\x7f\x10\x00O")


def _text(data: bytes, rng: Rng) -> bytes:
    return b"This was a slice once. " * int(rng.integers(10, 400))


def _cut_pixels(data: bytes, rng: Rng) -> bytes:
    start = _pixel_offset(data)
    return data[: int(rng.integers(start + 40, len(data) - 2))]


def _cut_header(data: bytes, rng: Rng) -> bytes:
    return data[: int(rng.integers(400, _pixel_offset(data)))]


def declare(syntax: str) -> Callable[[bytes, Rng], bytes]:
    """Declare another transfer syntax and leave all else as it is."""

    def change(data: bytes, _: Rng) -> bytes:
        meta = pydicom.dcmread(BytesIO(data), stop_before_pixels=True).file_meta
        length = int(meta.FileMetaInformationGroupLength)
        meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
        buffer = DicomBytesIO()
        write_file_meta_info(buffer, meta, enforce_standard=True)
        return data[:132] + buffer.getvalue() + data[132 + 12 + length :]

    return change


def _spoilt_code(data: bytes, rng: Rng) -> bytes:
    """The markers at the head of the codestream are noise."""
    at = data.find(b"\xff\xd8", _pixel_offset(data))
    noise = rng.integers(0, 255, 24, dtype=np.uint8).tobytes()
    return data[: at + 2] + noise + data[at + 26 :]


def _cut_code(data: bytes, rng: Rng) -> bytes:
    """The codestream stops early, and every length field agrees with that."""
    ds = pydicom.dcmread(BytesIO(data))
    code = next(generate_frames(ds.PixelData, number_of_frames=1))
    ds.PixelData = encapsulate([code[: int(len(code) * rng.uniform(0.3, 0.9))]])
    buffer = BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def flip(data: bytes, rng: Rng) -> bytes:
    """Flip one bit of the stored pixels."""
    at = int(rng.integers(_pixel_offset(data) + 60, len(data) - 10))
    return data[:at] + bytes([data[at] ^ (1 << int(rng.integers(8)))]) + data[at + 1 :]


def _remove(folder: Path, rng: Rng) -> None:
    inner_file(folder, rng).unlink()


def _copies(folder: Path, rng: Rng) -> None:
    for path in sorted(folder.rglob("*.dcm"))[: int(rng.integers(1, 6))]:
        (path.parent / f"copy-{path.name}").write_bytes(path.read_bytes())


def _stray_text(folder: Path, rng: Rng) -> None:
    (folder / "stray.dcm").write_bytes(_text(b"", rng))


def _more_frames(ds: Dataset, rng: Rng) -> None:
    ds.NumberOfFrames = int(ds.NumberOfFrames) + int(rng.integers(1, 5))


def _fewer_frames(ds: Dataset, rng: Rng) -> None:
    ds.NumberOfFrames = int(ds.NumberOfFrames) - int(rng.integers(1, 5))


def _countless_frames(ds: Dataset, _: Rng) -> None:
    ds.NumberOfFrames = 2_000_000_000


def _no_groups(ds: Dataset, rng: Rng) -> None:
    if rng.random() < 0.5:
        del ds.PerFrameFunctionalGroupsSequence
    else:
        del ds.PerFrameFunctionalGroupsSequence[int(rng.integers(2, 20))]


# Cut at the end of an element, before its UIDs or its pixels, a file shows no sign of the cut.
_CUT = frozenset({Reason.TRUNCATED, Reason.NO_PIXEL_DATA, Reason.UNSUPPORTED_OBJECT})
_SYNTAX = frozenset({Reason.UNSUPPORTED_TRANSFER_SYNTAX})
_FAILED = frozenset({Reason.DECODE_FAILED, Reason.DECODER_DIED})
_FRAMES = frozenset({Reason.DECODE_FAILED, Reason.MISSING_GEOMETRY, Reason.TRUNCATED, Reason.TOO_LARGE,
                     Reason.UNSUPPORTED_OBJECT})  # fmt: skip

FILES = {
    "text-for-a-slice": Fault("text under the name of a slice", frozenset({Reason.NOT_DICOM}), damage=damaged(_text)),
    "empty-file": Fault("an empty file for a slice", frozenset({Reason.NOT_DICOM}),
                        damage=damaged(lambda data, rng: b"")),
    "stray-text": Fault("a text file that claims to be DICOM", frozenset({Reason.NOT_DICOM}), damage=_stray_text),
    "cut-pixels": Fault("a file cut in its pixels", frozenset({Reason.TRUNCATED}), damage=damaged(_cut_pixels)),
    "cut-header": Fault("a file cut in its header", _CUT, damage=damaged(_cut_header)),
    "video-syntax": Fault("a transfer syntax of videos", _SYNTAX, damage=damaged(declare(MPEG2MPML), every=True)),
    "private-syntax": Fault("a transfer syntax that nobody knows", _SYNTAX | {Reason.DECODE_FAILED},
                            damage=damaged(declare("2.25.1234"), every=True)),
    "declared-jpeg": Fault("plain pixels declared JPEG Lossless", _FAILED,
                           damage=damaged(declare(JPEGLosslessSV1), every=True), forms=UNCOMPRESSED),
    "declared-plain": Fault("JPEG Lossless declared uncompressed", _FAILED | {Reason.NOT_DICOM, Reason.TRUNCATED},
                            damage=damaged(declare(ExplicitVRLittleEndian), every=True), forms=(JPEG,)),
    "declared-another-codec": Fault("JPEG Lossless declared JPEG 2000", _FAILED,
                                    damage=damaged(declare(JPEG2000Lossless), every=True), forms=(JPEG,)),
    "declared-big-endian": Fault("little-endian data declared big-endian",
                                 frozenset({Reason.NOT_DICOM, Reason.TRUNCATED, Reason.UNSUPPORTED_OBJECT}),
                                 damage=damaged(declare(ExplicitVRBigEndian), every=True), forms=UNCOMPRESSED),
    "spoilt-code": Fault("a codestream whose head is noise", _FAILED, damage=damaged(_spoilt_code), forms=(JPEG,)),
    "cut-code": Fault("a codestream that stops early", _FAILED, damage=damaged(_cut_code), forms=(JPEG,)),
    "more-frames": Fault("more frames stated than there are", _FRAMES, frames=_more_frames, forms=(ENHANCED,)),
    "fewer-frames": Fault("fewer frames stated than there are", _FRAMES, frames=_fewer_frames, forms=(ENHANCED,)),
    "countless-frames": Fault("two thousand million frames stated", _FRAMES, frames=_countless_frames,
                              forms=(ENHANCED,)),
    "no-frame-groups": Fault("functional groups that are absent", _FRAMES, frames=_no_groups, forms=(ENHANCED,)),
    "bit-flipped-later": Fault("one bit flipped after the index", frozenset({Reason.DIGEST_CHANGED}),
                               later=damaged(flip)),
    "removed-later": Fault("a file removed after the index", frozenset({Reason.FILE_MISSING}), later=_remove),
    "copies": Fault("byte-identical copies", remark=Remark.COPIES_DROPPED, damage=_copies, forms=CLASSIC_FORMS),
}  # fmt: skip
