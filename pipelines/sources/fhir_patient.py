"""What a FHIR Patient says of a person: the record number, the name, sex and birth date."""

from __future__ import annotations

from datetime import date
from typing import Any

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts
from pipelines.sources.values import parse_sex


def patient_facts(patient: Any, identifier_system: str | None) -> PatientFacts:
    """What a validated Patient resource says of the patient.

    The id is the identifier of ``identifier_system`` where that is given, else the one of type *MR*, else the only
    one; one that is marked as old is never taken, but of a patient who was replaced and has no other.

    Raises
    ------
    RefusedError
        No identifier, or several of which none is known to be the medical record number.
    """
    stated = [item for item in patient.identifier or [] if (item.value or "").strip()]
    identifiers = [item for item in stated if item.use != "old"]
    if not identifiers and any(item.type == "replaced-by" for item in patient.link or []):
        identifiers = stated
    if identifier_system is not None:
        identifiers = [item for item in identifiers if item.system == identifier_system]
    record_numbers = [item for item in identifiers if is_of_type(item, "MR")]
    chosen = {(item.system or "", item.value) for item in record_numbers or identifiers}
    if not chosen:
        raise RefusedError(Reason.MISSING_PATIENT, "Patient without an identifier")
    if len(chosen) > 1:
        detail = "Patient with several identifiers; name the system of the right one as sources.fhir.identifier_system"
        raise RefusedError(Reason.AMBIGUOUS_IDENTITY, detail)
    try:
        sex = parse_sex(patient.gender or "")
    except ValueError:
        raise RefusedError(Reason.NOT_A_RECORD, "no valid R4 Patient: gender") from None
    issuer, patient_id = chosen.pop()
    birth_date = patient.birthDate if isinstance(patient.birthDate, date) else None  # a year or a month is no date
    name = next((item for item in patient.name or [] if item.use != "old"), None)
    return PatientFacts(
        patient_id=patient_id,
        issuer=issuer,
        name="^".join([name.family or "", *(name.given or [])]).strip("^") if name else "",
        sex=sex,
        birth_date=birth_date,
    )


def is_of_type(identifier: Any, code: str) -> bool:
    """Whether an identifier is of a type of HL7 table 0203: MR (medical record number), ACSN (accession number)."""
    return any(coding.code == code for coding in (identifier.type.coding if identifier.type else None) or [])
