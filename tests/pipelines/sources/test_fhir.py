from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_schemas.reasons import Reason
from pipelines.sources.fhir import read_fhir

STUDY = {
    "resourceType": "ImagingStudy",
    "id": "s1",
    "status": "available",
    "subject": {"reference": "Patient/p1"},
    "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}],
}


def reasons(records) -> list[Reason]:
    return [line.reason for line in records.refused]


def test_a_document_becomes_a_dated_note_of_its_patient(write_bundle, patient, document) -> None:
    context = {"encounter": [{"reference": "Encounter/e9"}]}
    records = read_fhir([write_bundle(patient(), document("HISTORY: Müde.", context=context))])
    (note,) = records.notes
    assert (note.text, note.kind, note.encounter_id, note.study_uid) == (
        "HISTORY: Müde.",
        "progress note",
        "Encounter/e9",
        "",
    )
    assert note.written == datetime(2024, 3, 5, 10, 15, tzinfo=timezone(timedelta(hours=1)))
    assert not records.refused


def test_the_patients_facts_come_from_the_patient_resource(write_bundle, patient, document) -> None:
    facts = read_fhir([write_bundle(patient(), document())]).notes[0].patient
    assert (facts.patient_id, facts.issuer, facts.name) == ("00123", "urn:mrn", "Example^Ada^B")
    assert (facts.sex, facts.birth_date) == ("F", date(1950, 6, 1))


def test_a_birth_year_is_no_birth_date(write_bundle, patient, document) -> None:
    assert read_fhir([write_bundle(patient(birthDate="1950"), document())]).notes[0].patient.birth_date is None


def test_gender_is_an_undated_observation_of_sex(write_bundle, patient) -> None:
    (sex,) = read_fhir([write_bundle(patient())]).observations
    assert (sex.code, sex.value, sex.taken) == ("sex", "F", None)


@pytest.mark.parametrize("gender", ["unknown", None])
def test_an_unknown_gender_is_no_observation(write_bundle, patient, gender: str | None) -> None:
    resource = {name: value for name, value in patient(gender=gender).items() if value is not None}
    assert read_fhir([write_bundle(resource)]).observations == ()


@pytest.mark.parametrize("reference", ["Patient/p1", "urn:uuid:p1", "Patient/p1/_history/3"])
def test_a_subject_is_found_by_id_and_by_full_url(write_bundle, patient, document, reference: str) -> None:
    records = read_fhir([write_bundle(document(subject={"reference": reference}), patient())])
    assert len(records.notes) == 1


@pytest.mark.parametrize("subject", [{"reference": "Patient/p2"}, {"reference": "Group/p1"}, {"display": "Ada"}, None])
def test_a_dangling_subject_is_refused_and_the_rest_kept(write_bundle, patient, document, subject) -> None:
    stray = {name: value for name, value in document(id="d2", subject=subject).items() if value is not None}
    records = read_fhir([write_bundle(patient(), stray, document())])
    assert len(records.notes) == 1
    assert reasons(records) == [Reason.MISSING_PATIENT]
    assert records.refused[0].where.endswith("bundle.json: entry 2")


def test_a_bundle_without_its_patient_keeps_nothing_and_says_so(write_bundle, document, observation) -> None:
    records = read_fhir([write_bundle(document(), observation())])
    assert not records.notes
    assert not records.observations
    assert reasons(records) == [Reason.MISSING_PATIENT] * 2


def test_a_patient_without_an_identifier_is_missing(write_bundle, patient, document) -> None:
    records = read_fhir([write_bundle(patient(identifier=[]), document())])
    assert set(reasons(records)) == {Reason.MISSING_PATIENT}
    assert not records.notes


