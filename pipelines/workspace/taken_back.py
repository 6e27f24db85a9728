"""What a source takes back after it was ingested: it is kept as history and is no longer an input."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, Engine, Table, update

from pipelines.workspace import tables
from pipelines.workspace.catalogue import note_slot, observation_slot
from pipelines.workspace.database import write
from pipelines.workspace.identity import normalise_id, patient_key
from pipelines.workspace.versions import CHUNK


def take_back(
    engine: Engine,
    key: bytes,
    *,
    notes: Iterable[tuple[str, str]] = (),
    observations: Iterable[tuple[str, str, str, str]] = (),
) -> int:
    """Supersede the current versions of records by nothing, and return how many there were.

    Parameters
    ----------
    engine, key
        The catalogue's database and the workspace's key.
    notes
        Patient id and note id of each.
    observations
        Patient id, code, moment (ISO 8601, blank where undated) and study UID of each.

    Raises
    ------
    WorkspaceError
        The database cannot be written.
    """
    slots: dict[Table, list[str]] = {tables.note: [], tables.observation: []}
    for patient_id, note_id in notes:
        slots[tables.note] += [note_slot(key, patient, note_id) for patient in _patient(key, patient_id)]
    for patient_id, *rest in observations:
        slots[tables.observation] += [observation_slot(key, patient, *rest) for patient in _patient(key, patient_id)]

    def work(connection: Connection) -> int:
        now, taken = time.time(), 0
        for table, held in slots.items():
            for start in range(0, len(held), CHUNK):
                those = table.c.slot.in_(held[start : start + CHUNK]) & table.c.superseded.is_(None)
                taken += connection.execute(update(table).where(those).values(superseded=now)).rowcount
        return taken

    return write(engine, work) if any(slots.values()) else 0


def _patient(key: bytes, patient_id: str) -> Iterator[str]:
    if normalise_id(patient_id):
        yield patient_key(key, patient_id)
