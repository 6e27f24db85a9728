"""What is of a forgotten patient is turned away at ingest: listed, and stored nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine

from data_schemas.cohort import IdMapping, Label
from data_schemas.dictation import Heard
from data_schemas.errors import RefusedError
from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.patient_link import PatientLink
from data_schemas.reasons import Reason
from data_schemas.scan import Index, Scan, Series, SeriesStatus
from pipelines.cases.join import study_uid_of
from pipelines.scans.manifest import open_manifest
from pipelines.scans.manifest_rows import Owner
from pipelines.scans.whose import owners_of_series
from pipelines.sources.arrived_studies import folders_of, held_in, remove
from pipelines.sources.fetched_records import drop_resources
from pipelines.sources.outcome import Records, Refused
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.catalogue import rows_of_records
from pipelines.workspace.forget import Whose, delete_keys, drop_forgotten
from pipelines.workspace.identity import keyed_digest, normalise_id, study_key
from pipelines.workspace.paths import Workspace
from pipelines.workspace.tombstones import Blocked, Space, add_studies, blocked

Item = TypeVar("Item")
DETAIL = "of a patient who was forgotten; see 'scanote forget --lift'"


@dataclass(frozen=True)
class Gate:
    """Who is turned away: the tombstones, the workspace's key, and its rule for ids."""

    blocked: Blocked
    key: bytes = field(repr=False)
    ignore_id_case: bool = False
    ignore_leading_zeros: bool = False
    also: frozenset[tuple[Space, str]] = field(default=frozenset(), repr=False)
    asked: dict[tuple[Space, str], str | None] = field(default_factory=dict, repr=False)  # an HMAC a person, not a row

    def plain(self, raw: str) -> str:
        """An id in its comparable form."""
        return normalise_id(raw, ignore_case=self.ignore_id_case, ignore_leading_zeros=self.ignore_leading_zeros)

    def patient(self, raw: str, space: Space) -> str | None:
        """The tombstone of a patient id, "" where only the id map leads to one, None where there is none."""
        if (space, raw) not in self.asked:
            self.asked[space, raw] = self.blocked.of_id(
                self.key,
                raw,
                space=space,
                ignore_case=self.ignore_id_case,
                ignore_leading_zeros=self.ignore_leading_zeros,
            )
        found = self.asked[space, raw]
        return "" if found is None and (space, self.plain(raw)) in self.also else found

    def study(self, uid: str) -> str | None:
        """The tombstone of a study."""
        return self.blocked.of_study(self.key, uid)

    def scan(self, scan: Scan) -> str | None:
        """The tombstone of a scan, by its patient or its study."""
        found = self.patient(scan.patient.patient_id, "scan")
        return self.study(study_uid_of(scan)) if found is None else found

    def record(self, patient_id: str, study_uid: str, accession: str = "") -> str | None:
        """The tombstone of a record: by its patient, by the study that it names, or, with neither, by the order."""
        found = self.patient(patient_id, "record")
        found = self.study(study_uid) if found is None else found
        if found is None and not self.plain(patient_id) and not normalise_id(study_uid):
            return self.blocked.of_accession(self.key, accession)
        return found


@dataclass(frozen=True)
class Sifted:
    """What may be stored (``index``, ``records``), and what was turned away.

    ``away`` are the series as they are listed, ``scans`` and ``turned`` what was in them and the records; ``files`` the
    files of the series, ``studies`` the keys of theirs by tombstone ("" where only the id map leads to one).
    """

    index: Index = field(repr=False)
    records: Records = field(repr=False)
    away: tuple[Series, ...] = field(default=(), repr=False)
    scans: tuple[Scan, ...] = field(default=(), repr=False)
    turned: Records = field(default_factory=Records, repr=False)
    files: frozenset[str] = field(default=frozenset(), repr=False)
    studies: frozenset[tuple[str, str]] = frozenset()

    @property
    def listed(self) -> Index:
        """Everything that was found, what was turned away as quarantined."""
        return self.index.model_copy(update={"series": (*self.index.series, *self.away)})


