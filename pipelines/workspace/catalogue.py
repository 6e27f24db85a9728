"""The catalogue: what was indexed. Putting the same thing twice adds nothing; nothing put is ever lost.

Key columns hold the strict key of the patient (padding aside, the id as written), so that they stay true when the
settings' rule for ids changes; the linker joins on the records themselves.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError
from sqlalchemy import Connection, Engine, Row, Table, delete, exists, insert, select, update

from data_schemas.base import Record
from data_schemas.cohort import IdMapping, Label
from data_schemas.errors import InputError, WorkspaceError
from data_schemas.note import Note
from data_schemas.observation import Observation, Origin
from data_schemas.patient_link import PatientLink
from data_schemas.reasons import Reason
from data_schemas.scan import Geometry, Index, Scan, Series, SeriesStatus
from pipelines.workspace import tables
from pipelines.workspace.database import read, write
from pipelines.workspace.digests import json_digest, sha256_bytes
from pipelines.workspace.identity import keyed_digest, normalise_id, patient_key, study_key
from pipelines.workspace.origins import is_later, overtaken, source_key, supersede_rest
from pipelines.workspace.patient_links import link_version
from pipelines.workspace.versions import PutCounts, Version, put_versions, rows_in

R = TypeVar("R", bound=Record)
CONFLICTS = {Reason.MIXED_PATIENTS, Reason.MIXED_STUDIES}


def put_index(engine: Engine, key: bytes, index: Index) -> PutCounts:
    """Put everything that indexing found, in one transaction: accepted scans, and series quarantined.

    ``key`` is the workspace's. The counts are those of the scans. Raises `WorkspaceError` as every put does.
    """
    scans = [scan for series in index.series for scan in series.scans]

    def work(connection: Connection) -> PutCounts:
        counts = _put_scans(connection, key, scans)
        _put_quarantined(connection, key, index.series)
        return counts

    return write(engine, work)


def put_scans(engine: Engine, key: bytes, scans: Sequence[Scan]) -> PutCounts:
    """Put accepted scans; those of one series belong into one call.

    A scan supersedes earlier scans of its series that have no more files and lie within it (a late slice, a corrected
    header); neither a partial copy nor the other half of a series displaces what was there. A scan that is known,
    byte for byte, has its paths and identity brought up to date. A series that was quarantined before is so no longer.
    """
    return write(engine, lambda connection: _put_scans(connection, key, scans))


def put_series_quarantined(engine: Engine, key: bytes, series: Sequence[Series]) -> int:
    """Put quarantined series (accepted ones are passed over) and return their number; one found again is replaced.

    A series that turns out to hold two patients or two studies takes its earlier scans out of `scans` as well.
    """
    return write(engine, lambda connection: _put_quarantined(connection, key, series))


def put_notes(engine: Engine, key: bytes, notes: Sequence[Note]) -> PutCounts:
    """Put notes. Of one patient's notes with the same ``note_id`` the last put is current: an addendum replaces."""
    rows = [_note_version(key, item) for item in notes]
    return write(engine, lambda connection: put_versions(connection, tables.note, rows))


def put_observations(engine: Engine, key: bytes, observations: Sequence[Observation]) -> PutCounts:
    """Put observations. Of the same patient, code, moment and study the last value put is current.

    What a later version of a source's resource gives replaces all that an earlier one gave, whatever patient, code,
    moment or study that was of; an earlier version that comes later is kept as history.
    """
    if any(isinstance(item.value, float) and not abs(item.value) < float("inf") for item in observations):
        raise InputError("an observation's value is not a finite number; leave out such rows")
    rows = [_observation_version(key, item) for item in observations]
    origins: dict[str, Origin] = {}
    for item, row in zip(observations, rows, strict=True):
        name = row.columns["source_key"]
        if item.origin and not (name in origins and is_later(origins[name], item.origin)):
            origins[name] = item.origin
    # Several sets that are read at once may hold several versions of one resource.
    outrun = {
        row.version
        for item, row in zip(observations, rows, strict=True)
        if item.origin and is_later(origins[row.columns["source_key"]], item.origin)
    }

    def work(connection: Connection) -> PutCounts:
        table = tables.observation
        old = overtaken(connection, table, origins)
        late = frozenset(row.version for row in rows if row.columns["source_key"] in old or row.version in outrun)
        known = {row.version for row in rows_in(connection, table.c.version, [row.version for row in rows])}
        counts = put_versions(connection, table, rows, late=late)
        kept: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            if row.version not in outrun:
                kept[row.columns["source_key"]].add(row.version)
        # A version that is known, current or superseded, changes nothing.
        fresh = {name: versions for name, versions in kept.items() if name not in old and versions - known}
        return counts + PutCounts(superseded=supersede_rest(connection, table, fresh))

    return write(engine, work)


