"""Versions of records in a catalogue table: put once, superseded by a later one, never overwritten."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, insert, select, update

CHUNK = 400  # SQLite's oldest limit is 999 bound values a statement


@dataclass(frozen=True)
class Version:
    """One row to put: what it is a version of, its own key, the queried columns, and its record as JSON."""

    slot: str
    version: str
    record: str = field(repr=False)
    columns: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PutCounts:
    """What putting did: distinct rows that are new, that were known, and older versions that were superseded."""

    added: int = 0
    known: int = 0
    superseded: int = 0

    def __add__(self, other: PutCounts) -> PutCounts:
        """The sum, count by count."""
        return PutCounts(self.added + other.added, self.known + other.known, self.superseded + other.superseded)


def put_versions(
    connection: Connection,
    table: Table,
    rows: Sequence[Version],
    *,
    several: bool = False,
    revive: bool = False,
    spare: frozenset[str] = frozenset(),
    late: frozenset[str] = frozenset(),
) -> PutCounts:
    """Add the versions that the table does not hold, and supersede the other current versions of their slots.

    A version that is known, current or superseded, changes nothing: reading an old export again takes nothing back.
    Of several new versions of one slot in one call the last stays current, or all of them where ``several`` is set.
    Versions in ``spare`` stay current whatever comes; those in ``late`` are kept as history alone. With ``revive`` the
    last put decides even where it is known: a correction can be taken back by putting the old version again.
    """
    unique = {row.version: row for row in rows}
    held = {row.version: row for row in rows_in(connection, table.c.version, list(unique))}
    new = [row for row in unique.values() if row.version not in held]
    last = {row.slot: row.version for row in unique.values() if row.version not in late}
    wanted = [row for row in unique.values() if revive and (several or last.get(row.slot) == row.version)]
    back = [row for row in wanted if row.version in held and held[row.version].superseded is not None]
    now = time.time()
    stays: dict[str, set[str]] = {}
    for row in [*new, *back]:
        if row.version in late:
            continue
        stays[row.slot] = {last[row.slot] if revive else row.version}
    if several:
        for row in unique.values():
            stays.setdefault(row.slot, set()).add(row.version)
    older = rows_in(
        connection,
        table.c.slot,
        sorted({row.slot for row in [*new, *back] if row.version not in late}),
        table.c.superseded.is_(None),
    )
    leaving = [row.version for row in older if row.version not in stays[row.slot] | spare]
    for part in _parts(leaving):
        connection.execute(update(table).where(table.c.version.in_(part)).values(superseded=now))
    for part in _parts([row.version for row in back]):
        connection.execute(update(table).where(table.c.version.in_(part)).values(superseded=None))
    values = [_values(row, now, current=row.version in stays.get(row.slot, ())) for row in new]
    if values:
        connection.execute(insert(table), values)
    superseded = len(leaving) + sum(value["superseded"] is not None for value in values)
    added = len(new) + len(back)
    return PutCounts(added=added, known=len(unique) - added, superseded=superseded)


def rows_in(
    connection: Connection, column: ColumnElement, values: Sequence[str], *conditions: ColumnElement[bool]
) -> list[Row]:
    """Every row of a column's table where the column has one of the values and the conditions hold."""
    found: list[Row] = []
    for part in _parts(values):
        query = select(column.table).where(column.in_(part), *conditions)
        found.extend(connection.execute(query))
    return found


def _values(row: Version, now: float, *, current: bool) -> dict[str, Any]:
    common = {"version": row.version, "slot": row.slot, "record": row.record, "recorded": now}
    return common | {"superseded": None if current else now} | row.columns


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
