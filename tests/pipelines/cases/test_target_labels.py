"""Values of targets from the catalogue to the cases of a cohort."""

from __future__ import annotations

from pathlib import Path

from data_schemas.cohort import Label, LabelValue
from data_schemas.reasons import Reason
from pipelines.cases.cohort import build_cohort
from pipelines.workspace import catalogue
from pipelines.workspace.identity import study_key
from pipelines.workspace.paths import create_workspace
from pipelines.workspace.versions import PutCounts


def label(value: float | LabelValue, *, finding: str = "severity", patient: str = "", study: str = "") -> Label:
    return Label(patient_id=patient, study_uid=study, finding=finding, value=value)


def test_values_are_put_and_read_beside_labels_and_a_table_read_again_adds_nothing(tmp_path: Path, key: bytes) -> None:
    workspace = create_workspace(tmp_path / "workspace")
    given = [label(2.0, patient="7"), label(LabelValue.POSITIVE, finding="pneumonia", patient="7")]
    with workspace.database() as engine:
        assert catalogue.put_labels(engine, key, given).added == 2
        assert catalogue.put_labels(engine, key, given) == PutCounts(known=2)
        assert sorted(catalogue.labels(engine), key=lambda item: item.finding) == given[::-1]
        assert catalogue.put_labels(engine, key, [label(3.0, patient="7")]).superseded == 1


def test_a_column_that_becomes_a_target_replaces_the_labels_it_had_been(tmp_path: Path, key: bytes) -> None:
    workspace = create_workspace(tmp_path / "workspace")
    with workspace.database() as engine:
        catalogue.put_labels(engine, key, [label(LabelValue.POSITIVE, patient="7")])
        catalogue.put_labels(engine, key, [label(1.0, patient="7")])
        [found] = catalogue.labels(engine)
    assert isinstance(found.value, float)


def test_a_case_takes_its_values_by_study_before_patient_and_contradictions_count_as_unknown(joined, scan, key) -> None:
    cases = joined([scan("7", study="1"), scan("7", study="2"), scan("8", study="3")], [], []).cases
    labels = [
        label(2.0, patient="7"),
        label(0.0, study="2"),
        label(LabelValue.NEGATIVE, finding="pneumonia", study="1"),
        label(2.5, finding="fev1", study="3"),
        label(2.5, finding="fev1", patient="8"),
        label(1.0, study="3"),
        label(1.5, study="3"),
    ]
    found = build_cohort(cases, labels, workspace_key=key)
    members = {member.study_key: member for member in found.members}
    one, two, three = (members[study_key(key, study)] for study in ("1", "2", "3"))
    assert (one.labels, one.targets) == ({"pneumonia": LabelValue.NEGATIVE}, {"severity": 2.0})
    assert (two.labels, two.targets) == ({}, {"severity": 0.0})
    assert (three.labels, three.targets) == ({}, {"fev1": 2.5})
    assert [line.reason for line in found.unlinked] == [Reason.CONTRADICTORY_LABELS] * 2
