"""Links between patients: what a source says of two of its patients being one person."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from data_schemas.base import Record
from data_schemas.scan import PatientFacts


class PatientLink(Record):
    """What one patient of a source says of others: who took its place, and whose place it took.

    Both are empty where it says nothing (any more). ``changed`` is when the source wrote that.
    """

    patient: PatientFacts = Field(repr=False)
    replaced_by: tuple[PatientFacts, ...] = Field(default=(), repr=False)
    replaces: tuple[PatientFacts, ...] = Field(default=(), repr=False)
    changed: AwareDatetime | None = Field(default=None, repr=False)

    @property
    def others(self) -> tuple[PatientFacts, ...]:
        """Everybody else that it names."""
        return (*self.replaced_by, *self.replaces)
