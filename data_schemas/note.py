"""Notes: dated text about a patient."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from data_schemas.base import Record
from data_schemas.dictation import Dictation
from data_schemas.scan import PatientFacts


class Section(Record):
    """A titled part of a note, split into sentences."""

    name: str
    sentences: tuple[str, ...] = Field(repr=False)


class Note(Record):
    """One note as its source has it.

    ``study_uid`` or ``accession`` (the number of the imaging order) is set where the note is about a study, as its
    report or its order is. ``dictation`` is set where the text was transcribed from a recording.
    """

    note_id: str = Field(repr=False)
    patient: PatientFacts = Field(repr=False)
    written: datetime | None = Field(default=None, repr=False)
    kind: str = "note"
    text: str = Field(repr=False)
    encounter_id: str = Field(default="", repr=False)
    study_uid: str = Field(default="", repr=False)
    accession: str = Field(default="", repr=False)
    dictation: Dictation | None = Field(default=None, repr=False)
