"""What a source gives: the records it could read, and a line for each one that it could not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from data_schemas.cohort import IdMapping, Label
from data_schemas.note import Note
from data_schemas.observation import Observation, Origin
from data_schemas.patient_link import PatientLink
from data_schemas.reasons import Reason, Remark

T = TypeVar("T")


@dataclass(frozen=True)
class Refused:
    """A record that was set aside: where it stands (file and number, never content), why, and how to mend it."""

    where: str
    reason: Reason
    detail: str = ""


@dataclass(frozen=True)
class Noticed:
    """Something of a source that is not refused and must be said: where it stands, the code, and what was done."""

    where: str
    remark: Remark
    detail: str = ""


@dataclass(frozen=True)
class TakenBack:
    """A record that its source has taken back (entered in error): what it was known by when it was ingested.

    A note has a ``note_id``; a value has a ``code``, the moment ``taken`` (ISO 8601) and a ``study_uid``, and, where
    its source keeps versions, an ``origin``: everything that resource gave goes.
    """

    patient_id: str = field(repr=False)
    note_id: str = field(default="", repr=False)
    code: str = ""
    taken: str = field(default="", repr=False)
    study_uid: str = field(default="", repr=False)
    origin: Origin | None = field(default=None, repr=False)


def known_by(item: Observation) -> TakenBack:
    """What a value was known by."""
    taken = item.taken.isoformat() if item.taken else ""
    return TakenBack(item.patient.patient_id, code=item.code, taken=taken, study_uid=item.study_uid, origin=item.origin)


@dataclass(frozen=True)
class Records:
    """The records of one or several sources."""

    notes: tuple[Note, ...] = field(default=(), repr=False)
    observations: tuple[Observation, ...] = field(default=(), repr=False)
    labels: tuple[Label, ...] = field(default=(), repr=False)
    id_map: tuple[IdMapping, ...] = field(default=(), repr=False)
    refused: tuple[Refused, ...] = ()
    noticed: tuple[Noticed, ...] = ()
    taken_back: tuple[TakenBack, ...] = field(default=(), repr=False)
    links: tuple[PatientLink, ...] = field(default=(), repr=False)


def merge(parts: Iterable[Records]) -> Records:
    """All records of several sources in their order; a record that stands twice, equal in every field, is kept once."""
    held = tuple(parts)
    return Records(
        notes=_once(note for part in held for note in part.notes),
        observations=_once(item for part in held for item in part.observations),
        labels=_once(label for part in held for label in part.labels),
        id_map=_once(row for part in held for row in part.id_map),
        refused=tuple(line for part in held for line in part.refused),
        noticed=_once(line for part in held for line in part.noticed),
        taken_back=_once(item for part in held for item in part.taken_back),
        links=_once(item for part in held for item in part.links),
    )


def _once(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))
