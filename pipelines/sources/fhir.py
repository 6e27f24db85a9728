"""FHIR R4 bundles: notes, reports and observations, validated resource by resource with fhir.resources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data_schemas.errors import InputError, RefusedError
from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts
from pipelines.sources.bundle import Bundle, index_bundle, resolve_study, validate
from pipelines.sources.observations import make_observation
from pipelines.sources.outcome import Records, Refused
from pipelines.sources.rows import parse_json, read_text
from pipelines.sources.tables import note_digest
from pipelines.sources.values import parse_kind, parse_moment

WITHDRAWN = {"entered-in-error", "cancelled", "superseded"}
USABLE = {"current", "final", "amended", "corrected", "appended", "preliminary", "partial", "registered", "unknown"}
LOINC = "http://loinc.org"
CODE_WORDS = {"30525-0": "age", "29463-7": "weight", "3141-9": "weight", "46098-0": "sex", "76689-9": "sex"}
# Document types and the category (radiology) that are reports of studies, whatever their display text says.
REPORT_TYPES = {"LP29684-5", "18748-4", "18726-0", "68604-8", "24627-2", "24628-0", "29252-2", "36643-5", "30746-2"}
CHARSETS = {"utf-8": "utf-8", "us-ascii": "ascii", "iso-8859-1": "latin-1", "windows-1252": "cp1252"}


def read_bundle(path: Path, *, identifier_system: str | None = None) -> Records:
    """Everything that scanote uses of one FHIR R4 bundle in JSON.

    DocumentReference gives notes and DiagnosticReport gives notes of the kind *report*, both from inline plain text;
    Observation (components too) and Patient.gender give observations. What cannot be used is refused with the number
    of its entry, and the rest of the bundle is kept. Other resource types are passed over.

    A patient's id is the identifier of ``identifier_system`` where given, else the one of type *MR*, else the only
    one. The sex that Patient.gender states carries no date, for it is not an event.
    """
    try:
        content = parse_json(read_text(path))
    except InputError:
        return _unusable(path, "cannot be read as UTF-8 text")
    except ValueError:
        return _unusable(path, "not JSON")
    kind = content.get("resourceType") if isinstance(content, dict) else None
    entries = content.get("entry", []) if isinstance(content, dict) else None
    if kind != "Bundle" or not isinstance(entries, list):
        return _unusable(path, "no FHIR Bundle; write one bundle a file")
    bundle = index_bundle(entries, identifier_system=identifier_system)
    notes: list[Note] = []
    observations: list[Observation] = []
    refused = [Refused(f"{path}: entry {number}", error.reason, error.detail) for number, error in bundle.refused]
    for number, resource in bundle.records:
        try:
            found = _read(resource, bundle)
        except RefusedError as error:
            refused.append(Refused(f"{path}: entry {number}", error.reason, error.detail))
            continue
        notes += [item for item in found if isinstance(item, Note)]
        observations += [item for item in found if isinstance(item, Observation)]
    return Records(notes=tuple(notes), observations=tuple(observations), refused=tuple(refused))


def _unusable(path: Path, problem: str) -> Records:
    return Records(refused=(Refused(str(path), Reason.NOT_A_RECORD, f"{problem}; scanote reads FHIR R4 bundles"),))


def _read(content: dict[str, Any], bundle: Bundle) -> list[Note | Observation]:
    resource = validate(content)
    kind = content["resourceType"]
    if kind == "Patient":
        return [*_sex(bundle.facts(resource))]
    if resource.status in WITHDRAWN or getattr(resource, "docStatus", None) in WITHDRAWN:
        raise RefusedError(Reason.WITHDRAWN, f"{kind} is marked as withdrawn by its source")
    if resource.status not in USABLE:
        raise RefusedError(Reason.NOT_A_RECORD, f"no valid R4 {kind}: status")
    patient = bundle.patient_of(resource.subject)
    if kind == "Observation":
        return [*_observations(resource, patient)]
    return [_document(resource, patient, bundle) if kind == "DocumentReference" else _report(resource, patient, bundle)]


def _sex(patient: PatientFacts) -> Iterator[Observation]:
    if patient.sex:
        yield Observation(patient=patient, code="sex", value=patient.sex)


def _document(resource: Any, patient: PatientFacts, bundle: Bundle) -> Note:
    attachments = [content.attachment for content in resource.content or [] if content.attachment]
    text = _plain_text(attachments)
    created = next((item.creation for item in attachments if item.creation), None)
    context = resource.context
    encounters = [item.reference or "" for item in (context.encounter if context else None) or []]
    codings = (resource.type.coding if resource.type else None) or []
    classes = [coding for concept in resource.category or [] for coding in concept.coding or []]
    words = [resource.type.text if resource.type else None, *(coding.display for coding in codings)]
    kinds = [parse_kind(text) for text in words if text] or [parse_kind("")]
    is_report = any(coding.system == LOINC and coding.code in REPORT_TYPES for coding in [*codings, *classes])
    return _note(
        resource,
        patient,
        written=resource.date or created,
        kind="report" if is_report or "report" in kinds else kinds[0],
        text=text,
        encounter_id=encounters[0] if encounters else "",
        study_uid=resolve_study(context.related if context else None, bundle),
    )


def _report(resource: Any, patient: PatientFacts, bundle: Bundle) -> Note:
    text = _plain_text(resource.presentedForm) if resource.presentedForm else (resource.conclusion or "")
    if not text.strip():
        raise RefusedError(Reason.NOT_A_RECORD, "DiagnosticReport has no text (presentedForm or conclusion)")
    return _note(
        resource,
        patient,
        written=resource.issued or resource.effectiveDateTime or _end(resource.effectivePeriod),
        kind="report",
        text=text,
        encounter_id=(resource.encounter.reference or "") if resource.encounter else "",
        study_uid=resolve_study(resource.imagingStudy, bundle),
    )


def _note(resource: Any, patient: PatientFacts, *, written: Any, kind: str, text: str, **rest: str) -> Note:
    moment = _moment(written)
    # Ids of resources are unique on one server only, so the patient is part of the note's id.
    name = [resource.id] if resource.id else [str(moment or ""), kind, text]
    note_id = note_digest(patient.patient_id, type(resource).__name__, *name)
    return Note(note_id=note_id, patient=patient, written=moment, kind=kind, text=text, **rest)


def _observations(resource: Any, patient: PatientFacts) -> Iterator[Observation]:
    taken = resource.effectiveDateTime or resource.effectiveInstant or _end(resource.effectivePeriod)
    parts = [part for part in [resource, *(resource.component or [])] if _value(part) is not None]
    if not parts:
        raise RefusedError(Reason.NOT_A_RECORD, "Observation has no value that scanote reads")
    for part in parts:
        quantity = part.valueQuantity
        if quantity is not None and quantity.comparator:
            raise RefusedError(Reason.UNREADABLE_ROW, "Observation with a comparator instead of a plain value")
        unit = (quantity.code or quantity.unit or "") if quantity is not None else ""
        try:
            yield make_observation(patient, taken=_moment(taken), code=_code(part.code), value=_value(part), unit=unit)
        except ValueError as error:
            raise RefusedError(Reason.UNREADABLE_ROW, f"Observation: {error}") from None


def _value(part: Any) -> float | str | None:
    if part.valueQuantity is not None and part.valueQuantity.value is not None:
        return float(part.valueQuantity.value)
    if part.valueInteger is not None:
        return float(part.valueInteger)
    if part.valueCodeableConcept is not None:
        codings = part.valueCodeableConcept.coding or []
        return part.valueCodeableConcept.text or next((c.display or c.code for c in codings), None)
    return part.valueString


def _code(concept: Any) -> str:
    if concept is None:  # the models let a required field be null
        raise RefusedError(Reason.NOT_A_RECORD, "Observation has no code")
    codings = concept.coding or []
    loinc = [coding.code for coding in codings if coding.system == LOINC]
    word = next((CODE_WORDS[code] for code in loinc if code in CODE_WORDS), "")
    text = word or (concept.text or "").strip() or next(iter(loinc), "") or next((c.display or "" for c in codings), "")
    if not text:
        raise RefusedError(Reason.NOT_A_RECORD, "Observation has no code")
    return text


def _plain_text(attachments: Any) -> str:
    texts = []
    for attachment in attachments or []:
        media, _, parameters = (attachment.contentType or "").lower().partition(";")
        if media.strip() != "text/plain" or attachment.data is None:
            continue
        charset = parameters.partition("charset=")[2].strip(" \"'") or "utf-8"
        try:
            texts.append(attachment.data.decode(CHARSETS[charset]).removeprefix("\ufeff"))
        except (KeyError, UnicodeDecodeError):
            raise RefusedError(Reason.NOT_A_RECORD, "the attached text is not in its stated character set") from None
    joined = "\n\n".join(dict.fromkeys(texts))
    if not joined.strip():
        raise RefusedError(Reason.NOT_A_RECORD, "no inline text/plain attachment")
    return joined


def _end(period: Any) -> Any:
    return period.end if period is not None else None


def _moment(value: Any) -> Any:
    try:
        return parse_moment(value)
    except ValueError as error:
        raise RefusedError(Reason.UNREADABLE_ROW, str(error)) from None
