"""Findings: what is predicted, with its codes and synonyms, read from ``findings.yaml``."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import yaml
from pydantic import Field

from data_schemas.base import Record


class Code(Record):
    """A code of a terminology, such as SNOMED CT, RadLex or ICD-10."""

    system: str
    code: str


class Finding(Record):
    """One finding. ``name`` is the word used in labels, settings and results."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    display: str
    codes: tuple[Code, ...] = ()
    synonyms: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    note: str = ""


@cache
def findings() -> dict[str, Finding]:
    """Every known finding by name, in the order of the file."""
    text = files("data_schemas").joinpath("findings.yaml").read_text(encoding="utf-8")
    return {row["name"]: Finding(**row) for row in yaml.safe_load(text)}
