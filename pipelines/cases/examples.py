"""Examples: cases as a model takes them, with their labels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from data_schemas.case import Case
from data_schemas.cohort import Split
from data_schemas.concept import Assertion, Side
from data_schemas.dictation import is_uncertain
from data_schemas.errors import SettingsError
from data_schemas.observation import Observation
from pipelines.cases.clock import DAYS_A_YEAR, years_between, zone_of
from pipelines.notes.sections import BODY, SPELLINGS, split_sections

SECTION_NUMBER = {name: number for number, name in enumerate([BODY, *SPELLINGS])}
# Words that are one of two.
WORDS = {"M": 1.0, "F": 0.0} | dict.fromkeys(("YES", "TRUE", "POSITIVE", "PRESENT"), 1.0)
WORDS |= dict.fromkeys(("NO", "FALSE", "NEGATIVE", "ABSENT"), 0.0)


@dataclass(frozen=True)
class ScanTensor:
    """A preprocessed scan: ``values`` [C, Z, Y, X], ``affine`` from voxel (x, y, z) to RAS mm, and what was done.

    Values of HU windows lie within 0 and 1; z-scores do not. ``missing`` are channels that the study does not have.
    """

    values: np.ndarray
    affine: np.ndarray
    history: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sentence:
    """One sentence of an input section. ``source`` is ``note/section/sentence`` by number in its case."""

    text: str = field(repr=False)
    source: str
    section: int
    number: int


@dataclass(frozen=True)
class Mention:
    """One mention of a finding in an input section; ``sentence`` is the number of its sentence in the example."""

    finding: str
    assertion: Assertion
    side: Side | None
    sentence: int


@dataclass(frozen=True)
class Value:
    """One numeric observation; ``age_days`` before the cut-off, 0 where unknown; ``unit`` is None where nobody told."""

    code: str
    value: float = field(repr=False)
    age_days: float = 0.0
    unit: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Example:
    """One case as a model takes it.

    A finding absent from ``labels`` is unknown; -1 is uncertain. ``scan_digest`` is the digest of the scan's files and
    of the recipe that made its tensor; where it is empty, nothing of the scan is cached. ``mentions`` stay empty where
    the model does not read concepts. ``targets`` are grades and measurements; one that is absent is unknown.
    """

    study_key: str
    patient_key: str
    scan: ScanTensor | None
    sentences: tuple[Sentence, ...]
    values: tuple[Value, ...]
    labels: Mapping[str, int] = field(default_factory=dict)
    split: Split = "test"
    scan_digest: str = ""
    mentions: tuple[Mention, ...] = ()
    targets: Mapping[str, float] = field(default_factory=dict, repr=False)


def sentences_of(
    texts: Sequence[str], *, input_sections: Sequence[str], keep_uncertain: bool = False
) -> tuple[Sentence, ...]:
    """The sentences of the input sections of some notes, in order, without those that a dictation marks uncertain."""
    allowed = set(input_sections)
    if not allowed or not allowed <= SECTION_NUMBER.keys():
        raise SettingsError(f"model.note.input_sections must be some of {', '.join(SECTION_NUMBER)}")
    return tuple(
        Sentence(sentence, f"{note}/{place}/{number}", SECTION_NUMBER[section.name], number)
        for note, text in enumerate(texts)
        for place, section in enumerate(split_sections(text))
        if section.name in allowed
        for number, sentence in enumerate(section.sentences)
        if keep_uncertain or not is_uncertain(sentence)
    )


def values_of(case: Case, *, codes: Sequence[str]) -> tuple[Value, ...]:
    """The numeric observations that a model knows; sex is 1 (M) or 0 (F).

    Any other text is left out, and so is a number that is not finite: it would make every score of the case NaN.
    """
    return tuple(
        Value(item.code, number, _age_days(case, item), item.unit)
        for item in case.observations
        if item.code in codes and (number := number_of(item.value)) is not None
    )


def number_of(value: float | str) -> float | None:
    """A value as a model reads it: a finite number, 1 or 0 for a word that is one of two, None for all else."""
    number = WORDS.get(value.strip().upper()) if isinstance(value, str) else float(value)
    return number if number is not None and math.isfinite(number) else None


def _age_days(case: Case, item: Observation) -> float:
    if case.cut_off is None or item.taken is None:
        return 0.0
    return max(years_between(item.taken, case.cut_off, zone=zone_of(case.timezone)) * DAYS_A_YEAR, 0.0)
