"""3,851 real chest X-ray reports: their sections are found again in the text made of them."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from pipelines.notes.sections import split_sections

DATA = Path(__file__).parents[2] / os.environ.get("SCANOTE_REAL_DATA", "../shared/data")
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no real data: set SCANOTE_REAL_DATA to its folder")
NAMES = ("indication", "comparison", "findings", "impression")


def test_sections_of_real_reports_are_found_again() -> None:
    with (DATA / "reports" / "indiana_reports.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    missed = 0
    for row in rows:
        wanted = [name for name in NAMES if row[name].strip()]
        text = "\n".join(f"{name.upper()}: {row[name]}" for name in wanted)
        missed += [section.name for section in split_sections(text)] != wanted
    assert len(rows) == 3851
    assert missed <= 2  # two texts hold headings of their own within a section
