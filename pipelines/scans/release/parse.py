"""All elements of a data set as raw bytes, sequences as items, at every depth.

`pipelines.scans.elements` has walked the file before, and found its end, its limits and its pixels; here the header
in front of them is taken apart. Nothing is converted: pydicom would, and changes what it is asked to look at.
"""

from __future__ import annotations

from functools import lru_cache

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.scans.elements import ITEM, ITEM_END, MAX_DEPTH, SEQUENCE_END, UNDEFINED
from pipelines.scans.release.encode import LONG, Elements, Order, Value

_SHORT = frozenset(
    {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FL", "FD", "IS", "LO", "LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI"}
    | {"UL", "US"}
)


def parse_data_set(data: bytes, *, implicit: bool, little: bool) -> dict[int, Value]:
    """Take a data set apart.

    Parameters
    ----------
    data
        The data set alone: no file meta group, no pixels.
    implicit, little
        Its encoding.

    Returns
    -------
    dict
        Elements by tag. Where the file states no value representation, or UN, the dictionary's counts for a standard
        attribute. Of an element that occurs twice the last one counts; nothing but what is returned is ever released.

    Raises
    ------
    RefusedError
        ``truncated`` or ``not-dicom`` where lengths do not fit, ``too-large`` where sequences nest too deep.
    """
    found, _ = _data_set(data, 0, len(data), implicit, "little" if little else "big", 0)
    return found


def _data_set(
    data: bytes, at: int, end: int, implicit: bool, order: Order, depth: int, *, delimited: bool = False
) -> tuple[dict[int, Value], int]:
    """Elements up to ``end``, or up to and with an item delimiter; and the position behind them."""
    if depth > MAX_DEPTH:
        raise RefusedError(Reason.TOO_LARGE, f"sequences nested deeper than {MAX_DEPTH}")
    found: dict[int, Value] = {}
    while at < end:
        tag, stated, length, at = _head(data, at, end, implicit, order)
        if tag == ITEM_END and delimited:
            return found, at
        vr = _known_vr(tag) if stated in {"", "UN"} else stated
        if vr == "SQ" or length == UNDEFINED:
            # What came as UN is implicit inside, whatever the syntax (PS3.5 section 6.2.2).
            items, at = _items(data, at, end, length, implicit or stated == "UN", order, depth + 1)
            found[tag] = Value("SQ", items=items)
        else:
            found[tag] = Value(vr, data[at : at + length])
            at += length
    if delimited:
        raise RefusedError(Reason.TRUNCATED, "an item has no end")
    return found, at


def _items(
    data: bytes, at: int, end: int, length: int, implicit: bool, order: Order, depth: int
) -> tuple[tuple[Elements, ...], int]:
    stop = end if length == UNDEFINED else at + length
    items: list[Elements] = []
    while at < stop:
        tag, _, size, at = _head(data, at, stop, implicit, order)
        if tag == SEQUENCE_END and length == UNDEFINED:
            return tuple(items), at
        if tag != ITEM:
            raise RefusedError(Reason.NOT_DICOM, "a sequence is not made of items")
        if size == UNDEFINED:
            item, at = _data_set(data, at, stop, implicit, order, depth, delimited=True)
        else:
            item, at = _data_set(data, at, at + size, implicit, order, depth)
        items.append(item)
    if length == UNDEFINED:
        raise RefusedError(Reason.TRUNCATED, "a sequence has no end")
    return tuple(items), at


def _head(data: bytes, at: int, end: int, implicit: bool, order: Order) -> tuple[int, str, int, int]:
    """Tag, stated value representation ("" for none), length, and where the value begins; all of it before ``end``."""
    if at + 8 > end:
        raise RefusedError(Reason.TRUNCATED, "the header ends inside an element")
    tag = int.from_bytes(data[at : at + 2], order) << 16 | int.from_bytes(data[at + 2 : at + 4], order)
    stated = "" if implicit or tag >> 16 == 0xFFFE else data[at + 4 : at + 6].decode("latin-1")
    if stated in _SHORT:
        length, value = int.from_bytes(data[at + 6 : at + 8], order), at + 8
    elif stated in LONG:
        length, value = int.from_bytes(data[at + 8 : at + 12], order), at + 12
    else:
        # Some writers fall back to implicit inside the sequences of an explicit file.
        stated, length, value = "", int.from_bytes(data[at + 4 : at + 8], order), at + 8
    if value > end or (length != UNDEFINED and value + length > end):
        raise RefusedError(Reason.TRUNCATED, "an element is longer than what holds it")
    return tag, stated, length, value


@lru_cache(maxsize=8192)
def _known_vr(tag: int) -> str:
    from pydicom.datadict import dictionary_VR

    try:
        return "UN" if tag >> 16 & 1 else dictionary_VR(tag)
    except KeyError:
        return "UN"
