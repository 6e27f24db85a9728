"""A note as its words are read: where they stand, and which stand in a line of capitals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from pipelines.notes.release.words import Token, tokens_of

_START = re.compile(r"(?:^|[.!?:;•*>|=\n\t\"“(\[–—]|(?:^|\s)[-–+]|\d[.)]|  |\?|->|→)[ \"“'‘*\-–]*$")


class Fate(Enum):
    """What becomes of a word: it stays, it goes, or another finding has it already and it is part of a name."""

    STAYS = 0
    GOES = 1
    GONE = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """A text, its words, and of each word whether it stands in a line of capitals."""

    text: str = field(repr=False)
    tokens: Sequence[Token] = field(repr=False)
    shouted: Sequence[bool] = field(repr=False)


def read(text: str) -> Reading:
    """The words of a text; each line is looked at once."""
    tokens = tokens_of(text)
    shouted: list[bool] = []
    end, loud = -1, False
    for token in tokens:
        if token.start > end:
            begin, end = text.rfind("\n", 0, token.start) + 1, text.find("\n", token.end)
            end = end if end >= 0 else len(text)
            line = text[begin:end]
            loud = sum(map(str.islower, line)) * 5 < sum(map(str.isupper, line))
        shouted.append(loud and token.text.isupper())
    return Reading(text, tokens, shouted)


def begins(text: str, token: Token) -> bool:
    """Whether a word begins a sentence, a line or a field of a form."""
    return bool(_START.search(text[max(0, token.start - 12) : token.start])) or token.start == 0


def begins_line_or_field(text: str, token: Token) -> bool:
    """Whether nothing but blanks stands before a word in its line, or a colon does."""
    at = token.start
    while at and text[at - 1] == " ":
        at -= 1
    if at and text[at - 1] == ":":
        return True
    while at and text[at - 1] != "\n" and text[at - 1].isspace():
        at -= 1
    return at == 0 or text[at - 1] == "\n"


def digit_beside(text: str, token: Token) -> bool:
    """Whether a digit touches the word."""
    return text[token.start - 1 : token.start].isdigit() or text[token.end : token.end + 1].isdigit()