def put_labels(engine: Engine, key: bytes, labels: Sequence[Label]) -> PutCounts:
    """Put labels. Of the same patient or study and finding the last value put is current, known before or not."""
    rows = [_label_version(key, item) for item in labels]
    return write(engine, lambda connection: put_versions(connection, tables.label, rows, revive=True))


def put_id_map(engine: Engine, key: bytes, mappings: Sequence[IdMapping]) -> PutCounts:
    """Put rows of the id map. Several record ids for one scan id in one call all stay: the linker must see them.

    In a later call other record ids for that scan id replace them, known before or not: a corrected map.
    """
    rows = [_mapping_version(key, item) for item in mappings]
    return write(engine, lambda connection: put_versions(connection, tables.id_map, rows, several=True, revive=True))


def note_slot(key: bytes, patient: str, note_id: str) -> str:
    """What a note is a version of; ``patient`` is the strict key of its patient, "" without one."""
    return keyed_digest(key, "note", patient, note_id)


def observation_slot(key: bytes, patient: str, code: str, taken: str, study_uid: str, accession: str = "") -> str:
    """What a value is a version of; ``taken`` is its moment in ISO 8601, "" where it is undated."""
    return keyed_digest(key, "observation", patient, code, taken, study_uid, *filter(None, [accession]))


def rows_of_records(
    key: bytes,
    *,
    notes: Iterable[Note] = (),
    observations: Iterable[Observation] = (),
    labels: Iterable[Label] = (),
    id_map: Iterable[IdMapping] = (),
    links: Iterable[PatientLink] = (),
) -> dict[str, list[str]]:
    """The primary keys of the rows that records are put as, by table."""
    return {
        tables.note.name: [_note_version(key, item).version for item in notes],
        tables.observation.name: [_observation_version(key, item).version for item in observations],
        tables.label.name: [_label_version(key, item).version for item in labels],
        tables.id_map.name: [_mapping_version(key, item).version for item in id_map],
        tables.patient_link.name: [link_version(key, item).version for item in links],
    }


def scans(engine: Engine) -> tuple[Scan, ...]:
    """Every current scan, in an order that does not depend on when it was put."""
    stuck = tables.quarantined_series
    conflict = exists().where(
        stuck.c.series_key == tables.scan.c.series_key, stuck.c.conflict.is_(True), stuck.c.resolved.is_(None)
    )
    query = select(tables.scan.c.record).where(tables.scan.c.superseded.is_(None), ~conflict)
    query = query.order_by(tables.scan.c.slot, tables.scan.c.version)
    return _records(Scan, read(engine, lambda connection: connection.execute(query).scalars().all()))


def quarantined(engine: Engine) -> tuple[Series, ...]:
    """Every series that is quarantined now."""
    table = tables.quarantined_series
    query = select(table.c.record).where(table.c.resolved.is_(None)).order_by(table.c.series_key)
    return _records(Series, read(engine, lambda connection: connection.execute(query).scalars().all()))


def notes(engine: Engine, *, superseded: bool = False) -> tuple[Note, ...]:
    """Every current note; with ``superseded`` those that were replaced, instead."""
    return _versions(engine, Note, tables.note, superseded=superseded)


def observations(engine: Engine, *, superseded: bool = False) -> tuple[Observation, ...]:
    """Every current observation; with ``superseded`` those that were replaced, instead."""
    return _versions(engine, Observation, tables.observation, superseded=superseded)


def labels(engine: Engine, *, superseded: bool = False) -> tuple[Label, ...]:
    """Every current label; with ``superseded`` those that were replaced, instead."""
    return _versions(engine, Label, tables.label, superseded=superseded)


