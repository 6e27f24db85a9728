"""The scan of these cases is of noon on 5 March 2024."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pipelines.cases.examples import Value
from pipelines.cases.leakage.future_input import find_future_inputs

BEFORE, AFTER = datetime(2024, 3, 5, 11, 59), datetime(2024, 3, 5, 12, 1)


def severities(*cases) -> list[str]:
    return [leak.severity for leak in find_future_inputs(cases)[1]]


def test_text_of_a_note_from_before_the_scan_is_sound(case, note) -> None:
    told = note(text="Cough. Fever.", written=BEFORE)
    check, leaks = find_future_inputs([case(text="Cough. Fever.", notes=(told,))])
    assert (check.compared, leaks) == (1, [])


def test_a_sentence_whose_only_note_is_from_after_the_scan_is_a_leak(case, note) -> None:
    notes = (note(text="Cough.", written=BEFORE), note(text="It was pneumonia.", written=AFTER))
    row = case(text="Cough. It was pneumonia.", notes=notes)
    [leak] = find_future_inputs([row])[1]
    assert (leak.severity, leak.where) == ("leak", ("study 1.2.7",))
    assert "pneumonia" not in leak.model_dump_json()


def test_a_sentence_that_stood_in_an_earlier_note_too_is_sound(case, note) -> None:
    notes = (note(text="Cough.", written=BEFORE), note(text="Cough. Better now.", written=AFTER))
    assert severities(case(text="Cough.", notes=notes)) == []


def test_a_value_that_was_measured_after_the_scan_is_a_leak(case, value) -> None:
    late, early = value("weight", 70.0, taken=AFTER), value("weight", 60.0, taken=BEFORE)
    assert severities(case(values=(Value("weight", 70.0),), observations=(late, early))) == ["leak"]
    assert severities(case(values=(Value("weight", 60.0),), observations=(late, early))) == []


def test_sex_needs_no_date(case, value) -> None:
    assert severities(case(values=(Value("sex", 1.0),), observations=(value("sex", "M", taken=None),))) == []


@pytest.mark.parametrize("written", [None, AFTER])
def test_what_cannot_be_dated_is_watched(case, note, written) -> None:
    told = note(text="Cough.", written=None)
    assert severities(case(text="Cough.", notes=(told,))) == ["watch"]
    assert severities(case(text="Cough.", notes=(note(text="Cough.", written=BEFORE),), acquired=None)) == ["watch"]


def test_text_that_the_catalogue_does_not_hold_is_watched(case, note) -> None:
    assert severities(case(text="Of somebody else.", notes=(note(text="Cough.", written=BEFORE),))) == ["watch"]


@pytest.mark.parametrize(
    "sentence",
    [
        "Addendum 2024-03-06: it was confirmed.",
        "Addendum (06.03.2024): it was confirmed.",
        "Late entry on 2024-04-01 09:00, seen again.",
        "2024-03-07 10:15 seen on the ward.",
        "Amended 20/3/2024 by the ward.",
        "Signed 2025-01-01.",
    ],
)
def test_an_entry_stamped_after_the_scan_is_a_leak_whatever_the_date_of_its_note(case, note, sentence: str) -> None:
    text = f"Cough. {sentence}"
    assert severities(case(text=text, notes=(note(text=text, written=BEFORE),))) == ["leak"]


@pytest.mark.parametrize(
    "sentence",
    [
        "Addendum 2024-03-05: same day.",
        "Addendum 2024-03-01: earlier.",
        "The next appointment is on 2024-04-01.",
        "Surgery planned for 06.03.2024.",
        "2024-04-01 is the day of the operation.",
        "Addendum 4/3/2024: the fourth of March or the third of April.",
        "Addendum 2024-13-45: no day at all.",
        "Signed 12345-03-06.",
    ],
)
def test_other_dates_are_none(case, note, sentence: str) -> None:
    text = f"Cough. {sentence}"
    assert severities(case(text=text, notes=(note(text=text, written=BEFORE),))) == []


def test_without_a_catalogue_nothing_was_looked_at(case) -> None:
    check, leaks = find_future_inputs([case(text="Addendum 2024-03-06: late.", catalogued=False)])
    assert (leaks, bool(check.skipped)) == ([], True)


def test_what_an_offset_of_the_settings_lets_in_is_watched(case, note, value) -> None:
    row = case(
        text="Cough.",
        notes=(note(text="Cough.", written=AFTER, kind="order"),),
        values=(Value("weight", 70.0),),
        observations=(value("weight", 70.0, taken=AFTER),),
    )
    for offsets, told in (
        ({"observation": timedelta(hours=1), "note/order": timedelta(hours=1)}, ["watch"]),
        ({"observation": timedelta(hours=1)}, ["leak", "watch"]),
        ({"note": timedelta(seconds=1)}, ["leak"]),
    ):
        assert severities(replace(row, offsets=offsets)) == told
