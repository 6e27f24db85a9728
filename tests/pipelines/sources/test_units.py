"""Units: right to the digit, or refused."""

from __future__ import annotations

import contextlib
import math
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.sources.codes import LOINC_CODE, loinc_words, plain_code, quantities
from pipelines.sources.fhir_notes import codes as document_codes
from pipelines.sources.units import convert, is_unit

CODES = Path(__file__).parents[3] / "pipelines/sources/codes.yaml"
NUMBERED = sorted(word for word, quantity in quantities().items() if quantity.unit)


@pytest.mark.parametrize(
    ("code", "value", "unit", "expected"),
    [
        # by hand: 1 mg/dL = 10 mg/L
        ("crp", 1.25, "mg/dL", 12.5),
        ("crp", 1.25, "MG/DL", 12.5),
        ("crp", 12500.0, "ng/mL", 12.5),
        # 1 mg/dL = 10 mg/L = 10 / 113.12 mmol/L
        ("creatinine", 1.0, "mg/dL", 88.4017),
        ("creatinine", 0.1, "mmol/l", 100.0),
        ("creatinine", 90.0, "µmol/l", 90.0),
        ("creatinine", 90.0, "μmol/L", 90.0),
        ("hemoglobin", 14.0, "g/dL", 140.0),
        ("hemoglobin", 14.0, "g%", 140.0),
        ("hemoglobin", 140.0, "G/L", 140.0),
        ("hemoglobin", 8.7, "mmol/L", 140.1962),
        ("glucose", 100.0, "mg/dL", 5.5507),
        ("lactate", 18.0, "mg/dL", 1.9982),
        ("bilirubin", 1.0, "mg/dL", 17.104),
        ("urea", 60.056, "mg/dL", 10.0),
        ("urea-nitrogen", 14.014, "mg/dL", 5.0026),
        ("sodium", 140.0, "mEq/L", 140.0),
        ("nt-probnp", 10.0, "pmol/L", 84.57),
        ("troponin-t", 0.014, "ng/mL", 14.0),
        ("troponin-i", 0.04, "µg/L", 40.0),
        ("leukocytes", 7.1, "10^9/L", 7.1),
        ("leukocytes", 7.1, "x10E9/L", 7.1),
        ("leukocytes", 7.1, "×10⁹/L", 7.1),
        ("leukocytes", 7.1, "K/uL", 7.1),
        ("leukocytes", 7.1, "G/L", 7.1),
        ("leukocytes", 7.1, "Gpt/l", 7.1),
        ("leukocytes", 7.1, "10*3/mm3", 7.1),
        ("leukocytes", 7100.0, "/µl", 7.1),
        ("leukocytes", 7100.0, "cells/mm3", 7.1),
        ("platelets", 0.25, "10*12/L", 250.0),
        ("platelets", 250.0, "Thousand/uL", 250.0),
        ("temperature", 98.6, "[degF]", 37.0),
        ("temperature", 98.6, "°F", 37.0),
        ("temperature", 310.15, "K", 37.0),
        ("temperature", 37.0, "C", 37.0),
        ("heart-rate", 72.0, "bpm", 72.0),
        ("heart-rate", 1.2, "/s", 72.0),
        ("systolic", 16.0, "kPa", 120.0099),
        ("systolic", 120.0, "mmHg", 120.0),
        ("spo2", 0.97, "1", 97.0),
        ("hematocrit", 0.42, "L/L", 42.0),
        ("weight", 154.0, "lbs", 69.8532),
        ("weight", 3200.0, "g", 3.2),
        ("height", 71.0, "in", 180.34),
        ("height", 1.8, "m", 180.0),
        ("bmi", 24.0, "kg/m²", 24.0),
        ("alt", 30.0, "IU/L", 30.0),
        ("alt", 0.5, "ukat/L", 30.0),
        ("inr", 2.1, "", 2.1),
        ("inr", 2.1, "{INR}", 2.1),
        ("egfr", 60.0, "mL/min/{1.73_m2}", 60.0),
        ("egfr", 60.0, "mL/min/1.73m2", 60.0),
    ],
)
def test_a_value_is_converted_to_the_unit_of_its_code(code: str, value: float, unit: str, expected: float) -> None:
    assert convert(code, value, unit) == (code, pytest.approx(expected, abs=1e-3), quantities()[code].unit)


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        ("crp", ""),
        ("crp", "  "),
        ("crp", "mmol/L"),  # no molar mass: a pentamer is not converted
        ("crp", "g"),
        ("crp", "foo"),
        ("leukocytes", "g/L"),
        ("creatinine", "U/L"),
        ("temperature", "mmHg"),
        ("creatinine", "C"),  # degrees have an offset, and a molar mass divides none
        ("sodium", "[degF]"),
        ("crp", "10*999999999/L"),
        ("crp", "m" * 41),
        ("crp", "(" * 20 + "mg/L" + ")" * 20),
        ("crp", "mg/L; __import__('os')"),
        ("weight", ""),
    ],
)
def test_a_unit_of_another_kind_is_refused_and_named_nowhere(code: str, unit: str) -> None:
    with pytest.raises(RefusedError) as caught:
        convert(code, 5.0, unit)
    assert caught.value.reason is Reason.UNKNOWN_UNIT
    assert code in caught.value.detail
    assert "__import__" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "value", "unit"),
    [
        ("temperature", 98.6, "Cel"),
        ("temperature", 370.0, "Cel"),
        ("spo2", 97.0, "1"),
        ("weight", 0.0, "kg"),
        ("potassium", 40.0, "mmol/L"),
        ("hematocrit", 42.0, "L/L"),
        ("crp", -1.0, "mg/L"),
        ("height", 1.8, "cm"),
    ],
)
def test_a_value_that_no_living_body_has_is_refused(code: str, value: float, unit: str) -> None:
    with pytest.raises(RefusedError) as caught:
        convert(code, value, unit)
    assert caught.value.reason is Reason.IMPLAUSIBLE_VALUE
    assert f"{value}" not in caught.value.detail


