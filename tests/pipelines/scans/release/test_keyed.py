"""Pseudonyms, UIDs and moved dates: stable with the key, and nothing without it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID

from pipelines.scans.release.keyed import capped_age, keyed_uid, person, shift_date, shift_date_time

KEY, OTHER = bytes(32), bytes(range(32))


@given(st.text(min_size=1, max_size=64))
def test_a_uid_becomes_a_valid_uid_whatever_it_was(uid: str) -> None:
    new = keyed_uid(KEY, uid)
    assert not new or (UID(new).is_valid and new.startswith("2.25."))


def test_a_uid_is_replaced_alike_with_one_key_and_otherwise_with_another() -> None:
    assert keyed_uid(KEY, "1.2.3\0") == keyed_uid(KEY, "1.2.3") != keyed_uid(OTHER, "1.2.3")
    assert keyed_uid(KEY, "") == ""


def test_a_patient_is_the_same_person_in_every_study_and_padding_aside() -> None:
    assert person(KEY, "007 ", "1.1") == person(KEY, "007", "1.2")
    assert person(KEY, "007", "1.1") != person(KEY, "7", "1.1")
    assert person(KEY, "007", "1.1", ignore_leading_zeros=True) == person(KEY, "7", "1.1", ignore_leading_zeros=True)


def test_patients_without_an_id_are_not_one_person() -> None:
    assert person(KEY, " ", "1.1").pseudonym != person(KEY, "", "1.2").pseudonym


@given(st.dates(date(1920, 1, 1), date(2100, 1, 1)), st.dates(date(1920, 1, 1), date(2100, 1, 1)), st.text(min_size=1))
def test_intervals_between_the_dates_of_a_patient_stay(first: date, second: date, patient: str) -> None:
    days = person(KEY, patient, "1").shift_days
    moved = [shift_date(day.strftime("%Y%m%d"), days) or "" for day in (first, second)]
    there = [date(int(text[:4]), int(text[4:6]), int(text[6:])) for text in moved]
    assert there[1] - there[0] == second - first
    assert 365 <= (first - there[0]).days <= 3652


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("20240301", "20240229"),
        ("2024.03.01", "20240229"),
        ("20230301", "20230228"),
        ("20240231", None),
        ("2024", None),
        ("", None),
        ("00010101", None),
    ],
)
def test_a_date_moves_by_days_or_is_none(before: str, after: str | None) -> None:
    assert shift_date(before, 1) == after


def test_the_time_of_day_and_its_zone_stay() -> None:
    assert shift_date_time("20240301101500.25+0100", 1) == "20240229101500.25+0100"
    assert shift_date_time("202403", 1) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [("089Y", "089Y"), ("090Y", "090Y"), ("104Y", "090Y"), ("95", "090Y"), ("42", "042Y"), ("006M", "006M")],
)
def test_ages_beyond_89_are_90(before: str, after: str) -> None:
    assert capped_age(before) == after


def test_an_age_in_words_is_none() -> None:
    assert capped_age("ninety") is None
