"""Tombstones: what is left of a forgotten patient, so that nothing of them comes back unnoticed.

A tombstone holds HMACs of the patient's ids and studies, counts, and the month. An id is kept under each of the four
rules that the settings may have for ids (case and leading zeros significant or not), so that it is recognised when the
rule has changed; ids of scans and of records are kept apart, as the id map keeps them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal
from uuid import uuid4

from sqlalchemy import Connection, Engine, insert, select, update

from pipelines.workspace.database import read, write
from pipelines.workspace.identity import keyed_digest, normalise_id, patient_key, study_key
from pipelines.workspace.tables import tombstone, tombstone_key

Space = Literal["scan", "record"]
SPACES: tuple[Space, ...] = ("scan", "record")
STUDY, ACCESSION = "study", "accession"
RULES = tuple((case, zeros) for case in (False, True) for zeros in (False, True))
Mark = tuple[str, str]


class Progress(StrEnum):
    """How far a removal has come; one that was interrupted goes on from there."""

    BEGUN = "begun"  # what comes in is turned away; the patient's things may still be there
    REMOVED = "removed"  # the rows are gone; old bytes of the database, and the worklist, may still show them
    DONE = "done"


@dataclass(frozen=True)
class Tombstone:
    """One tombstone. ``month`` and ``lifted`` are "YYYY-MM"; ``counts`` is what there was to remove, by kind."""

    tombstone_id: str
    month: str
    state: Progress
    lifted: str | None
    counts: dict[str, int]


@dataclass(frozen=True)
class Blocked:
    """What is turned away now: the tombstone of every mark (kind and HMAC) that is not lifted."""

    marks: Mapping[Mark, str] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        return bool(self.marks)

    @property
    def studies(self) -> frozenset[str]:
        """The keys of all forgotten studies."""
        return frozenset(value for kind, value in self.marks if kind == STUDY)

    @property
    def owners(self) -> frozenset[str]:
        """What cached entries of forgotten patients lie under: the keys of studies, and the strict keys of ids."""
        strict = {_kind(space, (False, False)) for space in SPACES}
        return frozenset(value for kind, value in self.marks if kind == STUDY or kind in strict)

    def of_id(
        self, key: bytes, raw: str, *, space: Space, ignore_case: bool = False, ignore_leading_zeros: bool = False
    ) -> str | None:
        """The tombstone of a patient id, as scans or records have it, by the rule for ids; None where there is none."""
        if not normalise_id(raw):
            return None
        rule = (ignore_case, ignore_leading_zeros)
        return self.marks.get((_kind(space, rule), _value(key, raw, rule)))

    def of_study(self, key: bytes, uid: str) -> str | None:
        """The tombstone of a study by its UID; None where there is none."""
        return self.marks.get((STUDY, study_key(key, uid))) if normalise_id(uid) else None

    def of_accession(self, key: bytes, accession: str) -> str | None:
        """The tombstone of an imaging order by its accession number; None where there is none."""
        return self.marks.get(accession_mark(key, accession)) if normalise_id(accession) else None


def id_marks(key: bytes, raw: str, *, space: Space) -> frozenset[Mark]:
    """The marks of a patient id under every rule for ids."""
    return frozenset((_kind(space, rule), _value(key, raw, rule)) for rule in RULES)


def accession_mark(key: bytes, accession: str) -> Mark:
    """The mark of an imaging order."""
    return ACCESSION, keyed_digest(key, ACCESSION, normalise_id(accession))


def study_marks(study_keys: Iterable[str]) -> frozenset[Mark]:
    """The marks of studies."""
    return frozenset((STUDY, value) for value in study_keys)


def blocked(engine: Engine) -> Blocked:
    """Everything that is turned away now."""
    return read(engine, blocked_in)


def blocked_in(connection: Connection) -> Blocked:
    """Everything that is turned away now, as a transaction sees it."""
    query = (
        select(tombstone_key.c.kind, tombstone_key.c.value, tombstone_key.c.tombstone_id)
        .join(tombstone, tombstone.c.tombstone_id == tombstone_key.c.tombstone_id)
        .where(tombstone.c.lifted.is_(None))
    )
    return Blocked({(row.kind, row.value): row.tombstone_id for row in connection.execute(query)})


def is_forgotten(connection: Connection, study: str) -> bool:
    """Whether a study, by its key, belongs to a forgotten patient; as a transaction sees it."""
    query = (
        select(tombstone_key.c.value)
        .join(tombstone, tombstone.c.tombstone_id == tombstone_key.c.tombstone_id)
        .where(tombstone_key.c.kind == STUDY, tombstone_key.c.value == study, tombstone.c.lifted.is_(None))
        .limit(1)
    )
    return connection.execute(query).one_or_none() is not None


def begin(
    engine: Engine, marks: Iterable[Mark], counts: Mapping[str, int], *, again: Tombstone | None = None
) -> Tombstone:
    """Set up a tombstone, or take one up ``again``, or the one that is there for any of the ids; add what it lacks.

    One that is there keeps its counts and month: a removal that is run again ends as one that was not interrupted.
    """
    wanted = frozenset(marks)

    def work(connection: Connection) -> str:
        there = blocked_in(connection).marks
        ids = {mark for mark in wanted if mark[0] not in (STUDY, ACCESSION)}
        found = [again.tombstone_id] if again else sorted({there[mark] for mark in ids if mark in there})
        if found:
            made = found[0]
            # Something came back, or was left: it is removed now.
            connection.execute(
                update(tombstone).where(tombstone.c.tombstone_id == made).values(state=Progress.BEGUN.value)
            )
        else:
            made = uuid4().hex
            row = {"tombstone_id": made, "month": _month(), "state": Progress.BEGUN.value, "lifted": None}
            connection.execute(insert(tombstone).values(row | {"counts": json.dumps(dict(counts), sort_keys=True)}))
        _add(connection, made, wanted)
        return made

    made = write(engine, work)
    return next(item for item in tombstones(engine) if item.tombstone_id == made)


def add_studies(engine: Engine, tombstone_id: str, study_keys: Iterable[str]) -> None:
    """Turn away more studies of a forgotten patient: those that came later."""
    marks = study_marks(study_keys)
    write(engine, lambda connection: _add(connection, tombstone_id, marks))


def set_state(connection: Connection, tombstone_id: str, state: Progress) -> None:
    """Note how far a removal has come, in the transaction of that step."""
    connection.execute(update(tombstone).where(tombstone.c.tombstone_id == tombstone_id).values(state=state.value))


def studies_of(engine: Engine, tombstone_id: str) -> frozenset[str]:
    """The keys of a tombstone's studies."""
    query = select(tombstone_key.c.value).where(
        tombstone_key.c.tombstone_id == tombstone_id, tombstone_key.c.kind == STUDY
    )
    return frozenset(read(engine, lambda connection: connection.execute(query).scalars().all()))


