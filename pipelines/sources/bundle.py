"""Who and what a FHIR bundle speaks of: its patients and imaging studies, and the references that point to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from pydantic import ValidationError

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts
from pipelines.sources.values import parse_sex

RECORDS = ("Patient", "DocumentReference", "DiagnosticReport", "Observation")
DICOM_UID = "urn:dicom:uid"


@dataclass(frozen=True)
class Bundle:
    """A bundle's resources by the names that references use.

    ``records`` are the entries to read, with their numbers from 1; ``patients`` and ``studies`` map full URLs and
    ``Type/id`` to facts (None: two patients under one name) and to study UIDs.
    """

    records: tuple[tuple[int, dict[str, Any]], ...]
    patients: dict[str, PatientFacts | None]
    studies: dict[str, str]
    refused: tuple[tuple[int, RefusedError], ...]
    identifier_system: str | None = None

    def facts(self, patient: Any) -> PatientFacts:
        """The facts of a validated Patient resource."""
        return patient_facts(patient, self.identifier_system)

    def patient_of(self, subject: Any) -> PatientFacts:
        """The patient that a subject refers to; ``RefusedError`` where there is none, or more than one."""
        name = _local(subject.reference) if subject is not None else ""
        if not name or name not in self.patients:
            raise RefusedError(Reason.MISSING_PATIENT, "its subject is no patient of this bundle")
        facts = self.patients[name]
        if facts is None:
            raise RefusedError(Reason.AMBIGUOUS_IDENTITY, "two different patients of this bundle bear that name")
        return facts


def index_bundle(entries: list[Any], *, identifier_system: str | None = None) -> Bundle:
    """Take a bundle's entries apart; a patient that cannot be read is refused, and with it what refers to it."""
    records: list[tuple[int, dict[str, Any]]] = []
    refused: list[tuple[int, RefusedError]] = []
    patients: dict[str, PatientFacts | None] = {}
    studies: dict[str, str] = {}
    for number, entry in enumerate(entries, 1):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(resource, dict) or not isinstance(kind, str):
            refused.append((number, RefusedError(Reason.NOT_A_RECORD, "an entry without a resource")))
            continue
        if kind not in (*RECORDS, "ImagingStudy"):
            continue
        try:
            if kind == "Patient":
                facts = patient_facts(validate(resource), identifier_system)
                for name in _names(entry, resource):
                    patients[name] = facts if patients.get(name, facts) == facts else None
            elif kind == "ImagingStudy":
                studies.update(dict.fromkeys(_names(entry, resource), _uid(validate(resource).identifier)))
        except RefusedError as error:
            refused.append((number, error))
            continue
        if kind in RECORDS:
            records.append((number, resource))
    return Bundle(tuple(records), patients, studies, tuple(refused), identifier_system)


def validate(content: dict[str, Any]) -> Any:
    """A resource as the R4 model of its type.

    Raises
    ------
    RefusedError
        It does not conform; the message names the field and the rule, never the value.
    """
    model = _model(content["resourceType"])
    try:
        return model.model_validate(_without_nulls(content))
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
        known = {*model.model_fields, *(field.alias for field in model.model_fields.values())}
        field = next((str(part) for part in problem["loc"] if part in known), "an unknown field")
        detail = f"no valid R4 {content['resourceType']}: {field} ({problem['type']})"
        raise RefusedError(Reason.NOT_A_RECORD, detail) from None
    except (ValueError, RecursionError):
        raise RefusedError(Reason.NOT_A_RECORD, f"no valid R4 {content['resourceType']}") from None


def resolve_study(references: Iterable[Any] | None, bundle: Bundle) -> str:
    """The study UID that references name: by an identifier, or through an ImagingStudy of the bundle.

    Blank where none is named, or several are: then the dates must tell whether a report is the study's own.
    """
    found = set()
    for reference in references or ():
        uid = _uid([reference.identifier]) if reference.identifier else ""
        found.add(uid or bundle.studies.get(_local(reference.reference), ""))
    found.discard("")
    return found.pop() if len(found) == 1 else ""


def patient_facts(patient: Any, identifier_system: str | None) -> PatientFacts:
    """What a validated Patient resource says of the patient.

    Raises
    ------
    RefusedError
        No identifier, or several of which none is known to be the medical record number.
    """
    identifiers = [item for item in patient.identifier or [] if (item.value or "").strip() and item.use != "old"]
    if identifier_system is not None:
        identifiers = [item for item in identifiers if item.system == identifier_system]
    record_numbers = [item for item in identifiers if _is_record_number(item)]
    chosen = {(item.system or "", item.value) for item in record_numbers or identifiers}
    if not chosen:
        raise RefusedError(Reason.MISSING_PATIENT, "Patient without an identifier")
    if len(chosen) > 1:
        detail = "Patient with several identifiers; mark the medical record number with type MR"
        raise RefusedError(Reason.AMBIGUOUS_IDENTITY, detail)
    try:
        sex = parse_sex(patient.gender or "")
    except ValueError:
        raise RefusedError(Reason.NOT_A_RECORD, "no valid R4 Patient: gender") from None
    issuer, patient_id = chosen.pop()
    birth_date = patient.birthDate if isinstance(patient.birthDate, date) else None  # a year or a month is no date
    name = next(iter(patient.name or []), None)
    return PatientFacts(
        patient_id=patient_id,
        issuer=issuer,
        name="^".join([name.family or "", *(name.given or [])]).strip("^") if name else "",
        sex=sex,
        birth_date=birth_date,
    )


def _without_nulls(value: Any) -> Any:
    """JSON without nulls: in FHIR they stand for nothing but a place, and the models let them pass for values."""
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value if item is not None] if isinstance(value, list) else value


def _is_record_number(identifier: Any) -> bool:
    return any(coding.code == "MR" for coding in (identifier.type.coding if identifier.type else None) or [])


def _uid(identifiers: Iterable[Any] | None) -> str:
    for item in identifiers or []:
        if item.system == DICOM_UID or (item.value or "").startswith("urn:oid:"):
            return (item.value or "").removeprefix("urn:oid:").strip()
    return ""


def _names(entry: dict[str, Any], resource: dict[str, Any]) -> set[str]:
    local = f"{resource['resourceType']}/{resource['id']}" if resource.get("id") else ""
    return {name for name in (_local(entry.get("fullUrl")), local) if name}


def _local(reference: Any) -> str:
    return reference.partition("/_history/")[0] if isinstance(reference, str) else ""


@cache
def _model(kind: str) -> Any:
    from fhir.resources.R4B import get_fhir_model_class

    return get_fhir_model_class(kind)