def test_of_several_identifiers_the_medical_record_number_is_taken(write_bundle, patient, document) -> None:
    record_number = {"type": {"coding": [{"code": "MR"}]}, "system": "urn:a", "value": "MRN1"}
    identifiers = [{"system": "urn:ssn", "value": "999"}, record_number]
    records = read_fhir([write_bundle(patient(identifier=identifiers), document())])
    assert records.notes[0].patient.patient_id == "MRN1"


def test_several_identifiers_without_a_record_number_are_ambiguous(write_bundle, patient, document) -> None:
    identifiers = [{"system": "urn:a", "value": "1"}, {"system": "urn:b", "value": "2"}]
    path = write_bundle(patient(identifier=identifiers), document())
    assert Reason.AMBIGUOUS_IDENTITY in reasons(read_fhir([path]))
    assert not read_fhir([path]).notes
    assert read_fhir([path], identifier_system="urn:b").notes[0].patient.patient_id == "2"


def test_an_old_identifier_is_not_taken(write_bundle, patient, document) -> None:
    identifiers = [{"use": "old", "value": "1"}, {"value": "2"}]
    assert read_fhir([write_bundle(patient(identifier=identifiers), document())]).notes[0].patient.patient_id == "2"


def test_a_patient_of_no_known_gender_is_refused(write_bundle, patient) -> None:
    assert reasons(read_fhir([write_bundle(patient(gender="SECRET"))])) == [Reason.NOT_A_RECORD]


def test_two_patients_of_one_name_are_ambiguous(write_bundle, patient, document) -> None:
    records = read_fhir([write_bundle(patient(), patient(identifier=[{"value": "other"}]), document())])
    assert reasons(records) == [Reason.AMBIGUOUS_IDENTITY]
    assert not records.notes


@pytest.mark.parametrize("system", ["http://loinc.org"])
def test_a_document_coded_as_imaging_report_is_a_report_of_its_study(write_bundle, patient, document, system) -> None:
    kind = {"coding": [{"system": system, "code": "18748-4"}], "text": "Note"}
    related = {"related": [{"reference": "ImagingStudy/s1"}]}
    (note,) = read_fhir([write_bundle(patient(), STUDY, document(type=kind, context=related))]).notes
    assert (note.kind, note.study_uid) == ("report", "1.2.3")


def test_a_document_of_the_radiology_category_is_a_report(write_bundle, patient, document) -> None:
    category = [{"coding": [{"system": "http://loinc.org", "code": "LP29684-5"}]}]
    assert read_fhir([write_bundle(patient(), document(category=category))]).notes[0].kind == "report"


def test_a_document_about_several_studies_names_none(write_bundle, patient, document) -> None:
    uids = [{"identifier": {"system": "urn:dicom:uid", "value": f"urn:oid:1.{number}"}} for number in range(2)]
    assert read_fhir([write_bundle(patient(), document(context={"related": uids}))]).notes[0].study_uid == ""


def test_a_document_without_a_date_has_that_of_its_attachment(write_bundle, patient, document) -> None:
    resource = document()
    del resource["date"]
    resource["content"][0]["attachment"]["creation"] = "2024-03-04T08:00:00Z"
    assert read_fhir([write_bundle(patient(), resource)]).notes[0].written == datetime(2024, 3, 4, 8, tzinfo=UTC)


def test_a_text_that_is_attached_twice_is_told_once(write_bundle, patient, document) -> None:
    resource = document("Cough.")
    resource["content"] += document("Cough.")["content"] + document("Fever.")["content"]
    assert read_fhir([write_bundle(patient(), resource)]).notes[0].text == "Cough.\n\nFever."


def test_a_document_that_its_source_withdrew_is_refused(write_bundle, patient, document) -> None:
    assert reasons(read_fhir([write_bundle(patient(), document(docStatus="entered-in-error"))])) == [Reason.WITHDRAWN]


