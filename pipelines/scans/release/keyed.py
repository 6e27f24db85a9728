"""What stands for a patient, a UID or a date in a release: the same in every release of one workspace.

Everything is an HMAC with the workspace's key: without it nobody can undo, or repeat, the replacement. Its domains
are not those of the keys inside the workspace, so that a released pseudonym is none of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta

from pipelines.workspace.identity import keyed_digest, normalise_id

# Back by one to ten years: a released date lies in the past, and no season or weekday survives.
SHORTEST_SHIFT, LONGEST_SHIFT = 365, 3652
OLDEST_AGE = 89

_DATE_TIME = re.compile(r"(\d{8})(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?([+-]\d{4})?")
_AGE = re.compile(r"(\d{1,3})([DWMY]?)")


@dataclass(frozen=True, slots=True)
class Person:
    """Who a released patient is: a pseudonym, and the days by which all dates of that patient move back."""

    pseudonym: str
    shift_days: int = field(repr=False)


def person(
    key: bytes, patient_id: str, study_uid: str, *, ignore_case: bool = False, ignore_leading_zeros: bool = False
) -> Person:
    """The released person of a patient id; one without an id is another person in every study.

    ``key`` is the workspace's. Ids are compared as `pipelines.workspace.identity.normalise_id` does.
    """
    raw = normalise_id(patient_id, ignore_case=ignore_case, ignore_leading_zeros=ignore_leading_zeros)
    parts = ("id", raw) if raw else ("study", normalise_id(study_uid))
    name = keyed_digest(key, "release-patient", *parts)
    days = int(keyed_digest(key, "release-shift", *parts), 16) % (LONGEST_SHIFT - SHORTEST_SHIFT + 1)
    return Person(f"P-{name[:14]}", SHORTEST_SHIFT + days)


def keyed_uid(key: bytes, uid: str) -> str:
    """The UID that stands for a UID: 2.25 and the 128 bits of its HMAC (PS3.5 B.2); an empty one stays empty."""
    text = normalise_id(uid)
    return f"2.25.{int(keyed_digest(key, 'release-uid', text), 16)}" if text else ""


def shift_date(text: str, days: int) -> str | None:
    """A date (DA, also the old form with dots) some days earlier, or None where it is no date."""
    digits = text.strip().replace(".", "")
    if not re.fullmatch(r"[0-9]{8}", digits):
        return None
    try:
        moved = date(int(digits[:4]), int(digits[4:6]), int(digits[6:])) - timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return f"{moved.year:04d}{moved.month:02d}{moved.day:02d}"


def shift_date_time(text: str, days: int) -> str | None:
    """A date and time (DT) some days earlier, or None. The time of day and its zone stay.

    One without a day cannot be moved by days.
    """
    found = _DATE_TIME.fullmatch(text.strip())
    moved = shift_date(found[1], days) if found else None
    return f"{moved}{found[2] or ''}{found[3] or ''}" if found and moved else None


def capped_age(text: str) -> str | None:
    """An age as it may be released: beyond 89 years all are 90 (45 CFR 164.514(b)(2)(i)(C)); None where it is none."""
    found = _AGE.fullmatch(text.strip().upper())
    if not found:
        return None
    years = found[2] in {"Y", ""}
    if years and int(found[1]) > OLDEST_AGE:
        return f"{OLDEST_AGE + 1:03d}Y"
    return f"{int(found[1]):03d}{found[2] or 'Y'}"
