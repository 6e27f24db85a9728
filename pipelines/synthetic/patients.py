"""Synthetic patients, each drawn from the seed of the hospital and its own number alone."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from functools import cached_property

import numpy as np

from data_schemas.errors import InputError
from data_schemas.scan import Geometry
from pipelines.synthetic.leak_text import (
    addendum,
    impression_of,
    label_words,
    with_line,
    with_other_line,
    write_report,
)
from pipelines.synthetic.phantom import Phantom, Scanner, draw_acquisition, draw_phantom
from pipelines.synthetic.split import SplitOf, partner_of, pool_of
from pipelines.synthetic.text import Pool, write_note
from pipelines.synthetic.truth import Dials, Leaks, Truth, draw_labels, draw_truth

EPOCH = datetime(2025, 1, 6, 7, 30)
HIDDEN, IMAGE, WORDS, PERSON, FUTURE, LEAKS, REPORT = range(7)
SHARED = ("same_patient", "duplicate_text", "duplicate_volume")


@dataclass(frozen=True)
class Exposure:
    """What a phantom is drawn from: the hidden signs, the hospital's seed and a patient's number, and the scanner."""

    truth: Truth
    seed: int
    number: int
    scanner: int | None = None

    def acquisition(self) -> tuple[Scanner, Geometry]:
        """The scanner, and where the volume lies; nothing is painted."""
        return draw_acquisition(_stream(self.seed, self.number, IMAGE), scanner=self.scanner)

    def phantom(self) -> Phantom:
        """Paint the volume."""
        return draw_phantom(self.truth, _stream(self.seed, self.number, IMAGE), scanner=self.scanner)


@dataclass(frozen=True)
class Patient:
    """One patient with everything a hospital would hold.

    ``weight_kg`` and age carry no information on any finding; ``note`` is None where the dial left it out,
    ``future_note`` is dated after the scan and tells the opposite of every clue, and ``report`` is that of the study,
    dated after it too. ``planted`` are the leaks that the patient carries, ``partner`` the number of the patient of
    another split with whom it shares a person, a note or a scan.
    """

    number: int
    patient_id: str
    sex: str
    birth_date: date
    weight_kg: float
    scanned: datetime
    noted: datetime
    truth: Truth
    labels: dict[str, int]
    exposure: Exposure
    note: str | None
    future_note: str | None
    report: str | None = None
    registered_as: str = ""
    planted: tuple[str, ...] = ()
    partner: int | None = field(default=None, compare=False)

    @cached_property
    def phantom(self) -> Phantom:
        """The scan; painted when it is first asked for."""
        return self.exposure.phantom()

    @property
    def name(self) -> str:
        """Family and given name, as DICOM joins them."""
        return f"SYNTHETIC^{self.registered_as or self.patient_id}"

    @property
    def age_years(self) -> int:
        """Whole years at the scan."""
        birthday_passed = (self.scanned.month, self.scanned.day) >= (self.birth_date.month, self.birth_date.day)
        return self.scanned.year - self.birth_date.year - (not birthday_passed)


def draw_patient(
    number: int, *, seed: int, dials: Dials, pool: Pool, split_at: SplitOf | None = None, first: int = 0
) -> Patient:
    """Draw patient ``number`` of the hospital ``seed``; other patients do not matter.

    Only where a leak is planted that two patients share, a patient of a lower number (from ``first`` on) and of
    another split by ``split_at`` does; without ``split_at`` no such leak is planted.

    Raises
    ------
    InputError
        A negative number or seed.
    """
    if number < 0 or seed < 0:
        raise InputError("patient number and seed must not be negative")
    hidden, words, person, future = (_stream(seed, number, what) for what in (HIDDEN, WORDS, PERSON, FUTURE))
    planted = _planted(dials.leaks, _stream(seed, number, LEAKS))
    partner = _partner(number, planted, seed=seed, dials=dials, split_at=split_at, first=first)
    if partner is None:
        planted -= set(SHARED)
    elif partner.note is None:
        planted -= {"duplicate_text"}
    truth = draw_truth(hidden)
    if partner and "duplicate_volume" in planted:
        seen = partner.truth
        truth = replace(truth, effusion=seen.effusion, ground_glass=seen.ground_glass, masses=seen.masses)
    if partner and "duplicate_text" in planted:
        told = partner.truth
        truth = replace(
            truth,
            cardiac=told.cardiac,
            infection=told.infection,
            breathless=told.breathless,
            complaint_side=told.complaint_side,
        )
    labels = draw_labels(truth, dials, hidden)
    scanned = EPOCH + timedelta(days=int(person.integers(0, 360)), minutes=int(person.integers(0, 600)))
    birth_date = date(int(person.integers(1938, 2004)), int(person.integers(1, 13)), int(person.integers(1, 29)))
    has_note = bool(words.random() >= dials.missing_notes)
    has_future = bool(future.random() < dials.future_notes)
    patient_id = f"SYN{seed:03d}-{number:06d}"
    patient = Patient(
        number=number,
        patient_id=patient_id,
        sex="F" if person.random() < 0.5 else "M",
        birth_date=birth_date,
        weight_kg=round(float(person.normal(78, 14)), 1),
        scanned=scanned,
        # Half a minute off: a record of exactly midnight would be read as one without a time of day.
        noted=scanned - timedelta(hours=int(person.integers(2, 72)), seconds=30),
        truth=truth,
        labels=labels,
        exposure=Exposure(truth, seed, number),
        note=write_note(truth, pool=pool, rng=words) if has_note else None,
        future_note=write_note(_opposite(truth), pool=pool, rng=future) if has_future else None,
    )
    return _leaking(patient, planted, partner, dials=dials, seed=seed)


def _planted(leaks: Leaks, rng: np.random.Generator) -> set[str]:
    return {item.name for item in fields(leaks) if rng.random() < getattr(leaks, item.name)}


def _partner(
    number: int, planted: set[str], *, seed: int, dials: Dials, split_at: SplitOf | None, first: int
) -> Patient | None:
    """The patient whom a leak is shared with, as the hospital has it, its own leaks included."""
    if split_at is None or not planted.intersection(SHARED):
        return None
    other = partner_of(number, seed=seed, split_at=split_at, first=first)
    if other is None:
        return None
    pool = pool_of(split_at(other))
    return draw_patient(other, seed=seed, dials=dials, pool=pool, split_at=split_at, first=first)


def _leaking(patient: Patient, planted: set[str], partner: Patient | None, *, dials: Dials, seed: int) -> Patient:
    """The patient with its report, and with what the leaks change."""
    reporting = _stream(seed, patient.number, REPORT)
    reported = bool(reporting.random() < dials.reports) or "label_source" in planted
    report = write_report(patient.labels, rng=reporting) if reported else None
    note, rng = patient.note, _stream(seed, patient.number, LEAKS, 1)
    exposure = patient.exposure
    if partner and partner.note and "duplicate_text" in planted:
        note = with_other_line(partner.note)
    if partner and "duplicate_volume" in planted:
        exposure = partner.exposure
    if "metadata" in planted:
        exposure = replace(exposure, scanner=1 - patient.labels["pneumonia"])
    if note is None:
        planted -= {"label_words", "future_input", "label_source"}
    else:
        if "label_words" in planted:
            note = with_line(note, label_words(patient.labels, rng=rng))
        if "future_input" in planted:
            note = with_line(note, addendum(patient.labels, scanned=patient.scanned, rng=rng))
        if report and "label_source" in planted:
            note = with_line(note, impression_of(report))
    changed = replace(patient, note=note, report=report, exposure=exposure, planted=tuple(sorted(planted)))
    if partner is None:
        return changed
    changed = replace(changed, partner=partner.number)
    if "same_patient" not in planted:
        return changed
    again = partner.registered_as or partner.patient_id
    return replace(changed, registered_as=again, birth_date=partner.birth_date, sex=partner.sex)


def _stream(seed: int, number: int, *what: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([seed, number], spawn_key=what))


def _opposite(truth: Truth) -> Truth:
    return Truth(
        effusion=truth.effusion,
        ground_glass=truth.ground_glass,
        masses=truth.masses,
        cardiac=not truth.cardiac,
        infection=not truth.infection,
        breathless=not truth.breathless,
        complaint_side=truth.complaint_side,
    )