def tombstones(engine: Engine) -> tuple[Tombstone, ...]:
    """Every tombstone, lifted ones as well."""
    query = select(tombstone).order_by(tombstone.c.month, tombstone.c.tombstone_id)
    rows = read(engine, lambda connection: connection.execute(query).all())
    return tuple(
        Tombstone(**{**row._mapping, "state": Progress(row.state), "counts": json.loads(row.counts)}) for row in rows
    )


def lift(engine: Engine, marks: Iterable[Mark]) -> tuple[str, ...]:
    """Lift every tombstone that turns any of the marks away, and return their ids; they stay, and say so."""
    wanted = frozenset(marks)

    def work(connection: Connection) -> tuple[str, ...]:
        there = blocked_in(connection).marks
        found = tuple(sorted({there[mark] for mark in wanted if mark in there}))
        for made in found:
            connection.execute(update(tombstone).where(tombstone.c.tombstone_id == made).values(lifted=_month()))
        return found

    return write(engine, work)


def _add(connection: Connection, tombstone_id: str, marks: Iterable[Mark]) -> None:
    query = select(tombstone_key.c.kind, tombstone_key.c.value).where(tombstone_key.c.tombstone_id == tombstone_id)
    held = {(row.kind, row.value) for row in connection.execute(query)}
    rows = [
        {"tombstone_id": tombstone_id, "kind": kind, "value": value} for kind, value in sorted(frozenset(marks) - held)
    ]
    if rows:
        connection.execute(insert(tombstone_key), rows)


def _kind(space: Space, rule: tuple[bool, bool]) -> str:
    return f"{space}-id/{int(rule[0])}{int(rule[1])}"


def _value(key: bytes, raw: str, rule: tuple[bool, bool]) -> str:
    return patient_key(key, raw, ignore_case=rule[0], ignore_leading_zeros=rule[1])


def _month() -> str:
    return datetime.now(UTC).strftime("%Y-%m")
