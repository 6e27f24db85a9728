"""Slice headers and entries as JSON values, and back: every field by its place, nothing but text and numbers."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any, NamedTuple

from data_schemas.reasons import Reason
from data_schemas.scan import Series
from pipelines.scans.elements import PixelSpan
from pipelines.scans.look import Found
from pipelines.scans.slice_header import SliceHeader

FIELDS = [field.name for field in fields(SliceHeader)]
# Known from elsewhere: the row's path, stamp and digest.
_OUTSIDE = ("path", "sha256", "size")
_STORED = [name for name in FIELDS if name not in _OUTSIDE]
_TUPLES = ("image_type", "position", "orientation", "pixel_spacing")
_PLACE = {name: place for place, name in enumerate(_STORED)}


class Owner(NamedTuple):
    """Whom a slice names: the ids of patient, study and series, as they are written."""

    patient_id: str
    study_uid: str
    series_uid: str


def owners_of(row: Any) -> frozenset[Owner]:
    """Return whom an entry of `row_of` names; an entry without slices names nobody.

    Raises
    ------
    ValueError, TypeError, KeyError, IndexError
        The row is not one of `row_of`.
    """
    if not isinstance(row, list):
        return frozenset()
    places = [_PLACE[name] for name in Owner._fields]
    found = {Owner(*(str(row[0][place]) for place in places))}
    for differing in row[1:]:
        whole = list(row[0])
        for at, value in differing:
            whole[at] = value
        found.add(Owner(*(str(whole[place]) for place in places)))
    return frozenset(found)


def row_of(found: Found) -> Any:
    """Return what was found of a file as JSON values.

    Of the frames of a file the first is kept whole, of the others what differs from it.
    """
    if isinstance(found, Reason):
        return found.value
    if isinstance(found, Series):
        return {"series": found.model_dump(mode="json")}
    rows = [_row(header) for header in found]
    first = rows[0]
    return [first, *([[at, value] for at, value in enumerate(row) if value != first[at]] for row in rows[1:])]


def found_of(row: Any, *, path: str, size: int, sha256: str) -> Found:
    """Return what `row_of` was given.

    Raises
    ------
    ValueError, TypeError, KeyError, AttributeError
        The row is not one of `row_of`.
    """
    if isinstance(row, str):
        return Reason(row)
    if isinstance(row, dict):
        return Series.model_validate_json(_text(row["series"]))
    first = row[0]
    if len(first) != len(_STORED):
        raise ValueError("a row of another length")
    known = {"path": path, "size": size, "sha256": sha256}
    headers = [_header(first, known)]
    for differing in row[1:]:
        whole = list(first)
        for at, value in differing:
            whole[at] = value
        headers.append(_header(whole, known))
    return tuple(headers)


def _text(value: object) -> str:
    import json

    return json.dumps(value)


def _row(header: SliceHeader) -> list[Any]:
    row = [getattr(header, name) for name in _STORED]
    span, acquired = header.pixels, header.acquired
    row[_PLACE["pixels"]] = span and [
        span.tag,
        span.offset,
        span.length,
        span.fragments and list(map(list, span.fragments)),
    ]
    row[_PLACE["acquired"]] = acquired and acquired.isoformat()
    row[_PLACE["fault"]] = header.fault and header.fault.value
    for name in _TUPLES:
        value = row[_PLACE[name]]
        row[_PLACE[name]] = None if value is None else list(value)
    return row


def _header(row: list[Any], known: dict[str, Any]) -> SliceHeader:
    values = dict(zip(_STORED, row, strict=True))
    span = values["pixels"]
    if span is not None:
        tag, offset, length, fragments = span
        parts = None if fragments is None else tuple((at, size) for at, size in fragments)
        values["pixels"] = PixelSpan(tag, offset, length, parts)
    if values["acquired"] is not None:
        values["acquired"] = datetime.fromisoformat(values["acquired"])
    if values["fault"] is not None:
        values["fault"] = Reason(values["fault"])
    for name in _TUPLES:
        if values[name] is not None:
            values[name] = tuple(values[name])
    return SliceHeader(**known, **values)
