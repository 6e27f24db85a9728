"""No volume is made of two people's slices, and one person's are not refused for how they are written.

Two thousand mixtures here, a hundred thousand in `benchmarks/wrong_patient.py` and `make test-slow`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipelines.scans.check import check_series
from pipelines.synthetic.faults.mix_trials import base_headers, on_files, on_records
from pipelines.synthetic.faults.mixtures import Person, Written, draw_mixture, draw_other, in_headers


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def test_no_volume_is_made_of_header_records_of_two_people(tmp_path: Path, rng: np.random.Generator) -> None:
    trials = on_records(tmp_path, 2000, rng, two_people=True)
    assert (trials.series, trials.volumes, trials.refused) == (2000, 0, 2000)


def test_people_who_differ_in_one_thing_alone_are_among_them(tmp_path: Path, rng: np.random.Generator) -> None:
    fields = {draw_mixture(rng, slices=9, two_people=True).fields for _ in range(300)}
    assert {("patient_id",), ("name",), ("birth_date",), ("sex",)} <= fields


def test_no_volume_is_made_of_files_of_two_people(tmp_path: Path, rng: np.random.Generator) -> None:
    trials = on_files(tmp_path, 40, rng, two_people=True)
    assert (trials.series, trials.volumes) == (40, 0)


def test_one_person_written_in_many_ways_is_one_person(tmp_path: Path, rng: np.random.Generator) -> None:
    trials = on_records(tmp_path, 400, rng, two_people=False)
    assert (trials.volumes, trials.refused) == (400, 0)


def test_one_person_written_in_many_ways_in_files_is_one_person(tmp_path: Path, rng: np.random.Generator) -> None:
    trials = on_files(tmp_path, 15, rng, two_people=False)
    assert (trials.volumes, trials.refused) == (15, 0)


def test_a_mixture_always_holds_slices_of_both(rng: np.random.Generator) -> None:
    for _ in range(200):
        mixture = draw_mixture(rng, slices=7, two_people=True)
        assert 1 < len(set(mixture.written)) <= 6


def test_someone_else_differs_in_what_is_said(rng: np.random.Generator) -> None:
    person = Person("007", "Muster^Erika", "19600102", "F")
    for _ in range(200):
        other, fields = draw_other(person, rng)
        assert all(getattr(other, name) != getattr(person, name) for name in fields)


WAYS = [
    Written("ISO_IR 100", b"007", "Größe^Änne".encode("latin-1"), "19600102", "F"),
    Written("ISO_IR 192", b"007 ", "Größe^Änne^^^".encode(), "1960.01.02", "F"),
    Written("ISO_IR 192", b" 007", "Größe^Änne".encode(), "19600102", "F"),
]


def test_padding_and_the_character_set_are_insignificant(tmp_path: Path, rng: np.random.Generator) -> None:
    mixture = draw_mixture(rng, slices=24, two_people=False)
    ways = type(mixture)(tuple(WAYS[index % 3] for index in range(24)), two_people=False)
    assert check_series(in_headers(base_headers(tmp_path), ways)).accepted


@pytest.mark.slow
def test_no_volume_of_two_people_in_a_hundred_thousand_mixtures(tmp_path: Path, rng: np.random.Generator) -> None:
    assert on_records(tmp_path / "records", 100_000, rng, two_people=True).volumes == 0
    assert on_files(tmp_path / "files", 500, rng, two_people=True).volumes == 0
