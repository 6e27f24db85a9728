"""The one place that deletes from catalogue and ledger: the rows of a person, and their bytes in the database's files.

Everything that a study or a patient was known by goes, superseded versions as well. Other people's rows are not read
beyond the columns that tell whose they are, but where a record names no patient: then the study that it names decides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, delete, func, select

from data_schemas.errors import ServerError, WorkspaceError
from pipelines.workspace import tables
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.database import read, write
from pipelines.workspace.identity import normalise_id
from pipelines.workspace.tombstones import Progress, blocked, is_forgotten, set_state
from pipelines.workspace.versions import CHUNK, rows_in

RECORDS = (tables.note, tables.observation, tables.label)
NAMES = {
    "scan": "scans",
    "note": "notes",
    "observation": "observations",
    "label": "labels",
    "id_map": "id map rows",
    "patient_link": "patient links",
    "quarantined_series": "quarantined series",
    "diagnosis": "diagnoses",
    "attempt": "attempts",
}


@dataclass(frozen=True)
class Whose:
    """What a person's rows are known by: strict keys of the ids that scans and records have, studies, series, cases."""

    scan_keys: frozenset[str] = frozenset()
    record_keys: frozenset[str] = frozenset()
    mappings: frozenset[str] = frozenset()  # versions of the id map's rows
    links: frozenset[str] = frozenset()  # versions of the links between patients that name the person
    study_uids: frozenset[str] = field(default=frozenset(), repr=False)
    accessions: frozenset[str] = field(default=frozenset(), repr=False)
    study_keys: frozenset[str] = frozenset()
    series_keys: frozenset[str] = frozenset()
    case_keys: frozenset[str] = frozenset()


def raw_ids(connection: Connection, table: Table) -> dict[str, str]:
    """A patient id as it is written, by its strict key, for every patient of a catalogue table."""
    first = select(func.min(table.c.version)).where(table.c.patient_key != "").group_by(table.c.patient_key)
    query = select(table.c.patient_key, table.c.record).where(table.c.version.in_(first))
    return {row.patient_key: _raw_id(json.loads(row.record)) for row in connection.execute(query)}


def rows_of(connection: Connection, whose: Whose) -> dict[str, list[str]]:
    """The primary keys of a person's rows, by table."""
    scan, label, stuck = tables.scan, tables.label, tables.quarantined_series
    found: dict[str, list[str]] = {
        "scan": _keys(rows_in(connection, scan.c.patient_key, sorted(whose.scan_keys)))
        + _keys(rows_in(connection, scan.c.study_key, sorted(whose.study_keys), scan.c.patient_key == "")),
        "label": _keys(rows_in(connection, label.c.patient_key, sorted(whose.record_keys)))
        + _keys(rows_in(connection, label.c.study_key, sorted(whose.study_keys), label.c.patient_key == "")),
        "id_map": sorted(whose.mappings),
        "quarantined_series": [
            row.series_key for row in rows_in(connection, stuck.c.series_key, sorted(whose.series_keys))
        ],
    }
    links = tables.patient_link
    own = _keys(rows_in(connection, links.c.patient_key, sorted(whose.record_keys)))
    found[links.name] = sorted({*own, *whose.links})
    for table in (tables.note, tables.observation):
        found[table.name] = _keys(rows_in(connection, table.c.patient_key, sorted(whose.record_keys)))
        if whose.study_uids or whose.accessions:
            nameless = connection.execute(select(table).where(table.c.patient_key == "")).all()
            found[table.name] += _keys([row for row in nameless if _is_about(row, whose)])
    decided = tables.diagnosis
    rows = rows_in(connection, decided.c.study_key, sorted(whose.study_keys))
    rows += rows_in(connection, decided.c.patient_key, sorted(whose.case_keys))
    found["diagnosis"] = sorted({row.key for row in rows})
    studies = sorted(whose.study_keys | {row.study_key for row in rows})
    tried = rows_in(connection, tables.attempt.c.study_key, studies)
    found["attempt"] = [row.attempt_id for row in tried]
    return found


