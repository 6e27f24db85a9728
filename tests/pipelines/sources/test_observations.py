from __future__ import annotations

from datetime import datetime

import pytest

from data_schemas.errors import InputError
from data_schemas.reasons import Reason, Remark
from pipelines.sources.conventions import Conventions
from pipelines.sources.observations import read_observations

LONG = "patient_id,datetime,code,value,unit\n"


def test_a_long_table_gives_one_value_a_row(write) -> None:
    path = write("o.csv", LONG + "007,2024-03-05T08:00,crp,12.5,mg/L\n007,,sex,female,\n")
    crp, sex = read_observations(path).observations
    assert (crp.patient.patient_id, crp.taken, crp.code, crp.value, crp.unit) == (
        "007",
        datetime(2024, 3, 5, 8),
        "crp",
        12.5,
        "mg/L",
    )
    assert (sex.taken, sex.value) == (None, "F")


def test_a_wide_table_gives_one_value_a_cell_in_our_units(write) -> None:
    path = write("o.csv", "patient_id,sex,age,weight_kg\n007,F,048Y,75\n")
    values = read_observations(path).observations
    assert [(item.code, item.value, item.unit) for item in values] == [
        ("sex", "F", ""),
        ("age", 48.0, "years"),
        ("weight", 75.0, "kg"),
    ]


def test_a_blank_or_unknown_cell_is_no_observation(write) -> None:
    path = write("o.csv", "patient_id,sex,age,weight_kg\n007,U, ,\n")
    assert read_observations(path) == read_observations(path).__class__()


def test_a_wide_table_may_be_keyed_by_study(write) -> None:
    (item,) = read_observations(write("o.csv", "study_uid,datetime,age\n1.2.3,2024-03-05T08:00,42\n")).observations
    assert (item.study_uid, item.patient.patient_id, item.taken) == ("1.2.3", "", datetime(2024, 3, 5, 8))


def test_declared_columns_are_codes_of_their_own(write) -> None:
    path = write("o.csv", "patient_id,pack_years\n1,12.5\n")
    (item,) = read_observations(path, columns=("pack_years",)).observations
    assert (item.code, item.value) == ("pack_years", 12.5)


def test_a_known_code_without_a_unit_is_refused_unless_the_settings_name_it(write) -> None:
    path = write("o.csv", "patient_id,crp\n1,12.5\n")
    assert [line.reason for line in read_observations(path, columns=("crp",)).refused] == [Reason.UNKNOWN_UNIT]
    records = read_observations(path, columns=("crp",), conventions=Conventions(assumed_units={"crp": "mg/dL"}))
    assert [(item.value, item.unit) for item in records.observations] == [(125.0, "mg/L")]
    assert [(line.remark, line.detail.split()[0]) for line in records.noticed] == [(Remark.UNIT_ASSUMED, "1")]


def test_values_come_in_the_unit_of_their_code_whatever_they_were_written_in(write) -> None:
    rows = "1,2024-03-05,CRP,1.25,mg/dl\n1,2024-03-05,2160-0,1.0,mg/dL\n1,2024-03-05,temperature,98.6,°F\n"
    observations = read_observations(write("o.csv", LONG + rows)).observations
    assert [(item.code, item.value, item.unit) for item in observations] == [
        ("crp", 12.5, "mg/L"),
        ("creatinine", pytest.approx(88.4017, abs=1e-4), "umol/L"),
        ("temperature", 37.0, "Cel"),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("crp,5,mmHg", Reason.UNKNOWN_UNIT),
        ("crp,5,furlong", Reason.UNKNOWN_UNIT),
        ("crp,5,", Reason.UNKNOWN_UNIT),
        ("weight,70,", Reason.UNKNOWN_UNIT),
        ("temperature,98.6,Cel", Reason.IMPLAUSIBLE_VALUE),
        ("spo2,9700,%", Reason.IMPLAUSIBLE_VALUE),
        ("crp,negative,mg/L", Reason.UNREADABLE_ROW),
        ("crp,<0.6,mg/L", Reason.UNREADABLE_ROW),
        ("crp,5|0,mg/L", Reason.UNREADABLE_ROW),
    ],
)
def test_a_value_that_cannot_be_trusted_is_refused_with_its_reason(write, row: str, reason: Reason) -> None:
    records = read_observations(write("o.csv", LONG + f"1,2024-03-05,{row}\n2,2024-03-05,crp,5,mg/L\n"))
    assert [line.reason for line in records.refused] == [reason]
    assert [item.patient.patient_id for item in records.observations] == ["2"]


