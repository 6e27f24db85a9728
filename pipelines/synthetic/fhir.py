"""A synthetic patient's records as a FHIR R4 bundle: the person, dated notes, a report, and two measured values."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

from pipelines.synthetic.names import make_uid, make_uuid
from pipelines.synthetic.patients import Patient

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
IDENTIFIER_SYSTEM = "urn:scanote:synthetic-hospital"
CHEST_CT_REPORT = ("24627-2", "CT Chest")
PROGRESS_NOTE, CONSULT_NOTE = ("11506-3", "Progress note"), ("11488-4", "Consult note")
AGE, WEIGHT = ("30525-0", "Age"), ("29463-7", "Body weight")
# Not a whole number of minutes: a record of exactly midnight would be read as one without a time.
LATER = timedelta(days=2, hours=3, seconds=30)
REPORTED = timedelta(hours=5, seconds=30)


def make_bundle(patient: Patient, *, seed: int) -> dict[str, Any]:
    """Everything recorded of a patient, as a Bundle of the type *collection*.

    Times are in UTC, as in the scans. Age and weight are measured when the note is written; a future note is dated
    two days after the scan, the report of the study five hours.
    """
    subject = f"urn:uuid:{make_uuid(seed, patient.number, 'patient')}"
    resources: dict[str, dict[str, Any]] = {"patient": _person(patient)}
    resources["age"] = _measured(subject, AGE, patient.noted, float(patient.age_years), ("years", "a"))
    resources["weight"] = _measured(subject, WEIGHT, patient.noted, patient.weight_kg, ("kg", "kg"))
    if patient.note is not None:
        kind = CONSULT_NOTE if patient.number % 3 == 0 else PROGRESS_NOTE
        resources["note"] = _document(subject, kind, patient.noted, patient.note)
    if patient.future_note is not None:
        resources["future note"] = _document(subject, PROGRESS_NOTE, patient.scanned + LATER, patient.future_note)
    if patient.report is not None:
        resources["report"] = _report(subject, patient.report, patient, seed)
    entries = []
    for name, resource in resources.items():
        key = make_uuid(seed, patient.number, name)
        entries.append({"fullUrl": f"urn:uuid:{key}", "resource": {**resource, "id": str(key)}})
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _person(patient: Patient) -> dict[str, Any]:
    record_number = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}
    return {
        "resourceType": "Patient",
        "identifier": [
            {"use": "usual", "type": record_number, "system": IDENTIFIER_SYSTEM, "value": patient.patient_id}
        ],
        "name": [{"family": "SYNTHETIC", "given": [patient.registered_as or patient.patient_id]}],
        "gender": "female" if patient.sex == "F" else "male",
        "birthDate": patient.birth_date.isoformat(),
    }


def _document(subject: str, kind: tuple[str, str], written: datetime, text: str) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "docStatus": "final",
        "type": _concept(kind),
        "subject": {"reference": subject},
        "date": _instant(written),
        "content": [{"attachment": _attachment(text)}],
    }


def _report(subject: str, text: str, patient: Patient, seed: int) -> dict[str, Any]:
    study = {"system": "urn:dicom:uid", "value": f"urn:oid:{make_uid(seed, patient.number, 'study')}"}
    return {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": _concept(CHEST_CT_REPORT),
        "subject": {"reference": subject},
        "issued": _instant(patient.scanned + REPORTED),
        "imagingStudy": [{"identifier": study}],
        "presentedForm": [_attachment(text)],
    }


def _attachment(text: str) -> dict[str, str]:
    data = base64.b64encode(text.encode()).decode("ascii")
    return {"contentType": "text/plain; charset=utf-8", "data": data}


def _measured(
    subject: str, code: tuple[str, str], taken: datetime, value: float, unit: tuple[str, str]
) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": _concept(code),
        "subject": {"reference": subject},
        "effectiveDateTime": _instant(taken),
        "valueQuantity": {"value": value, "unit": unit[0], "system": UCUM, "code": unit[1]},
    }


def _concept(code: tuple[str, str]) -> dict[str, Any]:
    return {"coding": [{"system": LOINC, "code": code[0], "display": code[1]}]}


def _instant(moment: datetime) -> str:
    return f"{moment.isoformat(timespec='seconds')}+00:00"
