from __future__ import annotations

from functools import partial

import pytest

from data_schemas.cohort import IdMapping, Label, LabelValue
from data_schemas.reasons import Reason
from pipelines.cases.cohort import build_cohort
from pipelines.workspace.identity import study_key

POSITIVE, NEGATIVE, UNCERTAIN = LabelValue.POSITIVE, LabelValue.NEGATIVE, LabelValue.UNCERTAIN


@pytest.fixture
def cohort(key: bytes):
    return partial(build_cohort, workspace_key=key)


@pytest.fixture
def cases(joined, scan):
    return joined([scan("7", study="1"), scan("7", study="2"), scan("8", study="3")], [], []).cases


def label(value: LabelValue = POSITIVE, *, patient: str = "", study: str = "", finding: str = "pneumonia") -> Label:
    return Label(patient_id=patient, study_uid=study, finding=finding, value=value)


def labels_of(result, key: bytes, *studies: str) -> list[dict[str, LabelValue] | None]:
    found = {member.study_key: member.labels for member in result.members}
    return [found.get(study_key(key, study)) for study in studies]


def reasons(result) -> list[Reason]:
    return [line.reason for line in result.unlinked]


def test_a_label_of_a_patient_is_for_all_of_its_studies(cohort, cases, key) -> None:
    result = cohort(cases, [label(patient="7 ")])
    assert labels_of(result, key, "1", "2", "3") == [{"pneumonia": POSITIVE}, {"pneumonia": POSITIVE}, None]
    assert result.unlinked == ()


def test_a_label_of_a_study_outranks_the_patients_in_either_order(cohort, cases, key) -> None:
    labels = [label(patient="7"), label(NEGATIVE, study="2")]
    for order in (labels, labels[::-1]):
        result = cohort(cases, order)
        assert labels_of(result, key, "1", "2") == [{"pneumonia": POSITIVE}, {"pneumonia": NEGATIVE}]
        assert result.unlinked == ()


def test_an_unlabelled_finding_is_absent_and_an_uncertain_one_stays_uncertain(cohort, cases, key) -> None:
    result = cohort(cases, [label(UNCERTAIN, study="3", finding="heart-failure")])
    assert labels_of(result, key, "3") == [{"heart-failure": UNCERTAIN}]


def test_a_label_of_an_unknown_patient_or_study_is_listed_by_key_only(cohort, cases) -> None:
    result = cohort(cases, [label(patient="SECRET"), label(study="SECRET")])
    assert result.members == ()
    assert reasons(result) == [Reason.NO_SCAN] * 2
    assert {line.kind for line in result.unlinked} == {"label"}
    assert "SECRET" not in repr(result)


def test_labels_are_joined_through_the_id_map(cohort, cases, key) -> None:
    id_map = [IdMapping(scan_patient_id="8", record_patient_id="r8")]
    result = cohort(cases, [label(patient="r8"), label(NEGATIVE, patient="8")], id_map)
    assert labels_of(result, key, "3") == [{"pneumonia": POSITIVE}]
    assert reasons(result) == [Reason.NO_SCAN]


def test_a_label_of_an_ambiguous_patient_is_set_aside(cohort, cases) -> None:
    id_map = [IdMapping(scan_patient_id=scan, record_patient_id="r") for scan in "78"]
    assert reasons(cohort(cases, [label(patient="r")], id_map)) == [Reason.AMBIGUOUS_IDENTITY]


def test_a_label_whose_study_is_another_patients_is_set_aside(cohort, cases) -> None:
    result = cohort(cases, [label(patient="8", study="1")])
    assert (result.members, reasons(result)) == ((), [Reason.IDENTITY_CONFLICT])


def test_labels_that_contradict_each_other_leave_the_finding_unknown(cohort, cases, key) -> None:
    labels = [label(study="3"), label(NEGATIVE, study="3"), label(UNCERTAIN, patient="8"), label(study="1")]
    result = cohort(cases, labels)
    assert labels_of(result, key, "1", "3") == [{"pneumonia": POSITIVE}, None]
    assert reasons(result) == [Reason.CONTRADICTORY_LABELS] * 2


def test_the_same_label_twice_is_one_label(cohort, cases, key) -> None:
    result = cohort(cases, [label(study="3"), label(study="3")])
    assert (labels_of(result, key, "3"), result.unlinked) == ([{"pneumonia": POSITIVE}], ())


def test_all_studies_of_a_patient_are_in_one_split(cohort, joined, scan) -> None:
    scans = [scan(f"P{number // 3}", study=str(number)) for number in range(120)]
    result = cohort(joined(scans, [], []).cases, [label(study=str(number)) for number in range(120)])
    splits: dict[str, set[str]] = {}
    for member in result.members:
        splits.setdefault(member.patient_key, set()).add(member.split)
    assert len(splits) == 40
    assert all(len(found) == 1 for found in splits.values())


def test_the_rules_for_ids_hold_for_labels_too(cohort, joined, scan) -> None:
    cases = joined([scan("AB7")], [], []).cases
    assert cohort(cases, [label(patient="ab7")]).members == ()
    assert len(cohort(cases, [label(patient="00ab7")], ignore_id_case=True, ignore_leading_zeros=True).members) == 1
