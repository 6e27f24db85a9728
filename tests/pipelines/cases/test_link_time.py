"""The cut-off with its offsets, zones and clocks that disagree; and that nothing else moves a case."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from data_schemas.linking import LinkSettings
from data_schemas.reasons import Reason, Remark
from pipelines.cases.rules import link_rules

NOON = datetime(2024, 3, 5, 12, 0)
HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")
# The hour from 2 to 3 of this night was there twice.
TWICE = datetime(2024, 10, 27, 2, 30)


def rules(**settings: object) -> dict[str, object]:
    return link_rules(LinkSettings.model_validate(settings))


def reasons(result) -> list[Reason]:
    return [line.reason for line in result.unlinked if line.kind != "case"]


@pytest.mark.parametrize(("minutes", "used"), [(60, True), (61, False)])
def test_values_may_come_so_long_after_the_cut_off_as_their_offset_says(joined, scan, value, minutes, used) -> None:
    item = value("crp", 1.0, taken=NOON + timedelta(minutes=minutes))
    result = joined([scan()], [], [item], **rules(offsets={"observation": "1h"}))
    assert bool(result.cases[0].observations) is used
    assert (Remark.LATE_INPUT in result.cases[0].remarks) is used
    assert reasons(result) == ([] if used else [Reason.AFTER_CUT_OFF])


def test_a_negative_offset_asks_for_text_that_was_known_so_long_before(joined, scan, note) -> None:
    notes = [note(written=NOON - timedelta(minutes=29)), note(written=NOON - timedelta(minutes=31))]
    (case,) = joined([scan()], notes, [], **rules(offsets={"note": "-30m"})).cases
    assert case.notes == (notes[1],)


def test_the_offset_of_one_kind_goes_before_that_of_all(joined, scan, note, value) -> None:
    given = rules(offsets={"note": "-1h", "order": "30m", "note/progress": 0, "observation/CRP": "1h"})
    notes = [
        note(written=NOON + timedelta(minutes=20), kind="order"),
        note(written=NOON - timedelta(minutes=5), kind="progress note"),
        note(written=NOON - timedelta(minutes=5), kind="consult note"),
    ]
    values = [value("CRP", 1.0, taken=NOON + HOUR), value("lactate", 2.0, taken=NOON + HOUR)]
    (case,) = joined([scan()], notes, values, **given).cases
    assert {kept.kind for kept in case.notes} == {"order", "progress note"}
    assert [item.code for item in case.observations] == ["CRP"]


@pytest.mark.parametrize(
    "changes",
    [
        {"study_uid": "1.2.3"},
        {"accession": "A1"},
        {"accession": "A1", "study_uid": "9"},
        {},
    ],
)
@pytest.mark.parametrize("offsets", [{"note": "7d"}, {"note/report": "7d"}])
@pytest.mark.parametrize("hours", [1, 30])
def test_the_studys_own_report_is_never_an_input_whatever_the_offset(
    joined, scan, note, changes, offsets, hours
) -> None:
    report = note(kind="report", written=NOON + hours * HOUR, **changes)
    result = joined([scan(accession="A1")], [report], [], **rules(offsets=offsets))
    assert result.cases[0].notes == ()
    assert reasons(result) in ([Reason.OWN_REPORT], [Reason.AFTER_CUT_OFF])


@pytest.mark.parametrize("changes", [{"study_uid": "1.2.3"}, {"accession": "A1"}])
def test_an_offset_of_all_notes_and_values_lets_in_nothing_that_is_about_the_study(
    joined, scan, note, value, changes
) -> None:
    late = {"note": [note(written=NOON + HOUR, kind="addendum", **changes)]}
    values = [value("nodule size", 9.0, taken=NOON + HOUR, **changes)]
    given = rules(offsets={"note": "2h", "observation": "2h"})
    (case,) = joined([scan(accession="A1")], late["note"], values, **given).cases
    assert case.notes == case.observations == ()


def test_what_was_allowed_of_time_stands_in_the_history_of_the_case(joined, scan, note) -> None:
    given = rules(offsets={"observation": "1h", "order": "-30m"}, clock_skew="2m", timezone="Europe/Berlin")
    (case,) = joined([scan()], [note()], [], **given).cases
    assert case.history[-1] == (
        "time: notes of order up to 30 min before the cut-off; values up to 1 h after the cut-off; "
        "clocks may disagree by 2 min; moments without a zone read in Europe/Berlin"
    )
    assert case.timezone == "Europe/Berlin"


@pytest.mark.parametrize(("minutes", "used"), [(4, False), (5, True)])
def test_where_clocks_may_disagree_text_must_be_so_much_earlier(joined, scan, note, minutes, used) -> None:
    (case,) = joined([scan()], [note(written=NOON - timedelta(minutes=minutes))], [], **rules(clock_skew="5m")).cases
    assert bool(case.notes) is used


@pytest.mark.parametrize(("hours", "used"), [(-1, True), (1, False)])
def test_a_wall_clock_is_read_in_the_zone_of_the_settings(joined, scan, note, hours, used) -> None:
    acquired = datetime(2024, 3, 5, 3, tzinfo=UTC)  # noon in Tokyo
    written = NOON + hours * HOUR
    (case,) = joined([scan(acquired=acquired)], [note(written=written)], [], **rules(timezone="Asia/Tokyo")).cases
    assert bool(case.notes) is used


def test_a_note_that_may_be_of_the_second_of_two_equal_hours_is_kept_out(joined, scan, note) -> None:
    early = note(written=TWICE - timedelta(minutes=15))
    (case,) = joined([scan(acquired=TWICE)], [early], [], **rules(timezone="Europe/Berlin")).cases
    assert case.notes == ()
    (case,) = joined([scan(acquired=TWICE)], [note(written=TWICE - HOUR)], [], **rules(timezone="Europe/Berlin")).cases
    assert len(case.notes) == 1


def test_the_later_of_two_values_is_the_later_instant(joined, scan, value) -> None:
    summer = value("crp", 1.0, taken=datetime(2024, 10, 27, 2, 45, fold=0, tzinfo=BERLIN))
    winter = value("crp", 2.0, taken=datetime(2024, 10, 27, 2, 15, fold=1, tzinfo=BERLIN))
    scans = [scan(acquired=datetime(2024, 10, 28))]
    (case,) = joined(scans, [], [summer, winter], **rules(timezone="Europe/Berlin")).cases
    assert [item.value for item in case.observations] == [2.0]


def test_a_date_without_a_time_is_the_end_of_its_day_in_the_zone(joined, scan, note) -> None:
    day = datetime(2024, 3, 4, 23, 59, 59, 999999)
    for hour, used in ((14, False), (15, True)):  # midnight in Tokyo is 15:00 of the day before, in UTC
        scans = [scan(acquired=datetime(2024, 3, 4, hour, 0, 1, tzinfo=UTC))]
        (case,) = joined(scans, [note(written=day)], [], **rules(timezone="Asia/Tokyo")).cases
        assert bool(case.notes) is used


def test_dates_with_and_without_a_zone_and_no_setting_are_said_aloud(joined, scan, note) -> None:
    aware = note(written=NOON.replace(tzinfo=UTC) - timedelta(days=3))
    (notice,) = joined([scan()], [aware], []).notices
    assert "set link.timezone" in notice
    assert joined([scan()], [aware], [], **rules(timezone="UTC")).notices == ()
    assert joined([scan()], [note()], []).notices == ()


PROGRAM = """
from datetime import UTC, datetime, timedelta
from data_schemas.linking import LinkSettings
from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.scan import Geometry, PatientFacts, Scan, ScanFile
from pipelines.cases.examples import values_of
from pipelines.cases.link import link
from pipelines.cases.rules import link_rules

one = ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))
shape = Geometry(shape=(9, 4, 4), spacing_mm=(1, 1, 1), affine=one)
start = datetime(2024, 10, 27, 0, 20)
scans, notes, values = [], [], []
for at in range(12):
    who = PatientFacts(patient_id=str(at), birth_date=datetime(1960, 1, 1).date())
    moment = start + timedelta(minutes=20 * at)
    scans.append(Scan(scan_id=f"{at:064x}", format="dicom", patient=who, study_uid=f"1.{at}", series_uid=f"1.{at}.1",
        modality="CT", transfer_syntax="", acquired=moment.replace(tzinfo=UTC) if at % 2 else moment, geometry=shape,
        files=(ScanFile(path="", sha256=f"{at:064x}", size=0),)))
    for number in range(12):
        written = start + timedelta(minutes=20 * number)
        notes.append(Note(note_id=f"{at}-{number}", patient=who, text=f"Cough {number}.", written=written,
            kind="report" if number % 3 else "note"))
        taken = written.replace(tzinfo=UTC) if number % 2 else written
        values.append(Observation(patient=who, taken=taken, code=f"crp{number % 4}", value=float(number)))
found = link(scans, notes, values, workspace_key=bytes(32), **link_rules(LinkSettings(timezone="Europe/Berlin")))
for case in found.cases:
    print(case.inputs_digest, case.history, values_of(case, codes=[f"crp{number}" for number in range(4)]))
print(found.unlinked)
"""


def test_with_a_zone_two_machines_of_different_zones_give_the_same_cases() -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=os.environ | {"TZ": machine},
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for machine in ("UTC", "Asia/Tokyo", "Europe/Berlin")
    }
    assert len(told) == 1
    assert told.pop().count("linked: scans") == 12
