"""Diagnoses: what the ledger holds and the pages show."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from data_schemas.base import Record
from data_schemas.reasons import Reason, Remark
from data_schemas.target import Estimate

SCHEMA_VERSION: Literal[1] = 1


class Lane(StrEnum):
    """How a diagnosis may be used."""

    CONFIDENT = "confident"
    REVIEW = "review"
    REFUSE = "refuse"


class ModelReference(Record):
    """Which model spoke: registered name and version, and the SHA-256 of its artefact."""

    name: str
    version: str
    digest: str
    ungated: bool = True


class Evidence(Record):
    """A piece of the input that a score rests on, named so that a page can find it again.

    ``modality`` is the encoder's name. For a scan, ``position_mm`` is the centre of the region in RAS millimetres; for
    a note, ``source`` is ``note/section/sentence`` by number; for a concept, the same and ``#finding/assertion``, then
    ``/side`` where one is told. ``weight`` is the share of the attention, 0 to 1.
    """

    modality: str
    source: str
    weight: float
    position_mm: tuple[float, float, float] | None = None


class Score(Record):
    """The probability of one finding, with the evidence from each modality."""

    finding: str
    probability: float = Field(ge=0.0, le=1.0)
    evidence: tuple[Evidence, ...] = ()


class Diagnosis(Record):
    """One model's reading of one study. ``key`` is derived from everything that can change it.

    ``estimates`` are of the targets that the model has beside its findings.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    key: str
    study_key: str
    patient_key: str
    inputs_digest: str
    settings_digest: str
    model: ModelReference
    backend: str
    precision: str
    calibrated: bool = False
    lane: Lane = Lane.REVIEW
    scores: tuple[Score, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    reasons: tuple[Reason, ...] = ()
    remarks: tuple[Remark, ...] = ()
    history: tuple[str, ...] = ()
