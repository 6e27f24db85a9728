"""What a table states of a scan whose file carries no word of it: whose it is, when it was made, of which modality."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from data_schemas.base import Record


class StatedScan(Record):
    """One row of ``scanote-scans.csv`` for a NIfTI file; what is blank stays unknown.

    Scans of one ``study_uid`` are one study (T1 and FLAIR, say); without it each file is a study of its own.
    """

    patient_id: str = Field(min_length=1, max_length=64, repr=False)
    issuer: str = Field(default="", max_length=64, repr=False)
    name: str = Field(default="", max_length=256, repr=False)
    sex: Literal["M", "F", "O", ""] = Field(default="", repr=False)
    birth_date: date | None = Field(default=None, repr=False)
    age_years: float | None = Field(default=None, ge=0, le=150, repr=False)
    study_uid: str = Field(default="", max_length=64, repr=False)
    accession: str = Field(default="", max_length=64, repr=False)
    modality: str = Field(default="", pattern=r"^([A-Z]{2,16})?$")
    acquired: datetime | None = Field(default=None, repr=False)
    description: str = Field(default="", max_length=256, repr=False)
    body_part: str = Field(default="", max_length=64)