def test_the_bound_of_a_value_is_taken_where_the_settings_say_so_and_counted(write) -> None:
    path = write("o.csv", LONG + "1,,crp,<0.6,mg/L\n1,,troponin-t,≥ 10000,ng/L\n1,,crp,~5,mg/L\n")
    records = read_observations(path, conventions=Conventions(comparators="bound"))
    assert [item.value for item in records.observations] == [0.6, 10000.0]
    assert [line.detail.split()[0] for line in records.noticed if line.remark is Remark.BOUND_TAKEN] == ["2"]
    assert len(records.refused) == 1


@pytest.mark.parametrize(("text", "value"), [("12,5", 12.5), ("-3,0", -3.0), ("7", 7.0)])
def test_a_decimal_comma_is_read_where_the_settings_say_so(write, text: str, value: float) -> None:
    path = write("o.csv", LONG.replace(",", ";") + f"1;;mood;{text};\n")
    (item,) = read_observations(path, conventions=Conventions(decimal=",")).observations
    assert item.value == value


@pytest.mark.parametrize("text", ["1.234", "1.234,5", "1,234,5"])
def test_a_number_that_may_hold_thousands_is_refused_under_a_decimal_comma(write, text: str) -> None:
    path = write("o.csv", LONG.replace(",", ";") + f"1;;mood;{text};\n")
    records = read_observations(path, conventions=Conventions(decimal=","))
    assert (records.observations, [line.reason for line in records.refused]) == ((), [Reason.UNREADABLE_ROW])


def test_a_local_code_takes_the_word_that_the_settings_name(write) -> None:
    path = write("o.csv", LONG + "1,,LAB0815,1.25,mg/dL\n")
    (item,) = read_observations(path, conventions=Conventions(codes={"LAB0815": "crp"})).observations
    assert (item.code, item.value) == ("crp", 12.5)


def test_an_unknown_code_keeps_its_value_and_unit(write) -> None:
    (item,) = read_observations(write("o.csv", LONG + "1,,LAB4711,3.5,arb. U.\n")).observations
    assert (item.code, item.value, item.unit) == ("LAB4711", 3.5, "arb. U.")


def test_the_units_of_the_settings_go_before_our_own(write) -> None:
    conventions = Conventions(units={"crp": "mg/dL", "lab4711": "mmol/L"})
    path = write("o.csv", LONG + "1,,crp,12.5,mg/L\n1,,lab4711,500,umol/L\n1,,lab4711,5,mg/L\n")
    records = read_observations(path, conventions=conventions)
    assert [(item.value, item.unit) for item in records.observations] == [(1.25, "mg/dL"), (0.5, "mmol/L")]
    assert [line.reason for line in records.refused] == [Reason.UNKNOWN_UNIT]


def test_an_undeclared_column_is_named_with_the_setting_that_declares_it(write) -> None:
    with pytest.raises(InputError, match=r"unknown column crp; declare it .*sources\.observation_columns"):
        read_observations(write("o.csv", "patient_id,age,crp\n1,42,12\n"))


def test_a_wide_table_without_a_declared_column_is_refused(write) -> None:
    with pytest.raises(InputError, match="none of the declared observation columns"):
        read_observations(write("o.csv", "patient_id,datetime\n1,2024\n"))


@pytest.mark.parametrize(
    "row", ["1,2024-03-05,crp,,mg/L", "1,2024-03-05,crp,<5,mg/L", "1,5.3.24,crp,5,mg/L", "1,,,5,", "1,,age,620,"]
)
def test_a_bad_row_of_a_long_table_is_listed_and_the_rest_kept(write, row: str) -> None:
    records = read_observations(write("o.csv", LONG + f"{row}\n2,,crp,5,mg/L\n"))
    assert [item.patient.patient_id for item in records.observations] == ["2"]
    assert [line.reason for line in records.refused] == [Reason.UNREADABLE_ROW]


def test_a_bad_cell_of_a_wide_table_refuses_its_row_and_names_the_column(write) -> None:
    records = read_observations(write("o.csv", "patient_id,sex,age\n1,F,old\n2,X,40\n3,F,40\n"))
    assert {item.patient.patient_id for item in records.observations} == {"3"}
    assert [line.detail.split(":")[0] for line in records.refused] == ["column age", "column sex"]


def test_a_row_of_nobody_is_refused(write) -> None:
    records = read_observations(write("o.csv", "patient_id,age\n ,40\n"))
    assert [line.reason for line in records.refused] == [Reason.MISSING_PATIENT]
