"""Observations: dated structured values (age, sex, weight, laboratory values)."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, Field

from data_schemas.base import Record
from data_schemas.scan import PatientFacts


class Origin(Record):
    """Which version of which resource of a source gave a value.

    ``resource`` names it, ``changed`` and ``version`` (a number) say in which order its versions were written; a
    source may tell both, one, or neither.
    """

    resource: str = Field(repr=False)
    version: str = ""
    changed: AwareDatetime | None = Field(default=None, repr=False)


class Observation(Record):
    """One value. ``code`` is a LOINC code or a plain word of the settings; text values (sex) stay text.

    ``origin`` is set where the source keeps versions of what it says. ``study_uid`` or ``accession``
    (the number of the imaging order) is set where it belongs to a study.
    """

    patient: PatientFacts = Field(repr=False)
    taken: datetime | None = Field(default=None, repr=False)
    code: str
    value: float | str = Field(repr=False)
    unit: str = ""
    study_uid: str = Field(default="", repr=False)
    accession: str = Field(default="", repr=False)
    origin: Origin | None = Field(default=None, repr=False)
