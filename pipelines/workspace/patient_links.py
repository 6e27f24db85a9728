"""The links between patients that sources state: one row a patient, current until the source says otherwise."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Engine, select

from data_schemas.patient_link import PatientLink
from pipelines.workspace.database import read, write
from pipelines.workspace.digests import sha256_bytes
from pipelines.workspace.identity import keyed_digest, normalise_id, patient_key
from pipelines.workspace.origins import supersede
from pipelines.workspace.tables import patient_link
from pipelines.workspace.versions import PutCounts, Version, put_versions, rows_in


def put_patient_links(engine: Engine, key: bytes, links: Iterable[PatientLink]) -> PutCounts:
    """Put what patients say of others; a patient who says nothing any more takes back what it said.

    What was written before what is held changes nothing.
    """
    given: dict[str, tuple[Version, PatientLink]] = {}
    for link in links:
        row = link_version(key, link)
        if row.slot and not (row.slot in given and _is_later(given[row.slot][1], link)):
            given[row.slot] = (row, link)

    def work(connection: Connection) -> PutCounts:
        if not given:
            return PutCounts()
        current = rows_in(connection, patient_link.c.slot, sorted(given), patient_link.c.superseded.is_(None))
        held = {row.slot: (row.version, PatientLink.model_validate_json(row.record)) for row in current}
        fresh = [slot for slot, (_, link) in given.items() if slot not in held or not _is_later(held[slot][1], link)]
        counts = put_versions(connection, patient_link, [given[slot][0] for slot in fresh if given[slot][1].others])
        gone = [held[slot][0] for slot in fresh if slot in held and not given[slot][1].others]
        return counts + PutCounts(superseded=supersede(connection, patient_link, gone))

    return write(engine, work)


def patient_links(engine: Engine) -> tuple[PatientLink, ...]:
    """Every link that stands."""
    query = select(patient_link.c.record).where(patient_link.c.superseded.is_(None)).order_by(patient_link.c.slot)
    rows = read(engine, lambda connection: connection.execute(query).scalars().all())
    return tuple(PatientLink.model_validate_json(row) for row in rows)


def link_version(key: bytes, link: PatientLink) -> Version:
    """The row that a link is put as; its slot is blank where the patient has no id."""
    patient = patient_key(key, link.patient.patient_id) if normalise_id(link.patient.patient_id) else ""
    slot = keyed_digest(key, "patient-link", patient) if patient else ""
    record = link.model_dump_json()
    return Version(slot, sha256_bytes(f"{slot}{record}".encode()), record, {"patient_key": patient})


def _is_later(one: PatientLink, other: PatientLink) -> bool:
    return one.changed is not None and other.changed is not None and one.changed > other.changed
