"""Words as concepts compare them: lower case, singular, American spelling; with their places in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from pipelines.notes.sections import BODY, find_headings
from pipelines.notes.sentences import split_sentences

LONGEST_WORD = 40  # a longer run of letters is no word of any vocabulary
OTHER = "·"  # stands for every word outside of the vocabulary, so that foreign text never grows it

_TOKEN = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+(?:['’][^\W_]+)*|[.,;:?/()]")
_IRREGULAR = {"pneumothoraces": "pneumothorax", "metastases": "metastasis", "diagnoses": "diagnosis"}
_SPELLINGS = (("oedema", "edema"), ("haemo", "hemo"), ("aneurism", "aneurysm"))
_NO_PLURAL = ("ss", "us", "is")


@dataclass(frozen=True)
class Located:
    """A sentence of a note: where it stands in the text (from, to), its section and its number in the note."""

    start: int
    end: int
    section: str
    number: int


@dataclass(frozen=True)
class Word:
    """A word or mark as it is compared, and where it stands (from, to)."""

    text: str
    start: int
    end: int


def locate_sentences(text: str) -> Iterator[Located]:
    """The sentences of ``split_sections`` in their order, as places in the text."""
    headings = find_headings(text)
    bounds = [(0, BODY), *((heading.end, heading.name) for heading in headings)]
    ends = [*(heading.start for heading in headings), len(text)]
    number = 0
    for (start, section), end in zip(bounds, ends, strict=True):
        part = text[start:end]
        at = 0
        for sentence in split_sentences(part):
            at = part.index(sentence, at)
            yield Located(start + at, start + at + len(sentence), section, number)
            at += len(sentence)
            number += 1


def words_of(text: str, *, offset: int = 0) -> list[Word]:
    """Words and marks of a text; hyphens and other signs are none."""
    return [
        Word(compared(text[match.start() : match.end()]), offset + match.start(), offset + match.end())
        if match.end() - match.start() <= LONGEST_WORD
        else Word(OTHER, offset + match.start(), offset + match.end())
        for match in _TOKEN.finditer(text)
    ]


@lru_cache(maxsize=8192)
def compared(word: str) -> str:
    """A word as it is compared: ``Effusions`` and ``effusion``, ``oedema`` and ``edema`` are the same.

    Endings are cut by rule, not by meaning: what matters is that text and vocabulary are cut alike.
    """
    word = word.lower().replace("’", "'")
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for british, american in _SPELLINGS:
        if word.startswith(british):
            word = american + word[len(british) :]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith("s") and len(word) > 3 and not word.endswith(_NO_PLURAL):
        return word[:-1]
    return word
