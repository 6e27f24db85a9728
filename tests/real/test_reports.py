"""3,851 real chest X-ray reports: their sections are found again, and labels and mentions meet their floors."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from data_schemas.finding import findings
from pipelines.notes.sections import split_sections

ROOT = Path(__file__).parents[2]
DATA = ROOT / os.environ.get("SCANOTE_REAL_DATA", "../shared/data")
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no real data: set SCANOTE_REAL_DATA to its folder")
REPORTS = DATA / "reports" / "indiana_reports.csv"
NAMES = ("indication", "comparison", "findings", "impression")


def test_sections_of_real_reports_are_found_again() -> None:
    with REPORTS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    missed = 0
    for row in rows:
        wanted = [name for name in NAMES if row[name].strip()]
        text = "\n".join(f"{name.upper()}: {row[name]}" for name in wanted)
        missed += [section.name for section in split_sections(text)] != wanted
    assert len(rows) == 3851
    assert missed <= 2  # two texts hold headings of their own within a section


@pytest.mark.slow
def test_labels_and_mentions_of_the_real_reports_meet_their_floors() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "report_labels.py"), "--reports", str(REPORTS)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_the_annotated_sentences_hold_no_text_of_a_report() -> None:
    with (ROOT / "benchmarks" / "report_sentences.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({(row["uid"], row["column"], row["sentence_start"]) for row in rows}) == 200
    assert {row["finding"] for row in rows} - {""} <= set(findings())
    numbers = ("uid", "sentence_start", "sentence_end", "start", "end")
    assert all(row[name].isdigit() or not row[name] for row in rows for name in numbers)
