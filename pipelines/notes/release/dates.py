"""Dates of a note, moved by the patient's own days and written the way they stood; ages beyond 89 become 90+.

A date without a day is moved from the middle of its month or year, so that it is right to about half of that. What
cannot be moved (no shift, a day without a month) becomes ``[DATE]``. Days of the week that belong to a date follow it;
relative words ("three days ago", "on Monday") stay, for they are as true after the move as before.
"""

# ruff: noqa: E501 - a pattern stands on one line

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

from pipelines.notes.release.months import DAY_NAME, MONTH, month_like, month_number, ordinal, weekday_like
from pipelines.notes.release.spans import Found

OLDEST = 89
PIVOT = 45  # two digits up to it are of this century
_YEAR = r"(?:1[89]|20)\d\d"
_NO_DIGIT_BEFORE, _NO_DIGIT_AFTER = r"(?<![\d])(?<!\d[.,/])", r"(?!\d)(?![.,/]\d)"
_SUFFIX = r"(?:st|nd|rd|th)"
_BORN = re.compile(
    r"(?:\b(?:d\.?o\.?b\.?|born|birth[ -]?date|date of birth|birthday|birth|geb(?:oren|\.)?(?:[ ]am)?|b\.?d\.?)\b\.?|"
    r"(?<![\w*])\*(?!\*))[ \t:=\-(]*(?:is|was|on|in|am|the|:)?[ \t:(]*(?:[^\W\d_]+day,?[ ])?$",
    re.IGNORECASE,
)
_CONTEXT = (
    r"(?:\b(?:on|since|until|till|dated?|from|through|thru|before|after|by|of|exam|study|ct|mri|cxr|pet|x-?ray|"
    r"radiographs?|film|scan|seen|admitted|discharged|surgery|visit|prior|comparison|compared (?:to|with)|due|"
    r"prelim|started|stopped|last|next|ordered|drawn|labs?|returned|scheduled|for|and|to|between)[:,]?[ ]+|[(@][ ]?)"
)
_NO_DATE_BEHIND = (
    r"(?![ ]*(?:strength|power|motor|murmur|systolic|diastolic|pulses?|reflexes|grade|edema|oedema|pitting|score|cm|mm|"
    r"mg|ml|%|of\b|lobes?|views?|nodes?|segments?|mets|bid|tid|x|cups?|tablets?|tabs?|pack|glass|dose|full|the\b|"
    r"[^\W\d_]+ strength|in (?:all|both|the))|[/\d])"
)
_MEASURED = (
    r"(?![ ]*(?:ml|cc|mg|mcg|g\b|kg|hu\b|cm|mm|m\b|iu|units?|u\b|kcal|calories?|steps|cells?|hours?|hrs?|h\b|ms\b|"
    r"dollars|%|x\b|×|/\s?(?:ml|l|mm|ul|dl|hpf)|[.,]\d|\d|patients|am\b|pm\b|lbs?|pounds|meters|feet|ft|images?|slices?|"
    r"mah|mbq|bq|ci\b))"
)
_HOLIDAYS = re.compile(
    r"\b(?:Christmas|Xmas|Thanksgiving|Easter|Halloween|Hanukk?ah|Ramadan|Passover|Diwali|Labor Day|Memorial Day|"
    r"Independence Day|Boxing Day|New Year'?s?(?: Eve| Day)?|Good Friday|Veterans Day|Mother's Day|Father's Day|"
    r"Valentine'?s Day|Columbus Day|Eid(?: al-\w+)?)(?:[ ]+(?:Day|Eve))?\b",
    re.IGNORECASE,
)
_DAY_OF_MONTH = re.compile(
    rf"\b(?:on|by|until|since|from) the (\d{{1,2}}{_SUFFIX})(?=\s*(?:[.,;)]|$|\bat\b|\band\b|\bfor\b|\bwith\b|\bof (?:this|last|the) month))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Clock:
    """How the dates of one note are moved.

    ``shift_days`` are those of `pipelines.scans.release.keyed.person`, by which the patient's headers move as well;
    None removes dates. ``written`` gives the year of dates that have none. ``day_first`` is the order of 03/05/2021
    where the note itself does not tell.
    """

    shift_days: int | None = field(repr=False)
    written: date | None = field(default=None, repr=False)
    day_first: bool = False


@dataclass(frozen=True, slots=True)
class _Match:
    """A match of one pattern, and what it needs to be written back."""

    text: re.Match[str] = field(repr=False)
    clock: Clock
    day_first: bool

    def __getitem__(self, name: str) -> str:
        return self.text.groupdict().get(name) or ""


def find_dates(text: str, clock: Clock, birth_dates: Set[date] = frozenset()) -> Iterator[Found]:
    """Every date and part of a date, with what is written instead; birth dates are never told."""
    day_first = _order(text, clock.day_first)
    for pattern, rewrite in _patterns():
        for match in pattern.finditer(text):
            given = _Match(match, clock, day_first)
            start, end = match.span("date")
            days = _read(given)
            if days is None:
                continue
            if _is_birth(text, start, days, birth_dates):
                yield Found(start, end, "BIRTH DATE")
                continue
            yield Found(start, end, "DATE", _moved(given, days[0], rewrite))
    for match in _HOLIDAYS.finditer(text):
        if match.group()[0].isupper():
            yield Found(match.start(), match.end(), "DATE")
    yield from (Found(*match.span(1), "DATE") for match in _DAY_OF_MONTH.finditer(text))


_OLD = r"(?:9\d|1[0-3]\d)"
_AGES = (
    re.compile(rf"(?<![\d.])(?P<age>{_OLD})(?=[ ]?-?[ ]?(?:years?|yrs?\b|y/?o\b|y\.o|jähr|jahre|ans\b)(?![ -]*(?:pack|history)))", re.I),
    re.compile(rf"\b(?:aged?|age is|age was)[ ]*(?:of|:|=|is)?[ ]*(?P<age>{_OLD})(?![\d.]|[ ]?(?:days|months|weeks|hours))", re.I),
    re.compile(rf"(?<!\d)0?(?P<age>{_OLD})(?=[ ]?(?:Y\b|F\b|M\b|[yY][oO]?[ ]?[mMfFwW]\b))"),
    re.compile(rf"(?<!\d)(?P<age>{_OLD}(?:st|nd|rd|th))(?= birthday)", re.I),
    re.compile(r"\b(?P<age>(?:ninety|one hundred|a hundred)(?:[- ](?:and )?(?:one|two|three|four|five|six|seven|eight|nine|ten))?)(?=[- ]years?\b)", re.I),
    re.compile(r"\b(?P<age>nonagenarian|centenarian)\b", re.I),
)  # fmt: skip
_WARM = re.compile(
    r"\b(?:t|t-?max|temp(?:erature)?|(?:fevers?|febrile)(?: (?:up )?(?:to|of))?)[ :=]*(?:(?:of|is|was)[ ]+)?$", re.I
)


def find_ages(text: str) -> Iterator[Found]:
    """Ages beyond 89 years, which become ``90+`` (45 CFR 164.514(b)(2)(i)(C))."""
    for pattern in _AGES:
        for match in pattern.finditer(text):
            start, end = match.span("age")
            if text[end : end + 2].lstrip(" ")[:1] == "F" and _WARM.search(text[max(0, start - 24) : start]):
                continue  # degrees Fahrenheit
            yield Found(start, end, "AGE", f"{OLDEST + 1}+")


def _order(text: str, day_first: bool) -> bool:
    """Whether a note writes the day first: what its dates with a number over twelve show, else what is given."""
    pairs = [
        (int(m[1]), int(m[2]))
        for m in re.finditer(rf"(?<!\d)(\d{{1,2}})[/-](\d{{1,2}})[/-](?:{_YEAR}|\d\d)(?!\d)", text)
    ]
    days = sum(first > 12 >= second for first, second in pairs)
    months = sum(second > 12 >= first for first, second in pairs)
    return day_first if days == months else days > months


def _read(given: _Match) -> tuple[date, ...] | None:
    """The date of a match, and for a birth date the other reading; None where it is no date."""
    year_text, month_text, day_text = given["y"], given["m"], given["d"]
    year = _year(year_text) if year_text else None
    month = month_number(given["mname"]) if given["mname"] else int(month_text or 0)
    day = int(day_text) if day_text else 0
    if given["a"]:
        first, second = int(given["a"]), int(given["b"])
        day_first = given["sep"] == "." or given.day_first
        day, month = (first, second) if day_first else (second, first)
        if month > 12:
            day, month = month, day
    if year is None:
        year = _year_before(given.clock.written, month, day or 1)
        year -= year % 4 if (month, day) == (2, 29) else 0
    readings = [_date(year, month or 7, day or (15 if month else 1))]
    if given["a"]:
        readings.append(_date(year, day, month))
    found = tuple(reading for reading in readings if reading)
    return found if readings[0] else None


def _year(text: str) -> int:
    digits = text.lstrip("'’")
    return int(digits) if len(digits) == 4 else int(digits) + (2000 if int(digits) <= PIVOT else 1900)


def _year_before(written: date | None, month: int, day: int) -> int:
    """The year in which a date without one lies: the last such day up to when the note was written."""
    if written is None:
        return 2000
    return written.year if (month or 1, day) <= (written.month, written.day) else written.year - 1


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _is_birth(text: str, start: int, readings: tuple[date, ...], birth_dates: Set[date]) -> bool:
    if any(reading in birth_dates for reading in readings):
        return True
    return bool(_BORN.search(text[max(0, start - 40) : start]))


def _moved(given: _Match, day: date, rewrite: Callable[[_Match, date], str]) -> str:
    clock = given.clock
    yearless = not given["y"] and clock.written is None
    if clock.shift_days is None or yearless:
        return ""
    try:
        return rewrite(given, day - timedelta(days=clock.shift_days))
    except (OverflowError, ValueError):
        return ""


def _year_like(old: str, new: date) -> str:
    mark = "'" if old[:1] in "'’" and old else ""
    return f"{mark}{new.year % 100:02d}" if len(old.lstrip("'’")) == 2 else f"{new.year:04d}"


def _number_like(old: str, new: int) -> str:
    return f"{new:02d}" if len(old) == 2 else str(new)


def _in_place(given: _Match, new: date) -> str:
    """The matched text with year, month, day and weekday replaced where they stand."""
    match = given.text
    start, end = match.span("date")
    fills: list[tuple[int, int, str]] = []
    if given["y"]:
        fills.append((*match.span("y"), _year_like(given["y"], new)))
    if given["mname"]:
        fills.append((*match.span("mname"), month_like(given["mname"], new.month)))
    if given["m"]:
        fills.append((*match.span("m"), _number_like(given["m"], new.month)))
    if given["d"]:
        fills.append((*match.span("d"), _number_like(given["d"], new.day)))
    if given["th"]:
        fills.append((*match.span("th"), ordinal(new.day)))
    if given["wday"]:
        fills.append((*match.span("wday"), weekday_like(given["wday"], new.weekday())))
    if given["a"]:
        day_first = given["sep"] == "." or given.day_first
        if (int(given["a"]) > 12) != day_first and max(int(given["a"]), int(given["b"])) > 12:
            day_first = int(given["a"]) > 12
        pair = (new.day, new.month) if day_first else (new.month, new.day)
        fills += [
            (*match.span(name), _number_like(given[name], number)) for name, number in zip("ab", pair, strict=True)
        ]
    text, parts, at = match.string, [], start
    for begin, stop, instead in sorted(fills):
        parts += [text[at:begin], instead]
        at = stop
    return "".join([*parts, text[at:end]])


def _decade(given: _Match, new: date) -> str:
    return f"{new.year // 10 * 10}s"


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Callable[[_Match, date], str]], ...]:
    day, two = r"(?P<d>\d{1,2})", r"(?P<y>\d{4}|['’]?\d\d)"
    four = rf"(?P<y>{_YEAR})"
    weekday = rf"(?:\b(?P<wday>{DAY_NAME})\.?,?[ ]+(?:the[ ])?)?"
    month = rf"(?P<mname>{MONTH})\.?"
    # "may 5" in lower case, without a year, is a verb and a number.
    sure = "january|february|april|june|july|august|september|october|november|december"
    meant = rf"(?P<mname>(?=(?-i:[A-ZÄ])){MONTH}|(?:{sure})(?![^\W\d_]))\.?"
    numeric = rf"(?P<a>\d{{1,2}})(?P<sep>[-/.])(?P<b>\d{{1,2}})(?P=sep){two}"
    written = [
        (rf"{_NO_DIGIT_BEFORE}(?P<date>{weekday}{four}[-/.](?P<m>\d{{1,2}})[-/.]{day})(?!\d)(?![-/]\d)", _in_place),
        (r"(?<![^\W_])(?P<date>(?P<y>(?:19|20)\d\d)(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?:[T_]?\d{2}(?:\d{2}){0,2}(?:\.\d+)?)?)(?!\d)", _in_place),
        (rf"(?P<date>{weekday}{_NO_DIGIT_BEFORE}{numeric}){_NO_DIGIT_AFTER}", _in_place),
        (rf"(?P<date>{four}[ ]?年[ ]?(?P<m>\d{{1,2}})[ ]?月[ ]?{day}[ ]?日)", _in_place),
        (rf"(?P<date>{weekday}\b{month}[ ]*[-.]?[ ]*(?:the[ ])?{day}(?P<th>{_SUFFIX})?(?!\d)[,.]?[ \-]*(?:of[ ]+|in[ ]+)?{two})(?!\d|:\d|[ ]?(?:mg|ml|cm|mm|am|pm))", _in_place),
        (rf"(?P<date>{weekday}(?<![\d.]){day}(?P<th>{_SUFFIX})?\.?[ \-/]*(?:de[ ]|of[ ])?{month}[ \-/,]*(?:de[l]?[ ]|of[ ])?{two})(?!\d|:\d|[ ]?(?:mg|ml|cm|mm))", _in_place),
        (rf"(?P<date>{weekday}\b{meant}[ ]*(?:the[ ])?{day}(?P<th>{_SUFFIX})?)(?![\d/]|[ ]?(?:mg|ml|cm|mm|%)|\.\d)", _in_place),
        (rf"(?P<date>{weekday}(?<![\d.])\b{day}(?P<th>{_SUFFIX})?\.?[ -]?(?:de[ ]|of[ ])?{meant})(?![ ]?\d)", _in_place),
        (rf"\b(?P<date>{month},?[ \-/]*(?:of[ ]+)?(?P<y>{_YEAR}|['’]\d\d|(?<=-)\d\d))(?!\d)", _in_place),
        (rf"{_NO_DIGIT_BEFORE}(?P<date>(?P<m>0?[1-9]|1[0-2])[/.-]{four})(?!\d)(?![-/.]\d)", _in_place),
        (rf"(?<!\d)(?P<date>{four}[-/](?P<m>0[1-9]|1[0-2]))(?!\d)(?![-/]\d)", _in_place),
        (rf"{_CONTEXT}(?P<date>{weekday}(?P<a>0?[1-9]|[12]\d|3[01])(?P<sep>/)(?P<b>0?[1-9]|[12]\d|3[01])){_NO_DATE_BEHIND}", _in_place),
        (rf"\b(?P<date>{weekday}(?P<a>0?[1-9]|[12]\d|3[01])(?P<sep>/)(?P<b>0?[1-9]|[12]\d|3[01]))(?=[ ]*(?:at[ ])?(?:@[ ]*)?\d\d:?\d\d(?!\d))", _in_place),
        (rf"\b(?:in|since|last|until|early|late|mid|from|this|next|by|during|around|of|before|after|between|and)[ -](?P<date>(?P<mname>(?-i:(?=[A-Z]){_capital(MONTH)})|(?:{sure})(?![^\W\d_])))(?![ ]*\d)", _in_place),
        (r"(?<![\d.,/:#\-])(?P<date>(?P<y>(?:1[89]|20)\d0)s)\b", _decade),
        (r"\b(?:in|since|of|from|summer|winter|spring|fall|autumn)[ ]+(?P<date>(?P<y>['’]\d\d))\b", _in_place),
        (rf"(?<![\d.,:#@$])(?<!at )(?<!\bx )(?<![^\W\d_])(?P<date>(?P<y>(?:19\d\d|20[0-4]\d)))(?=-(?:19|20)\d\d\b|(?!\d|-\d)){_MEASURED}(?![^\W\d_])", _in_place),
        (rf"(?<=\d{{4}}-)(?P<date>{four})(?!\d|-\d)", _in_place),
    ]  # fmt: skip
    return tuple((re.compile(pattern, re.IGNORECASE), rewrite) for pattern, rewrite in written)


def _capital(pattern: str) -> str:
    """The months with a capital, for a pattern that is otherwise blind to case."""
    return re.sub(r"(?<=[|(:])([a-zä])", lambda match: match[1].upper(), pattern)
