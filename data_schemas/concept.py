"""Concepts: findings that a note tells of, and what it says about them. They point into the text and hold none."""

from __future__ import annotations

from typing import Literal

from data_schemas.base import Record

Assertion = Literal["present", "negated", "uncertain", "historical", "family", "hypothetical"]
Side = Literal["left", "right", "bilateral"]


class Concept(Record):
    """One mention of a finding.

    ``start`` and ``end`` are character offsets in the note's text, ``sentence`` counts the note's sentences from 0 as
    ``split_sections`` gives them, ``section`` is the canonical name of the section.
    """

    finding: str
    start: int
    end: int
    sentence: int
    section: str
    assertion: Assertion
    side: Side | None = None