@pytest.mark.parametrize("unit", ["ng/mL FEU", "ng/mL{FEU}", "µg/L FEU", "ng{FEU}/mL"])
def test_a_d_dimer_says_whose_units_it_is_in(unit: str) -> None:
    assert convert("d-dimer", 500.0, unit) == ("d-dimer-feu", 0.5, "mg/L{FEU}")


def test_d_dimer_units_are_never_mixed() -> None:
    assert convert("d-dimer", 250.0, "ng/mL DDU") == ("d-dimer-ddu", 0.25, "mg/L{DDU}")
    assert convert("d-dimer-feu", 0.5, "mg/L") == ("d-dimer-feu", 0.5, "mg/L{FEU}")
    for code, unit in (("d-dimer", "ng/mL"), ("d-dimer-feu", "ng/mL DDU"), ("d-dimer-ddu", "mg/L{FEU}")):
        with pytest.raises(RefusedError, match="unknown-unit"):
            convert(code, 500.0, unit)


def test_a_unit_of_the_settings_is_the_target_and_the_bounds_go_with_it() -> None:
    assert convert("crp", 12.5, "mg/L", units={"crp": "mg/dL"}) == ("crp", 1.25, "mg/dL")
    assert convert("temperature", 37.0, "Cel", units={"temperature": "[degF]"})[1] == pytest.approx(98.6)
    with pytest.raises(RefusedError, match="implausible-value"):
        convert("temperature", 370.0, "[degF]", units={"temperature": "[degF]"})
    with pytest.raises(RefusedError, match="unknown-unit"):
        convert("crp", 12.5, "mg/L", units={"crp": "mmol/L"})


def test_a_code_that_nobody_knows_keeps_its_value_and_unit() -> None:
    assert convert("LAB4711", 3.5, "arb. U.") == ("LAB4711", 3.5, "arb. U.")


@pytest.mark.parametrize("code", NUMBERED)
def test_every_unit_of_ours_is_ucum_and_converts_to_itself(code: str) -> None:
    quantity = quantities()[code]
    assert is_unit(quantity.unit)
    assert quantity.low < quantity.high
    middle = (quantity.low + quantity.high) / 2
    assert convert(code, middle, quantity.unit)[1] == middle


@settings(deadline=None)  # the first example loads the units
@given(st.sampled_from(["mg/dL", "g/L", "umol/L", "mmol/L"]), st.floats(1e-3, 1.0))
def test_there_and_back_is_the_same_value(unit: str, share: float) -> None:
    quantity = quantities()["creatinine"]
    value = quantity.low + share * (quantity.high - quantity.low)
    (_, there, _) = convert("creatinine", value, "umol/L", units={"creatinine": unit})
    assert convert("creatinine", there, unit)[1] == pytest.approx(value, rel=1e-9)


@settings(deadline=None)
@given(st.text(max_size=50), st.sampled_from(NUMBERED))
def test_any_text_for_a_unit_is_a_unit_or_refused(unit: str, code: str) -> None:
    with contextlib.suppress(RefusedError):
        assert math.isfinite(convert(code, 5.0, unit)[1])


def test_ten_thousand_values_of_any_units_take_a_second_or_so() -> None:
    convert("crp", 1.0, "mg/dL")
    started = time.perf_counter()
    for _ in range(10_000):
        convert("crp", 1.0, "mg/dL")
    assert time.perf_counter() - started < 3


def test_a_value_in_its_own_unit_loads_no_unit_library() -> None:
    line = "import sys, pipelines.sources.units as u; u.convert('crp', 5.0, 'mg/L'); print('pint' in sys.modules)"
    made = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "False"


def test_every_loinc_code_has_its_check_digit() -> None:
    documents = document_codes()
    codes = [*loinc_words(), *documents["documents"], *documents["reports"]]
    for code in filter(LOINC_CODE.fullmatch, codes):  # parts of codes (LP…) have another rule
        number, _, digit = code.partition("-")
        doubled = (int(sign) * (2 - place % 2) for place, sign in enumerate(reversed(number)))
        assert sum(value - 9 * (value > 9) for value in doubled) % 10 == (10 - int(digit)) % 10, code
    assert len(codes) > 100


def test_no_loinc_code_means_two_things() -> None:
    codes = [
        code for row in yaml.safe_load(CODES.read_text(encoding="utf-8")).values() for code in row.get("loinc", [])
    ]
    assert len(codes) == len(set(codes)) == len(loinc_words())
    assert plain_code("1988-5") == plain_code("CRP") == plain_code(" crp ") == "crp"
    assert plain_code("9999-9") == "9999-9"
    assert plain_code("LAB1", codes={"LAB1": "crp"}) == "crp"
