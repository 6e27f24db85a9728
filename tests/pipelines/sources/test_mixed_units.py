from __future__ import annotations

from data_schemas.observation import Observation
from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts
from pipelines.sources.mixed_units import without_mixed_units
from pipelines.sources.outcome import Records
from pipelines.sources.records import read_records

LONG = "patient_id,datetime,code,value,unit\n"


def value(code: str, unit: str, number: float | str = 5.0) -> Observation:
    return Observation(patient=PatientFacts(patient_id="1"), code=code, value=number, unit=unit)


def test_an_unknown_code_in_two_units_is_refused_whole_and_the_rest_kept(write) -> None:
    path = write("o.csv", LONG + "1,,LAB1,5,mg/L\n2,,LAB1,50,mg/dL\n1,,LAB2,5,mg/L\n3,,LAB2,5,MG/L\n1,,crp,1,mg/dL\n")
    records = read_records(observations=[path])
    assert sorted(item.code for item in records.observations) == ["LAB2", "LAB2", "crp"]
    assert [(line.reason, line.where) for line in records.refused] == [(Reason.MIXED_UNITS, "code LAB1")]


def test_no_unit_is_another_unit() -> None:
    records = without_mixed_units(Records(observations=(value("LAB1", ""), value("LAB1", "mg/L"))))
    assert (records.observations, len(records.refused)) == ((), 1)


def test_text_has_no_unit_to_mix() -> None:
    given = Records(observations=(value("LAB1", "", "positive"), value("LAB1", "mg/L")))
    assert without_mixed_units(given) == given


def test_what_is_known_already_says_which_unit_stays() -> None:
    given = Records(observations=(value("LAB1", "mg/dl"), value("LAB1", "mg/L")))
    kept = without_mixed_units(given, held=[value("LAB1", "mg/L")])
    assert [item.unit for item in kept.observations] == ["mg/L"]
    other = without_mixed_units(Records(observations=(value("LAB1", "g/L"),)), held=[value("LAB1", "mg/L")])
    assert other.observations == ()


def test_a_code_that_is_no_plain_word_is_not_repeated() -> None:
    given = Records(observations=(value("secret: <name>", "a"), value("secret: <name>", "b")))
    assert "secret" not in repr(without_mixed_units(given).refused)
