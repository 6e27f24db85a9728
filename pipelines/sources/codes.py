"""Codes of observations: which LOINC codes and local codes mean one thing, and the unit and range of its values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import yaml

LOINC_CODE = re.compile(r"[0-9]{1,7}-[0-9]", re.ASCII)


@dataclass(frozen=True)
class Quantity:
    """What a code measures.

    ``unit`` (UCUM) is what values are converted to; empty where the code is no number with a unit (sex) or has a rule
    of its own (age). ``low`` and ``high`` bound its values in that unit. ``molar_mass`` is in g/mol. ``annotation``
    is the word that a unit may carry (FEU); ``parts`` maps such a word to the code that it makes of this one.
    """

    code: str
    unit: str = ""
    low: float = float("-inf")
    high: float = float("inf")
    molar_mass: float | None = None
    annotation: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)


@cache
def quantities() -> Mapping[str, Quantity]:
    """Every code that scanote knows, by its word; they stand in ``codes.yaml``."""
    return {
        word: Quantity(
            code=word,
            unit=row.get("unit", ""),
            low=float(row.get("range", (float("-inf"),))[0]),
            high=float(row.get("range", (float("inf"),))[-1]),
            molar_mass=row.get("molar_mass"),
            annotation=row.get("annotation", ""),
            parts=row.get("parts", {}),
        )
        for word, row in _content().items()
    }


@cache
def loinc_words() -> Mapping[str, str]:
    """The word for each LOINC code that scanote knows."""
    return {code: word for word, row in _content().items() for code in row.get("loinc", ())}


def plain_code(code: str, *, codes: Mapping[str, str] | None = None) -> str:
    """The word for a code of a source: by the settings' ``codes``, by LOINC, or by a known word in capitals (CRP).

    A code that none of them knows stays as it is.
    """
    text = code.strip()
    if codes and (given := codes.get(text)):
        return given
    if LOINC_CODE.fullmatch(text):
        return loinc_words().get(text, text)
    return text.lower() if text.lower() in quantities() else text


@cache
def _content() -> Mapping[str, dict]:
    text = files(__package__).joinpath("codes.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)
