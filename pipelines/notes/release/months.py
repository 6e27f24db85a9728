"""Names of months and weekdays as notes write them, and how a date is written back in the same words."""

from __future__ import annotations

import re

LANGUAGES = {
    "en": "january february march april may june july august september october november december",
    "de": "januar februar märz april mai juni juli august september oktober november dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
_SHORT = {
    "en": "jan feb mar apr may jun jul aug sep oct nov dec",
    "de": "jan feb mär apr mai jun jul aug sep okt nov dez",
}
_OTHER = {"sept": ("en", 9), "jänner": ("de", 1), "maerz": ("de", 3)}
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_SHORT_DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_OTHER_DAYS = {"tues": 1, "weds": 2, "thur": 3, "thurs": 3}


def _numbered(languages: dict[str, str]) -> dict[str, tuple[str, int]]:
    """Language and number by name; where two languages share a name, the first has it."""
    rows = ((lang, *entry) for lang in reversed(languages) for entry in enumerate(languages[lang].split(), start=1))
    return {word: (lang, number) for lang, number, word in rows}


FULL, SHORT = _numbered(LANGUAGES), _numbered(_SHORT)
MONTHS: dict[str, tuple[str, int]] = {**SHORT, **FULL, **_OTHER}
MONTH = "(?:" + "|".join(sorted(map(re.escape, MONTHS), key=len, reverse=True)) + r")(?![^\W\d_])"
DAY_NAME = "(?:" + "|".join(sorted([*WEEKDAYS, *_SHORT_DAYS, *_OTHER_DAYS], key=len, reverse=True)) + r")(?![^\W\d_])"
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}
# Letters that a pattern blind to case takes for i, s and k.
_ALIKE = str.maketrans({"\u0130": "i", "\u0131": "i", "\u017f": "s", "\u212a": "k"})


def month_number(word: str) -> int:
    """1 to 12."""
    return MONTHS[_lower(word)][1]


def month_like(word: str, month: int) -> str:
    """A month in the language, length and case of another: ``MAR`` and 11 give ``NOV``."""
    lower = _lower(word)
    language = MONTHS[lower][0]
    short = lower in SHORT and lower not in {"may", "mai"}
    names = _SHORT if short and language in _SHORT else LANGUAGES
    return _cased(names[language].split()[month - 1], word)


def weekday_like(word: str, weekday: int) -> str:
    """A weekday (0 is Monday) in the length and case of another."""
    lower = _lower(word)
    return _cased((WEEKDAYS if lower in WEEKDAYS else _SHORT_DAYS)[weekday], word)


def ordinal(day: int) -> str:
    """``st``, ``nd``, ``rd`` or ``th``."""
    return "th" if 10 < day % 100 < 14 else _ENDINGS.get(day % 10, "th")


def _lower(word: str) -> str:
    return word.translate(_ALIKE).lower().rstrip(".")


def _cased(word: str, like: str) -> str:
    if like.isupper():
        return word.upper()
    return word.capitalize() if like[0].isupper() else word