def strangers(connection: Connection, whose: Whose) -> str:
    """What a person shares with another one, by the rows that count now; "" where it is nothing."""
    scan, label, stuck = tables.scan, tables.label, tables.quarantined_series
    studies, current = sorted(whose.study_keys), scan.c.superseded.is_(None)
    others = rows_in(connection, scan.c.study_key, studies, current, scan.c.patient_key != "")
    if any(row.patient_key not in whose.scan_keys for row in others):
        return "a study"
    of_series = rows_in(connection, scan.c.series_key, sorted(whose.series_keys), current, scan.c.patient_key != "")
    if any(row.patient_key not in whose.scan_keys for row in of_series):
        return "a series"
    mixed = rows_in(
        connection,
        stuck.c.series_key,
        sorted(whose.series_keys),
        stuck.c.conflict.is_(True),
        stuck.c.resolved.is_(None),
    )
    if mixed:
        return "a series"
    claimed = rows_in(connection, label.c.study_key, studies, label.c.superseded.is_(None), label.c.patient_key != "")
    if any(row.patient_key not in whose.record_keys for row in claimed):
        return "a study, which a label claims for another patient,"
    for table in (tables.note, tables.observation):
        for uid in sorted(whose.study_uids):
            query = select(table).where(
                table.c.superseded.is_(None), table.c.patient_key != "", table.c.record.contains(uid, autoescape=True)
            )
            for row in connection.execute(query):
                if _study_uid(row) == uid and row.patient_key not in whose.record_keys:
                    return (
                        f"a study, which {'a note' if table is tables.note else 'an observation'} claims for another,"
                    )
    return ""


def delete_rows(engine: Engine, whose: Whose, tombstone_id: str | None = None) -> None:
    """Delete a person's rows in one transaction, which also notes on the tombstone, if any, that it was done."""

    def work(connection: Connection) -> None:
        _delete(connection, rows_of(connection, whose))
        if tombstone_id is not None:
            set_state(connection, tombstone_id, Progress.REMOVED)

    write(engine, work)


def delete_keys(engine: Engine, keys: Mapping[str, Sequence[str]], whose: Whose) -> None:
    """Delete some rows by their primary keys, by table, and a person's, in one transaction."""

    def work(connection: Connection) -> None:
        _delete(connection, keys)
        _delete(connection, rows_of(connection, whose))

    write(engine, work)


def count_rows(engine: Engine, whose: Whose) -> dict[str, int]:
    """How many rows a person has, by what people call them; kinds without any are left out."""
    found = read(engine, lambda connection: rows_of(connection, whose))
    return {NAMES[name]: len(set(keys)) for name, keys in found.items() if keys}


def study_is_forgotten(engine: Engine, study_key: str) -> bool:
    """Whether a study belongs to a patient who was forgotten."""
    return read(engine, lambda connection: is_forgotten(connection, study_key))


def drop_forgotten(engine: Engine, cache: ArrayCache) -> None:
    """Drop what a batch or a training that was killed, or ran on, has left in the cache of forgotten patients."""
    for owner in blocked(engine).owners:
        cache.of(owner).drop()


def compact(engine: Engine) -> bool:
    """Rewrite SQLite's files so that no byte of a deleted row is left; False where that is the server's own affair.

    Raises
    ------
    ServerError
        Another process reads or writes the database all the time; what was deleted may still stand in its files.
    WorkspaceError
        The database cannot be rewritten: the disk is full, for one (a copy of the database needs room).
    """
    if engine.dialect.name != "sqlite":
        return False
    from sqlalchemy.exc import DBAPIError

    try:
        raw = engine.raw_connection()
        try:
            raw.cursor().execute("VACUUM").close()
            busy = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            raw.close()
    except Exception as error:
        name = getattr(error, "sqlite_errorname", "") or type(error).__name__
        if not isinstance(error, (DBAPIError, OSError)) and not hasattr(error, "sqlite_errorname"):
            raise
        if name.startswith("SQLITE_BUSY"):
            raise _busy() from None
        raise WorkspaceError(
            f"the database cannot be rewritten ({name}); make room for a copy of it and retry"
        ) from None
    if busy:
        raise _busy()
    return True


def _busy() -> ServerError:
    return ServerError(
        "what was removed may still stand in the database's files, which another process is using; "
        "run the same command again when it has ended"
    )


def _delete(connection: Connection, found: Mapping[str, Sequence[str]]) -> None:
    for name, keys in found.items():
        table = tables.metadata.tables[name]
        [primary] = table.primary_key.columns
        for start in range(0, len(keys), CHUNK):
            connection.execute(delete(table).where(primary.in_(keys[start : start + CHUNK])))


def _keys(rows: Sequence[Row]) -> list[str]:
    return [row.version for row in rows]


def _raw_id(record: dict[str, Any]) -> str:
    return str(record.get("patient", record)["patient_id"])


def _is_about(row: Row, whose: Whose) -> bool:
    """Whether a record that names no patient names one of a person's studies, by UID or accession number."""
    uid = _study_uid(row)
    if uid:
        return uid in whose.study_uids
    return normalise_id(json.loads(row.record).get("accession", "")) in whose.accessions


def _study_uid(row: Row) -> str:
    return normalise_id(json.loads(row.record).get("study_uid", ""))
