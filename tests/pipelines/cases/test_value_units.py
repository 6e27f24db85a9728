"""Values in the units of a model: converted, or refused."""

from __future__ import annotations

import pytest

from data_schemas.errors import InputError, RefusedError
from data_schemas.reasons import Reason
from pipelines.cases.examples import Example, Value
from pipelines.cases.value_units import example_in_units, in_units, units_of

READS = ("observation",)


def example(*values: Value) -> Example:
    return Example(study_key="s", patient_key="p", scan=None, sentences=(), values=values)


def held(code: str, number: float, unit: str | None) -> Value:
    return Value(code, number, 1.0, unit)


def test_the_units_of_a_cohort_are_those_of_its_values_in_one_spelling() -> None:
    cohort = [
        example(held("crp", 5, "mg/L"), held("leukocytes", 7, "10^9/L"), held("nihss", 4, "")),
        example(held("crp", 5, "mg/l"), held("sex", 1, ""), held("height", 180, None)),
    ]
    assert units_of(cohort, modalities=READS) == {"crp": "mg/L", "leukocytes": "10*9/L", "nihss": "", "sex": ""}


def test_two_units_of_one_code_are_no_cohort() -> None:
    cohort = [example(held("crp", 5, "mg/L")), example(held("crp", 0.5, "mg/dL"))]
    with pytest.raises(InputError, match=r"hold crp in mg/L and in mg/dL; name one unit under sources\.units"):
        units_of(cohort, modalities=READS)
    assert units_of(cohort, modalities=("note",)) == {}


def test_a_unit_that_is_no_word_is_not_kept_and_not_repeated() -> None:
    assert units_of([example(held("own", 5, "Ada Example, born 1950: mg"))], modalities=READS) == {}
    cohort = [example(held("own", 5, "Ada: mg")), example(held("own", 5, "mg"))]
    with pytest.raises(InputError) as told:
        units_of(cohort, modalities=READS)
    assert "Ada" not in str(told.value)


@pytest.mark.parametrize(
    ("code", "number", "unit", "target", "wanted"),
    [
        ("crp", 1.2, "mg/dL", "mg/L", 12.0),
        ("creatinine", 1.0, "mg/dL", "umol/L", 10_000 / 113.12),  # 10 mg/L by the molar mass
        ("d-dimer-feu", 500.0, "ng/mL{FEU}", "mg/L", 0.5),
        ("temperature", 98.6, "[degF]", "Cel", 37.0),
        ("own-marker", 3.0, "g/L", "mg/L", 3000.0),  # no code of ours
    ],
)
def test_a_value_in_another_unit_is_converted_and_said(
    code: str, number: float, unit: str, target: str, wanted: float
) -> None:
    [value], [line] = in_units([held(code, number, unit)], {code: target})
    assert (value.value, value.unit, value.age_days) == (pytest.approx(wanted), target, 1.0)
    assert line.startswith(f"{code}: converted from {unit} to {target}")


@pytest.mark.parametrize(("unit", "target"), [("mmol/L", "mg/L"), ("mg/L", ""), ("", "mg/L"), ("words", "mg/L")])
def test_a_value_that_cannot_be_converted_is_refused(unit: str, target: str) -> None:
    with pytest.raises(RefusedError, match=r"^unknown-unit: crp: in .*, and the model reads it in ") as told:
        in_units([held("crp", 5, unit)], {"crp": target})
    assert told.value.reason is Reason.UNKNOWN_UNIT


def test_what_needs_no_conversion_stays_as_it_is() -> None:
    values = (held("crp", 5, "MG/L"), held("weight", 70, None), held("height", 180, "cm"))
    assert in_units(values, {"crp": "mg/L", "weight": "kg"}) == (values, ())
    assert in_units(values, None) == (values, ())
    row = example(*values)
    assert example_in_units(row, {"crp": "mg/L"}) is row
