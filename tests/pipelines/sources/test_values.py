from __future__ import annotations

import contextlib
import math
from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.date_formats import _FORMATS
from pipelines.sources.values import (
    parse_age_years,
    parse_kind,
    parse_moment,
    parse_number,
    parse_sex,
    parse_value,
)

LAST = time(23, 59, 59, 999999)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-03-05T14:30", datetime(2024, 3, 5, 14, 30)),
        (" 2024-03-05 14:30:15 ", datetime(2024, 3, 5, 14, 30, 15)),
        ("2024-03-05T14:30:00Z", datetime(2024, 3, 5, 14, 30, tzinfo=UTC)),
        ("2024-03-05T14:30:00+02:00", datetime(2024, 3, 5, 14, 30, tzinfo=timezone(timedelta(hours=2)))),
    ],
)
def test_a_date_with_a_time_is_read_as_it_stands(text: str, moment: datetime) -> None:
    assert parse_moment(text) == moment


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2024-03-05", date(2024, 3, 5)),
        ("20240305", date(2024, 3, 5)),
        ("2024-02", date(2024, 2, 29)),
        ("2023", date(2023, 12, 31)),
        (date(2024, 3, 5), date(2024, 3, 5)),
        ("2024-03-05T00:00:00", date(2024, 3, 5)),
        (datetime(2024, 3, 5), date(2024, 3, 5)),
    ],
)
def test_a_date_without_a_time_is_the_end_of_its_period(value: object, day: date) -> None:
    assert parse_moment(value) == datetime.combine(day, LAST)


@pytest.mark.parametrize("text", ["", "  ", None])
def test_a_blank_date_is_no_date(text: object) -> None:
    assert parse_moment(text) is None


@pytest.mark.parametrize(
    "text", ["03/05/2024", "5 March", "2024-13-01", "2024-02-30", "2024-00", "0000", "202403", 20240305]
)
def test_what_is_no_iso_date_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        parse_moment(text)


@given(st.text(max_size=20))
def test_reading_a_date_never_fails_otherwise_and_never_repeats_its_input(text: str) -> None:
    problem = "not an ISO 8601 date (such as 2024-03-05T14:30)"
    try:
        parse_moment(text)
    except ValueError as error:
        problem = str(error)
    told, _, looks = problem.partition("; it looks like ")
    assert told == "not an ISO 8601 date (such as 2024-03-05T14:30)"
    assert looks in {"", *(name for _, name in _FORMATS)}


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("05.03.2024 14:30", "DD.MM.YYYY"),
        ("3/5/24", "MM/DD/YYYY or DD/MM/YYYY"),
        ("2024/03/05", "YYYY/MM/DD"),
        ("05-MAR-2024", "a date with the month's name"),
        ("March 5, 2024", "a date with the month's name"),
        ("2024-3-5", "a date without its leading zeros"),
        ("45356.5", "a spreadsheet's number of days"),
        ("20240305143000", "YYYYMMDDHHMMSS"),
        ("1709645400", "seconds or milliseconds since 1970"),
        ("2024-03-05 14:30 CET", "a zone by name: write it as an offset"),
        ("2024-03-05T14:30[Europe/Berlin]", "a zone by name: write it as an offset"),
    ],
)
def test_a_date_in_another_format_is_refused_with_the_name_of_the_format(text: str, looks: str) -> None:
    with pytest.raises(ValueError, match=f"ISO 8601.*it looks like {looks}"):
        parse_moment(text)


@pytest.mark.parametrize("text", ["2024-03-05T24:00", "2024-03-05 24:00:00", "20240305T2400"])
def test_twenty_four_oclock_is_the_first_instant_of_the_next_day(text: str) -> None:
    assert parse_moment(text) == datetime(2024, 3, 6)


def test_twenty_four_oclock_keeps_its_zone_and_no_later_time_exists() -> None:
    assert parse_moment("2024-12-31T24:00:00+01:00") == datetime(2025, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    with pytest.raises(ValueError, match="ISO 8601"):
        parse_moment("2024-03-05T24:01")


@pytest.mark.parametrize("text", ["20240305101", "2024030512345", "202403051430"])
def test_digits_without_a_sign_between_date_and_time_are_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        parse_moment(text)


@given(st.datetimes(timezones=st.none() | st.timezones()))
def test_a_date_is_never_read_as_earlier_than_written(moment: datetime) -> None:
    read = parse_moment(moment.isoformat())
    assert read is not None
    assert read.replace(tzinfo=None) >= moment.replace(tzinfo=None)


@pytest.mark.parametrize(
    ("value", "unit", "years"),
    [
        ("048Y", "", 48.0),
        ("42", "", 42.0),
        (61, "", 61.0),
        ("018M", "", 1.5),
        ("003W", "", 21 / 365.25),
        ("010D", "", 10 / 365.25),
        (6.0, "mo", 0.5),
        ("62.5", "years", 62.5),
    ],
)
def test_ages_become_years(value: object, unit: str, years: float) -> None:
    assert parse_age_years(value, unit) == pytest.approx(years)


@pytest.mark.parametrize("value", ["", "old", "-3", "620Y", "48Q", "048YY", "nan", True])
def test_what_is_no_age_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"age|number"):
        parse_age_years(value)


@pytest.mark.parametrize(
    ("word", "sex"), [("M", "M"), ("female", "F"), (" f ", "F"), ("Other", "O"), ("", ""), ("unknown", ""), ("U", "")]
)
def test_sexes_become_one_letter(word: str, sex: str) -> None:
    assert parse_sex(word) == sex


def test_any_other_word_is_no_sex() -> None:
    with pytest.raises(ValueError, match="not a sex"):
        parse_sex("1")


@pytest.mark.parametrize("text", ["12,5", "1,200", "<5", ">= 3", "nan", "inf", "-Infinity", "~4"])
def test_what_only_looks_like_a_number_is_refused_rather_than_taken_as_text(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        parse_value(text)


@pytest.mark.parametrize(
    ("text", "value"), [("12.5", 12.5), ("1e2", 100.0), ("-.5", -0.5), ("positive", "positive"), ("2+", "2+")]
)
def test_a_value_is_a_number_or_text(text: str, value: object) -> None:
    assert parse_value(text) == value


@given(st.one_of(st.text(max_size=12), st.integers(), st.floats(), st.none(), st.booleans(), st.lists(st.integers())))
def test_a_number_is_finite_or_refused(value: object) -> None:
    with contextlib.suppress(ValueError):
        assert math.isfinite(parse_number(value))


def test_a_number_beyond_the_floats_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        parse_number(10**400)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "note"),
        ("Progress  Note", "progress note"),
        ("Radiology report", "report"),
        ("REPORTS", "report"),
        ("reported", "reported"),
    ],
)
def test_every_kind_of_report_is_a_report(text: str, kind: str) -> None:
    assert parse_kind(text) == kind