@pytest.mark.parametrize(("conclusion", "notes"), [("Clear.", 1), (None, 0)])
def test_a_diagnostic_report_without_a_form_has_its_conclusion(write_bundle, patient, conclusion, notes: int) -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "CT chest"},
        "subject": {"reference": "Patient/p1"},
        "conclusion": conclusion,
    }
    records = read_fhir([write_bundle(patient(), report)])
    assert (len(records.notes), reasons(records)) == (notes, [Reason.NOT_A_RECORD] * (1 - notes))


def test_a_study_may_be_named_by_identifier_alone(write_bundle, patient, document) -> None:
    related = {"related": [{"identifier": {"system": "urn:dicom:uid", "value": "urn:oid:1.2.9"}}]}
    (note,) = read_fhir([write_bundle(patient(), document(context=related))]).notes
    assert note.study_uid == "1.2.9"


def test_a_diagnostic_report_is_a_report_dated_when_it_was_issued(write_bundle, patient, document) -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r1",
        "status": "final",
        "code": {"text": "CT chest"},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2024-03-05T08:00:00Z",
        "issued": "2024-03-05T12:00:00Z",
        "imagingStudy": [{"reference": "ImagingStudy/s1"}],
        "presentedForm": [document("IMPRESSION: clear.")["content"][0]["attachment"]],
    }
    (note,) = read_fhir([write_bundle(patient(), report, STUDY)]).notes
    assert (note.kind, note.study_uid, note.text) == ("report", "1.2.3", "IMPRESSION: clear.")
    assert note.written == datetime(2024, 3, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(("loinc", "quantity", "code", "value", "unit"), [
    ("29463-7", {"value": 70.5, "unit": "kg"}, "weight", 70.5, "kg"),
    ("29463-7", {"value": 3200, "unit": "Gram", "code": "g"}, "weight", 3.2, "kg"),
    ("30525-0", {"value": 64, "unit": "years", "code": "a"}, "age", 64.0, "years"),
    ("1988-5", {"value": 1.25, "unit": "mg/dL"}, "crp", 12.5, "mg/L"),
    ("99999-9", {"value": 12.5, "unit": "mg/L"}, "99999-9", 12.5, "mg/L"),
])  # fmt: skip
def test_observations_get_our_words_and_units(
    write_bundle, patient, observation, loinc, quantity, code, value, unit
) -> None:
    records = read_fhir([write_bundle(patient(gender="unknown"), observation(loinc, valueQuantity=quantity))])
    (item,) = records.observations
    assert (item.code, item.value, item.unit) == (code, pytest.approx(value), unit)
    assert item.taken == datetime(2024, 3, 5, 8, tzinfo=UTC)


def test_an_observations_own_text_is_its_code_and_text_values_stay_text(write_bundle, patient, observation) -> None:
    changes = {"code": {"text": "smoker"}, "valueString": "yes", "valueQuantity": None}
    resource = {name: value for name, value in observation(**changes).items() if value is not None}
    (item,) = read_fhir([write_bundle(patient(gender="unknown"), resource)]).observations
    assert (item.code, item.value) == ("smoker", "yes")


def test_components_are_observations_of_their_own(write_bundle, patient, observation) -> None:
    parts = [{"code": {"text": word}, "valueQuantity": {"value": value}} for word, value in (("sys", 120), ("dia", 80))]
    resource = observation(component=parts)
    del resource["valueQuantity"]
    records = read_fhir([write_bundle(patient(gender="unknown"), resource)])
    assert [(item.code, item.value) for item in records.observations] == [("sys", 120.0), ("dia", 80.0)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "entered-in-error"}, Reason.WITHDRAWN),
        ({"status": "nonsense"}, Reason.NOT_A_RECORD),
        ({"valueQuantity": {"value": 5, "comparator": "<"}}, Reason.UNREADABLE_ROW),
        ({"valueQuantity": {"value": 5, "unit": "stone"}}, Reason.UNKNOWN_UNIT),
        ({"valueQuantity": {}}, Reason.NOT_A_RECORD),
        ({"effectiveDateTime": "05.03.2024"}, Reason.NOT_A_RECORD),
        ({"SECRETFIELD": "SECRET"}, Reason.NOT_A_RECORD),
        ({"id": {"SECRET": 1}}, Reason.NOT_A_RECORD),
    ],
)
def test_a_broken_entry_loses_nothing_but_itself(write_bundle, patient, document, observation, changes, reason) -> None:
    records = read_fhir([write_bundle(patient(), observation(**changes), document())])
    assert len(records.notes) == 1
    assert [item.code for item in records.observations] == ["sex"]
    assert reasons(records) == [reason]
    assert "SECRET" not in repr(records)


