"""The audit on 3,851 real chest X-ray reports: templates fill them, and no two patients share a text."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from data_schemas.note import Note
from data_schemas.scan import Geometry, PatientFacts, Scan
from pipelines.cases.examples import Example, Sentence
from pipelines.cases.join import Held
from pipelines.cases.leakage.case import AuditedCase
from pipelines.cases.leakage.duplicate_text import find_duplicate_texts
from pipelines.cases.leakage.label_source import find_label_sources
from pipelines.notes.sentences import split_sentences

ROOT = Path(__file__).parents[2]
DATA = ROOT / os.environ.get("SCANOTE_REAL_DATA", "../shared/data")
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no real data: set SCANOTE_REAL_DATA to its folder")
IDENTITY = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with (DATA / "reports" / "indiana_reports.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def audited(rows: Sequence[dict[str, str]], columns: Sequence[str]) -> list[AuditedCase]:
    """Each row a patient, these columns its input text, its findings and impression its report."""
    cases = []
    for number, row in enumerate(rows):
        patient = PatientFacts(patient_id=row["uid"])
        text = " ".join(row[column] for column in columns if row[column])
        sentences = tuple(Sentence(part, f"0/0/{at}", 0, at) for at, part in enumerate(split_sentences(text)))
        told = f"FINDINGS: {row['findings']}\nIMPRESSION: {row['impression']}"
        report = Note(note_id=row["uid"], patient=patient, kind="report", text=told, study_uid=row["uid"])
        scan = Scan(
            scan_id=row["uid"],
            format="dicom",
            patient=patient,
            study_uid=row["uid"],
            series_uid=row["uid"],
            modality="DX",
            transfer_syntax="",
            geometry=Geometry(shape=(1, 1, 1), spacing_mm=(1.0, 1.0, 1.0), affine=IDENTITY),
            files=(),
        )
        example = Example(row["uid"], row["uid"], None, sentences, (), {}, ("train", "test")[number % 2])
        cases.append(AuditedCase(example, scan, Held([report], [])))
    return cases


@pytest.mark.parametrize("columns", [("indication",), ("findings",), ("findings", "impression")], ids=str)
def test_texts_that_templates_fill_are_no_leak(rows: list[dict[str, str]], columns: tuple[str, ...]) -> None:
    check, leaks = find_duplicate_texts(audited(rows, columns))
    assert check.compared > 0
    assert [leak for leak in leaks if leak.severity == "leak"] == []


def test_a_real_report_that_is_copied_to_another_patient_is_named(rows: list[dict[str, str]]) -> None:
    longest = max(rows[::2], key=lambda row: len(row["findings"]))
    copy = longest | {"uid": "copy"}
    [leak] = [row for row in find_duplicate_texts(audited([*rows, copy], ["findings"]))[1] if row.severity == "leak"]
    assert set(leak.where) == {longest["uid"], "copy"}


def test_indications_do_not_hold_their_report_and_impressions_do(rows: list[dict[str, str]]) -> None:
    assert find_label_sources(audited(rows, ["indication"]))[1] == []
    [leak] = find_label_sources(audited(rows, ["indication", "impression"]))[1]
    assert leak.count > 500
