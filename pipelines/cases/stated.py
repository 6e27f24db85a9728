"""What a note's own text says of its patient: "67-year-old woman with …".

It is the one check that sees a note filed under a wrong patient whose identifiers look right. Text speaks of other
people too ("her 45-year-old brother"), and of other times ("a 20-year-old man at the time"), so little is believed:
the words must open a sentence, no relative or other person may stand near them, and a note whose sentences say
different things says nothing. English only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from pipelines.notes.sections import find_headings
from pipelines.notes.sentences import split_sentences

# Sections that speak of relatives, or of what was seen rather than of who came.
ELSEWHERE = frozenset({"family-history", "social-history", "medications", "allergies", "comparison", "technique"})
OLDEST_YEARS = 120
MOST = 50
"""So many places that look like an age are read; a note with more is no note of one person."""

_YEARS = r"(?:years?|yrs?\.?|yr\.?s?)[\s-]{0,2}(?:old|of[\s-]age)\b|y\.?\s?/?\s?o\b\.?"
_MONTHS = r"(?:months?|mos?\.?)[\s-]{0,2}old\b|m/o\b"
_OPENING = (
    r"^\W{0,6}(?:(?:this\s+is|(?:the\s+)?(?:patient|pt\.?)(?:\s+is|\s*[:=-])?|"
    r"(?:mr|mrs|ms|miss|dr)\.?(?:\s+[^\W\d][\w'-]*){1,3},?\s+is)\s+)?(?:(?:an?|the)\s+)?"
)
_AGE = re.compile(
    rf"{_OPENING}(?P<number>\d{{1,3}})[\s-]{{0,3}}(?:(?P<years>{_YEARS})|(?P<months>{_MONTHS}))(?P<rest>.{{0,120}})",
    re.IGNORECASE | re.DOTALL,
)
# "45F with", not "98F and": a temperature has no patient behind it.
_SHORT = re.compile(
    rf"{_OPENING}(?P<number>\d{{1,2}})\s?(?P<letter>[MF])\b(?P<rest>\s*(?:,|with\b|w/|c/o\b|s/p\b|p/w\b|hx\b|h/o\b|"
    rf"presents\b|presenting\b|who\b).{{0,120}})",
    re.DOTALL,
)
_COOLEST_FEVER = 94
_SEX = re.compile(
    r"^[\s,-]*(?:[^\W\d][\w/'-]*[\s,-]+){0,4}?(?:(?P<male>man|male|gentleman|boy)|(?P<female>woman|female|lady|girl))\b"
    r"(?!['’-])",
    re.IGNORECASE,
)
_LETTER = re.compile(r"^[\s,-]*(?:(?P<male>M)|(?P<female>F))\b(?!['’-])")
_OTHERS = re.compile(
    r"\b(?:mother|father|mom|mum|dad|parents?|sisters?|brothers?|siblings?|twin|sons?|daughters?|child(?:ren)?|"
    r"wife|husband|spouse|partner|fianc[eé]e?|boyfriend|girlfriend|friend|aunt|uncle|cousin|nephew|niece|"
    r"grand\w+|relatives?|neighbou?r|roommate|caretaker|caregiver|carer|colleague|co-?worker|contact|donor|recipient|"
    r"driver|passenger|assailant|stranger|nurse|doctor|physician|case|cohort|patients|men|women|infants?|fetus|"
    r"pregnancy|gestation)\b",
    re.IGNORECASE,
)
_THEN = re.compile(r"\b(?:when|at\s+(?:the|that)\s+time|back\s+then|years?\s+ago|in\s+(?:19|20)\d\d)\b", re.I)
_NEAR = 48
_CANDIDATE = re.compile(rf"(?<![\w.,/])\d{{1,3}}(?:[\s-]{{0,3}}(?i:{_YEARS}|{_MONTHS})|\s?[MF]\b)")
_BEFORE, _BEHIND = 240, 200


@dataclass(frozen=True)
class Stated:
    """Age in years at the time of writing (``span`` years wide: a whole year, or a month), and sex where it is said."""

    age_years: float = field(repr=False)
    sex: Literal["M", "F", ""] = field(default="", repr=False)
    span: float = 1.0


def stated_in(text: str) -> Stated | None:
    """What a note says of its patient's age and sex; None where it says nothing, or several things."""
    found = {stated for sentence in _sentences(text) for stated in _statements(sentence)}
    if len({(item.age_years, item.span) for item in found}) != 1 or len({item.sex for item in found} - {""}) > 1:
        return None
    return max(found, key=lambda item: item.sex)


def _sentences(text: str) -> Iterator[str]:
    """The sentences around what looks like an age: notes are long, and few of their sentences tell one."""
    candidates = list(islice(_CANDIDATE.finditer(text), MOST))
    headings = find_headings(text) if candidates else ()
    for candidate in candidates:
        section = next((head for head in reversed(headings) if head.end <= candidate.start()), None)
        if section and section.name in ELSEWHERE:
            continue
        opening = section.end if section else 0
        start = max(opening, candidate.start() - _BEFORE)
        sentences = split_sentences(text[start : candidate.end() + _BEHIND])
        yield from sentences if start == opening else sentences[1:]


def _statements(sentence: str) -> Iterator[Stated]:
    match = _AGE.match(sentence) or _SHORT.match(sentence)
    if match is None:
        return
    parts = match.groupdict()
    number, rest = int(parts["number"]), parts["rest"]
    near = sentence[: match.start("rest")] + rest[:_NEAR].partition(". ")[0]
    if _OTHERS.search(near) or _THEN.search(near) or re.match(r"\s*['’]s?\b", rest):
        return
    letter = parts.get("letter")
    if letter:
        if number < _COOLEST_FEVER:
            yield Stated(float(number), "M" if letter == "M" else "F")
        return
    if number > OLDEST_YEARS:
        return
    sex = _LETTER.match(rest) or _SEX.match(rest)
    told: Literal["M", "F", ""] = "" if sex is None else ("M" if sex["male"] else "F")
    months = bool(parts["months"])
    yield Stated(number / 12 if months else float(number), told, 1 / 12 if months else 1.0)
