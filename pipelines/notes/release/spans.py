"""Places in a note that are to be replaced, and how the first of several that overlap wins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "NAME", "ID", "DATE", "BIRTH DATE", "AGE", "PHONE", "EMAIL", "URL", "IP", "ADDRESS", "PLACE", "REMOVED"
]  # fmt: skip
FEWEST_LEFT = 3  # letters (digits, where the finding is a number) of what another finding cuts through
_SMALL = frozenset({"of", "and", "the", "at", "in", "for"})
_FEWEST = {"NAME": 1, "DATE": 2}
_COUNTS = {"ID": str.isdigit, "PHONE": str.isdigit, "AGE": str.isdigit, "IP": str.isdigit, "DATE": str.isalpha}


@dataclass(frozen=True, slots=True)
class Found:
    """One finding: where it stands (from, to), what it is, and what is written instead."""

    start: int
    end: int
    kind: Kind
    instead: str = field(default="", repr=False)

    @property
    def written(self) -> str:
        """What stands in its place: a date some days earlier, or the kind in brackets."""
        return self.instead or f"[{self.kind}]"


def settle(text: str, findings: Iterable[Found]) -> tuple[Found, ...]:
    """Findings that do not overlap, in the order of the text; of two at one place the one given first stays whole.

    What the other covers beside it is still replaced, unless fewer than three letters are left of it, or of a number
    three digits, or of a date two letters; of a name nothing stays. Findings of one kind with nothing but blanks,
    commas or hyphens between them become one.
    """
    taken = bytearray(len(text))
    kept: list[Found] = []
    for found in findings:
        for start, end in _free(taken, found.start, found.end):
            whole = (start, end) == (found.start, found.end)
            counts = _COUNTS.get(found.kind, str.isalnum)
            fewest = _FEWEST.get(found.kind, FEWEST_LEFT)
            if whole or sum(map(counts, text[start:end])) >= fewest:
                taken[start:end] = b"\1" * (end - start)
                kept.append(found if whole else Found(start, end, found.kind))
    return tuple(_joined(text, sorted(kept, key=lambda found: found.start)))


def open_parts(text: str, taken: bytearray, start: int, end: int, kind: Kind) -> Iterator[Found]:
    """What is not taken yet of a place, as findings of their own; blanks and marks at their ends left out."""
    at = start
    while at < end:
        if taken[at] or not text[at].isalnum():
            at += 1
            continue
        stop = at
        while stop < end and not taken[stop]:
            stop += 1
        piece = text[at:stop].rstrip(" ,.;:-()\n")
        if piece not in _SMALL:
            yield Found(at, at + len(piece), kind)
        at = stop


def replace_all(text: str, findings: Iterable[Found]) -> str:
    """The text with every finding replaced; they must be in order and not overlap."""
    parts, at = [], 0
    for found in findings:
        parts += [text[at : found.start], found.written]
        at = found.end
    return "".join([*parts, text[at:]])


def _free(taken: bytearray, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        begin = taken.find(0, start, end)
        if begin < 0:
            return
        stop = taken.find(1, begin, end)
        stop = end if stop < 0 else stop
        yield begin, stop
        start = stop


def _joined(text: str, findings: Iterable[Found]) -> Iterator[Found]:
    before: Found | None = None
    for found in findings:
        same = before is not None and before.kind == found.kind and not (before.instead or found.instead)
        if before is not None and same and not text[before.end : found.start].strip(" \t,.-–‐‑"):
            before = Found(before.start, found.end, found.kind)
            continue
        if before is not None:
            yield before
        before = found
    if before is not None:
        yield before
