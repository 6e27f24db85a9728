"""The functional groups of a multi-frame object: what is said of each frame, flattened to raw values by tag.

Only the macros that a volume needs are entered, to a fixed depth; everything else is stepped over by its length.
"""

from __future__ import annotations

from collections.abc import Mapping

from data_schemas.reasons import Reason
from pipelines.scans.elements import ITEM, ITEM_END, SEQUENCE_END, UNDEFINED, BrokenError, Elements, Walk
from pipelines.scans.window import Window

SHARED, PER_FRAME = 0x52009229, 0x52009230
# Of PS3.3 C.7.6.16, C.8.13, C.8.15: plane position and orientation, pixel measures, pixel value transformation, frame
# content, frame types (CT, MR, PET), echo, timing, modifiers, diffusion, cardiac synchronisation, frame anatomy, CT
# reconstruction and acquisition details.
MACROS = frozenset({
    0x00209113, 0x00209116, 0x00289110, 0x00289145, 0x00209111, 0x00189329, 0x00189226, 0x00189751, 0x00189114,
    0x00189112, 0x00189115, 0x00189117, 0x00189118, 0x00209071, 0x00189314, 0x00189304,
})  # fmt: skip
# Where classic attributes live on: the converted attributes of legacy objects, and Philips' own copy of them. They
# speak only where no macro does.
COPIES = frozenset({0x00209170, 0x00209171, 0x2005140F})
# Macros stand in the items of the two sequences, attributes in those of the macros.
_DEPTH = 2

Raw = dict[int, bytes]


def frame_values(elements: Elements, wanted: frozenset[int]) -> list[Raw]:
    """Return what the functional groups say of each frame, by tag.

    Parameters
    ----------
    elements
        A file's elements, with the two functional group sequences among the values.
    wanted
        The attributes to pick, from whichever macro they stand in.

    Returns
    -------
    list of dict
        One a frame. What is said of a frame wins over what is said of all, and macros over converted attributes.

    Raises
    ------
    BrokenError
        The sequences are malformed, or shared and per-frame groups contradict each other.
    """
    shared, shared_copies = _one(_groups(elements, SHARED, wanted))
    frames = []
    for own, own_copies in _groups(elements, PER_FRAME, wanted):
        for tag in own.keys() & shared.keys():
            if own[tag].strip(b" \0") != shared[tag].strip(b" \0"):
                raise BrokenError(Reason.MISSING_GEOMETRY, f"shared and per-frame groups differ in {tag:08x}")
        frames.append({**shared_copies, **own_copies, **shared, **own})
    return frames


def _one(groups: list[tuple[Raw, Raw]]) -> tuple[Raw, Raw]:
    if len(groups) > 1:
        raise BrokenError(Reason.NOT_DICOM, "more than one item of shared functional groups")
    return groups[0] if groups else ({}, {})


def _groups(elements: Elements, tag: int, wanted: frozenset[int]) -> list[tuple[Raw, Raw]]:
    """Return (of the macros, of the copies) for each item of one of the two sequences."""
    raw = elements.values.get(tag)
    if not raw:
        return []
    unknown = tag in elements.unknown
    walk = Walk(Window(raw), frozenset(), frozenset())
    walk.little = elements.little_endian or unknown
    items = _items(walk, 0, len(raw), implicit=elements.implicit or unknown, wanted=wanted, depth=_DEPTH)[0]
    return [(_flat(item, MACROS), _flat(item, COPIES)) for item in items]


def _flat(item: Mapping[int, object], macros: frozenset[int]) -> Raw:
    flat: Raw = {}
    for tag in item.keys() & macros:
        content = item[tag]
        assert isinstance(content, list)  # noqa: S101
        if len(content) > 1 and macros is MACROS:
            raise BrokenError(Reason.NOT_DICOM, f"more than one item in the functional group {tag:08x}")
        for attributes in content:
            for name, value in attributes.items():
                if isinstance(value, bytes):
                    flat.setdefault(name, value)
    return flat


def _items(
    walk: Walk, at: int, end: int, *, implicit: bool, wanted: frozenset[int], depth: int
) -> tuple[list[dict[int, object]], int]:
    """Return the items of a sequence between two positions, and where it ends (before that, at its delimiter)."""
    found: list[dict[int, object]] = []
    while at < end:
        tag, _, length, value = walk.element(at, implicit=True, little=walk.little)
        if tag == SEQUENCE_END:
            return found, value
        if tag != ITEM:
            raise BrokenError(Reason.NOT_DICOM, "a sequence is not made of items")
        stop = end if length == UNDEFINED else _within(value + length, end)
        item, at = _item(walk, value, stop, implicit=implicit, wanted=wanted, depth=depth)
        if length != UNDEFINED and at != stop:
            raise BrokenError(Reason.NOT_DICOM, "an item ends before its length says")
        found.append(item)
    return found, at


def _item(
    walk: Walk, at: int, stop: int, *, implicit: bool, wanted: frozenset[int], depth: int
) -> tuple[dict[int, object], int]:
    entered = (MACROS | COPIES) if depth == _DEPTH else frozenset()
    item: dict[int, object] = {}
    data = walk.window.data
    while at < stop:
        tag, vr, length, value = walk.element(at, implicit, walk.little)
        if tag == ITEM_END:
            return item, value
        hidden = implicit or vr == b"UN"
        end = _within(walk.skip_sequence(value, hidden) if length == UNDEFINED else value + length, stop)
        if tag in entered:
            item[tag] = _items(walk, value, end, implicit=hidden, wanted=wanted, depth=depth - 1)[0]
        elif depth < _DEPTH and tag in wanted:
            item[tag] = data[value:end]
        at = end
    return item, at


def _within(end: int, limit: int) -> int:
    if end > limit:
        raise BrokenError(Reason.NOT_DICOM, "a nested length reaches beyond what holds it")
    return end
