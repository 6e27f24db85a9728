"""Notes of FHIR R4: documents, reports, problems and orders, each dated when its text was known."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from data_schemas.errors import RefusedError
from data_schemas.note import Note
from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts
from pipelines.sources.attachments import LONGEST_NOTE, attached_text
from pipelines.sources.fhir_index import Index, accession_in
from pipelines.sources.fhir_times import known_after, known_at, last_change
from pipelines.sources.tables import note_digest
from pipelines.sources.values import parse_kind

LOINC = "http://loinc.org"
CHANGED = {"amended", "corrected", "appended"}
DOUBTED = {"unconfirmed", "provisional", "differential"}
IMAGING_WORDS = ("radiology", "imaging", "radiography")


def note_of(content: dict[str, Any], resource: Any, patient: PatientFacts, index: Index) -> Note | None:
    """The note that a validated resource gives; None where it holds no text by its nature (an order without reasons).

    Raises
    ------
    RefusedError
        Its text or its date cannot be read, or it belongs to an encounter or study of another patient.
    """
    kind = content["resourceType"]
    make = {"DocumentReference": _document, "DiagnosticReport": _report, "Condition": _problem}.get(kind, _order)
    return make(content, resource, patient, index)


def _document(content: dict[str, Any], resource: Any, patient: PatientFacts, index: Index) -> Note:
    attachments = [item["attachment"] for item in content.get("content") or [] if item and item.get("attachment")]
    context = resource.context
    encounters = (context.encounter if context else None) or []
    related = (context.related if context else None) or []
    index.check_subject(patient, *encounters, *related)
    codings = (resource.type.coding if resource.type else None) or []
    classes = [coding for concept in resource.category or [] for coding in concept.coding or []]
    words = [resource.type.text if resource.type else None, *(coding.display for coding in codings)]
    words += [codes()["documents"].get(coding.code) for coding in codings if coding.system == LOINC]
    kinds = [parse_kind(text) for text in words if text] or [parse_kind("")]
    sorts = [concept.text for concept in resource.category or []] + [coding.display for coding in classes]
    is_report = any(coding.system == LOINC and coding.code in codes()["reports"] for coding in [*codings, *classes])
    is_report |= any(word in (text or "").lower() for text in sorts for word in IMAGING_WORDS)
    uid, accession = index.study_of(related, related)
    return _note(
        resource,
        patient,
        stated=[
            resource.date,
            *(item.get("creation") for item in attachments),
            *known_after(context.period if context else None),
            last_change(resource) if resource.docStatus in CHANGED else None,
        ],
        kind="report" if is_report or "report" in kinds else kinds[0],
        text=attached_text(attachments, find=lambda address: _binary(address, index)),
        encounter_id=index.name(encounters[0].reference) if encounters else "",
        study_uid=uid,
        accession=accession,
    )


def _report(content: dict[str, Any], resource: Any, patient: PatientFacts, index: Index) -> Note:
    index.check_subject(patient, *filter(None, [resource.encounter]), *(resource.imagingStudy or []))
    index.check_subject(patient, *(resource.basedOn or []))
    conclusion = (resource.conclusion or "").strip()
    forms = [item for item in content.get("presentedForm") or [] if item]
    try:
        text = attached_text(forms, find=lambda address: _binary(address, index)) if forms else conclusion
    except RefusedError:
        if not conclusion:
            raise
        text = conclusion  # the form is a PDF, say
    if not text:
        raise RefusedError(Reason.NOT_A_RECORD, "DiagnosticReport has no text (presentedForm or conclusion)")
    if " ".join(conclusion.split()) not in " ".join(text.split()):
        text = f"{text}\n\nCONCLUSION: {conclusion}"
    uid, accession = index.study_of(resource.imagingStudy, resource.basedOn)
    if not uid:
        uid, accession = index.study_by(set(), {accession, accession_in(resource.identifier)})
    return _note(
        resource,
        patient,
        stated=[
            resource.issued,
            resource.effectiveDateTime,
            *known_after(resource.effectivePeriod),
            *(item.get("creation") for item in forms),
            last_change(resource) if resource.status in CHANGED else None,
        ],
        kind="report",
        text=text,
        encounter_id=index.name(resource.encounter.reference) if resource.encounter else "",
        study_uid=uid,
        accession=accession,
    )


def _problem(content: dict[str, Any], resource: Any, patient: PatientFacts, index: Index) -> Note:
    """A problem of the patient's list, in the words of its code, as of the day on which it was written down.

    Its onset is never its date: a condition that began last year and was recorded today was not known last year. A
    diagnosis of an encounter is coded when the encounter is over, and is dated back: it counts as known at the
    encounter's end, and as undated where the set does not tell that.
    """
    index.check_subject(patient, *filter(None, [resource.encounter]))
    words = _words(resource.code)
    if not words:
        raise RefusedError(Reason.NOT_A_RECORD, "Condition has no words for its code (text or display)")
    status = {
        coding.code for coding in (resource.verificationStatus.coding if resource.verificationStatus else []) or []
    }
    classes = {coding.code for concept in resource.category or [] for coding in concept.coding or []}
    stated = [resource.recordedDate, resource.abatementDateTime, *known_after(resource.abatementPeriod)]
    if "encounter-diagnosis" in classes:
        ended = index.link(resource.encounter).ended
        stated = [*stated, ended] if ended is not None and resource.recordedDate is not None else []
    if resource.recordedDate is None:
        stated = []
    return _note(
        resource,
        patient,
        stated=stated,
        kind="problem",
        text=f"Possible {words}." if status & DOUBTED else f"{words}.",
        encounter_id=index.name(resource.encounter.reference) if resource.encounter else "",
    )


def _order(content: dict[str, Any], resource: Any, patient: PatientFacts, index: Index) -> Note | None:
    """The reasons and remarks of an order, as of when it was written; not what was ordered, nor for when."""
    index.check_subject(patient, *filter(None, [resource.encounter]))
    reasons = [_words(concept) for concept in resource.reasonCode or []]
    remarks = [remark.text for remark in resource.note or []]
    text = "\n".join(dict.fromkeys(line.strip() for line in [*reasons, *remarks] if line and line.strip()))
    if not text or resource.doNotPerform:
        return None
    own = index.uids_by.get(f"ServiceRequest/{resource.id}", set()) if resource.id else set()
    uid, accession = index.study_by(set(own), {accession_in(resource.identifier)})
    return _note(
        resource,
        patient,
        stated=[resource.authoredOn, *(remark.time for remark in resource.note or [])] if resource.authoredOn else [],
        kind="order",
        text=text,
        encounter_id=index.name(resource.encounter.reference) if resource.encounter else "",
        study_uid=uid,
        accession=accession,
    )


def _note(resource: Any, patient: PatientFacts, *, stated: list[Any], kind: str, text: str, **rest: str) -> Note:
    if len(text) > LONGEST_NOTE:
        raise RefusedError(Reason.TOO_LARGE, f"a text of more than {LONGEST_NOTE} characters; split it")
    moment = known_at(*stated)
    note_id = note_id_of(resource, patient) or note_digest(
        patient.patient_id, type(resource).__name__, str(moment or ""), kind, text
    )
    return Note(note_id=note_id, patient=patient, written=moment, kind=kind, text=text, **rest)


def note_id_of(resource: Any, patient: PatientFacts) -> str:
    """The id of the note that a resource gives; blank where the resource has none itself.

    Ids of resources are unique on one server only, so the patient is part of it.
    """
    return note_digest(patient.patient_id, type(resource).__name__, resource.id) if resource.id else ""


def _binary(address: str, index: Index) -> dict[str, Any] | None:
    place = index.binaries.get(index.name(address))
    return None if place is None else index.load(place)


def _words(concept: Any) -> str:
    """The words of a code as people write them: its own text, else the first display."""
    if concept is None:
        return ""
    displays = [coding.display for coding in concept.coding or [] if coding.display]
    return (concept.text or next(iter(displays), "")).strip().rstrip(".")


@cache
def codes() -> dict[str, Any]:
    """The codes of documents: ``reports`` (LOINC) and ``documents`` (LOINC to the kind of note)."""
    content: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "fhir_codes.yaml").read_text(encoding="utf-8"))
    return content
