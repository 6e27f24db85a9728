"""Two passes over the same speech, word by word: the alignment of least cost in letters and in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

import numpy as np

from pipelines.notes.transcribe_words import compared

GAP = 0.75  # what a word without a counterpart costs; a pair of unlike words at the same time costs up to 1
TIME = 0.5  # what a second between two words costs, at most for two seconds


@dataclass(frozen=True)
class Word:
    """A word as a pass heard it: with its marks, from and to in seconds of the recording, confidence 0 to 1."""

    text: str = field(repr=False)
    start: float
    end: float
    confidence: float


def align(one: Sequence[Word], two: Sequence[Word]) -> list[tuple[int | None, int | None]]:
    """Pairs of word numbers in the order of speech; None where the other pass has no counterpart.

    Needleman and Wunsch (1970): substitution costs the unlikeness of the letters and the distance in time.
    """
    rows, columns = len(one), len(two)
    cost = np.zeros((rows + 1, columns + 1))
    cost[:, 0], cost[0, :] = GAP * np.arange(rows + 1), GAP * np.arange(columns + 1)
    for row in range(1, rows + 1):
        for column in range(1, columns + 1):
            cost[row, column] = min(
                cost[row - 1, column - 1] + _unlike(one[row - 1], two[column - 1]),
                cost[row - 1, column] + GAP,
                cost[row, column - 1] + GAP,
            )
    pairs: list[tuple[int | None, int | None]] = []
    row, column = rows, columns
    while row or column:
        if row and column and cost[row, column] == cost[row - 1, column - 1] + _unlike(one[row - 1], two[column - 1]):
            row, column = row - 1, column - 1
            pairs.append((row, column))
        elif row and cost[row, column] == cost[row - 1, column] + GAP:
            row -= 1
            pairs.append((row, None))
        else:
            column -= 1
            pairs.append((None, column))
    return pairs[::-1]


def counterparts(
    bounds: Sequence[tuple[int, int]], pairs: Sequence[tuple[int | None, int | None]]
) -> list[tuple[int, ...]]:
    """For each sentence (first word, word after its last) of the one pass, the words of the other that belong to it.

    A word without a counterpart belongs to the sentence around it, and between two sentences to both: a *No* that one
    pass lost makes both doubtful rather than none.
    """
    found: list[list[int]] = [[] for _ in bounds]
    sentence_of = {word: number for number, (first, last) in enumerate(bounds) for word in range(first, last)}
    before: list[int | None] = []
    last: int | None = None
    for one, _ in pairs:
        last = sentence_of.get(one, last) if one is not None else last
        before.append(last)
    after: int | None = None
    for (one, two), earlier in zip(reversed(pairs), reversed(before), strict=True):
        after = sentence_of.get(one, after) if one is not None else after
        if two is None:
            continue
        for sentence in {sentence_of[one]} if one is not None else {earlier, after} - {None}:
            if sentence is not None:
                found[sentence].append(two)
    return [tuple(sorted(words)) for words in found]


def likeness(one: Sequence[str], two: Sequence[str]) -> float:
    """How alike two passages sound by their letters, 0 to 1 (Ratcliff and Obershelp)."""
    first, second = ("".join(map(compared, words)) for words in (one, two))
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def _unlike(one: Word, two: Word) -> float:
    first, second = compared(one.text), compared(two.text)
    apart = TIME * min(abs(one.start - two.start), 2.0)
    if first == second:
        return apart
    return 1.0 - 0.5 * SequenceMatcher(None, first, second, autojunk=False).ratio() + apart
