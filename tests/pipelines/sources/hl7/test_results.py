"""Results: the numbers, codes and units of ORU messages, and what corrects or deletes them."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from data_schemas.reasons import Reason, Remark
from pipelines.sources.conventions import Conventions

CET = timezone(timedelta(hours=1))


def test_a_number_becomes_an_observation_of_its_patient_in_our_unit(v2, read) -> None:
    records = read(v2.lab(v2.obx("NM", "1988-5^CRP^LN", "1.25", "mg/dL", at="20240305081500")))
    sex, crp = records.observations
    assert (sex.code, sex.value, sex.taken) == ("sex", "F", None)
    assert (crp.code, crp.value, crp.unit) == ("crp", 12.5, "mg/L")
    assert crp.taken == datetime(2024, 3, 5, 8, 15, tzinfo=CET)
    assert crp.patient.model_dump() == {
        "patient_id": "00123",
        "issuer": "1.2.3.4",
        "name": "Müller^Ada^B",
        "sex": "F",
        "birth_date": date(1950, 6, 1),
        "age_years": None,
    }
    assert (records.notes, records.refused, records.noticed) == ((), (), ())


def test_without_a_time_of_its_own_a_value_was_taken_when_the_order_says(v2, read) -> None:
    records = read(v2.lab(v2.obx("NM", "1988-5^CRP^LN", "5", "mg/L")))
    assert records.observations[1].taken == datetime(2024, 3, 5, 8, tzinfo=CET)


@pytest.mark.parametrize(
    ("kind", "value", "read_as"),
    [
        ("SN", "^5", 5.0),
        ("SN", "=^5", 5.0),
        ("NM", "+5.0", 5.0),
        ("ST", "5", 5.0),
    ],
)
def test_numbers_of_several_types_are_numbers(v2, read, kind: str, value: str, read_as: float) -> None:
    assert v2.values(read(v2.lab(v2.obx(kind, "1988-5^CRP^LN", value, "mg/L")))) == {"crp": read_as}


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("SN", "<^5", Reason.UNREADABLE_ROW),
        ("SN", "^5^-^10", Reason.UNREADABLE_ROW),
        ("NM", "12,5", Reason.UNREADABLE_ROW),
        ("NM", "many", Reason.UNREADABLE_ROW),
        ("NM", "9999999", Reason.IMPLAUSIBLE_VALUE),
        ("XX", "5", Reason.NOT_A_RECORD),
    ],
)
def test_a_value_that_is_no_plain_one_is_refused_by_its_line_and_the_rest_kept(v2, read, kind, value, reason) -> None:
    records = read(v2.lab(v2.obx(kind, "1988-5^CRP^LN", value, "mg/L"), v2.obx("NM", "777-3^PLT^LN", "250", "K/uL")))
    assert v2.values(records) == {"platelets": 250.0}
    assert [(line.reason, line.where.partition(".hl7")[2]) for line in records.refused] == [
        (reason, ": message 1, group 1, line 1")
    ]


def test_a_comparator_and_a_decimal_comma_are_read_where_the_settings_say_so(v2, read) -> None:
    conventions = Conventions(comparators="bound", decimal=",")
    lines = v2.obx("SN", "1988-5^CRP^LN", "<^0.6", "mg/L"), v2.obx("NM", "2823-3^K^LN", "4,1", "mmol/L")
    assert v2.values(read(v2.lab(*lines), conventions=conventions)) == {"crp": 0.6, "potassium": 4.1}


def test_titres_and_coded_values_stay_text(v2, read) -> None:
    lines = v2.obx("SN", "5048-4^ANA^LN", "^1^:^128"), v2.obx("CWE", "94500-6^SARS^LN", "260373001^Detected^SCT")
    assert v2.values(read(v2.lab(*lines))) == {"5048-4": "1:128", "94500-6": "Detected"}


def test_a_local_code_keeps_its_name_until_the_settings_give_it_a_word(v2, read) -> None:
    message = v2.lab(v2.obx("NM", "GLU^Glucose^L", "5.5", "mmol/L"))
    records = read(message)
    assert v2.values(records) == {"GLU^L": 5.5}
    assert [(line.remark, line.detail.split()[0]) for line in records.noticed] == [(Remark.CODE_UNKNOWN, "1")]
    assert v2.values(read(message, conventions=Conventions(codes={"GLU^L": "glucose"}))) == {"glucose": 5.5}
    assert v2.values(read(message, conventions=Conventions(codes={"GLU": "glucose"}))) == {"glucose": 5.5}


def test_the_loinc_code_counts_wherever_it_stands(v2, read) -> None:
    assert v2.values(read(v2.lab(v2.obx("NM", "C1^CRP^L^1988-5^CRP^LN", "5", "mg/L")))) == {"crp": 5.0}


def test_a_unit_in_ucum_counts_wherever_it_stands(v2, read) -> None:
    assert v2.values(read(v2.lab(v2.obx("NM", "1988-5^CRP^LN", "1", "MGDL^^L^mg/dL^^UCUM")))) == {"crp": 10.0}


@pytest.mark.parametrize("status", ["X", "N", "I", "O"])
def test_a_line_that_has_no_value_yet_is_passed_over(v2, read, status: str) -> None:
    records = read(v2.lab(v2.obx("NM", "1988-5^CRP^LN", "5", "mg/L", status=status)))
    assert (v2.values(records), records.refused) == ({}, ())


@pytest.mark.parametrize("empty", ["", '""'])
def test_an_empty_value_is_none(v2, read, empty: str) -> None:
    records = read(v2.lab(v2.obx("NM", "1988-5^CRP^LN", empty, "mg/L")))
    assert (v2.values(records), records.refused) == ({}, ())


def test_a_corrected_result_replaces_the_one_sent_before_whatever_the_order_of_the_files(v2, read) -> None:
    first = v2.lab(v2.obx("NM", "1988-5^CRP^LN", "5", "mg/L"), sent="20240305110000+0100")
    later = v2.lab(v2.obx("NM", "1988-5^CRP^LN", "50", "mg/L", status="C"), sent="20240305130000+0100")
    assert v2.values(read(later, first)) == v2.values(read(first, later)) == {"crp": 50.0}


@pytest.mark.parametrize("status", ["D", "W"])
def test_a_deleted_result_is_taken_away_and_listed(v2, read, status: str) -> None:
    first = v2.lab(v2.obx("NM", "1988-5^CRP^LN", "5", "mg/L"), sent="20240305110000+0100")
    later = v2.lab(v2.obx("NM", "1988-5^CRP^LN", "5", "mg/L", status=status))
    records = read(first, later)
    assert v2.values(records) == {}
    assert [line.reason for line in records.refused] == [Reason.WITHDRAWN]


def test_a_deletion_that_is_read_first_still_deletes(v2, read) -> None:
    first = v2.lab(v2.obx("NM", "1988-5^CRP^LN", "5", "mg/L"), sent="20240305110000+0100")
    later = v2.lab(v2.obx("NM", "1988-5^CRP^LN", "5", "mg/L", status="D"))
    assert v2.values(read(later, first)) == {}


def test_serial_values_of_one_order_are_all_kept(v2, read) -> None:
    lines = [
        v2.obx("NM", "1988-5^CRP^LN", value, "mg/L", at=at)
        for value, at in (("5", "202403050800"), ("9", "202403051200"))
    ]
    records = read(v2.lab(*lines))
    assert [item.value for item in records.observations if item.code == "crp"] == [5.0, 9.0]
