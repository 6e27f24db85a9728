from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from data_schemas.diagnosis import Lane
from data_schemas.reasons import Reason, Remark
from pipelines.delivery.words import (
    LANE_MEANING,
    before_text,
    chips,
    display_name,
    meaning_of,
    moment_text,
    position_text,
    probability_text,
    value_text,
)

NOON = datetime(2025, 3, 5, 12)


@pytest.mark.parametrize(
    ("probability", "text"),
    [(0.0, "<0.01"), (0.01, "0.01"), (0.625, "0.62"), (0.99, "0.99"), (0.9999, ">0.99"), (1.0, ">0.99")],
)
def test_a_probability_is_never_shown_as_a_certainty(probability, text):
    assert probability_text(probability) == text


@pytest.mark.parametrize(
    ("position", "text"),
    [
        ((45.2, -12.4, 30.0), "R 45 · P 12 · S 30 mm"),
        ((-1.0, 2.0, -3.0), "L 1 · A 2 · I 3 mm"),
        ((0.0, 0.0, 0.0), "R 0 · A 0 · S 0 mm"),
    ],
)
def test_a_position_is_told_by_its_directions(position, text):
    assert position_text(position) == text


@pytest.mark.parametrize(
    ("earlier", "text"),
    [
        (timedelta(minutes=20), "within the hour before the scan"),
        (timedelta(hours=1), "1 hour before the scan"),
        (timedelta(hours=30), "1 day before the scan"),
        (timedelta(days=40), "40 days before the scan"),
        (timedelta(days=100), "3 months before the scan"),
        (timedelta(days=400), "13 months before the scan"),
        (timedelta(days=1000), "2 years before the scan"),
        (timedelta(days=-1), "after the cut-off"),
    ],
)
def test_the_time_before_the_scan_is_told_in_the_fitting_unit(earlier, text):
    assert before_text(NOON - earlier, NOON) == text


def test_nothing_is_said_of_the_time_before_an_undated_scan():
    assert before_text(NOON, None) == before_text(None, NOON) == ""


def test_moments_with_and_without_a_zone_are_compared():
    assert before_text(NOON.replace(tzinfo=UTC) - timedelta(days=30), NOON).endswith("before the scan")


def test_a_day_without_a_time_shows_no_time():
    assert (moment_text(datetime(2025, 3, 5)), moment_text(NOON), moment_text(None)) == (
        "2025-03-05",
        "2025-03-05 12:00",
        "undated",
    )


def test_a_finding_that_is_not_in_the_list_keeps_its_name():
    assert (display_name("heart-failure"), display_name("unheard-of")) == ("Heart failure", "unheard-of")


def test_every_code_has_a_meaning():
    assert all(chip.meaning for chip in chips([*Reason, *Remark]))
    assert all(meaning_of(code.value) for code in [*Reason, *Remark])


def test_every_lane_has_a_meaning():
    assert set(LANE_MEANING) == set(Lane)


def test_a_code_is_shown_once():
    assert [chip.code for chip in chips([Remark.LOSSY, Remark.NO_NOTE, Remark.LOSSY])] == ["lossy", "no-note"]


@pytest.mark.parametrize(("value", "text"), [(62.0, "62"), (0.15, "0.15"), (1234567.0, "1.23457e+06"), ("F", "F")])
def test_values_are_shown_in_their_shortest_form(value, text):
    assert value_text(value) == text
