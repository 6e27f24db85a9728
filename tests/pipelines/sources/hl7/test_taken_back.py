"""Results and texts that are deleted, cancelled or corrected after they were ingested."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from pipelines.cases.ingest import ingest
from pipelines.sources.outcome import known_by
from pipelines.workspace import catalogue
from pipelines.workspace.paths import create_workspace

CRP = "1988-5^CRP^LN"
EARLIER, LATER = "20240305110000+0100", "20240305130000+0100"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_correction_that_cannot_be_read_takes_away_what_it_corrects(v2, read, order) -> None:
    messages = [
        v2.lab(v2.obx("NM", CRP, "5", "mg/L"), sent=EARLIER),
        v2.lab(v2.obx("SN", CRP, "<^0.6", "mg/L", status="C"), sent=LATER),
    ]
    records = read(*(messages[number] for number in order))
    assert v2.values(records) == {}
    assert [item.code for item in records.taken_back] == ["crp"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_remark_beside_a_number_takes_nothing_away(v2, read, order) -> None:
    lines = [v2.obx("NM", CRP, "5", "mg/L"), v2.obx("ST", CRP, "see below", "mg/L")]
    records = read(v2.lab(*(lines[number] for number in order)))
    assert (v2.values(records), records.taken_back) == ({"crp": 5.0}, ())


def test_the_later_message_is_told_by_its_instant_not_by_its_clock(v2, read) -> None:
    summer = v2.lab(v2.obx("NM", CRP, "5", "mg/L"), sent="20241027025000+0200")
    winter = v2.lab(v2.obx("NM", CRP, "50", "mg/L", status="C"), sent="20241027021000+0100")
    assert v2.values(read(winter, summer)) == v2.values(read(summer, winter)) == {"crp": 50.0}


def test_a_document_is_dated_by_its_latest_instant_whatever_the_zones(v2, read) -> None:
    txa = v2.field(v2.field(v2.TXA, 6, "20240305120000+0100"), 8, "20240305113000+0000")
    (note,) = read(v2.document(v2.obx("TX", "1", "Cough."), txa=v2.field(txa, 7, ""))).notes
    assert note.written == datetime(2024, 3, 5, 12, 30, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize("value", ["5", ""])
def test_a_deletion_names_the_value_that_an_earlier_ingest_put(v2, read, value: str) -> None:
    (before,) = (item for item in read(v2.lab(v2.obx("NM", CRP, "5", "mg/L"))).observations if item.code == "crp")
    after = read(v2.lab(v2.obx("NM", CRP, value, status="D"), sent=LATER))
    assert after.taken_back == (known_by(before),)


def test_what_is_sent_again_after_its_deletion_is_not_taken_back(v2, read) -> None:
    deleted = v2.lab(v2.obx("NM", CRP, "5", "mg/L", status="D"), sent=EARLIER)
    again = v2.lab(v2.obx("NM", CRP, "6", "mg/L"), sent=LATER)
    gone, text = v2.report(v2.obx("TX", "G", "A", status="W"), sent=EARLIER), v2.report(v2.obx("TX", "G", "B"))
    records = read(deleted, again, gone, text)
    assert (v2.values(records), len(records.notes), records.taken_back) == ({"crp": 6.0}, 1, ())


def test_a_remark_that_is_deleted_beside_a_number_that_stays_is_taken_away(v2, read) -> None:
    first = v2.lab(v2.obx("NM", CRP, "5", "mg/L"), v2.obx("TX", "REM", "Haemolytic."), sent=EARLIER)
    later = v2.lab(v2.obx("NM", CRP, "5", "mg/L"), v2.obx("TX", "REM", "Haemolytic.", status="D"), sent=LATER)
    records = read(first, later)
    assert (v2.values(records), records.notes, len(records.taken_back)) == ({"crp": 5.0}, (), 1)


def test_a_later_ingest_takes_back_what_was_cancelled_since(v2, tmp_path: Path) -> None:
    workspace, inbox = create_workspace(tmp_path / "w"), tmp_path / "in"
    inbox.mkdir()
    days = [
        (
            v2.lab(v2.obx("NM", CRP, "5", "mg/L"), sent=EARLIER),
            v2.report(v2.obx("TX", "GDT", "Clear."), sent=EARLIER),
            v2.document(v2.obx("TX", "1", "Cough."), sent=EARLIER),
        ),
        (
            v2.lab(v2.obx("NM", CRP, "", status="D"), sent=LATER),
            v2.report(v2.obx("TX", "GDT", "Clear.", status="W"), sent=LATER),
            v2.document(event="T11", sent=LATER),
        ),
    ]
    held = []
    for number, messages in enumerate(days):
        text = "".join("\r".join([*message, ""]) for message in messages)
        (inbox / f"{number}.hl7").write_text(text, encoding="utf-8", newline="")
        ingest(workspace, notes=[inbox])
        with workspace.database() as engine:
            codes = sorted(item.code for item in catalogue.observations(engine))
            held.append((codes, sorted(note.text for note in catalogue.notes(engine))))
    assert held == [(["crp", "sex"], ["Clear.", "Cough."]), (["sex"], [])]