def id_map(engine: Engine, *, superseded: bool = False) -> tuple[IdMapping, ...]:
    """Every current row of the id map; with ``superseded`` those that were replaced, instead."""
    return _versions(engine, IdMapping, tables.id_map, superseded=superseded)


def known_files(engine: Engine) -> dict[str, str]:
    """SHA-256 by path of every file of a current scan."""
    return {file.path: file.sha256 for scan in scans(engine) for file in scan.files}


def put_ingest_run(engine: Engine, counts: Mapping[str, int]) -> int:
    """Record what one ingest did, as counts by name, and return the run's number."""
    row = {"recorded": time.time(), "counts": json.dumps(dict(counts), sort_keys=True)}
    statement = insert(tables.ingest_run).values(row).returning(tables.ingest_run.c.number)
    return write(engine, lambda connection: connection.execute(statement).scalar_one())


def ingest_runs(engine: Engine) -> tuple[dict[str, int], ...]:
    """The counts of every ingest, oldest first."""
    query = select(tables.ingest_run.c.counts).order_by(tables.ingest_run.c.number)
    return tuple(json.loads(row) for row in read(engine, lambda connection: connection.execute(query).scalars().all()))


def _put_scans(connection: Connection, key: bytes, items: Sequence[Scan]) -> PutCounts:
    rows = {}
    for item in items:
        if not item.sealed:
            raise WorkspaceError("a scan without the digests of its files cannot be stored; index it with them")
        series = keyed_digest(key, "series", item.series_uid or item.scan_id)
        rows[item.scan_id] = Version(
            slot=keyed_digest(key, "series-of-study", item.study_uid, series, *filter(None, [item.stack])),
            version=item.scan_id,
            record=_json(item),
            columns={
                "patient_key": _patient(key, item.patient.patient_id),
                "study_key": _study(key, item.study_uid),
                "series_key": series,
                "files": len(item.files),
            },
        )
    put: dict[str, list[Version]] = defaultdict(list)
    for row in rows.values():
        put[row.slot].append(row)
    table = tables.scan
    spare = frozenset(old.version for old in rows_in(connection, table.c.slot, list(put)) if _stays(old, put[old.slot]))
    for old in rows_in(connection, table.c.version, list(rows)):
        new = rows[old.version]
        if old.record != new.record:
            changes = {"record": new.record, "slot": new.slot} | new.columns
            connection.execute(update(table).where(table.c.version == old.version).values(changes))
    stuck = tables.quarantined_series
    for series in {row.columns["series_key"] for row in rows.values()}:
        mended = update(stuck).where(stuck.c.series_key == series, stuck.c.resolved.is_(None))
        connection.execute(mended.values(resolved=time.time()))
    counts = put_versions(connection, table, list(rows.values()), several=True, spare=spare)
    return counts + PutCounts(superseded=_regroup(connection, rows.values()))


def _stays(old: Row, new: Sequence[Version]) -> bool:
    """Whether a scan holds more than those put now: more files, or slices where none of them has any."""
    return all(row.columns["files"] < old.files or not _covers(row.record, old.record) for row in new)


def _covers(record: str, other: str) -> bool:
    """Whether the first and last slice of another scan lie within the slices of a scan, to half a slice."""
    geometry, inner = (Geometry.model_validate(json.loads(text)["geometry"]) for text in (record, other))
    affine, placed = np.array(geometry.affine), np.array(inner.affine)
    slices, rows, columns = inner.shape
    ends = np.array([[(columns - 1) / 2, (rows - 1) / 2, at, 1.0] for at in (0, slices - 1)])
    step = affine[:3, 2]
    along = ((placed @ ends.T)[:3].T - affine[:3, 3]) @ step / (step @ step)
    start = affine[:3, :2] @ [(geometry.shape[2] - 1) / 2, (geometry.shape[1] - 1) / 2] @ step / (step @ step)
    return bool(np.all((along - start >= -0.5) & (along - start <= geometry.shape[0] - 0.5)))


