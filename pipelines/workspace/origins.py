"""Versions of what a source's resources gave: a later one replaces all of an earlier one, whatever changed in it."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, Row, Table, update

from data_schemas.observation import Origin
from pipelines.workspace.identity import keyed_digest
from pipelines.workspace.versions import rows_in


def source_key(key: bytes, origin: Origin | None) -> str:
    """What the rows of a resource are found by, "" where a record has none."""
    return keyed_digest(key, "resource", origin.resource) if origin else ""


def is_later(one: Origin, other: Origin) -> bool:
    """Whether one version was certainly written after another: by its last change, else by its version's number."""
    if one.changed is not None and other.changed is not None and one.changed != other.changed:
        return one.changed > other.changed
    numbers = (one.version, other.version)
    return all(number.isascii() and number.isdigit() for number in numbers) and int(numbers[0]) > int(numbers[1])


def overtaken(connection: Connection, table: Table, given: Mapping[str, Origin]) -> frozenset[str]:
    """Those of some resources, by their keys, of which the table holds a later version than the one that is given."""
    return frozenset(
        row.source_key for row in _current(connection, table, given) if is_later(origin_in(row), given[row.source_key])
    )


def supersede_rest(connection: Connection, table: Table, kept: Mapping[str, Collection[str]]) -> int:
    """Supersede the current rows of some resources that are not among the ``kept`` versions; return their number."""
    gone = [row.version for row in _current(connection, table, kept) if row.version not in kept[row.source_key]]
    return supersede(connection, table, gone)


def supersede_by(connection: Connection, table: Table, gone: Mapping[str, Origin]) -> int:
    """Supersede the current rows of resources that their source took back, but for later versions than it took."""
    rows = _current(connection, table, gone)
    return supersede(
        connection, table, [row.version for row in rows if not is_later(origin_in(row), gone[row.source_key])]
    )


def supersede(connection: Connection, table: Table, versions: Iterable[str]) -> int:
    """Supersede some current rows by nothing."""
    now, count = time.time(), 0
    for row in rows_in(connection, table.c.version, list(versions), table.c.superseded.is_(None)):
        count += connection.execute(update(table).where(table.c.version == row.version).values(superseded=now)).rowcount
    return count


def origin_in(row: Row) -> Origin:
    """The origin in a row's record."""
    return Origin.model_validate(json.loads(row.record)["origin"])


def _current(connection: Connection, table: Table, keys: Iterable[str]) -> list[Row]:
    return rows_in(connection, table.c.source_key, sorted(set(keys) - {""}), table.c.superseded.is_(None))
