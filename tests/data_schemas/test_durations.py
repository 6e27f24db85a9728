from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.durations import LONGEST, duration_code, duration_text, parse_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1h", timedelta(hours=1)),
        ("90 min", timedelta(minutes=90)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("-2 days", timedelta(days=-2)),
        ("+1w", timedelta(weeks=1)),
        ("1.5h", timedelta(minutes=90)),
        ("PT1H30M", timedelta(hours=1, minutes=30)),
        ("-P1DT12H", timedelta(hours=-36)),
        ("P2W", timedelta(weeks=2)),
        ("0", timedelta(0)),
        (0, timedelta(0)),
        ("PT0S", timedelta(0)),
        (timedelta(minutes=5), timedelta(minutes=5)),
    ],
)
def test_a_duration_is_read_as_people_and_iso_write_it(text: object, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text", ["", "1", 90, "h", "P", "PT", "P1DT", "P1M", "P1Y", "1 month", "1y", "--1h", "1h!", None, "²h", "nan h"]
)
def test_what_has_no_fixed_length_or_no_unit_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


def test_more_than_ten_years_is_refused() -> None:
    with pytest.raises(ValueError, match="ten years"):
        parse_duration("999999999d")


@given(st.integers(-int(LONGEST.total_seconds()), int(LONGEST.total_seconds())))
def test_the_code_of_a_duration_is_read_back_as_itself(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(duration_code(duration)) == duration


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert abs(parse_duration(text)) <= LONGEST


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(hours=1), "1 h"),
        (timedelta(days=1, minutes=5), "1 day 5 min"),
        (timedelta(days=-2), "2 days"),
        (timedelta(0), "0 s"),
    ],
)
def test_a_duration_in_words(duration: timedelta, text: str) -> None:
    assert duration_text(duration) == text
