from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.cases.clock import earliest, is_after, latest, on_day_of, order_of, years_between

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2024, 3, 5, 12)
# On 27 October 2024 the hour from 2 to 3 was there twice; on 31 March it was not there at all.
TWICE, NEVER = datetime(2024, 10, 27, 2, 30), datetime(2024, 3, 31, 2, 30)


def test_a_wall_clock_is_read_in_the_zone() -> None:
    assert latest(NOON, zone=BERLIN) == earliest(NOON, zone=BERLIN) == datetime(2024, 3, 5, 11, tzinfo=UTC)


@pytest.mark.parametrize("fold", [0, 1])
def test_in_the_hour_that_is_there_twice_text_is_late_and_a_cut_off_early(fold: int) -> None:
    moment = TWICE.replace(fold=fold)
    assert earliest(moment, zone=BERLIN) == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)
    assert latest(moment, zone=BERLIN) == datetime(2024, 10, 27, 1, 30, tzinfo=UTC)
    assert is_after(TWICE - timedelta(minutes=15), TWICE, zone=BERLIN)


def test_in_the_hour_that_is_never_there_text_is_late_and_a_cut_off_early() -> None:
    assert latest(NEVER, zone=BERLIN) - earliest(NEVER, zone=BERLIN) == timedelta(hours=1)
    assert is_after(NEVER, datetime(2024, 3, 31, 3, 15), zone=BERLIN)


def test_an_offset_in_the_moment_goes_before_the_zone() -> None:
    stamped = TWICE.replace(tzinfo=timezone(timedelta(hours=2)))
    assert earliest(stamped, zone=BERLIN) == latest(stamped, zone=BERLIN) == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(("allowed", "after"), [(59, True), (60, False), (61, False)])
def test_so_much_later_is_allowed(allowed: int, after: bool) -> None:
    other = NOON - timedelta(hours=1)
    assert is_after(NOON, other, zone=BERLIN, allowed=timedelta(minutes=allowed)) is after


@pytest.mark.parametrize(
    ("moment", "skew", "same"),
    [
        (datetime(2024, 3, 5, 0, 0, 1), 0, True),
        (datetime(2024, 3, 6, 0, 1), 0, False),
        (datetime(2024, 3, 4, 23, 30, tzinfo=UTC), 0, True),  # 00:30 in Berlin
        (datetime(2024, 3, 6, 1, tzinfo=timezone(timedelta(hours=9))), 0, True),  # 17:00 in Berlin
        (datetime(2024, 3, 4, 20), 13, True),
    ],
)
def test_the_day_is_that_of_either_clock(moment: datetime, skew: int, same: bool) -> None:
    assert on_day_of(moment, NOON, zone=BERLIN, clock_skew=timedelta(hours=skew)) is same


def test_years_pass_between_instants_where_a_zone_is_known() -> None:
    before, after = datetime(2024, 3, 31, 1), datetime(2024, 3, 31, 4)
    hours = [years_between(before, after, zone=zone) * 365.25 * 24 for zone in (BERLIN, None)]
    assert hours == pytest.approx([2.0, 3.0])


@pytest.mark.parametrize("moment", [datetime.min, datetime.max, datetime.max.replace(tzinfo=UTC)])
def test_the_edges_of_the_calendar_are_moments_too(moment: datetime) -> None:
    assert order_of(moment, zone=BERLIN) > order_of(None)
    assert on_day_of(moment, moment, zone=BERLIN, clock_skew=timedelta(days=1))
    assert not is_after(moment, moment, zone=UTC, allowed=timedelta(days=1))


@given(st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)), st.timezones())
def test_both_readings_of_a_wall_clock_lie_within_a_day_and_are_in_order(moment: datetime, zone: ZoneInfo) -> None:
    first, last = earliest(moment, zone=zone), latest(moment, zone=zone)
    assert timedelta(0) <= last - first <= timedelta(days=1)
    assert not is_after(first, moment, zone=zone)
    assert not is_after(moment, last, zone=zone)


PROGRAM = """
from datetime import UTC, datetime
from zoneinfo import ZoneInfo
from pipelines.cases.clock import is_after, on_day_of, order_of, years_between
zone = ZoneInfo("America/New_York")
moments = [datetime(2024, 11, 3, hour, 30) for hour in range(4)]
moments += [datetime(2024, 3, 10, 2, 30), datetime(2024, 11, 3, 5, 45, tzinfo=UTC)]
for one in moments:
    print(order_of(one, zone=zone))
    for other in moments:
        print(is_after(one, other, zone=zone), on_day_of(one, other, zone=zone), years_between(one, other, zone=zone))
"""


def test_with_a_zone_the_machines_own_does_not_matter() -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=os.environ | {"TZ": machine},
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for machine in ("UTC", "Asia/Tokyo", "America/New_York")
    }
    assert len(told) == 1
