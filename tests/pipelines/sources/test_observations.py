from __future__ import annotations

from datetime import datetime

import pytest

from data_schemas.errors import InputError
from data_schemas.reasons import Reason
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
    path = write("o.csv", "patient_id,crp\n1,12.5\n")
    (item,) = read_observations(path, columns=("crp",)).observations
    assert (item.code, item.value) == ("crp", 12.5)


def test_an_undeclared_column_is_named_with_the_setting_that_declares_it(write) -> None:
    with pytest.raises(InputError, match=r"unknown column crp; declare it .*sources\.observation_columns"):
        read_observations(write("o.csv", "patient_id,age,crp\n1,42,12\n"))


def test_a_wide_table_without_a_declared_column_is_refused(write) -> None:
    with pytest.raises(InputError, match="none of the declared observation columns"):
        read_observations(write("o.csv", "patient_id,datetime\n1,2024\n"))


@pytest.mark.parametrize(
    "row", ["1,2024-03-05,crp,,mg/L", "1,2024-03-05,crp,<5,mg/L", "1,5.3.24,crp,5,", "1,,,5,", "1,,age,620,"]
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
