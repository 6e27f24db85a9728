"""What a date that is not ISO 8601 looks like: a hint for the one who has to mend it, never a way to read it.

05.03.2024 is in March or in May, by who wrote it; a note read two months early is a note from the future.
"""

from __future__ import annotations

import re

LONGEST = 64  # characters looked at
_FORMATS = (
    (re.compile(r"\d{1,2}\.\s?\d{1,2}\.\s?\d{2,4}\b.*", re.ASCII), "DD.MM.YYYY"),
    (re.compile(r"\d{1,2}/\d{1,2}/\d{2,4}\b.*", re.ASCII), "MM/DD/YYYY or DD/MM/YYYY"),
    (re.compile(r"\d{1,2}-\d{1,2}-\d{4}\b.*", re.ASCII), "DD-MM-YYYY or MM-DD-YYYY"),
    (re.compile(r"\d{4}/\d{1,2}/\d{1,2}\b.*", re.ASCII), "YYYY/MM/DD"),
    (re.compile(r"\d{1,2}[- ][A-Za-z]{3,9}[- ,]+\d{2,4}\b.*", re.ASCII), "a date with the month's name"),
    (re.compile(r"[A-Za-z]{3,9}[. ]+\d{1,2},? \d{4}\b.*", re.ASCII), "a date with the month's name"),
    (re.compile(r"\d{4}-\d-\d{1,2}\b.*|\d{4}-\d{2}-\d\b.*", re.ASCII), "a date without its leading zeros"),
    (
        re.compile(r"\d{4}-\d{2}-\d{2}[T ][\d:.]+ ?(?:[A-Za-z]{2,5}|\[?[A-Z][a-z]+/[A-Za-z_]+\]?)", re.ASCII),
        "a zone by name: write it as an offset, such as +01:00",
    ),
    (re.compile(r"\d{5}(\.\d+)?", re.ASCII), "a spreadsheet's number of days"),
    (re.compile(r"\d{12}|\d{14}", re.ASCII), "YYYYMMDDHHMMSS"),
    (re.compile(r"\d{10}|\d{13}", re.ASCII), "seconds or milliseconds since 1970"),
)


def date_format_of(text: str) -> str:
    """The name of the format that a text looks like, or ""; nothing of the text is in it."""
    return next((name for pattern, name in _FORMATS if pattern.fullmatch(text.strip()[:LONGEST])), "")
