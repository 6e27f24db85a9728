"""The side of a mention: the words of laterality around it, within its own part of the sentence."""

from __future__ import annotations

from collections.abc import Sequence

from data_schemas.concept import Side

LEFT = frozenset(["left", "lt", "l", "leftward", "lingula", "lingular"])
RIGHT = frozenset(["right", "rt", "r"])
BOTH = frozenset(["bilateral", "bilaterally", "both", "bibasilar", "bibasal", "biapical", "bilat"])
BEFORE, AFTER = 6, 8  # words to look at
_MARKS = frozenset([",", ";", ":", ".", "(", ")", "?"])
_BREAKS_AFTER = _MARKS | {"and", "or", "with", "without", "no", "but", "versus", "vs"}


def side_of(words: Sequence[str], *, first: int, last: int, before: int, after: int) -> Side | None:
    """The side of the mention ``words[first:last]``, or None where none is told.

    Looked for in the mention, then before it, then after it (not beyond "and", "with" or a mark); ``before`` and
    ``after`` bound the search by the neighbouring mentions.
    """
    ahead: list[str] = []
    for word in reversed(words[max(before, first - BEFORE) : first]):
        if word in _MARKS:
            break
        ahead.append(word)
    behind: list[str] = []
    for word in words[last : min(after, last + AFTER)]:
        if word in _BREAKS_AFTER and not (word == "and" and behind and behind[-1] in LEFT | RIGHT):
            break
        behind.append(word)
    for part in (words[first:last], ahead, behind):
        side = _side(part)
        if side:
            return side
    return None


def _side(words: Sequence[str]) -> Side | None:
    found = set(words)
    left, right = bool(found & LEFT), bool(found & RIGHT)
    if found & BOTH or (left and right):
        return "bilateral"
    return "left" if left else "right" if right else None