def sift(index: Index, records: Records, gate: Gate, *, mapped: Iterable[IdMapping] = ()) -> Sifted:
    """Part what may be stored from what is of forgotten patients.

    A scan or record is turned away by its patient id or by its study. ``mapped`` is the id map as the catalogue has
    it: together with the one that is read now it leads from a forgotten id to another id of the same patient.
    """
    if not gate.blocked:
        return Sifted(index, records)
    gate = replace(gate, also=_through_map((*records.id_map, *mapped), gate))
    kept: list[Series] = []
    away: list[Series] = []
    scans: list[Scan] = []
    files: set[str] = set()
    studies: set[tuple[str, str]] = set()
    for series in index.series:
        stones = _stones(series, gate)
        if not stones:
            kept.append(series)
            continue
        away.append(_forgotten(series))
        scans += series.scans
        files |= {file.path for scan in series.scans for file in scan.files} | {series.where}
        uids = {study_uid_of(scan) for scan in series.scans} or {normalise_id(series.study_uid)} - {""}
        studies |= {(max(stones), study_key(gate.key, uid)) for uid in uids}
    turned, left = _sift_records(records, gate)
    listed = {name: len(getattr(turned, name)) for name in ("notes", "observations", "labels", "id_map")}
    listed["patient links"] = sum(bool(link.others) for link in turned.links)
    lines = [
        Refused(f"{name} {number} of {count}", Reason.FORGOTTEN, DETAIL)
        for name, count in listed.items()
        for number in range(1, count + 1)
    ]
    return Sifted(
        index=index.model_copy(update={"series": tuple(kept)}),
        records=replace(left, refused=(*records.refused, *lines)),
        away=tuple(away),
        scans=tuple(scans),
        turned=turned,
        files=frozenset(files),
        studies=frozenset(studies),
    )


def leave_nothing(workspace: Workspace, engine: Engine, gate: Gate, sifted: Sifted) -> None:
    """Keep nothing of what was turned away: no header, no copy among what came in; its studies are known from now on.

    Files outside the workspace are left as they are.
    """
    if not gate.blocked:
        return
    known: dict[Owner, bool] = {}
    files = set(sifted.files)
    with open_manifest(workspace.manifest) as manifest:
        for path, owners in manifest.owners():
            for owner in owners - known.keys():
                of_study = gate.study(owner.study_uid)
                known[owner] = of_study is not None or gate.patient(owner.patient_id, "scan") is not None
            if any(known[owner] for owner in owners):
                files.add(path)
        manifest.leave_out(files)
    drop_forgotten(engine, ArrayCache(workspace.cache))
    system = workspace.settings.sources.fhir.identifier_system
    drop_resources(workspace.incoming, lambda raw: gate.patient(raw, "record") is not None, identifier_system=system)
    for stone, study in sifted.studies:
        if stone and study not in gate.blocked.studies:
            add_studies(engine, stone, [study])
    remove(folders_of(workspace.incoming, {study for _, study in sifted.studies}), held_in(workspace.incoming, files))


def unheard(gate: Gate, transcribe: Callable[[Path, str], Heard]) -> Callable[[Path, str], Heard]:
    """A transcriber that does not listen to recordings of forgotten patients: it refuses them as *forgotten*."""

    def run(path: Path, patient_id: str) -> Heard:
        if gate.patient(patient_id, "record") is not None:
            raise RefusedError(Reason.FORGOTTEN, DETAIL)
        return transcribe(path, patient_id)

    return run


