"""Dictation: what a recording became, and how sure each word of it is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from data_schemas.base import Record

UNCERTAIN = "[uncertain dictation]"
"""Stands before a sentence of a transcribed note that is never believed: no input, no label."""
UNCLEAR = "[unclear]"
"""Stands in the place of a masked word, and of speech that no pass understood."""

DoubtKind = Literal["negation", "side", "number", "confidence", "unsupported", "noise", "cut"]


class SpokenWord(Record):
    """A word as it stands in the note (characters from, to), when it was said (s), and its confidence, 0 to 1."""

    start: int
    end: int
    said: float
    confidence: float


class Doubt(Record):
    """A sentence that is marked (characters from, to) and what makes it uncertain."""

    start: int
    end: int
    kinds: tuple[DoubtKind, ...]


class Dictation(Record):
    """Where a transcribed note comes from.

    ``recipe`` is the digest of the speech model and of every setting that the text depends on. Offsets are those of
    the note's text.
    """

    audio_sha256: str
    recipe: str
    seconds: float
    sentences: int
    words: tuple[SpokenWord, ...] = Field(default=(), repr=False)
    doubts: tuple[Doubt, ...] = ()


class Heard(Record):
    """A transcript: the text of a note, and how it came about."""

    text: str = Field(repr=False)
    dictation: Dictation


def is_uncertain(sentence: str) -> bool:
    """Whether a sentence of a note is marked as an uncertain one of a dictation."""
    return sentence.lstrip().startswith(UNCERTAIN)
