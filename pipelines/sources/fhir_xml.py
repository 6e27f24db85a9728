"""FHIR XML as FHIR JSON: by the R4 models' own fields, without entities, document types or anything from outside."""

from __future__ import annotations

import typing
from functools import cache
from typing import Any

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason

FHIR, CDA = "{http://hl7.org/fhir}", "{urn:hl7-org:v3}"
DEEPEST = 60
HOW_TO_MEND = "export FHIR R4, as JSON or XML"


def parse_fhir_xml(data: bytes) -> dict[str, Any]:
    """The resource in FHIR's XML form, as its JSON form has it; narratives and plain extensions are left out.

    Entities, document types and references to the outside are refused unread (defusedxml): none is ever expanded.

    Raises
    ------
    RefusedError
        No XML, or XML of another kind (CDA), with how to mend it.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(data, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except DefusedXmlException:
        raise RefusedError(Reason.NOT_A_RECORD, "XML with a document type or entities; scanote reads none") from None
    except (ParseError, ValueError, LookupError, RecursionError):
        raise RefusedError(Reason.NOT_A_RECORD, f"not XML; {HOW_TO_MEND}") from None
    if root.tag.startswith(CDA):
        raise RefusedError(Reason.NOT_A_RECORD, f"a CDA document or HL7 version 3 message; {HOW_TO_MEND}")
    if not root.tag.startswith(FHIR):
        raise RefusedError(Reason.NOT_A_RECORD, f"XML that is not FHIR's; {HOW_TO_MEND}")
    return _resource(root, 0)


def _resource(element: Any, depth: int) -> dict[str, Any]:
    kind = _tag(element)
    model = _model(kind)
    if model is None:
        return {"resourceType": kind}  # of a type that R4 does not know: passed over, or refused, as in JSON
    return {"resourceType": kind, **_fields(element, model, depth)}


def _fields(element: Any, model: Any, depth: int) -> dict[str, Any]:
    if depth > DEEPEST:
        raise RefusedError(Reason.NOT_A_RECORD, f"XML nested more than {DEEPEST} deep")
    known = _shape(model)
    found: dict[str, Any] = {}
    if element.get("id"):
        found["id"] = element.get("id")
    if element.get("url"):
        found["url"] = element.get("url")
    for child in element:
        name = _tag(child)
        if name in {"text", "extension"} and _is_left_out(name, child):
            continue
        # An unknown field is kept, so that validation refuses it by name.
        inner, many = known.get(name, (None, False))
        value = _value(child, inner, depth + 1)
        if many:
            found.setdefault(name, []).append(value)
        elif name in found:
            raise RefusedError(Reason.NOT_A_RECORD, "XML that gives an element twice where R4 has one")
        else:
            found[name] = value
    return found


def _value(element: Any, model: Any, depth: int) -> Any:
    first = next(iter(element), None)
    if first is not None and element.get("value") is None and _is_resource(first):
        return _resource(first, depth)  # Bundle.entry.resource and contained hold a resource in an element
    if model is not None:
        return _fields(element, model, depth)
    return element.get("value")


def _is_left_out(name: str, element: Any) -> bool:
    """Narratives and extensions; a CodeableConcept's or Annotation's text is another thing."""
    return name != "text" or element.get("value") is None


def _is_resource(element: Any) -> bool:
    return _tag(element)[:1].isupper()


def _tag(element: Any) -> str:
    return str(element.tag).removeprefix(FHIR)


@cache
def _model(kind: str) -> Any:
    from fhir.resources.R4B import get_fhir_model_class

    try:
        return get_fhir_model_class(kind) if kind.isalnum() else None
    except (ValueError, LookupError, ImportError):
        return None


@cache
def _shape(model: Any) -> dict[str, tuple[Any, bool]]:
    """The fields of a model by the names of the format: the model of each (None: a plain value), and if it repeats."""
    shape = {}
    for name, field in model.model_fields.items():
        parts = _parts(field.annotation)
        # The models name each other by types such as abc.HumanNameType, whose model is HumanName.
        names = [part.__name__.removesuffix("Type") for part in parts if getattr(part, "__name__", "").endswith("Type")]
        inner = next((found for kind in names if (found := _model(kind)) is not None), None)
        shape[field.alias or name] = (inner, list in parts)
    return shape


def _parts(annotation: Any) -> list[Any]:
    found = [annotation, typing.get_origin(annotation)]
    for part in typing.get_args(annotation):
        found += _parts(part)
    return [part for part in found if part is not None]
