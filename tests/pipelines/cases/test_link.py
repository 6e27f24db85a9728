from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.cohort import IdMapping
from data_schemas.reasons import Reason, Remark
from pipelines.workspace.identity import patient_key, study_key

NOON = datetime(2024, 3, 5, 12, 0)
BEFORE = datetime(2024, 3, 1, 9, 0)


def pair(scan: str, record: str) -> IdMapping:
    return IdMapping(scan_patient_id=scan, record_patient_id=record)


def listed(result) -> list[tuple[str, Reason]]:
    return sorted((line.kind, line.reason) for line in result.unlinked)


def test_a_case_holds_the_scan_and_the_records_of_its_patient(joined, scan, note, value, key) -> None:
    result = joined([scan()], [note()], [value("crp", 12.0)])
    (case,) = result.cases
    assert (case.scan, case.notes, case.observations) == (scan(), (note(),), (value("crp", 12.0),))
    assert (case.study_key, case.patient_key) == (study_key(key, "1.2.3"), patient_key(key, "7"))
    assert (case.cut_off, case.remarks, result.unlinked) == (NOON, (), ())


# Identity


def test_padding_and_encoding_do_not_matter_for_identity(joined, scan, note) -> None:
    (case,) = joined([scan("7é\0 ")], [note(" 7e\u0301")], []).cases
    assert len(case.notes) == 1


@pytest.mark.parametrize(("record", "rule"), [("ab7", "ignore_id_case"), ("00AB7", "ignore_leading_zeros")])
def test_case_and_leading_zeros_matter_unless_the_settings_say_otherwise(joined, scan, note, record, rule) -> None:
    strict, lax = joined([scan("AB7")], [note(record)], []), joined([scan("AB7")], [note(record)], [], **{rule: True})
    assert listed(strict) == [("case", Reason.NO_RECORD), ("note", Reason.NO_SCAN)]
    assert (len(lax.cases[0].notes), lax.unlinked) == (1, ())


def test_an_empty_id_never_matches_anything(joined, scan, note, value) -> None:
    result = joined([scan("")], [note(" ")], [value("crp", 1.0, patient_id="")], [pair("", " ")])
    assert result.cases[0].notes == result.cases[0].observations == ()
    assert listed(result) == [
        ("case", Reason.NO_RECORD),
        ("note", Reason.MISSING_PATIENT),
        ("observation", Reason.MISSING_PATIENT),
    ]


def test_two_scans_without_an_id_are_two_patients(joined, scan) -> None:
    first, second = joined([scan("", study="1"), scan("", study="2")], [], []).cases
    assert first.patient_key != second.patient_key


def test_the_id_map_joins_and_says_so(joined, scan, note) -> None:
    result = joined([scan("98C1066")], [note("cap001")], [], [pair("98C1066", " cap001")])
    assert len(result.cases[0].notes) == 1
    assert Remark.ID_MAPPED in result.cases[0].remarks
    assert result.unlinked == ()


def test_a_mapped_scan_is_not_also_joined_to_the_equal_id(joined, scan, note) -> None:
    result = joined([scan("7")], [note("7", text="another person"), note("r7")], [], [pair("7", "r7")])
    assert [kept.patient.patient_id for kept in result.cases[0].notes] == ["r7"]
    assert listed(result) == [("note", Reason.NO_SCAN)]


def test_studies_of_one_stand_in_id_that_nothing_proves_to_be_one_persons_are_no_cases(joined, scan, key) -> None:
    """They may have come in different ingests, each of them alone beyond doubt."""
    result = joined(
        [scan("W/I", study="1.1", name="A"), scan("W/I", study="1.2", name="B"), scan("8", study="1.3")], [], []
    )
    assert [case.study_key for case in result.cases] == [study_key(key, "1.3")]
    assert [line.reason for line in result.unlinked].count(Reason.PLACEHOLDER_IDENTITY) == 2


def test_a_series_in_the_studies_of_two_people_makes_a_case_of_neither(joined, scan) -> None:
    """One of the two was ingested under another patient, in another run."""
    one, other = scan("7", study="1.1", series_uid="5.5"), scan("8", study="1.2", series_uid="5.5")
    result = joined([one, other], [], [])
    assert not result.cases
    assert [line.reason for line in result.unlinked] == [Reason.IDENTITY_CONFLICT] * 2


