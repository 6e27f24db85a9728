"""What kind of object each file of a series is: a slice of a patient, a picture to be set aside, or no image at all.

Which pictures are honest slices follows the standard's Image Type (PS3.3 C.7.6.1.1.2). Value 1 tells whether the
pixels are ORIGINAL or DERIVED from others: filtering, averaging thin slabs, water and fat separation, diffusion maps
and lossy compression all make DERIVED pixels of a right volume, so DERIVED alone refuses nothing. Value 2 tells
whether the picture is a PRIMARY result of the examination or was made afterwards: SECONDARY refuses. The words after
that refuse where they tell of a projection, a rendering, a capture or a reformat, whatever values 1 and 2 say. A
reformat may be a right volume of its own, but it is a resampling by an unknown hand of a stack that exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from data_schemas.reasons import Reason
from pipelines.scans.decode import MAX_PIXELS, SUPPORTED
from pipelines.scans.problem import Problem
from pipelines.scans.slice_header import SliceHeader

_STORAGE = "1.2.840.10008.5.1.4.1.1"
# Classic objects, one slice each, and enhanced ones, whose frames are the slices.
CLASSIC = {f"{_STORAGE}.2": "CT", f"{_STORAGE}.4": "MR", f"{_STORAGE}.128": "PT"}
ENHANCED = {
    f"{_STORAGE}.2.1": "CT", f"{_STORAGE}.2.2": "CT",
    f"{_STORAGE}.4.1": "MR", f"{_STORAGE}.4.4": "MR",
    f"{_STORAGE}.130": "PT", f"{_STORAGE}.128.1": "PT",
}  # fmt: skip
SLICE_OBJECTS = CLASSIC | ENHANCED
# Secondary captures: pictures of a screen or of paper.
CAPTURES = f"{_STORAGE}.7"
# Storage classes that are no images of a patient: spectroscopy, waveforms, presentation states, raw data,
# registrations, segmentations, value maps, surfaces, reports, documents, radiotherapy, protocols.
_NO_IMAGE = tuple(f"{_STORAGE}.{end}" for end in ("4.2", "9", "11", "66", "67", "68", "88", "104", "200", "201", "481"))
# Modalities whose objects may hold pixels and still are no images of a patient.
NO_IMAGES = frozenset(
    {"SR", "SEG", "RTSTRUCT", "RTPLAN", "RTDOSE", "RTRECORD", "PR", "KO", "REG", "DOC", "PLAN", "AU", "ECG", "HD"}
    | {"M3D", "FID", "RWV", "SMR", "STAIN", "TEXTUREMAP", "ASMT"}
)
# What may be shown: these, further modalities of images, and photometric interpretations.
_CODES = NO_IMAGES | frozenset(
    {"CT", "MR", "PT", "NM", "CR", "DX", "MG", "US", "XA", "RF", "RTIMAGE", "OT", "SC", "ES", "XC", "SM", "IVUS"}
    | {"OCT", "OP", "OPT", "IO", "PX", "BMD", "MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "HSV", "CMYK"}
    | {"YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "YBR_PARTIAL_420", "YBR_PARTIAL_422"}
)
# Parts of Image Type words: "CSA MPR", "CT_SOM5 MIP" and "PROJECTION IMAGE" are met as well as the bare words.
_LOCALIZER = frozenset({"LOCALIZER", "SCOUT", "TOPOGRAM"})
_DERIVED = frozenset(
    {"MIP", "MINIP", "MNIP", "MAXIMUM", "MINIMUM", "PROJECTION", "MPR", "CPR", "REFORMATTED", "REFORMAT"}
    | {"RESAMPLED", "CURVED", "VRT", "SSD", "SCREEN", "SCREENSAVE", "SCREENSHOT", "CAPTURE", "DOSE", "RASTER"}
    | {"COLOR", "COLOUR"}
)
# Whole words of enhanced objects, whose parts mean something else: "IP" alone is "in phase".
_RENDERED = frozenset({"MAX_IP", "MIN_IP", "VOLUME_RENDER", "SURFACE_RENDER"})


class Sorted(NamedTuple):
    """The images of a series, and the pictures among them that are no slices of it."""

    images: tuple[SliceHeader, ...]
    localizers: tuple[SliceHeader, ...]
    captures: tuple[SliceHeader, ...]


def sort_out(headers: Sequence[SliceHeader]) -> Sorted:
    """Tell slices from localizers, and from captures and other derived pictures."""
    kinds: dict[tuple[object, ...], str] = {}
    found: dict[str, list[SliceHeader]] = {"image": [], "localizer": [], "capture": []}
    for header in headers:
        key = (header.image_type, header.converted, header.sop_class)
        if key not in kinds:
            kinds[key] = _kind(header)
        found[kinds[key]].append(header)
    return Sorted(tuple(found["image"]), tuple(found["localizer"]), tuple(found["capture"]))


def _kind(header: SliceHeader) -> str:
    parts = {part for word in header.image_type for part in re.split(r"[^A-Z0-9]+", word)}
    if parts & _LOCALIZER:
        return "localizer"
    capture = header.sop_class == CAPTURES or header.sop_class.startswith(f"{CAPTURES}.") or header.converted
    derived = parts & _DERIVED or _RENDERED & set(header.image_type)
    return "capture" if capture or "SECONDARY" in header.image_type[:2] or derived else "image"


def no_images(headers: Iterable[SliceHeader]) -> Iterator[Problem]:
    """Find objects without pixels of a patient."""
    alike = {
        (header.sop_class, header.modality, header.rows is None, header.pixels is None): header for header in headers
    }
    for header in alike.values():
        by_class = any(header.sop_class == start or header.sop_class.startswith(f"{start}.") for start in _NO_IMAGE)
        no_shape = header.rows is None and header.pixels is None and header.sop_class not in SLICE_OBJECTS
        if by_class or no_shape or header.modality in NO_IMAGES:
            yield Problem(Reason.NOT_AN_IMAGE, f"modality {word(header.modality)}")
        elif header.pixels is None:
            yield Problem(Reason.NO_PIXEL_DATA, "an image object without pixels")


def object_problems(images: Iterable[SliceHeader]) -> Iterator[Problem]:
    """Find objects, transfer syntaxes and pixels of a kind that is not read, and mosaics."""
    seen: set[tuple[object, ...]] = set()
    for header in images:
        span = header.pixels
        native = span.length if span and span.fragments is None else None
        key = (
            *(header.modality, header.sop_class, header.frames, header.transfer_syntax, header.samples, native),
            *(header.photometric, header.rows, header.columns, header.bits_allocated, header.bits_stored),
            *(header.high_bit, header.signed, header.mosaic, header.image_type),
        )
        if key not in seen:
            seen.add(key)
            yield from _object(header)
            yield from _pixel_module(header)


def missing_frames(images: Sequence[SliceHeader]) -> Iterator[Problem]:
    """Find multi-frame files of which not every frame is there, and concatenations of them that lack a file."""
    frames: dict[str, set[int]] = {}
    stated: dict[str, int] = {}
    for header in images:
        if header.sop_class in ENHANCED:
            frames.setdefault(header.path or header.sha256, set()).add(header.frame)
            stated[header.path or header.sha256] = header.frames
    absent = sum(max(0, stated[file] - len(found)) for file, found in frames.items())
    if absent:
        yield Problem(Reason.MISSING_SLICES, f"{absent} frames that the file states are not there")
    parts: dict[str, set[int]] = {}
    for header in images:
        if header.concatenation and header.concatenated:
            parts.setdefault(header.concatenation, set()).add(header.concatenated)
    for header in {header.concatenation: header for header in images if header.concatenation}.values():
        found = parts.get(header.concatenation, set())
        if len(found) < max(header.concatenated_of or 0, max(found, default=0)):
            yield Problem(Reason.MISSING_SLICES, f"{len(found)} parts of a concatenation of more")


def _object(header: SliceHeader) -> Iterator[Problem]:
    expected = SLICE_OBJECTS.get(header.sop_class)
    if expected is None or (header.frames != 1 and header.sop_class not in ENHANCED):
        yield Problem(Reason.UNSUPPORTED_OBJECT, "only CT, MR and PET images, classic or enhanced, are read")
    elif header.modality != expected:
        yield Problem(Reason.UNSUPPORTED_OBJECT, f"a {expected} object of modality {word(header.modality)}")
    if header.transfer_syntax not in SUPPORTED:
        yield Problem(Reason.UNSUPPORTED_TRANSFER_SYNTAX, word(header.transfer_syntax))
    if header.mosaic or "MOSAIC" in header.image_type:
        yield Problem(Reason.MOSAIC, "slices tiled into one image")


def _pixel_module(header: SliceHeader) -> Iterator[Problem]:
    rows, columns, allocated = header.rows or 0, header.columns or 0, header.bits_allocated or 0
    monochrome = header.photometric in {"MONOCHROME1", "MONOCHROME2"}
    if header.samples not in {1, None} or header.photometric.startswith(("RGB", "YBR", "PALETTE", "HSV", "CMYK")):
        yield Problem(Reason.COLOUR, "coloured pixels")
    if not monochrome or header.samples != 1:
        yield Problem(Reason.PHOTOMETRIC_CONFLICT, f"{header.samples} samples of {word(header.photometric)}")
    if not rows or not columns:
        yield Problem(Reason.MISSING_GEOMETRY, "no rows or columns")
    if rows * columns > MAX_PIXELS:
        yield Problem(Reason.TOO_LARGE, f"{rows} x {columns} pixels are beyond {MAX_PIXELS}")
    stored = header.bits_stored or 0
    if (
        allocated not in {8, 16}
        or not 0 < stored <= allocated
        or header.high_bit != stored - 1
        or header.signed is None
    ):
        yield Problem(Reason.UNSUPPORTED_OBJECT, f"{stored} bits stored of {allocated}, high bit {header.high_bit}")
    span = header.pixels
    needed = rows * columns * allocated // 8
    if span and span.fragments is None and header.samples == 1 and not needed <= span.length <= needed + needed % 2:
        yield Problem(Reason.DECODE_FAILED, f"the pixels take {span.length} bytes; their shape needs {needed}")


def word(value: str) -> str:
    """A code or a UID as it may be shown: known codes hold no patient data, anything else might."""
    return value if value in _CODES or re.fullmatch(r"[0-9.]{1,64}", value) else "of no known code"
