"""Which scan patient is which record patient: equal ids, or the id map. Never a file name, never an order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from data_schemas.cohort import IdMapping
from pipelines.scans.identity import is_stand_in
from pipelines.workspace.identity import normalise_id


@dataclass(frozen=True)
class People:
    """The people behind the scans, by normalised scan id.

    ``record_id`` maps a scan id to the one record id it was joined to, ``scan_id`` the other way; ``mapped`` are the
    scan ids joined through the id map; ``ambiguous_scans`` and ``ambiguous_records`` are ids with several candidates,
    joined to nothing.
    """

    record_id: dict[str, str]
    scan_id: dict[str, str]
    mapped: frozenset[str]
    ambiguous_scans: frozenset[str]
    ambiguous_records: frozenset[str]


def match_people(
    scan_ids: Iterable[str],
    id_map: Iterable[IdMapping] = (),
    *,
    ignore_id_case: bool = False,
    ignore_leading_zeros: bool = False,
) -> People:
    """Join scan ids to record ids.

    A scan id that the id map names is joined to the record id that the map gives, and to nothing else; any other scan
    id is joined to the equal record id. A scan id with several record ids, or a record id that several scan ids lay
    claim to (rows of the map count whether or not their scan is here), is ambiguous with all that hangs on it.
    An empty id matches nothing, and a stand-in for one ("UNKNOWN", "0") nothing but through the map: that record
    and scan share it proves no more than that neither knew.
    """

    def plain(raw: str) -> str:
        return normalise_id(raw, ignore_case=ignore_id_case, ignore_leading_zeros=ignore_leading_zeros)

    targets: dict[str, set[str]] = {}
    for row in id_map:
        scan, record = plain(row.scan_patient_id), plain(row.record_patient_id)
        if scan and record:
            targets.setdefault(scan, set()).add(record)
    mapped = frozenset(targets)
    present = {plain(raw) for raw in scan_ids} - {""}
    for scan in present - mapped:
        if not is_stand_in(scan):
            targets[scan] = {scan}
    claims: dict[str, set[str]] = {}
    for scan, records in targets.items():
        for record in records:
            claims.setdefault(record, set()).add(scan)
    unclear = {scan for scan, records in targets.items() if len(records) > 1}
    unclear |= {scan for scans in claims.values() if len(scans) > 1 for scan in scans}
    record_id = {scan: next(iter(targets[scan])) for scan in (present & targets.keys()) - unclear}
    return People(
        record_id=record_id,
        scan_id={record: scan for scan, record in record_id.items()},
        mapped=mapped & present,
        ambiguous_scans=frozenset(unclear & present),
        ambiguous_records=frozenset(record for scan in unclear for record in targets[scan]),
    )
