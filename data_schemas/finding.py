"""Findings: what is predicted, with its codes, words and rules, read from ``findings.yaml``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

import yaml
from pydantic import Field

from data_schemas.base import Record
from data_schemas.errors import InputError


class Code(Record):
    """A code of a terminology, such as SNOMED CT, RadLex or ICD-10."""

    system: str
    code: str


class Finding(Record):
    """One finding. ``name`` is the word used in labels, settings and results.

    ``synonyms`` are its own words; in a chest report ``shorthand`` words mean it too, as do ``patterns``, words with
    gaps (``…``), while ``normals`` deny it without a negation. ``parents`` (is a) and ``implies`` (is never there
    without) name findings that must be there too; ``excludes`` names those that are never in the same patient.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    display: str
    codes: tuple[Code, ...] = ()
    synonyms: tuple[str, ...] = ()
    shorthand: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    normals: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    implies: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    note: str = ""


@cache
def findings() -> dict[str, Finding]:
    """Every known finding by name, in the order of the file."""
    text = files("data_schemas").joinpath("findings.yaml").read_text(encoding="utf-8")
    rows = tuple(Finding(**row) for row in yaml.safe_load(text))
    check_findings(rows)
    return {row.name: row for row in rows}


def check_findings(rows: Iterable[Finding]) -> None:
    """Every name is unique and known, no finding entails itself, and none excludes what it entails.

    Raises
    ------
    InputError
        The first rule that is broken, and by which finding.
    """
    listed = tuple(rows)
    known = {row.name: row for row in listed}
    if len(known) < len(listed):
        twice = next(row.name for number, row in enumerate(listed) if row.name in {r.name for r in listed[:number]})
        raise InputError(f"finding '{twice}' stands twice in the list; remove one")
    for row in listed:
        for name in (*row.parents, *row.implies, *row.excludes):
            if name not in known:
                raise InputError(f"finding '{row.name}' names '{name}', which is not in the list")
    for row in listed:
        above = _above(row.name, known)
        if row.name in above:
            raise InputError(f"finding '{row.name}' entails itself; break the circle of parents and implies")
        if {row.name, *above} & set(row.excludes):
            raise InputError(f"finding '{row.name}' excludes a finding that it entails")
    owner: dict[str, str] = {}
    for row in listed:
        for words in {word.lower() for word in (*row.synonyms, *row.shorthand)}:
            if owner.setdefault(words, row.name) != row.name:
                raise InputError(f"findings '{owner[words]}' and '{row.name}' share the words '{words}'")


def entailed(name: str) -> frozenset[str]:
    """Everything that is there where a finding is: its parents and what it implies, and theirs in turn."""
    return frozenset(_above(name, findings()))


def entailments(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Pairs (finding, what it entails) among some findings, also where the finding in between is left out."""
    listed = tuple(names)
    return tuple((name, other) for name in listed for other in listed if other in entailed(name))


def exclusions(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Pairs among some findings that are never in the same patient, each once."""
    listed = tuple(names)
    known = findings()
    pairs = ((one, other) for number, one in enumerate(listed) for other in listed[number + 1 :])
    return tuple((one, two) for one, two in pairs if two in known[one].excludes or one in known[two].excludes)


def _above(name: str, known: Mapping[str, Finding]) -> set[str]:
    found: set[str] = set()
    open_names = [name]
    while open_names:
        row = known[open_names.pop()]
        fresh = {*row.parents, *row.implies} - found
        found |= fresh
        open_names += fresh
    return found
