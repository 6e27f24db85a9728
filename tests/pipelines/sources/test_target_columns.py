"""Columns of a labels table that are grades or measurements."""

from __future__ import annotations

from pathlib import Path

import pytest

from data_schemas.cohort import LabelValue
from data_schemas.errors import InputError
from data_schemas.reasons import Reason
from data_schemas.target import TargetRecipe
from pipelines.sources.labels import read_labels
from pipelines.sources.records import read_records

TARGETS = {
    "severity": TargetRecipe(kind="ordinal", levels=4),
    "fev1": TargetRecipe(kind="regression", unit="L"),
}


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_grades_and_measurements_are_read_beside_the_findings(tmp_path: Path) -> None:
    path = write(tmp_path, "patient_id,pneumonia,Severity,FEV1\n1,1,3,2.75\n2,,0,\n3,0,,-1e-1\n")
    found = read_records(labels=[path], targets=TARGETS)
    assert [(label.patient_id, label.finding, label.value) for label in found.labels] == [
        ("1", "pneumonia", 1),
        ("1", "severity", 3.0),
        ("1", "fev1", 2.75),
        ("2", "severity", 0.0),
        ("3", "pneumonia", 0),
        ("3", "fev1", -0.1),
    ]
    assert [isinstance(label.value, LabelValue) for label in found.labels] == [True, False, False, False, True, False]
    assert (found.refused, found.noticed) == ((), ())


def test_a_table_of_targets_alone_is_read_by_study(tmp_path: Path) -> None:
    [label] = read_labels(write(tmp_path, "study_uid,severity\n1.2.3,2\n"), targets=TARGETS).labels
    assert (label.patient_id, label.study_uid, label.value) == ("", "1.2.3", 2.0)


def test_a_decimal_comma_is_read_where_the_settings_say_so(tmp_path: Path) -> None:
    path = write(tmp_path, "patient_id;fev1\n1;2,5\n")
    [label] = read_labels(path, targets=TARGETS, decimal=",").labels
    assert label.value == 2.5
    with pytest.raises(InputError, match="column 'fev1' does not fit"):
        read_labels(path, targets=TARGETS)


def test_a_few_values_that_do_not_fit_are_one_line_a_column_without_them(tmp_path: Path) -> None:
    rows = "".join(f"p{number},{number % 4},{number}.5,1\n" for number in range(40))
    path = write(tmp_path, f"patient_id,severity,fev1,pneumonia\n{rows}secret1,7,nan,1\nsecret2,1.5,1e300,0\n")
    found = read_labels(path, targets=TARGETS)
    assert len(found.labels) == 40 * 3 + 2  # of the two rows the finding alone
    assert [line.reason for line in found.refused] == [Reason.UNREADABLE_ROW] * 2
    assert [line.detail for line in found.refused] == [
        "column severity: 2 rows do not hold whole numbers from 0 to 3; of this target they count as unknown",
        "column fev1: 2 rows do not hold numbers up to 1e+12; of this target they count as unknown",
    ]
    assert not [line for line in found.refused if "secret" in line.where + line.detail or "1.5" in line.detail]


def test_a_column_of_other_things_is_refused_whole(tmp_path: Path) -> None:
    path = write(tmp_path, "patient_id,severity\n1,mild\n2,1\n3,2\n")
    with pytest.raises(
        InputError, match=r"model.targets.severity: 1 of its 3 values are not whole numbers from 0 to 3"
    ):
        read_labels(path, targets=TARGETS)


def test_without_its_target_such_a_column_is_no_finding(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="column 'severity' is no finding"):
        read_labels(write(tmp_path, "patient_id,severity\n1,3\n2,2\n"))
