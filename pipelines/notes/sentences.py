"""Clinical text as sentences, by rules: abbreviations, decimals, initials, list items, wrapped lines."""

from __future__ import annotations

import re
from itertools import pairwise

# Words that end in a point within a sentence. "no" only before a number (bed no. 5).
ABBREVIATIONS = frozenset(
    [
        *("dr", "mr", "mrs", "ms", "prof", "st", "vs", "etc", "eg", "ie", "cf", "approx", "ca", "al", "fig", "figs"),
        *("dept", "resp", "incl", "max", "min", "pt", "pts", "dx", "hx", "tx", "rx", "sx", "fx", "temp", "wt", "ht"),
        *("dia", "diam", "sup", "inf", "ant", "post", "lat", "med", "esp", "ext", "int", "abd", "jr", "sr", "ph.d"),
        *("e.g", "i.e", "m.d"),
    ]
)
ABBREVIATIONS_BEFORE_NUMBERS = frozenset(["no", "nos", "nr", "gr", "art", "vol", "p", "pp"])
LONGEST_WORD = 40  # how far back a point looks: rules stay linear on hostile text

_END = re.compile(r"(?<![.!?])[.!?]++[\"'”’)\]]*+(?=\s)")
_NEW_LINE = re.compile(r"\n\s*+")
_BULLET = re.compile(r"(?:[-*•·–—+>o▪]|\d{1,2}[.)]|\([a-z\d]{1,2}\)|[a-z]\))[ \t]+\S", re.IGNORECASE)
_LAST_WORD = re.compile(r"([^\s(\[\"']*)$")
_NUMBERING = re.compile(r"\s*\(?(?:\d{1,2}|[A-Za-z])[.)]?")
_DOTTED = re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]")


def split_sentences(text: str) -> tuple[str, ...]:
    """Sentences without surrounding blanks, in order; joined, they hold every non-blank character of the text."""
    cuts = sorted({0, len(text), *_sentence_ends(text), *_line_ends(text)})
    pieces = (text[start:end].strip() for start, end in pairwise(cuts))
    return tuple(piece for piece in pieces if piece)


def _sentence_ends(text: str) -> list[int]:
    ends = []
    last = 0
    for match in _END.finditer(text):
        rest = text[match.end() : match.end() + LONGEST_WORD].lstrip()
        window = max(last, match.start() - LONGEST_WORD)
        before = text[max(window, text.rfind("\n", window, match.start()) + 1) : match.start()]
        if _is_end(before, match.group(), rest):
            ends.append(match.end())
            last = match.end()
    return ends


def _is_end(before: str, mark: str, rest: str) -> bool:
    if mark[0] != ".":
        return True
    if mark.startswith(".."):
        return not rest[:1].islower()
    if _NUMBERING.fullmatch(before):
        return False  # "1. Chest pain"
    word = _LAST_WORD.search(before)
    last = word[1].lower() if word else ""
    if rest[:1].islower():
        return False
    if last in ABBREVIATIONS or (len(last) == 1 and last.isalpha()):
        return False
    if last in ABBREVIATIONS_BEFORE_NUMBERS:
        return not rest[:1].isdigit()
    return not _DOTTED.fullmatch(last) or rest[:1].isupper()


def _line_ends(text: str) -> list[int]:
    ends = []
    for match in _NEW_LINE.finditer(text):
        rest = text[match.end() : match.end() + 20]
        paragraph = match.group().count("\n") > 1
        wrapped = rest[:1].islower() and not _BULLET.match(rest)
        if paragraph or not wrapped:
            ends.append(match.end())
    return ends