def withdraw(engine: Engine, index: Index, records: Records, gate: Gate, *, since: Gate) -> None:
    """Delete what was put of patients who were forgotten since the gate was asked."""
    if gate.blocked.marks.keys() <= since.blocked.marks.keys():
        return
    late = sift(index, records, gate, mapped=records.id_map)
    turned = late.turned
    put = rows_of_records(
        gate.key,
        notes=turned.notes,
        observations=turned.observations,
        labels=turned.labels,
        id_map=turned.id_map,
        links=turned.links,
    )
    series = [keyed_digest(gate.key, "series", series.series_uid) for series in late.away]
    put |= {"scan": [scan.scan_id for scan in late.scans], "quarantined_series": series}
    # These rows alone: a record that names a forgotten patient's study may bear the id of somebody else.
    delete_keys(engine, put, Whose(study_keys=frozenset(study for _, study in late.studies)))


def gate_of(workspace: Workspace, engine: Engine) -> Gate:
    """The gate of a workspace as it stands now."""
    rules = workspace.settings.link
    return Gate(
        blocked=blocked(engine),
        key=workspace.key,
        ignore_id_case=rules.ignore_id_case,
        ignore_leading_zeros=rules.ignore_leading_zeros,
    )


def _stones(series: Series, gate: Gate) -> set[str]:
    """The tombstones of a series: of its scans; without any, of its study, or of the one patient its files name."""
    if series.scans:
        found = {gate.scan(scan) for scan in series.scans}
    else:
        owners = owners_of_series(series)
        alone = len({gate.plain(owner.patient_id) for owner in owners}) == 1
        found = {gate.study(series.study_uid)}
        found |= {gate.patient(owner.patient_id, "scan") for owner in owners if alone}
    return {stone for stone in found if stone is not None}


def _forgotten(series: Series) -> Series:
    changes = {"status": SeriesStatus.QUARANTINED, "reasons": (Reason.FORGOTTEN,), "detail": DETAIL, "scans": ()}
    return series.model_copy(update=changes)


def _sift_records(records: Records, gate: Gate) -> tuple[Records, Records]:
    def record(item: Note | Observation) -> bool:
        return gate.record(item.patient.patient_id, item.study_uid, item.accession) is not None

    def label(item: Label) -> bool:
        return gate.record(item.patient_id, item.study_uid) is not None

    def mapping(item: IdMapping) -> bool:
        return (
            gate.patient(item.scan_patient_id, "scan") is not None
            or gate.patient(item.record_patient_id, "record") is not None
        )

    def link(item: PatientLink) -> bool:
        return any(gate.patient(person.patient_id, "record") is not None for person in (item.patient, *item.others))

    links, other_links = _part(records.links, link)
    notes, other_notes = _part(records.notes, record)
    observations, other_observations = _part(records.observations, record)
    labels, other_labels = _part(records.labels, label)
    id_map, other_rows = _part(records.id_map, mapping)
    turned = Records(notes=notes, observations=observations, labels=labels, id_map=id_map, links=links)
    left = replace(
        records,
        notes=other_notes,
        observations=other_observations,
        labels=other_labels,
        id_map=other_rows,
        links=other_links,
    )
    return turned, left


def _part(items: Iterable[Item], is_turned: Callable[[Item], bool]) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    asked = [(is_turned(item), item) for item in items]
    return tuple(item for turned, item in asked if turned), tuple(item for turned, item in asked if not turned)


def _through_map(rows: Iterable[IdMapping], gate: Gate) -> frozenset[tuple[Space, str]]:
    """The other ids of forgotten patients, where the id map offers exactly one for a forgotten one."""
    pairs = {(gate.plain(row.scan_patient_id), gate.plain(row.record_patient_id)) for row in rows}
    pairs = {(scan, record) for scan, record in pairs if scan and record}
    of_scan, of_record = Counter(scan for scan, _ in pairs), Counter(record for _, record in pairs)
    found: set[tuple[Space, str]] = set()
    for scan, record in pairs:
        alone = of_scan[scan] == of_record[record] == 1
        if alone and gate.patient(record, "record") is not None:
            found.add(("scan", scan))
        if alone and gate.patient(scan, "scan") is not None:
            found.add(("record", record))
    return frozenset(found)
