"""Notes whose own words contradict whom they are filed under."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from data_schemas.reasons import Reason

NOON = datetime(2024, 3, 5, 12, 0)
BORN = date(1957, 1, 1)  # 67 on the day of the scan


def listed(result) -> list[tuple[str, Reason]]:
    return sorted((line.kind, line.reason) for line in result.unlinked)


@pytest.mark.parametrize(
    "text",
    [
        "45-year-old woman with cough.",
        "67-year-old man with cough.",
        "INDICATION: 62 y/o F, dyspnoea",
        "72F with cough",
    ],
)
def test_a_note_of_another_sex_or_age_quarantines_the_case(joined, scan, note, text: str) -> None:
    result = joined([scan(sex="F", birth_date=BORN)], [note(text=text), note(text="Fever.")], [])
    assert result.cases == ()
    assert listed(result) == [("case", Reason.IDENTITY_CONFLICT)] + [("note", Reason.IDENTITY_CONFLICT)] * 2


@pytest.mark.parametrize(
    "text",
    [
        "67-year-old woman with cough.",
        "64-year-old woman, text of three years ago copied forward.",
        "Her 45-year-old brother has the same.",
        "Cough.",
    ],
)
def test_a_note_that_may_be_of_the_patient_is_used(joined, scan, note, text: str) -> None:
    assert len(joined([scan(sex="F", birth_date=BORN)], [note(text=text)], []).cases[0].notes) == 1


@pytest.mark.parametrize(("stated", "fits"), [(57, True), (67, False)])
def test_the_age_is_held_against_that_on_the_day_of_the_note(joined, scan, note, stated: int, fits: bool) -> None:
    old = note(text=f"{stated}-year-old woman.", written=NOON - timedelta(days=3653))
    for patient in ({"birth_date": BORN}, {"age_years": 67.0}):
        assert bool(joined([scan(**patient)], [old], []).cases) is fits


def test_an_age_of_the_records_is_held_against_it_where_the_scan_has_none(joined, scan, note, value) -> None:
    values = [value("age", 67.0)]
    assert joined([scan()], [note(text="45-year-old with cough.")], values).cases == ()
    assert joined([scan()], [note(text="67-year-old with cough.")], values).cases[0].notes


def test_ages_beyond_89_are_often_capped_and_agree(joined, scan, note) -> None:
    assert joined([scan(age_years=90.0)], [note(text="99-year-old woman.")], []).cases


def test_a_sex_that_is_neither_is_not_held_against_a_word(joined, scan, note) -> None:
    assert joined([scan(sex="O")], [note(text="67-year-old woman.")], []).cases


def test_the_note_alone_is_refused_where_the_settings_say_so(joined, scan, note) -> None:
    wrong, right = note(text="45-year-old man."), note(text="Fever.")
    result = joined([scan(sex="F", birth_date=BORN)], [wrong, right], [], text_identity="refuse-note")
    assert result.cases[0].notes == (right,)
    assert listed(result) == [("note", Reason.IDENTITY_CONFLICT)]
    assert "identity-conflict 1" in " ".join(result.cases[0].history)


def test_the_check_can_be_turned_off_and_its_tolerance_is_a_setting(joined, scan, note) -> None:
    given = [scan(birth_date=BORN)], [note(text="45-year-old.")], []
    assert joined(*given, text_identity="off").cases
    assert joined(*given, text_age_tolerance_years=30.0).cases


def test_a_note_from_after_the_cut_off_is_not_asked(joined, scan, note) -> None:
    later = note(text="45-year-old man.", written=NOON + timedelta(days=1))
    assert joined([scan(sex="F", birth_date=BORN)], [later], []).cases
