"""The ledger: what was decided. One diagnosis a key, for ever; a later one of the same study supersedes it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, insert, select

from data_schemas.diagnosis import Diagnosis
from data_schemas.errors import RefusedError, WorkspaceError
from data_schemas.reasons import Reason
from pipelines.workspace.claims import Claim, close_done, close_forgotten, make_current
from pipelines.workspace.database import read, write
from pipelines.workspace.digests import json_digest
from pipelines.workspace.tables import diagnosis as table
from pipelines.workspace.tombstones import is_forgotten


@dataclass(frozen=True)
class LedgerEntry:
    """A diagnosis, when it was recorded (seconds since 1970, UTC), and the key of the one that superseded it."""

    diagnosis: Diagnosis = field(repr=False)
    recorded: float
    superseded_by: str | None


def diagnosis_key(
    study_key: str, inputs_digest: str, model_digest: str, settings_digest: str, backend: str, precision: str
) -> str:
    """The key of a diagnosis: SHA-256 over everything that can change it, 64 hex characters."""
    return json_digest(["diagnosis/1", study_key, inputs_digest, model_digest, settings_digest, backend, precision])


def complete(engine: Engine, claim: Claim, diagnosis: Diagnosis, *, now: float | None = None) -> bool:
    """Store a diagnosis, close its attempt and supersede the study's earlier diagnoses: all in one transaction.

    Returns False where the ledger already holds that key (the lease had run out and another owner was quicker):
    then nothing but the attempt changes.

    Raises
    ------
    ValueError
        The diagnosis is not of the claimed key and study.
    RefusedError
        ``forgotten``: the patient was forgotten since the case was claimed; the attempt is closed, nothing is stored.
    """
    if (diagnosis.key, diagnosis.study_key) != (claim.key, claim.study_key):
        raise ValueError("this diagnosis belongs to another claim")
    moment = time.time() if now is None else now
    values = {
        "key": diagnosis.key,
        "study_key": diagnosis.study_key,
        "patient_key": diagnosis.patient_key,
        "model_digest": diagnosis.model.digest,
        "lane": diagnosis.lane.value,
        "recorded": moment,
        "record": diagnosis.model_dump_json(),
    }

    def work(connection: Connection) -> bool | None:
        if is_forgotten(connection, claim.study_key):
            close_forgotten(connection, claim, moment)
            return None
        close_done(connection, claim, moment)
        if connection.execute(select(table.c.key).where(table.c.key == claim.key)).one_or_none() is not None:
            return False
        connection.execute(insert(table).values(values))
        make_current(connection, claim.key, claim.study_key)
        return True

    stored = write(engine, work)
    if stored is None:
        raise RefusedError(Reason.FORGOTTEN, "forgotten while it was diagnosed; nothing is stored")
    return stored


def diagnoses(engine: Engine, *, current_only: bool = True) -> tuple[Diagnosis, ...]:
    """Every diagnosis in the order of its key; without ``current_only`` the superseded ones as well."""
    return tuple(entry.diagnosis for entry in entries(engine, current_only=current_only))


def entries(
    engine: Engine, *, current_only: bool = True, study_keys: Sequence[str] | None = None
) -> tuple[LedgerEntry, ...]:
    """Every entry of the ledger in the order of its key, or those of some studies.

    Raises
    ------
    WorkspaceError
        A stored diagnosis does not fit this version's schema.
    """
    query = select(table.c.record, table.c.recorded, table.c.superseded_by).order_by(table.c.key)
    if current_only:
        query = query.where(table.c.superseded_by.is_(None))
    if study_keys is not None:
        query = query.where(table.c.study_key.in_(list(study_keys)))
    rows = read(engine, lambda connection: connection.execute(query).all())
    try:
        return tuple(
            LedgerEntry(Diagnosis.model_validate_json(row.record), row.recorded, row.superseded_by) for row in rows
        )
    except ValidationError:
        raise WorkspaceError("a stored diagnosis does not fit this version of scanote; use the newer version") from None