def test_studies_of_one_stand_in_id_and_one_name_stay_cases(joined, scan) -> None:
    result = joined([scan("W/I", study="1.1", name="A"), scan("W/I", study="1.2", name="A")], [], [])
    assert len(result.cases) == 2


def test_an_id_map_row_twice_is_one_row(joined, scan, note) -> None:
    assert len(joined([scan("7")], [note("r7")], [], [pair("7", "r7"), pair("7 ", "r7")]).cases[0].notes) == 1


@pytest.mark.parametrize(
    "rows",
    [
        [("7", "r1"), ("7", "r2")],  # one scan id, two records
        [("7", "r1"), ("8", "r1")],  # two scan ids, one record
        [("7", "r1"), ("absent", "r1")],  # the same, the other scan not here
        [("7", "8")],  # through the map and by equality
    ],
)
def test_several_candidates_quarantine_the_case_and_are_not_guessed(joined, scan, note, key, rows) -> None:
    scans = [scan("7", study="1"), scan("8", study="2"), scan("9", study="3")]
    result = joined(scans, [note("r1"), note("8"), note("9")], [], [pair(*row) for row in rows])
    quarantined = {line.subject: line.reason for line in result.unlinked if line.kind == "case"}
    assert quarantined[study_key(key, "1")] is Reason.AMBIGUOUS_IDENTITY
    assert len([case for case in result.cases if case.notes and case.scan.patient.patient_id == "9"]) == 1
    assert not any(kept.patient.patient_id == "r1" for case in result.cases for kept in case.notes)


def test_two_issuers_of_one_id_are_ambiguous(joined, scan, note) -> None:
    scans = [scan(issuer="A", study="1"), scan(issuer="B", study="2")]
    assert listed(joined(scans, [note()], [])) == [("case", Reason.AMBIGUOUS_IDENTITY)] * 2 + [
        ("note", Reason.AMBIGUOUS_IDENTITY)
    ]


@pytest.mark.parametrize(
    ("scanned", "recorded"),
    [
        ({"sex": "F"}, {"sex": "M"}),
        ({"birth_date": date(1950, 1, 1)}, {"birth_date": date(1950, 1, 2)}),
        ({"age_years": 40.0}, {"birth_date": date(1950, 1, 1)}),
        ({"age_years": 40.0}, {"age_years": 50.0}),
    ],
)
def test_a_contradiction_quarantines_the_case(joined, scan, note, scanned, recorded) -> None:
    result = joined([scan(**scanned)], [note(**recorded)], [])
    assert result.cases == ()
    assert listed(result) == [("case", Reason.IDENTITY_CONFLICT), ("note", Reason.IDENTITY_CONFLICT)]


@pytest.mark.parametrize(
    ("scanned", "recorded"),
    [
        ({"sex": "F"}, {"sex": ""}),
        ({"sex": "F"}, {"sex": "F"}),
        ({"age_years": 74.0}, {"birth_date": date(1950, 1, 1)}),
        ({"age_years": 74.0}, {"age_years": 73.0}),
    ],
)
def test_what_agrees_or_is_unknown_is_no_contradiction(joined, scan, note, scanned, recorded) -> None:
    assert len(joined([scan(**scanned)], [note(**recorded)], []).cases) == 1


def test_a_sex_value_that_contradicts_the_scan_quarantines_it(joined, scan, value) -> None:
    assert joined([scan(sex="F")], [], [value("sex", "M", taken=None)]).cases == ()


def test_records_that_contradict_each_other_quarantine_the_case(joined, scan, note) -> None:
    assert joined([scan()], [note(sex="F"), note(sex="M")], []).cases == ()


@pytest.mark.parametrize(("study", "joins"), [("", False), ("1.2.3", False), ("9", True)])
def test_an_undated_age_is_compared_unless_it_names_another_study(joined, scan, value, study: str, joins: bool) -> None:
    result = joined([scan(age_years=74.0)], [], [value("age", 50.0, taken=None, study_uid=study)])
    assert bool(result.cases) is joins


