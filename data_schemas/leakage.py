"""Leaks: what a cohort gives away that no model should be trained or measured on, each with its evidence."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from data_schemas.base import Record
from data_schemas.marks import neutral

LeakKind = Literal[
    "same-patient",
    "duplicate-text",
    "duplicate-volume",
    "label-words",
    "future-input",
    "label-source",
    "metadata",
]
LEAK_KINDS: tuple[LeakKind, ...] = get_args(LeakKind)
Severity = Literal["leak", "watch"]

MEANING: dict[LeakKind, str] = {
    "same-patient": "One person stands in two splits, under one id or under two.",
    "duplicate-text": "Almost the same text of two patients stands in two splits.",
    "duplicate-volume": "Almost the same volume of two patients stands in two splits.",
    "label-words": "The words of a finding in the input text tell its label.",
    "future-input": "What reaches the model was written or measured after the cut-off.",
    "label-source": "The input text holds the report that the labels were read from.",
    "metadata": "Site, scanner or date tell the label, with neither scan nor text.",
}


class LeakageSettings(Record):
    """Leaks that a training run may have all the same, by name."""

    allow: tuple[LeakKind, ...] = neutral(())


class Leak(Record):
    """One thing that was found.

    A *leak* fails a training run unless its kind is allowed; a *watch* is told and fails nothing. ``evidence`` says
    what was seen, without patient data and without counts; ``count`` is how many cases or pairs; ``where`` holds
    keys of studies, the first few. ``value`` is the measure, ``limit`` what it must stay below.
    """

    kind: LeakKind
    severity: Severity
    finding: str | None = None
    evidence: str
    count: int
    value: float
    limit: float
    where: tuple[str, ...] = Field(default=(), repr=False)


class Check(Record):
    """What the audit looked at for one kind of leak: how many of what. ``skipped`` says why it could not look."""

    kind: LeakKind
    compared: int
    what: str
    skipped: str = ""


class LeakReport(Record):
    """An audit: one check a kind, and everything that was found."""

    cases: int = 0
    checks: tuple[Check, ...] = ()
    leaks: tuple[Leak, ...] = ()

    @property
    def found(self) -> tuple[LeakKind, ...]:
        """The kinds of which there is a leak, in the order of the list."""
        kinds = {leak.kind for leak in self.leaks if leak.severity == "leak"}
        return tuple(kind for kind in LEAK_KINDS if kind in kinds)
