"""The records on disk: read without a refusal, joined to their scans, and cut off in time under any time zone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from data_schemas.case import Case
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Scan
from pipelines.cases.link import LinkResult, link
from pipelines.sources.outcome import Records
from pipelines.synthetic.patients import Patient


@pytest.fixture(params=["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
def linked(
    request: pytest.FixtureRequest, scans: list[Scan], records: Records, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LinkResult]:
    """Scans and records joined on a machine of that time zone."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield link(scans, records.notes, records.observations, workspace_key=bytes(32))
    time.tzset()


def by_patient(linked: LinkResult) -> dict[str, Case]:
    return {case.scan.patient.patient_id: case for case in linked.cases if case.scan}


def test_every_record_is_read(records: Records, patients: dict[str, Patient]) -> None:
    assert records.refused == ()
    written = [text for patient in patients.values() for text in (patient.note, patient.future_note) if text]
    assert sorted(note.text for note in records.notes) == sorted(written)


def test_no_note_counts_as_a_report(records: Records) -> None:
    assert {note.kind for note in records.notes} == {"progress note", "consult note"}


def test_every_patient_is_one_case_with_exactly_the_note_of_before_the_scan(
    linked: LinkResult, patients: dict[str, Patient]
) -> None:
    found = {patient_id: [note.text for note in case.notes] for patient_id, case in by_patient(linked).items()}
    expected = {patient_id: [patient.note] if patient.note else [] for patient_id, patient in patients.items()}
    assert found == expected


def test_every_future_note_is_listed_as_after_the_cut_off_and_nothing_else_is_left(
    linked: LinkResult, patients: dict[str, Patient]
) -> None:
    future = sum(patient.future_note is not None for patient in patients.values())
    assert Counter((line.kind, line.reason) for line in linked.unlinked) == {("note", Reason.AFTER_CUT_OFF): future}


def test_age_sex_and_weight_come_with_every_case(linked: LinkResult, patients: dict[str, Patient]) -> None:
    for patient_id, case in by_patient(linked).items():
        patient = patients[patient_id]
        values = {item.code: item.value for item in case.observations}
        assert values == {"age": patient.age_years, "sex": patient.sex, "weight": patient.weight_kg}


def test_the_only_remark_is_that_of_a_missing_note(linked: LinkResult, patients: dict[str, Patient]) -> None:
    for patient_id, case in by_patient(linked).items():
        assert case.remarks == (() if patients[patient_id].note else (Remark.NO_NOTE,))


def test_a_note_of_two_hours_before_the_scan_is_dated_by_the_same_clock(
    scans: list[Scan], records: Records, patients: dict[str, Patient]
) -> None:
    acquired = {scan.patient.patient_id: scan.acquired for scan in scans}
    for note in records.notes:
        patient = patients[note.patient.patient_id]
        moment = acquired[patient.patient_id]
        assert note.written is not None
        assert moment is not None
        if note.text == patient.note:
            assert moment - note.written == patient.scanned - patient.noted
