"""Synthetic patients, each drawn from the seed of the hospital and its own number alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from data_schemas.errors import InputError
from pipelines.synthetic.phantom import Phantom, draw_phantom
from pipelines.synthetic.text import Pool, write_note
from pipelines.synthetic.truth import Dials, Truth, draw_labels, draw_truth

EPOCH = datetime(2025, 1, 6, 7, 30)


@dataclass(frozen=True)
class Patient:
    """One patient with everything a hospital would hold.

    ``weight_kg`` and age carry no information on any finding; ``note`` is None where the dial left it out, and
    ``future_note`` is dated after the scan and tells the opposite of every clue.
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
    phantom: Phantom
    note: str | None
    future_note: str | None

    @property
    def age_years(self) -> int:
        """Whole years at the scan."""
        birthday_passed = (self.scanned.month, self.scanned.day) >= (self.birth_date.month, self.birth_date.day)
        return self.scanned.year - self.birth_date.year - (not birthday_passed)


def draw_patient(number: int, *, seed: int, dials: Dials, pool: Pool) -> Patient:
    """Draw patient ``number`` of the hospital ``seed``; other patients do not matter.

    Raises
    ------
    InputError
        A negative number or seed.
    """
    if number < 0 or seed < 0:
        raise InputError("patient number and seed must not be negative")
    streams = np.random.SeedSequence([seed, number]).spawn(5)
    hidden, image, words, person, future = (np.random.default_rng(stream) for stream in streams)
    truth = draw_truth(hidden)
    labels = draw_labels(truth, dials, hidden)
    scanned = EPOCH + timedelta(days=int(person.integers(0, 360)), minutes=int(person.integers(0, 600)))
    birth_date = date(int(person.integers(1938, 2004)), int(person.integers(1, 13)), int(person.integers(1, 29)))
    has_note = bool(words.random() >= dials.missing_notes)
    has_future = bool(future.random() < dials.future_notes)
    return Patient(
        number=number,
        patient_id=f"SYN{seed:03d}-{number:06d}",
        sex="F" if person.random() < 0.5 else "M",
        birth_date=birth_date,
        weight_kg=round(float(person.normal(78, 14)), 1),
        scanned=scanned,
        # Half a minute off: a record of exactly midnight would be read as one without a time of day.
        noted=scanned - timedelta(hours=int(person.integers(2, 72)), seconds=30),
        truth=truth,
        labels=labels,
        phantom=draw_phantom(truth, image),
        note=write_note(truth, pool=pool, rng=words) if has_note else None,
        future_note=write_note(_opposite(truth), pool=pool, rng=future) if has_future else None,
    )


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
