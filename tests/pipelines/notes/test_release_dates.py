from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.notes.release.dates import Clock
from pipelines.notes.release.deidentify import deidentify
from pipelines.notes.release.identifiers import Known

# 1,000 days before 5 March 2021 is 9 June 2018, a Saturday.
WRITTEN = date(2021, 6, 1)


def moved(text: str, *, day_first: bool = False, days: int | None = 1000, written: date | None = WRITTEN) -> str:
    return deidentify(text, clock=Clock(shift_days=days, written=written, day_first=day_first)).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("03/05/2021", "06/09/2018"),
        ("3/5/21", "6/9/18"),
        ("2021-03-05", "2018-06-09"),
        ("2021-03-05T10:00", "2018-06-09T10:00"),
        ("20210305", "20180609"),
        ("202103051015", "201806091015"),
        ("March 5, 2021", "June 9, 2018"),
        ("March 5th, 2021", "June 9th, 2018"),
        ("5 Mar 2021", "9 Jun 2018"),
        ("05-MAR-2021", "09-JUN-2018"),
        ("5th of March 2021", "9th of June 2018"),
        ("5.3.21", "9.6.18"),
        ("5. März 2021", "9. Juni 2018"),
        ("2021年3月5日", "2018年6月9日"),
        ("Friday, March 5, 2021", "Saturday, June 9, 2018"),
        ("March 5th", "June 9th"),
        ("03/2021", "06/2018"),
        ("March 2021", "June 2018"),
        ("in 2019", "in 2016"),
        ("the 1990s", "the 1980s"),
        ("since '98", "since '95"),
        ("on 3/5 and later", "on 6/9 and later"),
        ("since January", "since April"),
        ("SINCE JANUARY", "SINCE APRIL"),
        ("AUGU\u017fT 5, 2021", "November 9, 2018"),
        ("Apr\u0131l 5, 2021", "July 10, 2018"),
    ],
)
def test_a_date_moves_in_its_own_form(text: str, expected: str) -> None:
    assert moved(f"Seen {text}, then.") == f"Seen {expected}, then."


@pytest.mark.parametrize(
    "text",
    ["Motor strength 5/5", "a 2/6 murmur", "may 5 mg be given", "he will march on", "BP 120/80", "2000 ml of fluid",
     "three days ago", "on Monday", "at 2030 hours", "version 2.5.1", "L4/5 disc", "1/2 tablet", "pH 7.35",
     "5.3 x 2.1 cm", "every 8 hours", "image 12 of 30", "1-1/2 weeks"],
)  # fmt: skip
def test_what_is_no_date_stays(text: str) -> None:
    assert moved(f"Note: {text}.") == f"Note: {text}."


def test_a_note_that_writes_the_day_first_is_read_so() -> None:
    assert moved("25/03/2021 and 05/03/2021") == "29/06/2018 and 09/06/2018"


def test_the_setting_decides_where_the_note_does_not_tell() -> None:
    assert moved("05/03/2021", day_first=True) == "09/06/2018"


def test_without_a_move_dates_go() -> None:
    assert moved("On March 5, 2021, and 03/2021.", days=None) == "On [DATE], and [DATE]."


def test_a_date_without_a_year_needs_the_date_of_the_note() -> None:
    assert moved("On March 5th.", written=None) == "On [DATE]."


def test_holidays_go() -> None:
    assert moved("Since Thanksgiving he coughs.") == "Since [DATE] he coughs."


@pytest.mark.parametrize("text", ["03/05/1950", "5 March 1950", "1950-03-05", "05.03.1950"])
def test_the_birth_date_is_never_told(text: str) -> None:
    known = Known(birth_dates=frozenset({date(1950, 3, 5)}))
    assert deidentify(f"x {text} y", known=known, clock=Clock(shift_days=1000)).text == "x [BIRTH DATE] y"


@pytest.mark.parametrize("label", ["DOB: ", "D.O.B. ", "born on ", "Date of birth ", "birthdate: "])
def test_a_date_of_birth_is_known_by_its_label(label: str) -> None:
    assert moved(f"{label}7/1/1961.") == f"{label}[BIRTH DATE]."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("92-year-old man", "90+-year-old man"),
        ("a 101 y/o", "a 90+ y/o"),
        ("aged 95", "aged 90+"),
        ("ninety-three-year-old", "90+-year-old"),
        ("89-year-old", "89-year-old"),
        ("age: 90", "age: 90+"),
        ("95 pack years", "95 pack years"),
        ("95 F with cough", "90+ F with cough"),
        ("No fever. 95 F.", "No fever. 90+ F."),
        ("T 99F, temperature of 98 F, fever to 101 F", "T 99F, temperature of 98 F, fever to 101 F"),
    ],
)
def test_ages_beyond_89_become_90_and_more(text: str, expected: str) -> None:
    assert moved(text) == expected


@given(
    first=st.dates(date(1950, 1, 1), date(2024, 12, 31)),
    gap=st.integers(0, 3000),
    days=st.integers(365, 3652),
    form=st.sampled_from(["%Y-%m-%d", "%d %B %Y", "%B %d, %Y", "%Y%m%d", "%d.%m.%Y"]),
)
def test_intervals_stay(first: date, gap: int, days: int, form: str) -> None:
    from datetime import datetime

    second = min(first + timedelta(days=gap), date(2026, 1, 1))
    clock = Clock(shift_days=days)
    told = [deidentify(f"x {day.strftime(form)} y", clock=clock).text[2:-2] for day in (first, second)]
    after = [datetime.strptime(text, form).date() for text in told]
    assert after[1] - after[0] == second - first
    assert first - after[0] == timedelta(days=days)
