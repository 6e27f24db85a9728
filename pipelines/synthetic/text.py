"""Dated, sectioned notes made of indirect clues, from frames that are disjoint between the splits."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
import yaml

from pipelines.synthetic.truth import Truth

Pool = Literal["train", "test"]
PHRASES_A_CLUE = 2


@cache
def phrases() -> dict[str, Any]:
    """The phrase book of ``phrases.yaml``."""
    return yaml.safe_load(files("pipelines.synthetic").joinpath("phrases.yaml").read_text(encoding="utf-8"))


def write_note(truth: Truth, *, pool: Pool, rng: np.random.Generator) -> str:
    """One clinic note with the headings Complaint, History, Medications and Family history.

    Each clue is told twice, in other words; a clue that is absent is denied the same way.
    """
    book = phrases()
    parts: dict[str, list[str]] = {"complaint": [], "history": [], "medications": [], "family history": []}
    for clue, entry in book["clues"].items():
        signs = _pick(entry["yes" if getattr(truth, clue) else "no"], PHRASES_A_CLUE, rng)
        frames = _pick(book["frames"][pool], PHRASES_A_CLUE, rng)
        parts[entry["section"]] += [_fill(frame, sign) for frame, sign in zip(frames, signs, strict=True)]
    places = _pick(book["places"][pool], PHRASES_A_CLUE, rng)
    parts["complaint"] += [place.format(side=truth.complaint_side) for place in places]
    for section, lines in book["filler"].items():
        parts[section] += _pick(lines, 1, rng)
    blocks = []
    for section, lines in parts.items():
        rng.shuffle(lines)
        blocks.append(f"{section.upper()}:\n{' '.join(lines)}")
    return "\n\n".join(blocks)


def _fill(frame: str, sign: str) -> str:
    return frame.format(sign=sign, Sign=sign[0].upper() + sign[1:])


def _pick(lines: list[str], count: int, rng: np.random.Generator) -> list[str]:
    return [lines[index] for index in rng.permutation(len(lines))[:count]]
