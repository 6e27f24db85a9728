"""Notes as titled sections of sentences. Nothing is lost: every character but blanks and headings is in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from data_schemas.note import Section
from pipelines.notes.sentences import split_sentences

BODY = "body"

SPELLINGS: dict[str, tuple[str, ...]] = {
    "history": (
        "history", "clinical history", "medical history", "past medical history", "pmh", "pmhx", "hpi",
        "history of present illness", "present illness", "past history", "clinical information", "clinical data",
        "anamnesis", "problem list",
    ),
    "indication": (
        "indication", "indications", "clinical indication", "reason for exam", "reason for examination",
        "reason for study", "reason for this examination", "reason for request", "reason for referral",
        "clinical question", "referral",
    ),
    "complaint": (
        "complaint", "complaints", "chief complaint", "presenting complaint", "cc", "presentation", "symptoms",
        "subjective", "reason for visit",
    ),
    "medications": (
        "medications", "medication", "current medications", "home medications", "medications on admission", "drugs",
        "meds", "discharge medications",
    ),
    "allergies": (
        "allergies", "allergy", "drug allergies",
    ),
    "family-history": (
        "family history", "fh", "fhx", "family medical history",
    ),
    "social-history": (
        "social history", "sh", "shx", "habits",
    ),
    "laboratory": (
        "laboratory", "labs", "lab results", "laboratory data", "laboratory results", "laboratory findings",
        "lab values", "laboratory values", "bloods", "blood results", "blood tests", "pertinent results",
    ),
    "examination": (
        "examination", "exam", "physical examination", "physical exam", "clinical examination", "clinical exam",
        "on examination", "o/e", "objective", "vital signs", "vitals",
    ),
    "surgery": (
        "surgery", "surgeries", "surgical history", "past surgical history", "psh", "previous surgery",
        "past surgeries", "operations", "previous operations",
    ),
    "technique": (
        "technique", "procedure", "protocol", "study", "type of examination", "views", "contrast",
    ),
    "comparison": (
        "comparison", "comparisons", "prior studies", "compared with",
    ),
    "findings": (
        "findings", "finding", "report", "observations", "description", "imaging findings", "radiological findings",
    ),
    "impression": (
        "impression", "impressions", "conclusion", "conclusions", "opinion", "summary", "final report",
        "interpretation", "imaging impression", "final impression", "findings and impression",
        "findings/impression", "final diagnosis", "diagnosis", "diagnoses", "discharge diagnosis", "wet read",
    ),
    "assessment": (
        "assessment", "assessment and plan", "assessment/plan", "assessment & plan", "a/p", "clinical assessment",
    ),
    "plan": (
        "plan", "recommendation", "recommendations", "follow-up", "follow up", "disposition",
    ),
}  # fmt: skip
"""Canonical section names and how notes spell them, in lower case."""

NAMES = {spelling: name for name, spellings in SPELLINGS.items() for spelling in spellings}

_WORDS = "|".join(re.escape(spelling).replace(r"\ ", r"[ \t]+") for spelling in sorted(NAMES, key=len, reverse=True))
# At the start of a line: markdown or numbering may stand before it, a colon or dash or the end of the line after it.
_AT_LINE_START = re.compile(
    rf"^[ \t]*(?:\#+[ \t]*|\*\*|__|\d{{1,2}}[.)][ \t]+)?(?P<name>{_WORDS})(?:[ \t]*\([^()\n:]{{0,40}}\))?[ \t]*"
    rf"(?:\*\*|__)?[ \t]*(?::(?:\*\*|__)?|[ \t][-–—](?=[ \t])|(?=[ \t]*\r?$))",
    re.IGNORECASE | re.MULTILINE,
)
# Within a line: after the end of a sentence, with a capital letter and a colon.
_WITHIN_LINE = re.compile(rf"(?<=[.;!?])[ \t]+(?P<name>(?=[A-Z])(?i:{_WORDS}))[ \t]*:")


@dataclass(frozen=True)
class Heading:
    """A heading: where it stands in the text (from, to), and the canonical name of its section."""

    start: int
    end: int
    name: str


def split_sections(text: str) -> tuple[Section, ...]:
    """The sections of a note in their order, each split into sentences.

    Text before the first heading is ``body``. Headings are known by the table of spellings, at the start of a line
    (``HISTORY:``, ``Past medical history`` alone on its line) or within one (``… cough. Indication: dyspnoea``); an
    unknown heading stays text of the section it stands in. A heading with nothing under it gives no section.
    """
    headings = find_headings(text)
    starts = [Heading(0, 0, BODY), *headings]
    ends = [*(heading.start for heading in headings), len(text)]
    parts = ((head.name, split_sentences(text[head.end : end])) for head, end in zip(starts, ends, strict=True))
    return tuple(Section(name=name, sentences=sentences) for name, sentences in parts if sentences)


def find_headings(text: str) -> tuple[Heading, ...]:
    """Every heading of a note in its order; they do not overlap."""
    found: list[Heading] = []
    for heading in sorted(_matches(text), key=lambda heading: (heading.start, -heading.end)):
        if not found or heading.start >= found[-1].end:
            found.append(heading)
    return tuple(found)


def _matches(text: str) -> Iterator[Heading]:
    for pattern in (_AT_LINE_START, _WITHIN_LINE):
        for match in pattern.finditer(text):
            yield Heading(match.start(), match.end(), NAMES[" ".join(match["name"].lower().split())])
