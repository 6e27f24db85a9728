"""Moments compared: with and without time zones, on the same day, and years apart.

A moment without a zone is a wall clock. It is read in the ``zone`` that is given (`link.timezone`), or in that of this
machine. In the hour that a change to winter time repeats, and in the one that a change to summer time leaves out, a
wall clock has two readings (PEP 495): text takes the later one and a cut-off the earlier, so that what may have been
written after the scan never passes for earlier.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

DAYS_A_YEAR = 365.25
_NOTHING = timedelta(0)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def zone_of(name: str | None) -> tzinfo | None:
    """The zone of an IANA name, as the settings have checked it; None (this machine's) where there is none."""
    return ZoneInfo(name) if name else None


def zone_text(zone: tzinfo | None) -> str:
    """A zone by its name; this machine's by its abbreviations."""
    return str(zone) if zone is not None else f"this machine's zone ({'/'.join(dict.fromkeys(time.tzname))})"


def earliest(moment: datetime, *, zone: tzinfo | None = None) -> datetime:
    """The first instant, in UTC, that a moment may stand for."""
    return min(_readings(moment, zone))


def latest(moment: datetime, *, zone: tzinfo | None = None) -> datetime:
    """The last instant, in UTC, that a moment may stand for."""
    return max(_readings(moment, zone))


def is_after(moment: datetime, other: datetime, *, zone: tzinfo | None = None, allowed: timedelta = _NOTHING) -> bool:
    """Whether ``moment`` may lie more than ``allowed`` (which may be negative) after ``other``."""
    return latest(moment, zone=zone) > _shifted(earliest(other, zone=zone), allowed)


def on_day_of(
    moment: datetime, other: datetime, *, zone: tzinfo | None = None, clock_skew: timedelta = _NOTHING
) -> bool:
    """Whether both fall on one calendar day, by their own wall clocks or the zone's, which may disagree by a skew."""
    shifted = {date for step in (-clock_skew, _NOTHING, clock_skew) for date in _days(_shifted(other, step), zone)}
    return not shifted.isdisjoint(_days(moment, zone))


def years_between(earlier: datetime, later: datetime, *, zone: tzinfo | None = None) -> float:
    """Years from ``earlier`` to ``later``; negative where it is the other way round.

    Where no zone is given, two wall clocks are taken as they stand: their distance does not depend on the machine.
    """
    if zone is not None or is_zoned(earlier) != is_zoned(later):
        earlier, later = earliest(earlier, zone=zone), earliest(later, zone=zone)
    return (later - earlier).total_seconds() / 86400 / DAYS_A_YEAR


def order_of(moment: datetime | None, *, zone: tzinfo | None = None) -> tuple[bool, datetime]:
    """A sorting key: undated first, then by time."""
    return (False, _FIRST) if moment is None else (True, latest(moment, zone=zone))


def is_zoned(moment: datetime) -> bool:
    """Whether a moment carries its time zone."""
    return moment.utcoffset() is not None


def _readings(moment: datetime, zone: tzinfo | None) -> tuple[datetime, ...]:
    if is_zoned(moment):
        return (_to_utc(moment),)
    return _to_utc(moment.replace(tzinfo=zone, fold=0)), _to_utc(moment.replace(tzinfo=zone, fold=1))


def _to_utc(moment: datetime) -> datetime:
    """A moment at the edge of the calendar keeps its wall clock."""
    try:
        return moment.astimezone(UTC)
    except (OverflowError, ValueError, OSError):
        return moment.replace(tzinfo=UTC, fold=0)


def _shifted(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        return (_FIRST if by < _NOTHING else _LAST).replace(tzinfo=moment.tzinfo)


def _days(moment: datetime, zone: tzinfo | None) -> set[date]:
    """The calendar days of a moment: by its own wall clock, and by that of the zone."""
    if not is_zoned(moment):
        return {moment.date()}
    try:
        return {moment.date(), moment.astimezone(zone).date()}
    except (OverflowError, ValueError, OSError):
        return {moment.date()}
