"""Patients: each from the seed and its number alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

import numpy as np
import pytest

from data_schemas.errors import InputError
from pipelines.synthetic.patients import Patient, draw_patient
from pipelines.synthetic.truth import Dials


@pytest.fixture(scope="module")
def many() -> list[Patient]:
    dials = Dials(future_notes=0.5, missing_notes=0.25)
    return [draw_patient(number, seed=2, dials=dials, pool="train") for number in range(80)]


def test_a_patient_is_drawn_the_same_again() -> None:
    first, again = (draw_patient(3, seed=1, dials=Dials(), pool="test") for _ in range(2))
    np.testing.assert_array_equal(first.phantom.volume, again.phantom.volume)
    assert first == again


@pytest.mark.parametrize(("number", "seed"), [(-1, 0), (0, -1)])
def test_a_negative_number_or_seed_is_refused(number: int, seed: int) -> None:
    with pytest.raises(InputError, match="must not be negative"):
        draw_patient(number, seed=seed, dials=Dials(), pool="train")


def test_notes_are_written_before_the_scan_and_never_at_exactly_midnight(many: list[Patient]) -> None:
    for patient in many:
        assert timedelta(hours=2) <= patient.scanned - patient.noted < timedelta(hours=73)
        assert patient.noted.time() != time.min
        assert patient.noted.second


def test_the_dials_give_their_shares_of_missing_and_future_notes(many: list[Patient]) -> None:
    assert np.mean([patient.note is None for patient in many]) == pytest.approx(0.25, abs=0.15)
    assert np.mean([patient.future_note is not None for patient in many]) == pytest.approx(0.5, abs=0.17)


def test_by_default_every_patient_has_one_note() -> None:
    patient = draw_patient(0, seed=0, dials=Dials(), pool="train")
    assert patient.note
    assert patient.future_note is None


def test_the_dials_on_notes_change_neither_the_scan_nor_the_labels() -> None:
    plain = draw_patient(4, seed=1, dials=Dials(), pool="train")
    dialled = draw_patient(4, seed=1, dials=Dials(missing_notes=1.0, future_notes=1.0), pool="test")
    np.testing.assert_array_equal(plain.phantom.volume, dialled.phantom.volume)
    assert plain.labels == dialled.labels


def test_age_is_in_whole_years_at_the_scan(many: list[Patient]) -> None:
    patient = replace(
        many[0], birth_date=date(1960, 5, 20), scanned=many[0].scanned.replace(year=2025, month=5, day=19)
    )
    assert patient.age_years == 64
    assert replace(patient, scanned=patient.scanned + timedelta(days=1)).age_years == 65
