"""Moments compared: with and without time zones, on the same day, and years apart.

A moment without a zone is local time: of two such moments the wall clocks are compared, and against one with a zone
it takes the zone of this machine.
"""

from __future__ import annotations

from datetime import datetime

DAYS_A_YEAR = 365.25


def is_after(moment: datetime, other: datetime) -> bool:
    """Whether ``moment`` lies after ``other``."""
    first, second = _comparable(moment, other)
    return first > second


def on_day_of(moment: datetime, other: datetime) -> bool:
    """Whether both fall on one calendar day, by the moment's own wall clock or by this machine's."""
    return other.date() in {moment.date(), _local(moment).date()} or _local(other).date() == _local(moment).date()


def years_between(earlier: datetime, later: datetime) -> float:
    """Years from ``earlier`` to ``later``; negative where it is the other way round."""
    first, second = _comparable(earlier, later)
    return (second - first).total_seconds() / 86400 / DAYS_A_YEAR


def order_of(moment: datetime | None) -> tuple[bool, float]:
    """A sorting key: undated first, then by time."""
    return (False, 0.0) if moment is None else (True, years_between(datetime(1970, 1, 1), moment))


def _comparable(first: datetime, second: datetime) -> tuple[datetime, datetime]:
    if (first.utcoffset() is None) == (second.utcoffset() is None):
        return first, second
    return _local(first), _local(second)


def _local(moment: datetime) -> datetime:
    """The wall clock of this machine, without zone; a moment at the edge of the calendar keeps its own."""
    if moment.utcoffset() is None:
        return moment.replace(tzinfo=None)
    try:
        return moment.astimezone().replace(tzinfo=None)
    except (OverflowError, ValueError, OSError):
        return moment.replace(tzinfo=None)
