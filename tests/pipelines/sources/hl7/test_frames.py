"""Files as messages: line ends, frames, batches, character sets, and what is none."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import hl7
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from data_schemas.reasons import Reason, Remark
from pipelines.sources.hl7 import read_hl7
from pipelines.sources.hl7_frames import messages_in
from pipelines.sources.records import read_records


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_segments_may_end_in_any_way(v2, read, end: str) -> None:
    records = read(v2.lab(v2.obx("NM", "1988-5^CRP^LN", "5", "mg/L")), end=end)
    assert (v2.values(records), records.refused) == ({"crp": 5.0}, ())


def test_line_ends_within_a_text_belong_to_it(v2, read) -> None:
    lines = "\r".join(v2.report(v2.obx("TX", "GDT", "First line\nSecond: line\n\nThird")))
    (note,) = read(lines).notes
    assert note.text == "First line\nSecond: line\nThird"


def test_unescaped_separators_of_a_sloppy_sender_stay_in_the_text(v2, read) -> None:
    (note,) = read(v2.report(v2.obx("TX", "GDT", "ratio 3^2 & more; path C:\\temp"))).notes
    assert note.text == "ratio 3^2 & more; path C:\\temp"


def test_several_messages_stand_in_frames_and_in_batches(v2, read) -> None:
    one = "\r".join(v2.lab(v2.obx("NM", "1988-5^CRP^LN", "5", "mg/L")))
    two = "\r".join(v2.lab(v2.obx("NM", "777-3^PLT^LN", "250", "10*9/L")))
    assert v2.values(read(f"\x0b{one}\r\x1c\r\x0b{two}\r\x1c\r")) == {"crp": 5.0, "platelets": 250.0}
    batch = f"FHS|^~\\&|A\rBHS|^~\\&|A\r{one}\r{two}\rBTS|2\rFTS|1\r"
    records = read(batch)
    assert (v2.values(records), records.refused) == ({"crp": 5.0, "platelets": 250.0}, ())


def test_a_batch_that_was_cut_is_told_by_its_count(v2, read) -> None:
    one = "\r".join(v2.lab(v2.obx("NM", "1988-5^CRP^LN", "5", "mg/L")))
    records = read(f"BHS|^~\\&|A\r{one}\rBTS|3\r")
    assert (v2.values(records), [line.reason for line in records.refused]) == ({"crp": 5.0}, [Reason.TRUNCATED])


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        ("8859/1", "latin-1"),
        ("8859/1", "cp1252"),
        ("ISO-8859-1", "latin-1"),
        ("8859/15", "iso8859-15"),
        ("WINDOWS-1252", "cp1252"),
        ("UNICODE UTF-8", "utf-8"),
        ("UTF-8", "utf-8"),
        ("8859/1~UNICODE UTF-8", "latin-1"),
        ("", "utf-8"),
        ("ASCII", "utf-8"),
        ("", "utf-8-sig"),
        ("8859/1", "utf-16"),
    ],
)
def test_the_stated_character_set_is_the_messages(v2, read, charset: str, encoding: str) -> None:
    records = read(v2.report(v2.obx("TX", "GDT", "Müde, Größe."), charset=charset), encoding=encoding)
    assert [note.text for note in records.notes] == ["Müde, Größe."]
    assert records.notes[0].patient.name == "Müller^Ada^B"
    assert records.noticed == ()


def test_one_file_holds_messages_of_two_character_sets(v2, read, tmp_path: Path) -> None:
    parts = [
        "\r".join(
            [*v2.report(v2.obx("TX", "GDT", "Müde"), charset=charset, order=v2.field(v2.RADIOLOGY, 3, charset)), ""]
        ).encode(encoding)
        for charset, encoding in (("8859/1", "latin-1"), ("UNICODE UTF-8", "utf-8"))
    ]
    (tmp_path / "two.hl7").write_bytes(b"".join(parts))
    assert [note.text for note in read_hl7([tmp_path / "two.hl7"]).notes] == ["Müde", "Müde"]


def test_a_character_set_that_is_not_stated_is_named_where_it_is_beyond_doubt(v2, read) -> None:
    records = read(v2.report(v2.obx("TX", "GDT", "Müde"), charset=""), encoding="cp1252")
    assert [note.text for note in records.notes] == ["Müde"]
    assert [(line.remark, line.detail) for line in records.noticed] == [(Remark.ENCODING_CHOSEN, "read as cp1252")]


@pytest.mark.parametrize(("charset", "encoding"), [("KLINGON", "utf-8"), ("UNICODE UTF-8", "latin-1"), ("", "cp1252")])
def test_a_message_in_no_known_character_set_is_refused(v2, read, charset: str, encoding: str) -> None:
    records = read(v2.report(v2.obx("TX", "GDT", "Très gêné à l'effort"), charset=charset), encoding=encoding)
    assert (records.notes, [line.reason for line in records.refused]) == ((), [Reason.AMBIGUOUS_ENCODING])


def test_utf8_that_is_stated_to_be_latin1_is_suspected_aloud(v2, read) -> None:
    records = read(v2.report(v2.obx("TX", "GDT", "Müde"), charset="8859/1"))
    assert [line.remark for line in records.noticed] == [Remark.MOJIBAKE_SUSPECTED]


@pytest.mark.parametrize(
    "content", ["", "nonsense", "PID|1||7\rMSH|^~\\&|x", "MSH|||||||||||", "MSHMSHMSHMSH", "\0" * 50]
)
def test_what_is_no_message_is_refused(read, content: str) -> None:
    records = read(content)
    assert (records.notes, records.observations) == ((), ())
    assert {line.reason for line in records.refused} == {Reason.NOT_A_RECORD}


def test_other_separators_are_read_as_the_message_names_them(v2, read) -> None:
    text = "\r".join(v2.lab(v2.obx("NM", "1988-5^CRP^LN", "5", "mg/L")))
    swapped = text.translate(str.maketrans("|^~\\&", "#!*?$"))
    assert v2.values(read(swapped)) == {"crp": 5.0}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(noise=st.binary(max_size=40), place=st.integers(0, 400))
@example(noise=b"\x1c", place=3)
def test_a_mangled_message_is_read_or_refused_but_never_raises(v2, tmp_path: Path, noise: bytes, place: int) -> None:
    whole = "\r".join(v2.report(v2.obx("TX", "GDT", "Clear."), v2.obx("NM", "1988-5^CRP^LN", "5", "mg/L"))).encode()
    path = tmp_path / "any.hl7"
    path.write_bytes(whole[:place] + noise + whole[place + len(noise) :])
    records = read_hl7([path])
    assert all("\n" not in line.detail and "Clear" not in line.detail for line in records.refused)


def test_nothing_of_a_patient_stands_in_what_is_printed(v2, read) -> None:
    records = read(
        v2.report(v2.obx("TX", "GDT", "SECRETTEXT"), v2.obx("NM", "", "SECRETVALUE")), [v2.header(), v2.PID, "OBX|1|NM"]
    )
    assert "SECRET" not in repr(records)
    assert "00123" not in repr(records)


@pytest.mark.parametrize("kind", ["lab", "report", "document"])
def test_the_hl7_package_takes_a_message_apart_in_the_same_way(v2, kind: str) -> None:
    line = v2.obx("FT", "CTCH&IMP", "a~b \\T\\ c^d", "mg^milli^X", at="20240305")
    text = "\r".join({"lab": v2.lab, "report": v2.report, "document": v2.document}[kind](line))
    (message,) = messages_in(text.encode())
    theirs = [[str(part) for part in segment] for segment in hl7.parse(text)]
    assert [list(segment.fields) for segment in message.segments] == theirs


def test_a_large_report_and_a_message_of_separators_are_bounded(v2, read) -> None:
    started = time.perf_counter()
    (note,) = read(v2.report(v2.obx("FT", "GDT", "word \\.br\\ " * 300_000))).notes
    assert len(note.text) > 1_500_000
    tracemalloc.start()
    records = read([v2.header(), v2.PID, v2.LAB, "OBX|1|TX|X||" + "|" * 2_100_000])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [line.reason for line in records.refused] == [Reason.TOO_LARGE]
    assert peak < 200 * 2**20
    assert time.perf_counter() - started < 20


def test_hl7_files_are_found_among_the_notes_and_observations_and_read_once(v2, tmp_path: Path) -> None:
    text = "\r".join([*v2.report(v2.obx("TX", "GDT", "Clear.")), *v2.lab(v2.obx("NM", "1988-5^CRP^LN", "5", "mg/L"))])
    path = tmp_path / "in" / "a.HL7"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8", newline="")
    records = read_records(notes=[path.parent], observations=[path.parent])
    assert [note.text for note in records.notes] == ["Clear."]
    assert v2.values(records) == {"crp": 5.0}
