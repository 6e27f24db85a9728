"""FHIR R4 resources by the models of fhir.resources, and other versions of FHIR known by their own fields."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import ValidationError

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason

# Fields that only one other version has, or has in this shape (None: whatever its shape).
TELL_TALES: tuple[tuple[str, str, str, type | None], ...] = (
    ("R5", "DocumentReference", "context", list),
    ("R5", "DocumentReference", "period", dict),
    ("R5", "DocumentReference", "attester", None),
    ("R5", "DiagnosticReport", "study", None),
    ("R5", "DiagnosticReport", "supportingInfo", None),
    ("R5", "Observation", "triggeredBy", None),
    ("R5", "Observation", "instantiatesCanonical", None),
    ("R5", "Condition", "participant", None),
    ("R5", "ServiceRequest", "reason", None),
    ("R5", "Encounter", "actualPeriod", None),
    ("R5", "Encounter", "class", list),
    ("DSTU2", "Condition", "patient", None),
    ("DSTU2", "Condition", "dateRecorded", None),
    ("DSTU2", "Observation", "comments", None),
    ("DSTU2", "Patient", "careProvider", None),
    ("STU3", "DocumentReference", "indexed", None),
    ("STU3", "DocumentReference", "class", None),
    ("STU3", "DocumentReference", "created", None),
    ("STU3", "DiagnosticReport", "codedDiagnosis", None),
    ("STU3", "DiagnosticReport", "image", None),
    ("STU3", "Observation", "comment", None),
    ("STU3", "Observation", "context", None),
    ("STU3", "Observation", "related", None),
    ("STU3", "Condition", "assertedDate", None),
    ("STU3", "Condition", "clinicalStatus", str),
    ("STU3", "Condition", "context", None),
    ("STU3", "ImagingStudy", "uid", None),
    ("STU3", "Patient", "animal", None),
)


class OtherVersionError(RefusedError):
    """A resource of another version of FHIR."""

    def __init__(self, version: str, detail: str) -> None:
        self.version = version
        super().__init__(Reason.NOT_A_RECORD, detail)


def validate(content: dict[str, Any]) -> Any:
    """A resource as the R4 model of its type.

    Raises
    ------
    OtherVersionError
        It does not conform, and holds a field that another version of FHIR has.
    RefusedError
        It does not conform; the message names the field and the rule, never the value.
    """
    kind = content["resourceType"]
    model = _model(kind)
    try:
        return model.model_validate(without_nulls(content))
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
        known = {*model.model_fields, *(field.alias for field in model.model_fields.values())}
        field = next((str(part) for part in problem["loc"] if part in known), "an unknown field")
        detail = f"no valid R4 {kind}: {field} ({problem['type']})"
    except (ValueError, RecursionError):
        detail = f"no valid R4 {kind}"
    version = other_version(content)
    if version:
        raise OtherVersionError(version, detail) from None
    raise RefusedError(Reason.NOT_A_RECORD, detail) from None


def other_version(content: dict[str, Any]) -> str:
    """The version of FHIR that an invalid R4 resource betrays by its fields ("R5", "STU3", "DSTU2"), or ""."""
    kind = content["resourceType"]
    for version, of, name, shape in TELL_TALES:
        if kind == of and name in content and (shape is None or isinstance(content[name], shape)):
            return version
    return ""


def without_nulls(value: Any) -> Any:
    """JSON without nulls: in FHIR they stand for nothing but a place, and the models let them pass for values."""
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return [without_nulls(item) for item in value if item is not None] if isinstance(value, list) else value


@cache
def _model(kind: str) -> Any:
    from fhir.resources.R4B import get_fhir_model_class

    return get_fhir_model_class(kind)
