"""Which cases a model was trained, chosen or tested on: by keys, in the workspace's database, and nowhere else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, insert, select

from data_schemas.cohort import Split
from pipelines.workspace.database import read, write
from pipelines.workspace.tables import membership as table
from pipelines.workspace.versions import CHUNK, rows_in


@dataclass(frozen=True)
class Member:
    """One case of a model's cohort: study and patient by their keys, and the split that it was in."""

    study_key: str
    patient_key: str
    split: Split


@dataclass(frozen=True)
class TrainedOn:
    """A model, and how many of the cases in question it was trained, chosen or tested on, by split."""

    model_digest: str
    cases: dict[str, int]


def put_members(engine: Engine, model_digest: str, members: Iterable[Member]) -> int:
    """Record the cohort of a model, before anybody is told of the model, and return how many cases are new.

    Recording it twice adds nothing; a case that is known keeps its split.
    """
    rows = {member.study_key: member for member in members}

    def work(connection: Connection) -> int:
        query = select(table.c.study_key).where(table.c.model_digest == model_digest)
        held = set(connection.execute(query).scalars())
        new = [
            {
                "model_digest": model_digest,
                "study_key": row.study_key,
                "patient_key": row.patient_key,
                "split": row.split,
            }
            for row in rows.values()
            if row.study_key not in held
        ]
        for start in range(0, len(new), CHUNK):
            connection.execute(insert(table), new[start : start + CHUNK])
        return len(new)

    return write(engine, work)


def members(engine: Engine, model_digest: str) -> tuple[Member, ...]:
    """The cohort of a model by study key; empty where none was recorded."""
    query = select(table.c.study_key, table.c.patient_key, table.c.split).where(table.c.model_digest == model_digest)
    rows = read(engine, lambda connection: connection.execute(query.order_by(table.c.study_key)).all())
    return tuple(Member(*row) for row in rows)


def models_of(
    engine: Engine, *, study_keys: Collection[str] = (), patient_keys: Collection[str] = ()
) -> tuple[TrainedOn, ...]:
    """The models that any of some studies, or of some patients' cases, were part of."""

    def work(connection: Connection) -> dict[tuple[str, str], str]:
        found = rows_in(connection, table.c.study_key, sorted(study_keys))
        found += rows_in(connection, table.c.patient_key, sorted(patient_keys))
        return {(row.model_digest, row.study_key): row.split for row in found}

    counted: dict[str, Counter[str]] = {}
    for (digest, _), split in read(engine, work).items():
        counted.setdefault(digest, Counter())[split] += 1
    return tuple(TrainedOn(digest, dict(sorted(cases.items()))) for digest, cases in sorted(counted.items()))
