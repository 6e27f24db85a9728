"""What a source gives: the records it could read, and a line for each one that it could not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from data_schemas.cohort import IdMapping, Label
from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.reasons import Reason

T = TypeVar("T")


@dataclass(frozen=True)
class Refused:
    """A record that was set aside: where it stands (file and number, never content), why, and how to mend it."""

    where: str
    reason: Reason
    detail: str = ""


@dataclass(frozen=True)
class Records:
    """The records of one or several sources."""

    notes: tuple[Note, ...] = field(default=(), repr=False)
    observations: tuple[Observation, ...] = field(default=(), repr=False)
    labels: tuple[Label, ...] = field(default=(), repr=False)
    id_map: tuple[IdMapping, ...] = field(default=(), repr=False)
    refused: tuple[Refused, ...] = ()


def merge(parts: Iterable[Records]) -> Records:
    """All records of several sources in their order; a record that stands twice, equal in every field, is kept once."""
    held = tuple(parts)
    return Records(
        notes=_once(note for part in held for note in part.notes),
        observations=_once(item for part in held for item in part.observations),
        labels=_once(label for part in held for label in part.labels),
        id_map=_once(row for part in held for row in part.id_map),
        refused=tuple(line for part in held for line in part.refused),
    )


def _once(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))