def _regroup(connection: Connection, rows: Iterable[Version]) -> int:
    """Supersede the whole series where it is now several stacks, or the stacks where it is whole, unless fuller."""
    table = tables.scan
    put: dict[tuple[str, str], list[Version]] = defaultdict(list)
    for row in rows:
        put[row.columns["study_key"], row.columns["series_key"]].append(row)
    left = 0
    for (study, series), new in put.items():
        whole = {not json.loads(row.record)["stack"] for row in new}
        files = sum(row.columns["files"] for row in new)
        condition = (table.c.study_key == study, table.c.superseded.is_(None), table.c.files <= files)
        for old in rows_in(connection, table.c.series_key, [series], *condition):
            if (not json.loads(old.record).get("stack")) not in whole:
                change = update(table).where(table.c.version == old.version).values(superseded=time.time())
                left += connection.execute(change).rowcount
    return left


def _put_quarantined(connection: Connection, key: bytes, items: Iterable[Series]) -> int:
    table = tables.quarantined_series
    rows = {}
    for item in items:
        if item.status is SeriesStatus.QUARANTINED:
            series = keyed_digest(key, "series", item.series_uid or json_digest(item))
            conflict = bool(CONFLICTS.intersection(item.reasons))
            rows[series] = {"series_key": series, "conflict": conflict, "record": _json(item), "recorded": time.time()}
    same = {
        old.series_key
        for old in rows_in(connection, table.c.series_key, list(rows), table.c.resolved.is_(None))
        if old.record == rows[old.series_key]["record"]
    }
    for series, row in rows.items():
        if series not in same:
            connection.execute(delete(table).where(table.c.series_key == series))
            connection.execute(insert(table).values(row))
    return len(rows)


def _versions(engine: Engine, kind: type[R], table: Table, *, superseded: bool) -> tuple[R, ...]:
    wanted = table.c.superseded.is_not(None) if superseded else table.c.superseded.is_(None)
    query = select(table.c.record).where(wanted).order_by(table.c.slot, table.c.version)
    return _records(kind, read(engine, lambda connection: connection.execute(query).scalars().all()))


def _note_version(key: bytes, item: Note) -> Version:
    patient = _patient(key, item.patient.patient_id)
    return _version(note_slot(key, patient, item.note_id), item, patient_key=patient)


def _observation_version(key: bytes, item: Observation) -> Version:
    patient = _patient(key, item.patient.patient_id)
    taken = item.taken.isoformat() if item.taken else ""
    slot = observation_slot(key, patient, item.code, taken, item.study_uid, item.accession)
    record = _json(item) if item.origin else _json(item, exclude={"origin"})  # as it was before there were any
    return Version(
        slot=slot,
        version=sha256_bytes(f"{slot}{record}".encode()),
        record=record,
        columns={"patient_key": patient, "code": item.code[:200], "source_key": source_key(key, item.origin)},
    )


def _label_version(key: bytes, item: Label) -> Version:
    patient, study = _patient(key, item.patient_id), _study(key, item.study_uid)
    slot = keyed_digest(key, "label", patient, study, item.finding)
    return _version(slot, item, patient_key=patient, study_key=study, finding=item.finding)


def _mapping_version(key: bytes, item: IdMapping) -> Version:
    patient = _patient(key, item.scan_patient_id)
    return _version(keyed_digest(key, "id-map", patient), item, patient_key=patient)


def _version(slot: str, item: Record, **columns: str) -> Version:
    record = _json(item)
    return Version(slot=slot, version=sha256_bytes(f"{slot}{record}".encode()), record=record, columns=dict(columns))


def _patient(key: bytes, raw: str) -> str:
    return patient_key(key, raw) if normalise_id(raw) else ""


def _study(key: bytes, uid: str) -> str:
    return study_key(key, uid) if normalise_id(uid) else ""


def _json(item: Record, *, exclude: set[str] | None = None) -> str:
    try:
        return item.model_dump_json(exclude=exclude)
    except (PydanticSerializationError, UnicodeError):
        kind = type(item).__name__.lower()
        raise InputError(f"a {kind} holds text that is not Unicode; read its source with the right encoding") from None


def _records(kind: type[R], rows: Sequence[str]) -> tuple[R, ...]:
    try:
        return tuple(kind.model_validate_json(row) for row in rows)
    except ValidationError:
        raise WorkspaceError(
            f"a stored {kind.__name__.lower()} does not fit this version of scanote; use the version that wrote it"
        ) from None
