"""What a source takes back after it was ingested: it is kept as history and is no longer an input."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, Engine, Table, update

from data_schemas.observation import Origin
from pipelines.workspace import tables
from pipelines.workspace.catalogue import note_slot, observation_slot
from pipelines.workspace.database import write
from pipelines.workspace.identity import normalise_id, patient_key
from pipelines.workspace.origins import source_key, supersede, supersede_by
from pipelines.workspace.versions import CHUNK, rows_in


def take_back(
    engine: Engine,
    key: bytes,
    *,
    notes: Iterable[tuple[str, str]] = (),
    observations: Iterable[tuple[str, str, str, str, Origin | None]] = (),
    resources: Iterable[Origin] = (),
) -> int:
    """Supersede the current versions of records by nothing, and return how many there were.

    Parameters
    ----------
    engine, key
        The catalogue's database and the workspace's key.
    notes
        Patient id and note id of each.
    observations
        Patient id, code, moment (ISO 8601, blank where undated), study UID and origin of each. One with an origin is
        that resource's value, or one whose resource is not known: never that of another resource.
    resources
        Origins of which everything goes that they, or an earlier version of them, gave.

    Raises
    ------
    WorkspaceError
        The database cannot be written.
    """
    slots: dict[Table, list[str]] = {tables.note: [], tables.observation: []}
    for patient_id, note_id in notes:
        slots[tables.note] += [note_slot(key, patient, note_id) for patient in _patient(key, patient_id)]
    nameless: set[str] = set()  # slots of which only what has no resource goes
    for patient_id, code, taken, study_uid, origin in observations:
        for patient in _patient(key, patient_id):
            slot = observation_slot(key, patient, code, taken, study_uid)
            if origin is None:
                slots[tables.observation].append(slot)
            else:
                nameless.add(slot)
    gone = {source_key(key, origin): origin for origin in resources}

    def work(connection: Connection) -> int:
        now, taken = time.time(), 0
        for table, held in slots.items():
            for start in range(0, len(held), CHUNK):
                those = table.c.slot.in_(held[start : start + CHUNK]) & table.c.superseded.is_(None)
                taken += connection.execute(update(table).where(those).values(superseded=now)).rowcount
        table = tables.observation
        held_of = rows_in(
            connection, table.c.slot, sorted(nameless), table.c.superseded.is_(None), table.c.source_key == ""
        )
        taken += supersede(connection, table, [row.version for row in held_of])
        return taken + supersede_by(connection, table, gone)

    return write(engine, work) if any(slots.values()) or nameless or gone else 0


def _patient(key: bytes, patient_id: str) -> Iterator[str]:
    if normalise_id(patient_id):
        yield patient_key(key, patient_id)
