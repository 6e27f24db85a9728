"""A synthetic patient as the catalogue would hold it: scan, notes and observations, without files.

A test proves that the files give the same cases. Digests of files are made up: such a scan can be linked and audited,
and not read.
"""

from __future__ import annotations

from data_schemas.cohort import Label, LabelValue
from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.scan import PatientFacts, Scan, ScanFile, SeriesFacts
from pipelines.synthetic.fhir import LATER, REPORTED
from pipelines.synthetic.names import make_uid
from pipelines.synthetic.patients import Patient
from pipelines.workspace.digests import json_digest


def scan_of(patient: Patient, *, seed: int) -> Scan:
    """The scan as indexing the patient's series would give it, its files excepted."""
    scanner, geometry = patient.exposure.acquisition()
    digest = json_digest(["synthetic scan", seed, patient.number])
    return Scan(
        scan_id=digest,
        format="dicom",
        patient=_facts(patient).model_copy(update={"age_years": float(patient.age_years)}),
        study_uid=make_uid(seed, patient.number, "study"),
        series_uid=make_uid(seed, patient.number, "series"),
        modality="CT",
        transfer_syntax="1.2.840.10008.1.2.1",
        acquired=patient.scanned,
        geometry=geometry,
        files=(ScanFile(path="", sha256=digest, size=0),),
        facts=SeriesFacts(manufacturer=scanner.vendor, kernel=scanner.kernel, thickness_mm=scanner.slice_mm),
    )


def notes_of(patient: Patient, *, seed: int) -> tuple[Note, ...]:
    """The patient's note, future note and report, those that there are."""
    facts, study = _facts(patient), make_uid(seed, patient.number, "study")
    dated = {
        "note": (patient.note, patient.noted, "progress note", ""),
        "future note": (patient.future_note, patient.scanned + LATER, "progress note", ""),
        "report": (patient.report, patient.scanned + REPORTED, "report", study),
    }
    return tuple(
        Note(
            note_id=f"{patient.patient_id} {name}",
            patient=facts,
            written=written,
            kind=kind,
            text=text,
            study_uid=about,
        )
        for name, (text, written, kind, about) in dated.items()
        if text
    )


def observations_of(patient: Patient) -> tuple[Observation, ...]:
    """Age, weight and sex."""
    facts = _facts(patient)
    return (
        Observation(patient=facts, taken=patient.noted, code="age", value=float(patient.age_years), unit="a"),
        Observation(patient=facts, taken=patient.noted, code="weight", value=patient.weight_kg, unit="kg"),
        Observation(patient=facts, code="sex", value=patient.sex),
    )


def labels_of(patient: Patient) -> tuple[Label, ...]:
    """One label a finding, of the patient."""
    return tuple(
        Label(patient_id=patient.patient_id, finding=name, value=LabelValue(value))
        for name, value in patient.labels.items()
    )


def _facts(patient: Patient) -> PatientFacts:
    sex = "F" if patient.sex == "F" else "M"
    return PatientFacts(patient_id=patient.patient_id, name=patient.name, sex=sex, birth_date=patient.birth_date)
