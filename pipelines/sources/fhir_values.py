"""Observations of FHIR R4: a value each, its components too, dated when it was known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from data_schemas.errors import RefusedError
from data_schemas.observation import Observation
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import PatientFacts
from pipelines.sources.codes import plain_code, quantities
from pipelines.sources.conventions import Conventions
from pipelines.sources.fhir_index import Index
from pipelines.sources.fhir_times import known_after, known_at, last_change
from pipelines.sources.observations import make_observation

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
CHANGED = {"amended", "corrected"}
# HL7's codes of interpretation that are a result by themselves, where no value stands beside them.
INTERPRETATIONS = {
    "POS": "positive",
    "NEG": "negative",
    "DET": "detected",
    "ND": "not detected",
    "IND": "indeterminate",
}
INTERPRETATIONS |= {"H": "high", "HH": "high", "L": "low", "LL": "low", "N": "normal", "A": "abnormal"}


def observations_of(
    resource: Any, patient: PatientFacts, index: Index, *, conventions: Conventions, told: Counter[Remark]
) -> list[Observation]:
    """The values of a validated Observation; none where it says that there is none (``dataAbsentReason``, a panel).

    ``conventions`` say how the source writes codes and units; ``told`` counts what must be said of them.

    Raises
    ------
    RefusedError
        A value, a unit, a code or a moment cannot be read; it is a finding of an imaging study, and so of a report;
        or its encounter or order is another patient's.
    """
    index.check_subject(patient, *filter(None, [resource.encounter]), *(resource.basedOn or []))
    _refuse_imaging(resource)
    return values_of(resource, patient, conventions=conventions, told=told)


def values_of(
    resource: Any, patient: PatientFacts, *, conventions: Conventions, told: Counter[Remark]
) -> list[Observation]:
    """The values of an Observation, whatever it belongs to; raises as `observations_of` does."""
    everything = [resource, *(resource.component or [])]
    taken = known_at(
        resource.effectiveDateTime,
        resource.effectiveInstant,
        resource.issued,
        *known_after(resource.effectivePeriod),
        last_change(resource) if resource.status in CHANGED else None,
    )
    parts = [(part, value) for part in everything if (value := _value(part)) is not None]
    if not parts and not _is_absent(everything) and not resource.hasMember:
        raise RefusedError(Reason.NOT_A_RECORD, "Observation has no value that scanote reads")
    return [*_each(parts, patient, taken, conventions, told)]


def sex_of(patient: PatientFacts) -> Iterator[Observation]:
    """The sex of a patient; it carries no date, for it is not an event."""
    if patient.sex:
        yield Observation(patient=patient, code="sex", value=patient.sex)


def _each(
    parts: list[tuple[Any, float | str]],
    patient: PatientFacts,
    taken: Any,
    conventions: Conventions,
    told: Counter[Remark],
) -> Iterator[Observation]:
    for part, value in parts:
        quantity = part.valueQuantity
        bounded = f"{quantity.comparator}{value}" if quantity is not None and quantity.comparator else value
        try:
            yield make_observation(
                patient,
                taken=taken,
                code=_code(part.code, conventions, told),
                value=bounded,
                unit=_unit(quantity),
                conventions=conventions,
                told=told,
            )
        except RefusedError:
            raise
        except ValueError as error:
            raise RefusedError(Reason.UNREADABLE_ROW, f"Observation: {error}") from None


def _unit(quantity: Any) -> str:
    """The unit of a quantity: its UCUM code, else what people read."""
    if quantity is None:
        return ""
    if quantity.system in (None, UCUM) and quantity.code:
        return str(quantity.code)
    return str(quantity.unit or quantity.code or "")


def _value(part: Any) -> float | str | None:
    if part.dataAbsentReason is not None:
        return None
    if part.valueQuantity is not None and part.valueQuantity.value is not None:
        return float(part.valueQuantity.value)
    if part.valueInteger is not None:
        return float(part.valueInteger)
    if part.valueBoolean is not None:
        return "true" if part.valueBoolean else "false"
    if part.valueCodeableConcept is not None:
        codings = part.valueCodeableConcept.coding or []
        return part.valueCodeableConcept.text or next((c.display or c.code for c in codings), None)
    if part.valueString is not None:
        return str(part.valueString)
    if any(getattr(part, name, None) is not None for name in OTHER_VALUES):
        return None
    codings = [coding for concept in part.interpretation or [] for coding in concept.coding or []]
    return next((INTERPRETATIONS[coding.code] for coding in codings if coding.code in INTERPRETATIONS), None)


OTHER_VALUES = ("valueRange", "valueRatio", "valueSampledData", "valueTime", "valueDateTime", "valuePeriod")


def _is_absent(parts: list[Any]) -> bool:
    """Whether it is said that there is no value, and why."""
    others = any(getattr(part, name, None) is not None for part in parts for name in OTHER_VALUES)
    return not others and any(part.dataAbsentReason is not None for part in parts)


def _code(concept: Any, conventions: Conventions, told: Counter[Remark]) -> str:
    """The word of a code, by the settings or by LOINC; else its LOINC code, its text, or its display.

    Text that stands alone may be one of our words; beside a local code it is never taken for its meaning.
    """
    if concept is None:  # the models let a required field be null
        raise RefusedError(Reason.NOT_A_RECORD, "Observation has no code")
    codings = concept.coding or []
    loinc = [coding.code for coding in codings if coding.system == LOINC and coding.code]
    local = [coding.code for coding in codings if coding.system != LOINC and coding.code]
    text = (concept.text or "").strip()
    given = {conventions.codes[code] for code in [*loinc, *local, text] if code in conventions.codes}
    words = given or {plain_code(code) for code in loinc} & set(quantities())
    if len(words) > 1:
        raise RefusedError(Reason.UNREADABLE_ROW, "Observation with codes that mean different things")
    displays = [coding.display.strip() for coding in codings if coding.display and coding.display.strip()]
    code = next(iter([*words, *loinc, *filter(None, [text]), *displays, *local]), "")
    if not code:
        raise RefusedError(Reason.NOT_A_RECORD, "Observation has no code")
    word = plain_code(code)
    if words or loinc:
        return word
    if local and word in quantities():
        word = f"{code}^local"  # "Glucose" beside a local code may be that of urine
    told[Remark.CODE_UNKNOWN] += word not in quantities()
    return word


def _refuse_imaging(resource: Any) -> None:
    """Refuse the findings of a study that come as values: they are its report by another name."""
    classes = {coding.code for concept in resource.category or [] for coding in concept.coding or []}
    sources = [reference.reference or "" for reference in [*(resource.derivedFrom or []), *(resource.partOf or [])]]
    if "imaging" in classes or any("ImagingStudy/" in source for source in sources):
        raise RefusedError(Reason.OWN_REPORT, "Observation of an imaging study: a label source, never an input")
