"""Cohorts: cases with labels and patient-level splits."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from data_schemas.base import Record

Split = Literal["train", "validation", "test"]


def _value_of(value: object) -> str:
    return "target" if isinstance(value, float) else "finding"


class LabelValue(IntEnum):
    """The value of a label as the tables have it; a blank cell (unknown) has no label at all."""

    POSITIVE = 1
    NEGATIVE = 0
    UNCERTAIN = -1


class Label(Record):
    """One finding, or one target, of one patient, or of one study where ``study_uid`` is given.

    The value of a finding is a `LabelValue`, that of a target a float: so they are stored (``1`` and ``1.0``), and so
    they are told apart.
    """

    patient_id: str = Field(default="", repr=False)
    study_uid: str = Field(default="", repr=False)
    finding: str
    value: Annotated[
        Annotated[LabelValue, Tag("finding")] | Annotated[float, Tag("target"), Field(allow_inf_nan=False)],
        Discriminator(_value_of),
    ]


class IdMapping(Record):
    """One row of the id map: the id in the scans, and the id in the records."""

    scan_patient_id: str = Field(repr=False)
    record_patient_id: str = Field(repr=False)


class CohortMember(Record):
    """One case of a cohort: its keys, its split, its labels by finding and values by target (absent: unknown)."""

    study_key: str
    patient_key: str
    split: Split
    labels: dict[str, LabelValue]
    targets: dict[str, float] = Field(default_factory=dict)
