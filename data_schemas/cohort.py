"""Cohorts: cases with labels and patient-level splits."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

from pydantic import Field

from data_schemas.base import Record

Split = Literal["train", "validation", "test"]


class LabelValue(IntEnum):
    """The value of a label as the tables have it; a blank cell (unknown) has no label at all."""

    POSITIVE = 1
    NEGATIVE = 0
    UNCERTAIN = -1


class Label(Record):
    """One finding of one patient, or of one study where ``study_uid`` is given."""

    patient_id: str = Field(default="", repr=False)
    study_uid: str = Field(default="", repr=False)
    finding: str
    value: LabelValue


class IdMapping(Record):
    """One row of the id map: the id in the scans, and the id in the records."""

    scan_patient_id: str = Field(repr=False)
    record_patient_id: str = Field(repr=False)


class CohortMember(Record):
    """One case of a cohort: its keys, its split and its labels by finding (absent: unknown)."""

    study_key: str
    patient_key: str
    split: Split
    labels: dict[str, LabelValue]
