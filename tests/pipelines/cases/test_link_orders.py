"""Accession numbers: which study a record belongs to, and what contradicts it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from data_schemas.reasons import Reason

NOON = datetime(2024, 3, 5, 12, 0)


def listed(result) -> list[tuple[str, Reason]]:
    return sorted((line.kind, line.reason) for line in result.unlinked)


def test_a_value_without_a_patient_belongs_to_the_study_of_its_accession_number(joined, scan, value) -> None:
    scans = [scan("7", study="1", accession="A1"), scan("8", study="2", accession="A2")]
    result = joined(scans, [], [value("crp", 1.0, patient_id="", accession=" A1\0")])
    assert {case.scan.study_uid: len(case.observations) for case in result.cases} == {"1": 1, "2": 0}


def test_a_value_of_an_order_of_two_studies_belongs_to_their_patient(joined, scan, value) -> None:
    scans = [scan("7", study="1", accession="A1"), scan("7", study="2", accession="A1")]
    result = joined(scans, [], [value("crp", 1.0, patient_id="", accession="A1")])
    assert [len(case.observations) for case in result.cases] == [1, 1]


def test_a_note_needs_its_patient_all_the_same(joined, scan, note) -> None:
    result = joined([scan(accession="A1")], [note("", accession="A1")], [])
    assert ("note", Reason.MISSING_PATIENT) in listed(result)


def test_an_accession_number_of_another_patients_study_quarantines_it(joined, scan, note) -> None:
    scans = [scan("7", study="1", accession="A1"), scan("8", study="2", accession="A2")]
    wrong = note("8", accession="A1")
    result = joined(scans, [wrong, note("7"), note("8", text="Fever.")], [])
    assert [case.scan.study_uid for case in result.cases] == ["2"]
    assert wrong not in result.cases[0].notes
    assert listed(result) == [("case", Reason.IDENTITY_CONFLICT)] + [("note", Reason.IDENTITY_CONFLICT)] * 2


def test_a_study_uid_and_an_accession_number_of_two_patients_quarantine_both(joined, scan, value) -> None:
    scans = [scan("7", study="1", accession="A1"), scan("8", study="2", accession="A2")]
    result = joined(scans, [], [value("crp", 1.0, patient_id="", study_uid="1", accession="A2")])
    assert result.cases == ()


@pytest.mark.parametrize("number", ["0", "NONE", "000", "unknown"])
def test_a_stand_in_for_an_accession_number_says_nothing(joined, scan, note, value, number: str) -> None:
    scans = [scan("7", study="1", accession=number), scan("8", study="2", accession="A2")]
    result = joined(scans, [note("8", accession=number)], [value("crp", 1.0, patient_id="", accession=number)])
    assert [len(case.notes) for case in result.cases if case.scan.study_uid == "2"] == [1]
    assert listed(result) == [("case", Reason.NO_RECORD), ("observation", Reason.MISSING_PATIENT)]


def test_an_accession_number_of_two_patients_tells_nothing(joined, scan, note, value) -> None:
    scans = [scan("7", study="1", accession="A1"), scan("8", study="2", accession="A1")]
    result = joined(scans, [note("7", accession="A1")], [value("crp", 1.0, patient_id="", accession="A1")])
    assert sum(len(case.notes) for case in result.cases) == 1
    assert sum(len(case.observations) for case in result.cases) == 0


def test_an_accession_number_that_no_scan_bears_leaves_the_patient_to_decide(joined, scan, note, value) -> None:
    values = [value("crp", 1.0, patient_id="", accession="A9")]
    result = joined([scan(accession="A1")], [note(accession="A9")], values)
    assert len(result.cases[0].notes) == 1
    assert listed(result) == [("observation", Reason.NO_SCAN)]


def test_a_report_of_another_order_on_the_day_of_the_study_is_an_input(joined, scan, note) -> None:
    report = note(kind="report", written=NOON - timedelta(hours=2), accession="A9")
    assert len(joined([scan(accession="A1")], [report], []).cases[0].notes) == 1
    assert joined([scan()], [report], []).cases[0].notes == ()


def test_undated_text_of_another_order_is_never_used(joined, scan, note) -> None:
    result = joined([scan(accession="A1")], [note(written=None, accession="A9")], [], allow_undated_text=True)
    assert listed(result) == [("note", Reason.UNDATED)]


@pytest.mark.parametrize(
    ("scanned", "recorded", "detail"),
    [
        ({"sex": "F"}, {"sex": "M"}, "sexes differ"),
        ({"birth_date": date(1950, 1, 1)}, {"birth_date": date(1950, 1, 2)}, "birth dates differ"),
        ({"age_years": 40.0}, {"age_years": 50.0}, "ages differ"),
        ({"sex": "F"}, {"text": "67-year-old man."}, "the text of a note tells of another sex"),
        ({"age_years": 40.0}, {"text": "67-year-old with cough."}, "the text of a note tells of another age"),
    ],
)
def test_a_quarantined_case_says_in_what_it_contradicts_itself(joined, scan, note, scanned, recorded, detail) -> None:
    (line,) = (line for line in joined([scan(**scanned)], [note(**recorded)], []).unlinked if line.kind == "case")
    assert line.detail == detail