def test_a_blank_issuer_is_no_second_issuer(joined, scan, note) -> None:
    assert len(joined([scan(issuer="A", study="1"), scan(study="2")], [note()], []).cases) == 2


def test_a_mapped_scan_without_records_was_not_joined_through_the_map(joined, scan) -> None:
    assert Remark.ID_MAPPED not in joined([scan()], [], [], [pair("7", "r7")]).cases[0].remarks


@pytest.mark.parametrize(("age", "joins"), [(64.0, True), (62.6, True), (62.4, False), (66.0, False)])
def test_an_age_value_is_carried_forward_to_the_scan(joined, scan, value, age: float, joins: bool) -> None:
    ten_years_before = datetime(2014, 3, 5, 12)
    result = joined([scan(age_years=74.0)], [], [value("age", age, taken=ten_years_before)])
    assert bool(result.cases) is joins


def test_the_age_tolerance_is_a_setting(joined, scan, value) -> None:
    arguments = [scan(age_years=70.0)], [], [value("age", 73.0)]
    assert joined(*arguments).cases == ()
    assert len(joined(*arguments, age_tolerance_years=4.0).cases) == 1


def test_a_record_of_the_study_that_names_another_patient_quarantines_the_case(joined, scan, note) -> None:
    wrong = note("8", study_uid="1.2.3")
    result = joined([scan("7"), scan("8", study="9")], [wrong, note("8")], [])
    assert [case.scan.patient.patient_id for case in result.cases] == ["8"]
    assert wrong not in result.cases[0].notes
    assert listed(result) == [("case", Reason.IDENTITY_CONFLICT), ("note", Reason.IDENTITY_CONFLICT)]


def test_scans_of_two_patients_in_one_study_quarantine_it(joined, scan, note) -> None:
    result = joined([scan("7"), scan("8"), scan("8", study="9")], [note("7"), note("8")], [])
    assert [case.scan.study_uid for case in result.cases] == ["9"]
    assert listed(result) == [("case", Reason.IDENTITY_CONFLICT), ("note", Reason.IDENTITY_CONFLICT)]


# Time


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (NOON, None),
        (NOON - timedelta(minutes=1), None),
        (NOON + timedelta(microseconds=1), Reason.AFTER_CUT_OFF),
        (datetime(2024, 3, 5, 23, 59, 59, 999999), Reason.AFTER_CUT_OFF),  # a date without a time, of the same day
        (datetime(2024, 3, 4, 23, 59, 59, 999999), None),
        (None, Reason.UNDATED),
    ],
)
def test_only_what_is_dated_at_or_before_the_cut_off_is_an_input(joined, scan, note, value, written, reason) -> None:
    result = joined([scan()], [note(written=written)], [value("crp", 1.0, taken=written)])
    (case,) = result.cases
    assert (len(case.notes), len(case.observations)) == ((1, 1) if reason is None else (0, 0))
    assert listed(result) == ([] if reason is None else [("note", reason), ("observation", reason)])
    missing = () if reason is None else (Remark.NO_NOTE, Remark.NO_OBSERVATION)
    assert case.remarks == missing


@pytest.mark.parametrize("minutes", [-1, 0, 1])
def test_moments_with_and_without_a_zone_are_compared(joined, scan, note, minutes: int) -> None:
    written = NOON.astimezone().astimezone(UTC) + timedelta(minutes=minutes)
    aware_note = joined([scan()], [note(written=written)], []).cases[0].notes
    aware_scan = joined([scan(acquired=written)], [note(written=NOON)], []).cases[0].notes
    assert (len(aware_note), len(aware_scan)) == (int(minutes <= 0), int(minutes >= 0))


MOMENTS = st.none() | st.datetimes(timezones=st.none() | st.timezones())


@given(acquired=MOMENTS, written=MOMENTS, kind=st.sampled_from(["note", "report"]), allow=st.booleans())
def test_no_dates_make_linking_fail(joined, scan, note, value, acquired, written, kind: str, allow: bool) -> None:
    notes, values = [note(written=written, kind=kind)], [value("age", 50.0, taken=written)]
    scans = [scan(acquired=acquired, birth_date=date(1970, 1, 1))]
    result = joined(scans, notes, values, allow_undated_text=allow, age_tolerance_years=1e6)
    used = sum(len(case.notes) for case in result.cases)
    assert used + sum(line.kind == "note" for line in result.unlinked) == 1


