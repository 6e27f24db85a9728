"""Whose a message is, and when it was: ids, assigning authorities, time stamps and zones."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from data_schemas.reasons import Reason

CET = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("pid", "found"),
    [
        ("PID|1||7^^^A^MR~8^^^B^SS", "7"),
        ("PID|1||7^^^A^PI~8^^^B^SS", "7"),
        ("PID|1||7", "7"),
        ("PID|1|7", "7"),
        ("PID|1||7^^^A^MR~7^^^A^MR", "7"),
        ("PID|1||007 ^^^A^MR", "007"),
        ("PID|1||7^^^A~8^^^B", Reason.AMBIGUOUS_IDENTITY),
        ("PID|1||7^^^A^MR~8^^^B^MR", Reason.AMBIGUOUS_IDENTITY),
        ("PID|1||", Reason.MISSING_PATIENT),
        ('PID|1||""', Reason.MISSING_PATIENT),
        ("PV1|1|I", Reason.MISSING_PATIENT),
    ],
)
def test_the_patient_is_the_one_of_the_record_number_or_nobody(v2, read, pid: str, found: object) -> None:
    records = read([v2.header(), pid, v2.LAB, v2.obx("NM", "1988-5^CRP^LN", "5", "mg/L")])
    ids = [item.patient.patient_id for item in records.observations] or [line.reason for line in records.refused]
    assert ids == [found]


@pytest.mark.parametrize("system", ["B", "1.9", "urn:oid:1.9"])
def test_the_assigning_authority_of_the_settings_chooses_the_id(v2, read, system: str) -> None:
    pid = "PID|1||7^^^A^MR~8^^^B&1.9&ISO^PI"
    records = read([v2.header(), pid, v2.LAB, v2.obx("NM", "1988-5^CRP^LN", "5", "mg/L")], identifier_system=system)
    assert [item.patient.patient_id for item in records.observations] == ["8"]


def test_each_patient_of_a_message_has_their_own_results(v2, read) -> None:
    other = v2.PID.replace("00123", "00456")
    line = v2.obx("NM", "1988-5^CRP^LN", "5", "mg/L")
    records = read([v2.header(), v2.PID, v2.LAB, line, other, v2.LAB, line])
    assert [item.patient.patient_id for item in records.observations if item.code == "crp"] == ["00123", "00456"]


@pytest.mark.parametrize(
    ("stamp", "moment"),
    [
        ("20240305081530.25-0500", datetime(2024, 3, 5, 8, 15, 30, 250000, tzinfo=timezone(timedelta(hours=-5)))),
        ("202403050815", datetime(2024, 3, 5, 8, 15, tzinfo=CET)),
        ("2024030508", datetime(2024, 3, 5, 8, 59, 59, 999999, tzinfo=CET)),
        ("20240305", datetime(2024, 3, 5, 23, 59, 59, 999999, tzinfo=CET)),
        ("20240305000000", datetime(2024, 3, 5, 23, 59, 59, 999999, tzinfo=CET)),
        ("202402", datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=CET)),
        ("2024", datetime(2024, 12, 31, 23, 59, 59, 999999, tzinfo=CET)),
        ("20240230", None),
        ("yesterday", None),
    ],
)
def test_a_time_stamp_is_never_read_as_earlier_than_written(v2, read, stamp: str, moment: datetime | None) -> None:
    records = read(v2.lab(v2.obx("NM", "1988-5^CRP^LN", "5", "mg/L", at=stamp)))
    assert [item.taken for item in records.observations if item.code == "crp"] == ([moment] if moment else [])
    assert [line.reason for line in records.refused] == ([] if moment else [Reason.UNREADABLE_ROW])


def test_a_message_for_tests_is_refused_and_other_types_are_passed_over(v2, read) -> None:
    line = v2.obx("NM", "1988-5^CRP^LN", "5", "mg/L")
    records = read(
        [v2.field(v2.header(), 11, "T"), v2.PID, v2.LAB, line],
        [v2.header("ADT^A08"), v2.PID],
        [v2.header("MDM^T01"), v2.PID, v2.TXA],
    )
    assert (records.observations, [line.reason for line in records.refused]) == ((), [Reason.NOT_A_RECORD])
