"""A model's cases are those that were recorded when it was trained, whatever split would be drawn today."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from data_schemas.cohort import Split
from data_schemas.patient_link import PatientLink
from data_schemas.scan import PatientFacts
from pipelines.cases.examples import Example
from pipelines.review.as_trained import as_trained
from pipelines.workspace.identity import patient_key
from pipelines.workspace.memberships import Member, put_members
from pipelines.workspace.paths import Workspace, open_workspace
from pipelines.workspace.patient_links import put_patient_links

DIGEST = "d" * 64


@pytest.fixture
def workspace(empty_workspace: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(empty_workspace, tmp_path / "workspace")
    return open_workspace(tmp_path / "workspace")


def case(study: str, patient: str, split: Split) -> Example:
    return Example(study, patient, None, (), (), {}, split)


def test_a_case_has_the_split_that_the_model_had_it_in(workspace: Workspace) -> None:
    with workspace.database() as engine:
        put_members(engine, DIGEST, [Member("s1", "p1", "train"), Member("s2", "p2", "test")])
    rows, recorded = as_trained(workspace, DIGEST, [case("s1", "p1", "test"), case("s2", "p2", "train")])
    assert recorded
    assert [row.split for row in rows] == ["train", "test"]


def test_a_later_case_of_a_patient_whom_the_model_knows_is_no_test_case(workspace: Workspace) -> None:
    with workspace.database() as engine:
        put_members(engine, DIGEST, [Member("s1", "p1", "validation"), Member("s2", "p2", "test")])
    rows, _ = as_trained(workspace, DIGEST, [case("s9", p, "test") for p in ("p1", "p2", "p3")])
    assert [row.split for row in rows] == ["train", "test", "test"]


def test_without_a_record_the_splits_stand(workspace: Workspace) -> None:
    rows, recorded = as_trained(workspace, DIGEST, [case("s1", "p1", "validation")])
    assert not recorded
    assert rows[0].split == "validation"


def test_whoever_was_merged_with_a_patient_whom_the_model_knows_is_no_test_case(workspace: Workspace) -> None:
    before, now = (patient_key(workspace.key, name) for name in ("001", "002"))
    with workspace.database() as engine:
        put_members(engine, DIGEST, [Member("s1", before, "train"), Member("s2", now, "test")])
        rows, _ = as_trained(workspace, DIGEST, [case(study, now, "test") for study in ("s2", "s9")])
        assert [row.split for row in rows] == ["test", "test"]
        link = PatientLink(patient=PatientFacts(patient_id="001"), replaced_by=(PatientFacts(patient_id="002"),))
        put_patient_links(engine, workspace.key, [link])
    rows, _ = as_trained(workspace, DIGEST, [case(study, now, "test") for study in ("s1", "s2", "s9")])
    assert [row.split for row in rows] == ["train", "train", "train"]
