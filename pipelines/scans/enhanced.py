"""Enhanced multi-frame CT, MR and PET: one slice a frame, filled in from the functional groups.

Enhanced objects (PS3.3 A.36, A.38, A.56) and those converted from classic ones (A.70 to A.72) say per frame, or once
for all frames, what a classic file says of its one slice. Dialects differ in which of the two; both are read, and a
frame's own word wins. Real-world value maps and display windows are no modality transformation and are not applied.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace
from datetime import tzinfo
from itertools import pairwise
from typing import Any

from data_schemas.reasons import Reason
from pipelines.scans import values
from pipelines.scans.elements import BrokenError, Elements, PixelSpan
from pipelines.scans.enhanced_groups import PER_FRAME, SHARED, Raw, frame_values
from pipelines.scans.slice_header import SliceHeader

# Enhanced CT, MR and PET; legacy converted enhanced CT, MR and PET.
ENHANCED = frozenset({
    "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.130",
    "1.2.840.10008.5.1.4.1.1.2.2", "1.2.840.10008.5.1.4.1.1.4.4", "1.2.840.10008.5.1.4.1.1.128.1",
})  # fmt: skip
MAX_FRAMES = 20_000
EXTENDED_OFFSETS, EXTENDED_LENGTHS = 0x7FE00001, 0x7FE00002
SEQUENCES = frozenset({SHARED, PER_FRAME, EXTENDED_OFFSETS, EXTENDED_LENGTHS})

_POSITION, _ORIENTATION, _PIXEL_SPACING, _THICKNESS = 0x00200032, 0x00200037, 0x00280030, 0x00180050
_INTERCEPT, _SLOPE, _RESCALE_TYPE = 0x00281052, 0x00281053, 0x00281054
_STACK, _TEMPORAL, _ACQUISITION, _ACQUIRED = 0x00209056, 0x00209128, 0x00209156, 0x00189074
_FRAME_TYPE, _EFFECTIVE_ECHO_TIME, _B_VALUE, _TRIGGER_DELAY = 0x00089007, 0x00189082, 0x00189087, 0x00209153
_ECHO, _ECHO_TIME, _LATERALITY, _KERNEL, _TILT = 0x00180086, 0x00180081, 0x00209072, 0x00181210, 0x00181120
_CLASSIC_ACQUISITION, _CLASSIC_TRIGGER, _CLASSIC_TEMPORAL = 0x00200012, 0x00181060, 0x00200100
_COMPLEX, _REPETITION_TIME, _INVERSION_TIME, _INVERSION_TIMES = 0x00089208, 0x00180080, 0x00180082, 0x00189079
_TECHNIQUE = 0x00089207
_WANTED = frozenset({
    _POSITION, _ORIENTATION, _PIXEL_SPACING, _THICKNESS, _INTERCEPT, _SLOPE, _RESCALE_TYPE, _STACK, _TEMPORAL,
    _ACQUISITION, _ACQUIRED, _FRAME_TYPE, _EFFECTIVE_ECHO_TIME, _B_VALUE, _TRIGGER_DELAY, _ECHO, _ECHO_TIME,
    _LATERALITY, _KERNEL, _TILT, _CLASSIC_ACQUISITION, _CLASSIC_TRIGGER, _CLASSIC_TEMPORAL, _COMPLEX,
    _REPETITION_TIME, _INVERSION_TIME, _INVERSION_TIMES, _TECHNIQUE,
})  # fmt: skip


def frame_headers(elements: Elements, header: SliceHeader, zone: tzinfo | None = None) -> tuple[SliceHeader, ...]:
    """Return one header a frame of an enhanced file.

    Parameters
    ----------
    elements
        The file's elements, with `SEQUENCES` among the values.
    header
        What the top level of the file says; frames override it.
    zone
        The file's offset from UTC, for the times of its frames.

    Returns
    -------
    tuple of SliceHeader
        In the order of the frames, ``frame`` counting from 0, ``pixels`` the span of the frame; or the file's one
        header with a ``fault``: ``too-large`` beyond 20,000 frames, ``missing-geometry`` where the groups do not
        describe every frame or contradict each other, ``decode-failed`` where frames cannot be told apart.
    """
    if header.fault is not None or header.pixels is None:
        return (header,)
    try:
        groups, spans = _described(elements, header)
    except BrokenError as broken:
        return (replace(header, fault=broken.reason, fault_detail=broken.detail),)
    little = elements.little_endian
    frames = []
    for frame, (group, span) in enumerate(zip(groups, spans, strict=True)):
        changes = _changes(group, little, zone)
        changes.update(frame=frame, pixels=span, instance_number=str(frame + 1))
        frames.append(replace(header, **changes))
    return tuple(frames)


def _described(elements: Elements, header: SliceHeader) -> tuple[list[Raw], tuple[PixelSpan, ...]]:
    count = header.frames
    if count > MAX_FRAMES:
        raise BrokenError(Reason.TOO_LARGE, f"{count} frames are beyond {MAX_FRAMES}")
    groups = frame_values(elements, _WANTED)
    if len(groups) != count:
        raise BrokenError(Reason.MISSING_GEOMETRY, f"functional groups for {len(groups)} of {count} frames")
    return groups, _spans(elements, header)


def _changes(raw: Raw, little: bool, zone: tzinfo | None) -> dict[str, Any]:
    """Return the fields of a header that the groups of one frame state."""
    changes: dict[str, Any] = {}

    def put(name: str, value: object) -> None:
        if value not in (None, "", ()):
            changes[name] = value

    if _POSITION in raw:
        changes["position"] = values.decimals(raw[_POSITION], 3)
    if _ORIENTATION in raw:
        changes["orientation"] = values.decimals(raw[_ORIENTATION], 6)
    if _PIXEL_SPACING in raw:
        changes["pixel_spacing"] = values.decimals(raw[_PIXEL_SPACING], 2)
    if _SLOPE in raw or _INTERCEPT in raw:
        changes["slope"], changes["intercept"] = values.decimal(raw.get(_SLOPE)), values.decimal(raw.get(_INTERCEPT))
        changes["rescaled"] = True
    put("rescale_type", values.text(raw.get(_RESCALE_TYPE)).upper())
    put("thickness", values.decimal(raw.get(_THICKNESS)))
    put("image_type", _frame_type(raw))
    put("repetition_time", values.decimal(raw.get(_REPETITION_TIME)))
    inversion = values.double(raw.get(_INVERSION_TIMES), little)
    put("inversion_time", _first(inversion, values.decimal(raw.get(_INVERSION_TIME))))
    put("stack_id", values.text(raw.get(_STACK)))
    put("echo", values.text(raw.get(_ECHO)))
    put("echo_time", _first(values.double(raw.get(_EFFECTIVE_ECHO_TIME), little), values.decimal(raw.get(_ECHO_TIME))))
    put("b_value", values.double(raw.get(_B_VALUE), little))
    delay = values.double(raw.get(_TRIGGER_DELAY), little)
    put("trigger_time", _first(delay, values.decimal(raw.get(_CLASSIC_TRIGGER))))
    put("temporal", _number(raw, _TEMPORAL, little) or values.text(raw.get(_CLASSIC_TEMPORAL)))
    put("acquisition_number", _number(raw, _ACQUISITION, little) or values.text(raw.get(_CLASSIC_ACQUISITION)))
    put("image_laterality", values.text(raw.get(_LATERALITY)).upper())
    put("kernel", values.text(raw.get(_KERNEL)))
    put("tilt", values.decimal(raw.get(_TILT)))
    acquired = values.date_time(values.text(raw.get(_ACQUIRED)), zone)
    if acquired:
        changes.update(acquired=acquired, acquired_from="frame_acquisition_date_time")
    return changes


def _frame_type(raw: Raw) -> tuple[str, ...]:
    """The frame's own image type; a phase, real or imaginary part, and a projection, say so in attributes of theirs."""
    words = tuple(part.upper() for part in values.words(raw.get(_FRAME_TYPE)))
    own = [values.text(raw.get(tag)).upper() for tag in (_COMPLEX, _TECHNIQUE)]
    return (*words, *(word for word in own if word not in {"", "MAGNITUDE", "NONE", *words})) if words else ()


