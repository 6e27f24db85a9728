"""Reading single values: moments, ages, sexes, numbers. Each raises ``ValueError`` without the value in it."""

from __future__ import annotations

import math
import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from pipelines.sources.date_formats import date_format_of

Sex = Literal["M", "F", "O", ""]

YEARS_PER_UNIT = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
AGE_UNITS = {"": "Y", "y": "Y", "a": "Y", "yr": "Y", "yrs": "Y", "year": "Y", "years": "Y", "m": "M", "mo": "M"}
AGE_UNITS |= {
    "month": "M",
    "months": "M",
    "w": "W",
    "wk": "W",
    "week": "W",
    "weeks": "W",
    "d": "D",
    "day": "D",
    "days": "D",
}
SEXES: dict[str, Sex] = {"m": "M", "male": "M", "f": "F", "female": "F", "o": "O", "other": "O"}
SEXES |= {"": "", "u": "", "unknown": ""}
OLDEST_YEARS = 130.0

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_ALMOST_NUMBER = re.compile(
    r"([<>]=?|=[<>]|[≤≥~])\s*[+-]?[\d.,]+|[+-]?\d+(,\d+)+(\.\d*)?|[+-]?\d+(\.\d+){2,}|[+-]?(nan|inf(inity)?)",
    re.ASCII | re.I,
)
_COMPARATOR = re.compile(r"(?:[<>]=?|=[<>]|[≤≥])\s*(.+)", re.ASCII)
_WITH_COMMA = re.compile(r"((?:[<>]=?|=[<>]|[≤≥])?\s*[+-]?\d+),(\d+)", re.ASCII)
_AGE = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*([A-Za-z]*)", re.ASCII)
_YEAR_OR_MONTH = re.compile(r"(\d{4})(?:-(\d{2}))?", re.ASCII)
_NO_DATE = "not an ISO 8601 date (such as 2024-03-05T14:30)"
_MIDNIGHT_24 = re.compile(r"(\d{4}-?\d{2}-?\d{2})[Tt ]24(?::?00){0,2}(?:[.,]0+)?(Z|[+-]\d{2}(?::?\d{2})?)?", re.ASCII)
# Python takes any character between date and time, a digit too: 20240305101 would be one o'clock.
_DIGITS_ONLY = re.compile(r"\d{9,}", re.ASCII)
_LAST_INSTANT = time(23, 59, 59, 999999)
# A moment without a zone lies at the latest here: twelve hours behind UTC the day ends last.
LAST_ZONE = timedelta(hours=12)


def parse_moment(value: object) -> datetime | None:
    """An ISO 8601 date or date and time; blank gives None.

    A value without a time of day (a date, a month, a year, or a time of exactly midnight, which is how databases and
    data frames write a bare date) is taken as the last instant of that period: it may have been written at any time
    of it, and must not count as known before a scan of the same day. ``24:00`` is the first instant of the next day.
    The time zone is kept where one is given as an offset.

    Raises
    ------
    ValueError
        The value is no ISO 8601 date; the message names the format that it looks like.
    """
    if value is None:
        return None
    if isinstance(value, datetime):
        return _end_if_midnight(value)
    if isinstance(value, date):
        return datetime.combine(value, _LAST_INSTANT)
    if not isinstance(value, str):
        raise ValueError(_NO_DATE)  # noqa: TRY004
    text = value.strip()
    if not text:
        return None
    if part := _YEAR_OR_MONTH.fullmatch(text):
        return _end_of_period(int(part[1]), int(part[2] or 12))
    try:
        return datetime.combine(date.fromisoformat(text), _LAST_INSTANT)
    except ValueError:
        pass
    try:
        if part := _MIDNIGHT_24.fullmatch(text):
            return datetime.fromisoformat(f"{part[1]}T00:00{part[2] or ''}") + timedelta(days=1)
        if not _DIGITS_ONLY.match(text):
            return _end_if_midnight(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        pass
    looks = date_format_of(text)
    raise ValueError(f"{_NO_DATE}; it looks like {looks}" if looks else _NO_DATE)


def instant(moment: datetime) -> float:
    """Seconds since 1970 by which a moment has passed everywhere."""
    if moment.utcoffset() is None:
        return (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC) + LAST_ZONE).total_seconds()
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()


