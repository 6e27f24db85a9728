"""What each kind of FHIR resource gives: when it was known, whose it is, and which study it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.reasons import Reason, Remark
from pipelines.sources.fhir import read_fhir
from pipelines.sources.fhir_times import known_at
from pipelines.sources.values import instant

SUBJECT = {"reference": "Patient/p1"}
UID = [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}]
ACCESSION = {"type": {"coding": [{"code": "ACSN"}]}, "value": "A77"}


def resource(kind: str, **changes: Any) -> dict[str, Any]:
    base: dict[str, dict[str, Any]] = {
        "DiagnosticReport": {"status": "final", "code": {"text": "CT"}, "conclusion": "Clear."},
        "Condition": {"code": {"text": "Asthma"}, "recordedDate": "2024-03-05T10:00:00Z"},
        "ServiceRequest": {"status": "active", "intent": "order", "authoredOn": "2024-03-04T10:00:00Z"},
        "ImagingStudy": {"id": "s1", "status": "available", "identifier": UID},
        "Encounter": {"id": "e1", "status": "finished", "class": {"code": "IMP"}},
    }
    return {"resourceType": kind, "id": f"{kind}-1", "subject": SUBJECT, **base[kind], **changes}


@pytest.fixture
def read(write_bundle, patient):
    return lambda *resources: read_fhir([write_bundle(patient(gender="unknown"), *resources)])


@pytest.fixture
def only(read):
    def only(*resources: dict[str, Any]):
        records = read(*resources)
        assert not records.refused, records.refused
        (found,) = [*records.notes, *records.observations]
        return found

    return only


@pytest.fixture
def refusal(read):
    def refusal(*resources: dict[str, Any]):
        records = read(*resources)
        assert not records.notes
        assert not records.observations
        (line,) = records.refused
        return line

    return refusal


# when


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({"date": "2024-03-05T10:00:00Z"}, datetime(2024, 3, 5, 10, tzinfo=UTC)),
        ({"date": "2024-03-05T10:00:00+02:00"}, datetime(2024, 3, 5, 10, tzinfo=timezone(timedelta(hours=2)))),
        ({"date": "2024-03-05T10:00:00Z", "creation": "2024-03-07T09:00:00Z"}, datetime(2024, 3, 7, 9, tzinfo=UTC)),
        ({"date": "2024-03-05T10:00:00Z", "creation": "2024-03"}, datetime(2024, 3, 31, 23, 59, 59, 999999)),
        (
            {"date": "2024-03-05T10:00:00Z", "period": {"start": "2024-03-01", "end": "2024-03-09T08:00:00Z"}},
            datetime(2024, 3, 9, 8, tzinfo=UTC),
        ),
        ({"period": {"start": "2024-03-01T08:00:00Z"}}, None),
        (
            {"date": "2024-03-05T10:00:00Z", "docStatus": "amended", "meta": {"lastUpdated": "2024-04-01T10:00:00Z"}},
            datetime(2024, 4, 1, 10, tzinfo=UTC),
        ),
        (
            {"date": "2024-03-05T10:00:00Z", "docStatus": "final", "meta": {"lastUpdated": "2024-04-01T10:00:00Z"}},
            datetime(2024, 3, 5, 10, tzinfo=UTC),
        ),
    ],
)
def test_a_document_is_known_at_the_latest_of_its_moments(only, document, changes, known) -> None:
    made = document()
    del made["date"]
    if "creation" in changes:
        made["content"][0]["attachment"]["creation"] = changes.pop("creation")
    if "period" in changes:
        made["context"] = {"period": changes.pop("period")}
    assert only({**made, **changes}).written == known


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({"effectiveDateTime": "2024-03-05T10:00:00Z", "issued": "2024-03-06T10:00:00Z"}, 6),
        ({"effectiveDateTime": "2024-03-07T10:00:00Z", "issued": "2024-03-06T10:00:00Z"}, 7),
        ({"effectivePeriod": {"start": "2024-03-01T10:00:00Z", "end": "2024-03-08T10:00:00Z"}}, 8),
    ],
)
def test_a_report_and_a_value_are_known_when_the_last_of_it_is(only, observation, changes, known: int) -> None:
    moment = datetime(2024, 3, known, 10, tzinfo=UTC)
    assert only(resource("DiagnosticReport", **changes)).written == moment
    value = observation()
    del value["effectiveDateTime"]
    assert only({**value, **changes}).taken == moment


def test_an_open_period_does_not_date_a_value(only, observation) -> None:
    value = observation(effectivePeriod={"start": "2024-03-01T10:00:00Z"})
    del value["effectiveDateTime"]
    assert only(value).taken is None


ZONES = st.sampled_from([None, *(timezone(timedelta(hours=hours)) for hours in (-11, -5, 0, 1, 9, 14))])


@given(st.lists(st.datetimes(datetime(1971, 1, 2), datetime(2200, 1, 1), timezones=ZONES), min_size=1))
def test_the_latest_moment_is_never_before_any_of_them(moments: list[datetime]) -> None:
    stated = [moment.isoformat() for moment in moments]
    latest = known_at(*stated)
    assert latest is not None
    assert all(instant(latest) >= instant(known_at(text)) for text in stated)


# problems


def test_a_problem_is_dated_when_it_was_recorded_not_when_it_began(only) -> None:
    note = only(resource("Condition", onsetDateTime="2020-01-01"))
    assert (note.kind, note.text, note.written) == ("problem", "Asthma.", datetime(2024, 3, 5, 10, tzinfo=UTC))


@pytest.mark.parametrize("changes", [{"onsetDateTime": "2020-01-01"}, {"abatementDateTime": "2020-01-01"}])
def test_a_problem_that_was_never_recorded_is_undated(only, changes) -> None:
    made = resource("Condition", **changes)
    del made["recordedDate"]
    assert only(made).written is None


def test_a_problem_that_has_ended_was_known_when_that_was_written(only) -> None:
    note = only(resource("Condition", abatementDateTime="2024-06-01T00:00:01Z"))
    assert note.written == datetime(2024, 6, 1, 0, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "known"),
    [({"end": "2024-03-20T12:00:00Z"}, datetime(2024, 3, 20, 12, tzinfo=UTC)), ({"start": "2024-03-01"}, None)],
)
def test_a_diagnosis_of_an_encounter_is_known_at_its_end(only, period, known) -> None:
    category = [{"coding": [{"code": "encounter-diagnosis"}]}]
    made = resource("Condition", category=category, encounter={"reference": "Encounter/e1"})
    assert only(made, resource("Encounter", period=period)).written == known


def test_a_diagnosis_of_an_unknown_encounter_is_undated(only) -> None:
    category = [{"coding": [{"code": "encounter-diagnosis"}]}]
    assert only(resource("Condition", category=category)).written is None


@pytest.mark.parametrize("status", ["entered-in-error", "refuted"])
def test_a_problem_in_error_or_refuted_is_withdrawn(refusal, status: str) -> None:
    verification = {"coding": [{"code": status}]}
    assert refusal(resource("Condition", verificationStatus=verification)).reason is Reason.WITHDRAWN


def test_a_provisional_problem_is_a_possible_one(only) -> None:
    assert (
        only(resource("Condition", verificationStatus={"coding": [{"code": "provisional"}]})).text == "Possible Asthma."
    )


def test_a_problem_of_codes_alone_is_refused(refusal) -> None:
    made = resource("Condition", code={"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "J45"}]})
    assert refusal(made).reason is Reason.NOT_A_RECORD


# orders


def test_an_order_gives_its_reasons_as_of_when_it_was_written(only) -> None:
    made = resource(
        "ServiceRequest",
        code={"text": "CT chest for embolism"},
        reasonCode=[{"text": "Dyspnoea"}, {"coding": [{"display": "Fever"}]}],
        note=[{"text": "Fell from a ladder", "time": "2024-03-04T11:00:00Z"}],
        occurrenceDateTime="2024-05-01",
    )
    note = only(made)
    assert (note.kind, note.text) == ("order", "Dyspnoea\nFever\nFell from a ladder")
    assert note.written == datetime(2024, 3, 4, 11, tzinfo=UTC)


def test_an_order_without_reasons_is_passed_over(read) -> None:
    records = read(resource("ServiceRequest"))
    assert (records.notes, records.refused) == ((), ())


def test_a_revoked_order_is_withdrawn(refusal) -> None:
    made = resource("ServiceRequest", status="revoked", reasonCode=[{"text": "Dyspnoea"}])
    assert refusal(made).reason is Reason.WITHDRAWN


@pytest.mark.parametrize("way", ["based on", "accession"])
def test_an_order_is_about_the_study_that_was_made_of_it(only, way: str) -> None:
    order = resource("ServiceRequest", reasonCode=[{"text": "Dyspnoea"}])
    study = resource("ImagingStudy")
    if way == "accession":
        order["identifier"], study["identifier"] = [ACCESSION], [*UID, ACCESSION]
    else:
        study["basedOn"] = [{"reference": "ServiceRequest/ServiceRequest-1"}]
    assert only(order, study).study_uid == "1.2.3"


# reports and their studies


@pytest.mark.parametrize(
    "way", ["reference", "versioned", "identifier", "order", "own accession", "contained", "logical accession"]
)
def test_a_report_finds_its_study(only, way: str) -> None:
    report, study = resource("DiagnosticReport"), resource("ImagingStudy")
    others = [study]
    if way in ("reference", "versioned"):
        report["imagingStudy"] = [{"reference": "ImagingStudy/s1" + "/_history/2" * (way == "versioned")}]
    elif way == "identifier":
        report["imagingStudy"], others = [{"identifier": UID[0]}], []
    elif way == "contained":
        report["contained"], others = [{**study, "id": "c1"}], []
        report["imagingStudy"] = [{"reference": "#c1"}]
    elif way == "order":
        report["basedOn"] = [{"reference": "ServiceRequest/r9"}]
        study["basedOn"] = report["basedOn"]
    else:
        study["identifier"] = [*UID, ACCESSION]
        name = "identifier" if way == "own accession" else "imagingStudy"
        report[name] = [ACCESSION] if way == "own accession" else [{"identifier": ACCESSION}]
    assert only(report, *others).study_uid == "1.2.3"


def test_an_order_that_is_not_here_leads_to_no_study(only) -> None:
    logical = [{"identifier": {"system": "urn:orders", "value": "R9"}}]
    assert only(resource("DiagnosticReport", basedOn=logical), resource("ImagingStudy")).study_uid == ""


def test_a_contained_study_of_an_accession_number_is_not_that_of_other_reports(read) -> None:
    study = resource("ImagingStudy", identifier=[*UID, ACCESSION])
    inner = {**study, "id": "c1", "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:9.9"}, ACCESSION]}
    first = resource("DiagnosticReport", contained=[inner], imagingStudy=[{"reference": "#c1"}])
    second = resource("DiagnosticReport", id="r2", identifier=[ACCESSION])
    assert [note.study_uid for note in read(study, first, second).notes] == ["9.9", "1.2.3"]


def test_an_accession_number_without_its_study_is_kept(only) -> None:
    note = only(resource("DiagnosticReport", identifier=[ACCESSION]))
    assert (note.study_uid, note.accession) == ("", "A77")


def test_a_conclusion_is_told_beside_the_form_unless_it_stands_there(only) -> None:
    form = {"contentType": "text/plain", "data": "TG9uZyB0ZXh0Lg=="}
    assert only(resource("DiagnosticReport", presentedForm=[form])).text == "Long text.\n\nCONCLUSION: Clear."
    assert only(resource("DiagnosticReport", presentedForm=[form], conclusion="Long  text.")).text == "Long text."


def test_a_report_whose_form_is_a_pdf_has_its_conclusion(only) -> None:
    form = {"contentType": "application/pdf", "data": "JVBERi0="}
    assert only(resource("DiagnosticReport", presentedForm=[form])).text == "Clear."


def test_a_document_of_an_imaging_category_is_a_report(only, document) -> None:
    assert only(document(category=[{"text": "Diagnostic Imaging"}])).kind == "report"


@pytest.mark.parametrize(
    ("code", "kind"), [("11490-0", "discharge summary"), ("34111-5", "emergency department note"), ("1-8", "note")]
)
def test_a_document_with_a_code_alone_has_its_kind(only, document, code: str, kind: str) -> None:
    made = document(type={"coding": [{"system": "http://loinc.org", "code": code}]})
    assert only(made).kind == kind


# whose


@pytest.mark.parametrize("kind", ["Encounter", "ImagingStudy"])
def test_what_leads_to_another_patient_is_a_conflict(refusal, patient, document, kind: str) -> None:
    other = patient(id="p2", identifier=[{"value": "other"}], gender="unknown")
    there = resource(kind, subject={"reference": "Patient/p2"})
    name = "encounter" if kind == "Encounter" else "related"
    made = document(context={name: [{"reference": f"{kind}/{there['id']}"}]})
    assert refusal(other, there, made).reason is Reason.IDENTITY_CONFLICT


@pytest.mark.parametrize("kind", ["Encounter", "ImagingStudy"])
def test_what_belongs_to_something_entered_in_error_is_withdrawn(refusal, document, kind: str) -> None:
    there = resource(kind, status="entered-in-error")
    name = "encounter" if kind == "Encounter" else "related"
    made = document(context={name: [{"reference": f"{kind}/{there['id']}"}]})
    assert refusal(there, made).reason is Reason.WITHDRAWN


def test_a_contained_patient_is_the_subject(write_bundle, patient, document) -> None:
    inner = patient(id="me", identifier=[{"value": "77"}])
    made = document(contained=[inner], subject={"reference": "#me"})
    (note,) = read_fhir([write_bundle(made)]).notes
    assert note.patient.patient_id == "77"


def test_a_contained_name_does_not_reach_another_resource(write_bundle, patient, document) -> None:
    first = document(contained=[patient(id="me")], subject={"reference": "#me"})
    records = read_fhir([write_bundle(first, document(id="d2", subject={"reference": "#me"}))])
    assert len(records.notes) == 1
    assert [line.reason for line in records.refused] == [Reason.MISSING_PATIENT]


def test_a_subject_may_be_named_by_its_identifier(only, document) -> None:
    assert only(document(subject={"identifier": {"system": "urn:mrn", "value": "00123"}})).patient.patient_id == "00123"


def test_a_subject_by_an_identifier_of_another_system_is_nobody(refusal, document) -> None:
    made = document(subject={"identifier": {"system": "urn:other", "value": "00123"}})
    assert refusal(made).reason is Reason.MISSING_PATIENT


def test_an_encounter_is_no_input_and_names_itself_on_the_note(only, document) -> None:
    made = document(context={"encounter": [{"reference": "Encounter/e1/_history/4"}]})
    assert only(resource("Encounter"), made).encounter_id == "Encounter/e1"


def test_a_modifier_that_may_turn_the_meaning_around_refuses(refusal, document) -> None:
    made = document(modifierExtension=[{"url": "urn:not", "valueBoolean": True}])
    assert refusal(made).reason is Reason.NOT_A_RECORD


# values


def test_blood_pressure_gives_two_values(read, observation) -> None:
    def part(loinc: str, value: float) -> dict[str, Any]:
        quantity = {"value": value, "system": "http://unitsofmeasure.org", "code": "mm[Hg]", "unit": "mmHg"}
        return {"code": {"coding": [{"system": "http://loinc.org", "code": loinc}]}, "valueQuantity": quantity}

    made = observation("85354-9", component=[part("8480-6", 120), part("8462-4", 80)])
    del made["valueQuantity"]
    assert [(item.code, item.value) for item in read(made).observations] == [("systolic", 120.0), ("diastolic", 80.0)]


@pytest.mark.parametrize(
    "changes",
    [
        {"dataAbsentReason": {"coding": [{"code": "not-performed"}]}},
        {"hasMember": [{"reference": "Observation/o2"}]},
    ],
)
def test_what_is_absent_or_a_panel_is_no_value_and_no_fault(read, observation, changes) -> None:
    made = observation(**changes)
    del made["valueQuantity"]
    records = read(made)
    assert (records.observations, records.refused) == ((), ())


def test_an_absent_component_leaves_the_other(only, observation) -> None:
    parts = [
        {"code": {"text": "sys"}, "valueQuantity": {"value": 120}},
        {"code": {"text": "dia"}, "dataAbsentReason": {"text": "cuff too small"}},
    ]
    made = observation(component=parts)
    del made["valueQuantity"]
    assert only(made).code == "sys"


def test_an_interpretation_is_a_value_where_there_is_no_other(only, observation) -> None:
    positive = [{"coding": [{"code": "POS"}]}]
    assert only(observation("99999-9", interpretation=positive)).value == 70.5
    made = observation("99999-9", interpretation=positive)
    del made["valueQuantity"]
    assert only(made).value == "positive"


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_value_that_was_taken_back_is_withdrawn(refusal, observation, status: str) -> None:
    assert refusal(observation(status=status)).reason is Reason.WITHDRAWN


@pytest.mark.parametrize(
    "changes",
    [{"category": [{"coding": [{"code": "imaging"}]}]}, {"derivedFrom": [{"reference": "ImagingStudy/s1"}]}],
)
def test_a_finding_of_a_study_is_never_a_value(refusal, observation, changes) -> None:
    assert refusal(observation("99999-9", **changes)).reason is Reason.OWN_REPORT


def test_the_text_beside_a_local_code_is_never_taken_for_its_meaning(read, observation) -> None:
    quantity = {"value": 5.5, "unit": "mmol/L"}
    beside = {"coding": [{"system": "urn:lab", "code": "U-GLU", "display": "Glucose"}]}
    for code in (beside, {**beside, "text": "Glucose"}):
        records = read(observation(code=code, valueQuantity=quantity))
        assert [(item.code, item.unit) for item in records.observations] == [("Glucose^local", "mmol/L")]
        assert [line.remark for line in records.noticed] == [Remark.CODE_UNKNOWN]
    assert read(observation(code={"text": "Glucose"}, valueQuantity=quantity)).observations[0].code == "glucose"


def test_codes_that_contradict_each_other_are_refused(refusal, observation) -> None:
    codings = [{"system": "http://loinc.org", "code": code} for code in ("8867-4", "8310-5")]
    assert refusal(observation(code={"coding": codings})).reason is Reason.UNREADABLE_ROW


# other versions


def test_a_bundle_of_another_version_is_one_clear_line(write_bundle, patient, document) -> None:
    documents = [document(id=f"d{number}", context=[{"reference": "Encounter/1"}]) for number in range(5)]
    (line,) = read_fhir([write_bundle(patient(), *documents)]).refused
    assert line.where.endswith("bundle.json")
    assert line.detail.startswith("5 resources are of FHIR R5; the first: no valid R4 DocumentReference: context")
    assert "fhirVersion 4.0" in line.detail


@pytest.mark.parametrize(
    ("version", "kind", "changes"),
    [
        ("STU3", "Condition", {"clinicalStatus": "active", "assertedDate": "2024-03-05"}),
        ("DSTU2", "Condition", {"patient": SUBJECT, "dateRecorded": "2024-03-05"}),
        ("R5", "DiagnosticReport", {"study": [{"reference": "ImagingStudy/s1"}]}),
        ("R5", "Encounter", {"class": [{"text": "x"}], "actualPeriod": {"start": "2024-03-05"}}),
    ],
)
def test_another_version_is_known_by_its_fields(read, version: str, kind: str, changes) -> None:
    (line,) = read(resource(kind, **changes)).refused
    assert f"it is FHIR {version}, and scanote reads R4" in line.detail


# taken back


def test_what_is_withdrawn_by_now_names_what_it_gave_before(read, document, observation) -> None:
    before = read(document(), observation())
    after = read(document(status="entered-in-error"), observation(status="entered-in-error"))
    note, value = after.taken_back
    assert note.note_id == before.notes[0].note_id
    taken = before.observations[0].taken
    assert taken is not None
    assert (value.code, value.taken) == ("weight", taken.isoformat())
    assert not before.taken_back


def test_a_record_of_an_encounter_in_error_is_taken_back(read, document) -> None:
    made = document(context={"encounter": [{"reference": "Encounter/e1"}]})
    after = read(resource("Encounter", status="entered-in-error"), made)
    assert [item.note_id for item in after.taken_back] == [read(document()).notes[0].note_id]
