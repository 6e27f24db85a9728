"""Labels tables: known findings, a cohort's own, and columns that are no finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from data_schemas.cohort import LabelValue
from data_schemas.errors import InputError
from data_schemas.reasons import Remark
from pipelines.sources.labels import read_labels


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_finding_of_the_cohorts_own_is_read_and_noticed(tmp_path: Path) -> None:
    found = read_labels(write(tmp_path, "patient_id,MCI to_AD,pneumonia\n1,1,0\n2,0.0,\n"))
    assert [(label.finding, label.value) for label in found.labels] == [
        ("mci-to-ad", LabelValue.POSITIVE),
        ("pneumonia", LabelValue.NEGATIVE),
        ("mci-to-ad", LabelValue.NEGATIVE),
    ]
    assert [(line.remark, line.detail.split(":")[0]) for line in found.noticed] == [(Remark.OWN_FINDING, "mci-to-ad")]


def test_a_slip_of_the_pen_is_no_finding_of_its_own(tmp_path: Path) -> None:
    path = write(tmp_path, "patient_id,pnuemonia\n1,1\n")
    with pytest.raises(InputError, match="'pnuemonia' looks like 'pneumonia'"):
        read_labels(path)
    assert read_labels(path, own=["pnuemonia"]).labels


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("patient_id\n1\n", "no finding"),
        ("patient_id,grade\n1,II\n2,III\n3,1\n", "column 'grade' is no finding: 2 of its 3 cells"),
        ("patient_id,age\n1,67\n2,1\n", "column 'age' is no finding"),
        ("patient_id,my finding,my_finding\n1,1,1\n", "stands twice"),
        ("patient_id,病気\n1,1\n", "no name of a finding"),
        ("tumour\n1\n", "patient_id"),
    ],
)
def test_a_table_that_holds_no_labels_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_labels(write(tmp_path, text))


def test_one_odd_cell_among_many_costs_its_row_alone(tmp_path: Path) -> None:
    rows = "".join(f"{number},{number % 2}\n" for number in range(20))
    found = read_labels(write(tmp_path, f"patient_id,relapse\n{rows}99,maybe\n"))
    assert len(found.labels) == 20
    assert len(found.refused) == 1