@pytest.mark.parametrize(
    ("changes", "written"),
    [
        ({"study_uid": "1.2.3"}, NOON + timedelta(hours=2)),
        ({"study_uid": "1.2.3 "}, BEFORE),
        ({"study_uid": "1.2.3"}, None),
        ({}, NOON - timedelta(hours=3)),
        ({}, datetime(2024, 3, 5, 23, 59, 59, 999999)),
        ({}, None),
    ],
)
@pytest.mark.parametrize("allow", [False, True])
def test_a_report_of_the_study_itself_is_never_an_input(joined, scan, note, changes, written, allow: bool) -> None:
    result = joined([scan()], [note(kind="report", written=written, **changes)], [], allow_undated_text=allow)
    assert result.cases[0].notes == ()
    assert listed(result) == [("note", Reason.OWN_REPORT)]


def test_an_earlier_report_of_another_study_is_an_input(joined, scan, note) -> None:
    reports = [note(kind="report", written=BEFORE), note(kind="report", written=NOON, study_uid="9")]
    assert len(joined([scan()], reports, []).cases[0].notes) == 2


def test_a_report_of_no_known_study_is_no_input_of_an_undated_scan(joined, scan, note) -> None:
    result = joined([scan(acquired=None)], [note(kind="report")], [], allow_undated_text=True)
    assert listed(result) == [("note", Reason.OWN_REPORT)]


def test_a_report_near_midnight_is_told_by_its_own_wall_clock_too(joined, scan, note) -> None:
    written = datetime(2024, 3, 5, 0, 30, tzinfo=timezone(timedelta(hours=14)))  # still the fourth of March elsewhere
    result = joined([scan()], [note(kind="report", written=written)], [])
    assert listed(result) == [("note", Reason.OWN_REPORT)]


def test_a_report_near_midnight_is_told_by_the_scans_other_clock_too(joined, scan, note) -> None:
    acquired = datetime(2024, 3, 5, 0, 30, tzinfo=timezone(timedelta(hours=14)))
    report = note(kind="report", written=datetime(2024, 3, 4, 10, 0, tzinfo=UTC))
    assert listed(joined([scan(acquired=acquired)], [report], [])) == [("note", Reason.OWN_REPORT)]


def test_undated_text_is_used_where_the_settings_allow_it_and_said_so(joined, scan, note, value) -> None:
    result = joined([scan()], [note(written=None)], [value("crp", 1.0, taken=None)], allow_undated_text=True)
    (case,) = result.cases
    assert (len(case.notes), len(case.observations), case.remarks) == (1, 1, (Remark.UNDATED_TEXT,))
    assert result.unlinked == ()


def test_undated_text_about_another_study_is_never_used(joined, scan, note, value) -> None:
    notes, values = [note(written=None, study_uid="9")], [value("crp", 1.0, taken=None, study_uid="9")]
    result = joined([scan()], notes, values, allow_undated_text=True)
    assert listed(result) == [("note", Reason.UNDATED), ("observation", Reason.UNDATED)]


def test_where_the_scan_has_no_time_all_text_counts_as_undated(joined, scan, note) -> None:
    strict = joined([scan(acquired=None)], [note()], [])
    lax = joined([scan(acquired=None)], [note()], [], allow_undated_text=True)
    assert (strict.cases[0].remarks, listed(strict)) == (
        (Remark.UNDATED, Remark.NO_NOTE, Remark.NO_OBSERVATION),
        [("note", Reason.UNDATED)],
    )
    assert lax.cases[0].remarks == (Remark.UNDATED, Remark.UNDATED_TEXT, Remark.NO_OBSERVATION)


def test_sex_needs_no_date(joined, scan, value) -> None:
    (case,) = joined([scan()], [], [value("sex", "F", taken=None)]).cases
    assert len(case.observations) == 1
    assert Remark.UNDATED_TEXT not in case.remarks


