"""Durations as people write them in settings: ``1h``, ``90 min``, ``-1d``, or ISO 8601 (``PT1H30M``)."""

from __future__ import annotations

import re
from datetime import timedelta

LONGEST = timedelta(days=3660)
_UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_UNIT = r"(weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|min|m|seconds?|secs?|sec|s)"
_PART = re.compile(rf"(\d{{1,9}}(?:\.\d{{1,6}})?)\s*{_UNIT}", re.ASCII)
_PLAIN = re.compile(rf"(?:\d{{1,9}}(?:\.\d{{1,6}})?\s*{_UNIT}\s*)+", re.ASCII)
_ISO = re.compile(r"p(?:(\d{1,9})w|(?:(\d{1,9})d)?(?:t(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?)?)", re.ASCII)


def parse_duration(value: object) -> timedelta:
    """A duration; a minus sign before it turns it round. ``m`` is a minute; 0 needs no unit.

    Raises
    ------
    ValueError
        Anything else: a number without unit, months or years (they have no fixed length), more than ten years.
    """
    if isinstance(value, timedelta):
        return value
    text = " ".join(str(value).strip().lower().split())
    sign, bare = (-1, text[1:].strip()) if text.startswith("-") else (1, text.removeprefix("+").strip())
    if bare in ("0", "0.0"):
        return timedelta(0)
    seconds = _iso_seconds(bare) if bare.startswith("p") else _plain_seconds(bare)
    if seconds is None:
        raise ValueError("not a duration; write 1h, 30m, -1d, or ISO 8601 (PT1H30M)")
    if seconds > LONGEST.total_seconds():
        raise ValueError("a duration beyond ten years")
    return timedelta(seconds=sign * seconds)


def duration_code(duration: timedelta) -> str:
    """The one ISO 8601 form of a duration, to the second and in hours, minutes and seconds: ``PT1H30M``, ``-PT24H``."""
    seconds = round(abs(duration).total_seconds())
    parts = ((seconds // 3600, "H"), (seconds % 3600 // 60, "M"), (seconds % 60, "S"))
    told = "".join(f"{count}{unit}" for count, unit in parts if count) or "0S"
    return f"{'-' if duration < timedelta(0) and seconds else ''}PT{told}"


def duration_text(duration: timedelta) -> str:
    """The length of a duration in words, without its sign: ``1 h 30 min``, ``2 days``."""
    seconds = round(abs(duration).total_seconds())
    days, rest = divmod(seconds, 86400)
    parts = (
        (days, "day" if days == 1 else "days"),
        (rest // 3600, "h"),
        (rest % 3600 // 60, "min"),
        (rest % 60, "s"),
    )
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


def _plain_seconds(text: str) -> float | None:
    if not _PLAIN.fullmatch(text):
        return None
    return sum(float(count) * _UNITS[unit[0]] for count, unit in _PART.findall(text))


def _iso_seconds(text: str) -> float | None:
    found = _ISO.fullmatch(text)
    if not found or text.endswith("t") or not any(found.groups()):
        return None
    return sum(float(count or 0) * length for count, length in zip(found.groups(), _UNITS.values(), strict=True))
