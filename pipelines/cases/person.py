"""One person in the whole of a workspace: every id, study, series and file that the catalogue and the manifest know.

The rule is that of linking, read the other way: equal ids are one person, or the id map says so; never a file name.
Where the workspace cannot tell two people apart there is no answer but an error.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, select

from data_schemas.errors import InputError
from data_schemas.patient_link import PatientLink
from data_schemas.scan import Series
from pipelines.cases.merged import merge_people
from pipelines.scans.identity import is_stand_in
from pipelines.scans.manifest import open_manifest
from pipelines.scans.manifest_rows import Owner
from pipelines.scans.whose import owners_of_series
from pipelines.workspace import tables
from pipelines.workspace.database import read
from pipelines.workspace.forget import RECORDS, Whose, raw_ids, strangers
from pipelines.workspace.identity import keyed_digest, normalise_id, patient_key, study_key
from pipelines.workspace.paths import Workspace
from pipelines.workspace.tombstones import Mark, Space, accession_mark, id_marks, study_marks
from pipelines.workspace.versions import rows_in

Plain = Callable[[str], str]


@dataclass(frozen=True)
class Person:
    """Everything that one person is known by. ``known`` is false where the workspace holds nothing of them.

    ``files`` are all files of their scans, wherever they lie; ``scan_ids`` and ``record_ids`` are the spellings found.
    """

    known: bool
    whose: Whose
    scan_ids: frozenset[str] = field(repr=False)
    record_ids: frozenset[str] = field(repr=False)
    files: frozenset[str] = field(default=frozenset(), repr=False)

    def marks(self, key: bytes) -> frozenset[Mark]:
        """What a tombstone keeps of them."""
        found = set(study_marks(self.whose.study_keys))
        found |= {accession_mark(key, accession) for accession in self.whose.accessions}
        for raw in self.scan_ids:
            found |= id_marks(key, raw, space="scan")
        for raw in self.record_ids:
            found |= id_marks(key, raw, space="record")
        return frozenset(found)


def find_person(
    workspace: Workspace, engine: Engine, patient_id: str, *, issuer: str = "", space: Space | None = None
) -> Person:
    """The person behind an id, as scans or as records have it.

    Parameters
    ----------
    issuer
        Who issued the id; where scans name another one, they are somebody else's.
    space
        Whether the id is one of scans or of records; needed where it is one person's in the one and another's in the
        other.

    Raises
    ------
    InputError
        The id is empty or a stand-in for one; it may mean several people; or a study or series is shared with another
        person. No message repeats an id.
    """
    rules = workspace.settings.link
    plain = partial(normalise_id, ignore_case=rules.ignore_id_case, ignore_leading_zeros=rules.ignore_leading_zeros)
    wanted = plain(patient_id)
    if not wanted:
        raise InputError("the patient id is empty; give it as the scans or the records have it")
    if is_stand_in(wanted):
        raise InputError(
            "this id is a stand-in that several people may share; nothing can be forgotten by it: mend the source's ids"
        )
    key = workspace.key
    return read(engine, lambda connection: _find(workspace, connection, key, plain, wanted, issuer, space))


def _find(
    workspace: Workspace,
    connection: Connection,
    key: bytes,
    plain: Plain,
    wanted: str,
    issuer: str,
    space: Space | None,
) -> Person:
    scanned = raw_ids(connection, tables.scan)
    recorded: dict[str, str] = {}
    for table in (*RECORDS, tables.patient_link):
        recorded |= raw_ids(connection, table)
    mappings = connection.execute(select(tables.id_map)).all()
    seen = _seen(workspace.manifest, plain)
    in_scans = {plain(raw) for raw in scanned.values()} | (seen.people.keys() - {""})
    in_records = {plain(raw) for raw in recorded.values()}
    edges = {_sides(row.record, plain) for row in mappings if row.superseded is None}
    pairs = {_component(wanted, space, in_scans=in_scans, in_records=in_records, edges=edges)}
    for other in _merged_with(connection, workspace, {record for _, record in pairs}):
        pairs.add(_component(other, "record", in_scans=in_scans, in_records=in_records | {other}, edges=edges))
    scan_ids, known_ids = ({side for side in sides if side} for sides in zip(*pairs, strict=True))
    whose_mappings = {
        row.version
        for row in mappings
        if _sides(row.record, plain)[0] in scan_ids or _sides(row.record, plain)[1] in known_ids
    }
    links = frozenset(version for version, ids in _linked(connection, plain) if ids & known_ids)
    scan_keys = frozenset(k for k, raw in scanned.items() if plain(raw) in scan_ids)
    record_keys = frozenset(k for k, raw in recorded.items() if plain(raw) in known_ids)
    rows = rows_in(connection, tables.scan.c.patient_key, sorted(scan_keys))
    records = [(row, json.loads(row.record)) for row in rows]
    _check_issuers([record for row, record in records if row.superseded is None], issuer)
    uids, series, files = _studies(connection, records, scan_keys)
    held, paths = seen.of(scan_ids)
    uids |= {normalise_id(owner.study_uid) for owner in held} - {""}
    series |= {owner.series_uid for owner in held} - {""}
    files |= paths
    stuck = _quarantined(connection, plain, scan_ids, uids, series, files)
    whose = Whose(
        scan_keys=scan_keys,
        record_keys=record_keys,
        mappings=frozenset(whose_mappings),
        links=links,
        study_uids=frozenset(uids),
        accessions=_accessions(connection, [record for _, record in records], scan_keys),
        study_keys=frozenset(study_key(key, uid) for uid in uids),
        series_keys=frozenset(keyed_digest(key, "series", uid) for uid in series) | stuck,
        case_keys=_case_keys(key, scan_ids | (known_ids if len(pairs) > 1 else set()), scan_keys, workspace),
    )
    if what := seen.shared(scan_ids, held) or strangers(connection, whose):
        raise InputError(
            f"this patient shares {what} with another one, so nothing was removed; mend the source or the id map, "
            "ingest it again, and then forget"
        )
    ids = {raw for k, raw in scanned.items() if k in scan_keys} | {owner.patient_id for owner in held}
    of_records = {raw for k, raw in recorded.items() if k in record_keys}
    return Person(
        known=bool(scan_keys or record_keys or whose_mappings or links or held or stuck),
        whose=whose,
        scan_ids=frozenset(ids | scan_ids),
        record_ids=frozenset(of_records | known_ids),
        files=frozenset(files),
    )


def _component(
    wanted: str, space: Space | None, *, in_scans: set[str], in_records: set[str], edges: set[tuple[str, str]]
) -> tuple[str, str]:
    """The one scan id and the one record id of the person that an id means; "" where there is none.

    An id that the map does not name stands for the same person in scans and records, as linking has it.
    """
    edges = {(scan, record) for scan, record in edges if scan and record}
    mapped_scans, mapped_records = {scan for scan, _ in edges}, {record for _, record in edges}

    def partners_of_scan(scan: str) -> set[str]:
        equal = {scan} if scan not in mapped_scans and scan not in mapped_records else set()
        return {record for left, record in edges if left == scan} | equal

    def partners_of_record(record: str) -> set[str]:
        equal = {record} if record not in mapped_records and record not in mapped_scans else set()
        return {scan for scan, right in edges if right == record} | equal

    people = set()
    if space in (None, "scan") and (wanted in in_scans or wanted in mapped_scans):
        people.add(("scan", wanted))
    if space in (None, "record") and (wanted in in_records or wanted in mapped_records):
        people.add(("record", wanted))
    if not people:
        # Nobody known: the id means the same in scans and records, and only a tombstone may know it.
        return ("" if space == "record" else wanted), ("" if space == "scan" else wanted)
    pairs = set()
    for kind, found in people:
        partners = partners_of_scan(found) if kind == "scan" else partners_of_record(found)
        back = {other for p in partners for other in (partners_of_record(p) if kind == "scan" else partners_of_scan(p))}
        if len(partners) > 1 or back - {found}:
            raise InputError("the id map offers several candidates for this patient; mend the map and ingest it again")
        partner = next(iter(partners), "")
        pairs.add((found, partner) if kind == "scan" else (partner, found))
    if len(pairs) > 1:
        raise InputError("scans and records have this id for two people; say which one with --as scan or --as record")
    return pairs.pop()


def _sides(record: str, plain: Plain) -> tuple[str, str]:
    row = json.loads(record)
    return plain(row["scan_patient_id"]), plain(row["record_patient_id"])


def _check_issuers(records: Iterable[Mapping[str, Any]], issuer: str) -> None:
    found = {normalise_id(record["patient"].get("issuer", "")) for record in records} - {""}
    if len(found) > 1:
        raise InputError("scans have this id from several issuers, so it may mean several people; nothing was removed")
    if found and issuer and normalise_id(issuer) not in found:
        raise InputError("the scans with this id are of another issuer; give theirs, or leave --issuer out")


def _studies(
    connection: Connection, records: list[tuple[Any, dict[str, Any]]], scan_keys: frozenset[str]
) -> tuple[set[str], set[str], set[str]]:
    """Study UIDs (those that are another patient's by now left out), series UIDs, and files of some scans."""
    uids: dict[str, bool] = {}
    columns = {row.study_key for row, _ in records if row.study_key}
    current = rows_in(connection, tables.scan.c.study_key, sorted(columns), tables.scan.c.superseded.is_(None))
    others = {row.study_key for row in current if row.patient_key and row.patient_key not in scan_keys}
    series, files = set(), set()
    for row, record in records:
        uid = normalise_id(record["study_uid"]) or normalise_id(record["series_uid"]) or record["scan_id"]
        theirs = row.study_key in others
        uids[uid] = uids.get(uid, False) or row.superseded is None or not theirs
        files |= {file["path"] for file in record["files"]}
        if row.superseded is None or not theirs:
            series |= {record["series_uid"] or record["scan_id"]}
    return {uid for uid, own in uids.items() if own}, series, files


def _accessions(
    connection: Connection, records: Iterable[Mapping[str, Any]], scan_keys: frozenset[str]
) -> frozenset[str]:
    """Accession numbers of some scans; stand-ins, and such as another patient's scans have too, tell nothing."""
    found = {normalise_id(record.get("accession", "")) for record in records} - {""}
    found = {accession for accession in found if not is_stand_in(accession)}
    own = set()
    for accession in found:
        query = select(tables.scan.c.patient_key, tables.scan.c.record).where(
            tables.scan.c.superseded.is_(None), tables.scan.c.record.contains(accession, autoescape=True)
        )
        theirs = [
            row
            for row in connection.execute(query)
            if row.patient_key not in scan_keys and normalise_id(json.loads(row.record)["accession"]) == accession
        ]
        own |= set() if theirs else {accession}
    return frozenset(own)


def _quarantined(
    connection: Connection, plain: Plain, scan_ids: Set[str], uids: set[str], series: set[str], files: set[str]
) -> frozenset[str]:
    """Keys of the quarantined series that are this person's by study, series, file, or by what their files say now."""
    found = set()
    for row in connection.execute(select(tables.quarantined_series)):
        item = Series.model_validate_json(row.record)
        own = normalise_id(item.study_uid) in uids or item.series_uid in series - {""} or item.where in files
        if not own and scan_ids:
            named = owners_of_series(item)
            own = bool(named) and all(plain(owner.patient_id) in scan_ids for owner in named)
        if own:
            found.add(row.series_key)
    return frozenset(found)


def _case_keys(key: bytes, ids: Set[str], scan_keys: frozenset[str], workspace: Workspace) -> frozenset[str]:
    rules = workspace.settings.link
    return scan_keys | {
        patient_key(key, raw, ignore_case=rules.ignore_id_case, ignore_leading_zeros=rules.ignore_leading_zeros)
        for raw in ids
    }


def _linked(connection: Connection, plain: Plain) -> Iterator[tuple[str, set[str]]]:
    """Every link between patients, superseded ones too: its version, and the ids that it names."""
    for row in connection.execute(select(tables.patient_link)):
        link = PatientLink.model_validate_json(row.record)
        yield row.version, {plain(person.patient_id) for person in (link.patient, *link.others)}


def _merged_with(connection: Connection, workspace: Workspace, ids: set[str]) -> set[str]:
    """The other record ids of a person, where sources have merged patients."""
    rules = workspace.settings.link
    rows = connection.execute(select(tables.patient_link)).all()
    current = [PatientLink.model_validate_json(row.record) for row in rows if row.superseded is None]
    merged = merge_people(current, ignore_id_case=rules.ignore_id_case, ignore_leading_zeros=rules.ignore_leading_zeros)
    if ids & merged.doubtful.keys():
        raise InputError(
            "a source links this patient to others in a way that cannot be true, so nobody can say whose is whose; "
            "mend the links there, ingest them again, and then forget"
        )
    return {other for own in ids for other in merged.groups.get(own, frozenset())} - ids


@dataclass(frozen=True)
class _Seen:
    """What the manifest of headers knows, which has the patient of quarantined series as well: owners by person."""

    path: Path
    plain: Plain
    people: Mapping[str, frozenset[Owner]]

    def of(self, scan_ids: Set[str]) -> tuple[frozenset[Owner], frozenset[str]]:
        """Whom the headers of one person's files name, and the files."""
        held = frozenset(owner for name in scan_ids for owner in self.people.get(name, ()))
        if not held:
            return frozenset(), frozenset()
        with open_manifest(self.path) as manifest:
            return held, frozenset(path for path, owners in manifest.owners() if owners & held)

    def shared(self, scan_ids: Set[str], held: Collection[Owner]) -> str:
        """What of it is another person's too, "" where nothing is."""
        series = {owner.series_uid for owner in held} - {""}
        studies = {normalise_id(owner.study_uid) for owner in held} - {""}
        others = {owner for person, owners in self.people.items() if person not in {*scan_ids, ""} for owner in owners}
        if any(owner.series_uid in series for owner in others):
            return "a series"
        return "a study" if any(normalise_id(owner.study_uid) in studies for owner in others) else ""


def _seen(path: Path, plain: Plain) -> _Seen:
    people: dict[str, set[Owner]] = defaultdict(set)
    if path.is_file():
        with open_manifest(path) as manifest:
            for _, owners in manifest.owners():
                for owner in owners:
                    people[plain(owner.patient_id)].add(owner)
    return _Seen(path, plain, {person: frozenset(owners) for person, owners in people.items()})