def _first(one: float | None, other: float | None) -> float | None:
    return other if one is None else one


def _number(raw: Mapping[int, bytes], tag: int, little: bool) -> str:
    """An unsigned number of 16 or 32 bits as text, or ""."""
    found = raw.get(tag, b"")
    return str(int.from_bytes(found, "little" if little else "big")) if len(found) in {2, 4} else ""


def _spans(elements: Elements, header: SliceHeader) -> tuple[PixelSpan, ...]:
    """Return where the pixels of each frame lie."""
    span, count = header.pixels, header.frames
    assert span is not None  # noqa: S101
    if span.fragments is not None:
        return tuple(
            PixelSpan(span.tag, parts[0][0], sum(size for _, size in parts), parts)
            for parts in _fragments(elements, span.fragments, count)
        )
    bits, samples = header.bits_allocated or 0, header.samples or 1
    size = (header.rows or 0) * (header.columns or 0) * samples * bits // 8
    needed = size * count
    if bits % 8 or not needed <= span.length <= needed + needed % 2:
        raise BrokenError(Reason.DECODE_FAILED, f"the pixels take {span.length} bytes; their shape needs {needed}")
    return tuple(PixelSpan(span.tag, span.offset + frame * size, size) for frame in range(count))


def _fragments(
    elements: Elements, fragments: tuple[tuple[int, int], ...], count: int
) -> list[tuple[tuple[int, int], ...]]:
    """Share the fragments among the frames: one each, or as the extended or the basic offset table says."""
    if len(fragments) == count:
        return [(fragment,) for fragment in fragments]
    if count == 1 and fragments:
        return [fragments]
    raw, size = elements.values.get(EXTENDED_OFFSETS, b""), 8
    if not raw:
        raw, size = elements.offset_table, 4
    order = "<" if elements.little_endian else ">"
    if len(fragments) < count or len(raw) != size * count:
        raise BrokenError(Reason.DECODE_FAILED, f"{len(fragments)} fragments, and no table that shares {count} frames")
    offsets = struct.unpack(f"{order}{count}{'Q' if size == 8 else 'I'}", raw)
    # An item's header of 8 bytes stands before each fragment; offsets count from the first of them.
    start = fragments[0][0]
    index = {at - start: number for number, (at, _) in enumerate(fragments)}
    firsts = [index.get(offset, -1) for offset in offsets]
    if firsts[0] != 0 or any(one >= after for one, after in pairwise(firsts)):
        raise BrokenError(Reason.DECODE_FAILED, "the offset table points elsewhere than at the frames")
    ends = [*firsts[1:], len(fragments)]
    return [fragments[first:end] for first, end in zip(firsts, ends, strict=True)]