def test_a_note_between_two_studies_belongs_to_the_later_one(joined, scan, note) -> None:
    scans = [scan(study="1", acquired=BEFORE - timedelta(days=1)), scan(study="2", acquired=NOON)]
    result = joined(scans, [note(written=BEFORE)], [])
    assert {case.scan.study_uid: len(case.notes) for case in result.cases} == {"1": 0, "2": 1}
    assert result.unlinked == ()


# Observations


def test_the_latest_value_before_the_cut_off_is_taken(joined, scan, value) -> None:
    hours = [-30, -2, 1]
    values = [value("crp", float(hour), taken=NOON + timedelta(hours=hour)) for hour in hours]
    for order in (values, values[::-1]):
        (case,) = joined([scan()], [], order).cases
        assert [item.value for item in case.observations] == [-2.0]
        assert case.history[-1] == "linked: values 1 of 3, after-cut-off 1"


def test_a_dated_value_outranks_an_undated_one(joined, scan, value) -> None:
    values = [value("crp", 1.0), value("crp", 2.0, taken=None)]
    (case,) = joined([scan()], [], values, allow_undated_text=True).cases
    assert [item.value for item in case.observations] == [1.0]
    assert Remark.UNDATED_TEXT not in case.remarks


def test_values_of_one_moment_are_chosen_whatever_their_order(joined, scan, value) -> None:
    values = [value("crp", 1.0), value("crp", 2.0)]
    assert joined([scan()], [], values).cases == joined([scan()], [], values[::-1]).cases


def test_a_value_that_names_only_a_study_is_joined_by_it(joined, scan, value) -> None:
    values = [value("crp", 1.0, patient_id="", study_uid="1.2.3"), value("crp", 2.0, patient_id="", study_uid="9")]
    result = joined([scan("")], [], values)
    assert [item.value for item in result.cases[0].observations] == [1.0]
    assert listed(result) == [("observation", Reason.NO_SCAN)]


# Studies


def test_a_study_is_one_case_with_its_largest_scan(joined, scan) -> None:
    (case,) = joined([scan(slices=8), scan(slices=20), scan(slices=12)], [], []).cases
    assert case.scan.geometry.shape[0] == 20
    assert case.remarks[0] is Remark.SEVERAL_SCANS


def test_scans_of_one_size_are_chosen_whatever_their_order(joined, scan) -> None:
    scans = [scan(series_uid="a", modality="CT"), scan(series_uid="b", accession="x")]
    assert joined(scans, [], []).cases == joined(scans[::-1], [], []).cases


def test_a_scan_without_any_record_stays_a_case_and_is_listed_once(joined, scan, key) -> None:
    result = joined([scan()], [], [])
    assert result.cases[0].remarks == (Remark.NO_NOTE, Remark.NO_OBSERVATION)
    (line,) = result.unlinked
    assert (line.subject, line.kind, line.reason) == (study_key(key, "1.2.3"), "case", Reason.NO_RECORD)


def test_remarks_of_the_scan_are_carried_along(joined, scan) -> None:
    (case,) = joined([scan(remarks=(Remark.NONSTANDARD_UID,))], [], []).cases
    assert case.remarks[0] is Remark.NONSTANDARD_UID


def test_a_record_whose_patient_has_no_scan_is_listed_by_key_only(joined, note, value) -> None:
    result = joined([], [note("SECRET", note_id="SECRET-1")], [value("crp", 1.0, patient_id="SECRET")])
    assert listed(result) == [("note", Reason.NO_SCAN), ("observation", Reason.NO_SCAN)]
    assert "SECRET" not in repr(result)


def test_the_history_counts_what_was_kept_out_and_why(joined, scan, note) -> None:
    notes = [note(), note(written=None), note(kind="report", written=NOON), note(written=NOON + timedelta(days=1))]
    (case,) = joined([scan()], notes, []).cases
    assert case.history[1] == "linked: notes 1 of 4, after-cut-off 1, own-report 1, undated 1"


def test_the_order_of_scans_and_records_changes_nothing(joined, scan, note) -> None:
    scans = [scan(str(number), study=str(number)) for number in range(6)]
    notes = [note(str(number % 8), written=BEFORE + timedelta(hours=number)) for number in range(16)]
    assert joined(scans, notes, []) == joined(scans[::-1], notes[::-1], [])