def parse_number(value: object) -> float:
    """A finite decimal number with a point.

    Raises
    ------
    ValueError
        Anything else, a decimal comma, ``nan`` and ``<5`` included.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number and not (isinstance(value, str) and _NUMBER.fullmatch(value.strip())):
        raise ValueError("not a number (such as 12.5)")
    try:
        number = float(str(value))
    except ValueError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def parse_value(value: object) -> float | str:
    """A number where it is one, else the text (``positive``); what looks like a number and is none is refused.

    Raises
    ------
    ValueError
        Blank, a decimal comma, thousands separators, a comparator (``<5``), ``nan``, or neither text nor number.
    """
    if not isinstance(value, str):
        return parse_number(value)
    text = value.strip()
    if not text:
        raise ValueError("no value")
    if _NUMBER.fullmatch(text):
        return parse_number(text)
    if _ALMOST_NUMBER.fullmatch(text):
        raise ValueError("neither a plain number nor text (write 12.5, without comma or comparator)")
    return text


def parse_measure(value: object, *, comparators: Literal["refuse", "bound"] = "refuse") -> tuple[float | str, bool]:
    """A value as `parse_value` reads it, and whether it is the bound of one such as ``<0.5``.

    Raises
    ------
    ValueError
        As `parse_value` does; a comparator is refused unless ``comparators`` is ``bound``.
    """
    if comparators == "bound" and isinstance(value, str) and (match := _COMPARATOR.fullmatch(value.strip())):
        return parse_number(match[1]), True
    return parse_value(value), False


def with_point(value: object, *, decimal: Literal[".", ","] = ".") -> object:
    """A value whose decimal sign is a point: of text such as ``12,5`` where the sources write a comma.

    Raises
    ------
    ValueError
        The sources write a comma, and the number holds a point: it may part decimals or thousands.
    """
    if decimal == "." or not isinstance(value, str):
        return value
    text = value.strip()
    if match := _WITH_COMMA.fullmatch(text):
        return f"{match[1]}.{match[2]}"
    if "." in text and re.fullmatch(r"[<>=≤≥ ]*[+-]?[\d.,]+", text, re.ASCII):
        raise ValueError("a point in a number, where the settings say that a comma parts the decimals")
    return value


def parse_age_years(value: object, unit: str = "") -> float:
    """An age in years, from years (``42``) or a DICOM age string (``048Y``, ``018M``, ``003W``, ``010D``).

    Raises
    ------
    ValueError
        No age, an unknown unit, or beyond 130 years.
    """
    text = value.strip() if isinstance(value, str) else repr(parse_number(value))
    match = _AGE.fullmatch(text)
    letter = AGE_UNITS.get((match[2] or unit).strip().lower()) if match else None
    if match is None or letter is None:
        raise ValueError("not an age (such as 42 or 048Y)")
    years = float(match[1]) * YEARS_PER_UNIT[letter]
    if years > OLDEST_YEARS:
        raise ValueError("an age beyond 130 years")
    return years


def parse_sex(value: object) -> Sex:
    """``M``, ``F`` or ``O``; blank and unknown give an empty string.

    Raises
    ------
    ValueError
        Any other word.
    """
    sex = SEXES.get(value.strip().lower()) if isinstance(value, str) else None
    if sex is None:
        raise ValueError("not a sex (M, F or O)")
    return sex


def parse_kind(text: str) -> str:
    """The kind of a note: its type in lower case, ``note`` where blank; every kind of report is ``report``.

    Erring towards *report* is the safe side: a report of the study itself is never an input.
    """
    words = " ".join(text.lower().split())
    return "report" if re.search(r"\breports?\b", words) else words or "note"


def _end_if_midnight(moment: datetime) -> datetime:
    bare = moment.time() == time.min
    return datetime.combine(moment.date(), _LAST_INSTANT, moment.tzinfo) if bare else moment


def _end_of_period(year: int, month: int) -> datetime:
    try:
        return datetime.combine(date(year, month, monthrange(year, month)[1]), _LAST_INSTANT)
    except (ValueError, IndexError):
        raise ValueError(_NO_DATE) from None