@pytest.mark.parametrize(
    "changes",
    [
        {"content_type": "application/pdf"},
        {"text": b"M\xfcde"},
        {"content_type": "text/plain; charset=ebcdic"},
        {"text": " "},
    ],
)
def test_a_document_without_readable_plain_text_is_refused(write_bundle, patient, document, changes) -> None:
    assert reasons(read_fhir([write_bundle(patient(), document(**changes))])) == [Reason.NOT_A_RECORD]


def test_a_stated_character_set_is_followed(write_bundle, patient, document) -> None:
    resource = document(b"M\xfcde", content_type="text/plain; charset=ISO-8859-1")
    assert read_fhir([write_bundle(patient(), resource)]).notes[0].text == "Müde"


def test_a_resource_of_r5_is_refused_with_the_field_that_betrays_it(write_bundle, patient, document) -> None:
    resource = document(context=[{"reference": "Encounter/1"}])
    (line,) = read_fhir([write_bundle(patient(), resource)]).refused
    assert line.reason is Reason.NOT_A_RECORD
    assert line.detail.startswith("no valid R4 DocumentReference: context")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"plain",
        b"\xff\xfe",
        b"[]",
        b'{"resourceType": "Patient"}',
        b'{"resourceType": "Bundle", "entry": 3}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_bundle_is_refused_whole(write, content: bytes) -> None:
    records = read_fhir([write("b.json", content)])
    assert reasons(records) == [Reason.NOT_A_RECORD]


def test_other_resources_are_passed_over(write_bundle, patient) -> None:
    records = read_fhir([write_bundle(patient(gender="unknown"), {"resourceType": "Encounter", "id": "e"})])
    assert (records.notes, records.observations, records.refused) == ((), (), ())


def test_the_same_document_id_of_two_patients_gives_two_note_ids(write_bundle, patient, document) -> None:
    first = read_fhir([write_bundle(patient(), document(), name="a.json")]).notes[0]
    second = read_fhir([write_bundle(patient(identifier=[{"value": "2"}]), document(), name="b.json")]).notes[0]
    assert first.note_id != second.note_id


def test_a_changed_document_keeps_its_note_id(write_bundle, patient, document) -> None:
    first = read_fhir([write_bundle(patient(), document("a"), name="a.json")]).notes[0]
    second = read_fhir([write_bundle(patient(), document("b"), name="b.json")]).notes[0]
    assert first.note_id == second.note_id


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KINDS = st.sampled_from(["Patient", "Observation", "DocumentReference", "DiagnosticReport", "ImagingStudy"])
FIELDS = st.sampled_from(["id", "identifier", "subject", "status", "content", "code", "component", "context", "gender"])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(kind=KINDS, changes=st.dictionaries(FIELDS, JSON, max_size=4))
def test_a_mangled_resource_is_read_or_refused_but_never_raises(
    write, patient, document, observation, kind: str, changes: dict[str, object]
) -> None:
    base = {"Patient": patient(), "Observation": observation(), "DocumentReference": document()}.get(kind, {})
    entries = [{"resource": {**base, "resourceType": kind, **changes}}, {"resource": patient(id="p1")}]
    path = write("m.json", json.dumps({"resourceType": "Bundle", "entry": entries}))
    read_fhir([path])
