"""HL7 v2: what a laboratory, a radiology system and a dictation system send."""

from __future__ import annotations

import base64
import time
import tracemalloc
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import hl7
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_schemas.reasons import Reason, Remark
from pipelines.sources.conventions import Conventions
from pipelines.sources.hl7 import read_hl7
from pipelines.sources.hl7_frames import messages_in
from pipelines.sources.hl7_text import LINES_AT_MOST, Separators, character_set, unescape
from pipelines.sources.outcome import Records
from pipelines.sources.records import read_records

CET = timezone(timedelta(hours=1))
PID = "PID|1||00123^^^HOSP&1.2.3.4&ISO^MR~999^^^SSA^SS||Müller^Ada^B||19500601|F"
LAB = "OBR|1|P1|F1|57021-8^CBC^LN|||202403050800||||||||||||||202403051000||LAB|F"
RADIOLOGY = "OBR|1|P2|F2|CTCH^CT Thorax^L|||202403050900|||||||||||ACC7|||||202403051130||RAD|F"
TXA = "TXA|1|CN|TX|20240305|||20240305120000+0100||||||DOC1|||||AU||AV"


def field(segment: str, number: int, value: str) -> str:
    """A segment with one field replaced."""
    parts = segment.split("|") + [""] * 30
    shift = 1 if segment.startswith("MSH") else 0
    parts[number - shift] = value
    return "|".join(parts).rstrip("|")


RADIOLOGY = field(field("OBR|1|P2|F2|CTCH^CT Thorax^L|||202403050900", 18, "ACC7"), 22, "202403051130")
RADIOLOGY = field(RADIOLOGY, 24, "RAD")
LAB = field(field("OBR|1|P1|F1|57021-8^CBC^LN|||202403050800", 22, "202403051000"), 24, "LAB")
TXA = field(field("TXA|1|CN|TX|20240304|||20240305120000", 12, "DOC1^SYS"), 19, "AV")


def header(kind: str = "ORU^R01", *, charset: str = "UNICODE UTF-8", sent: str = "20240305120000+0100") -> str:
    return field(f"MSH|^~\\&|LAB|HOSP|SCANOTE|HOSP|{sent}||{kind}|1|P|2.5", 18, charset)


def obx(kind: str, code: str, value: str, unit: str = "", *, status: str = "F", at: str = "", sub: str = "") -> str:
    return field(f"OBX|1|{kind}|{code}|{sub}|{value}|{unit}|||||{status}", 14, at)


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Records]:
    def read(*messages: str | list[str], end: str = "\r", encoding: str = "utf-8", **options: object) -> Records:
        paths = []
        for number, message in enumerate(messages):
            path = tmp_path / f"{number}.hl7"
            text = message if isinstance(message, str) else end.join([*message, ""])
            path.write_bytes(text.encode(encoding))
            paths.append(path)
        return read_hl7(paths, **options)  # type: ignore[arg-type]

    return read


def lab(*lines: str, **options: str) -> list[str]:
    return [header(**options), PID, LAB, *lines]


def values(records: Records) -> dict[str, object]:
    return {item.code: item.value for item in records.observations if item.code != "sex"}


def test_a_number_becomes_an_observation_of_its_patient_in_our_unit(read) -> None:
    records = read(lab(obx("NM", "1988-5^CRP^LN", "1.25", "mg/dL", at="20240305081500")))
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


def test_without_a_time_of_its_own_a_value_was_taken_when_the_order_says(read) -> None:
    records = read(lab(obx("NM", "1988-5^CRP^LN", "5", "mg/L")))
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
def test_numbers_of_several_types_are_numbers(read, kind: str, value: str, read_as: float) -> None:
    assert values(read(lab(obx(kind, "1988-5^CRP^LN", value, "mg/L")))) == {"crp": read_as}


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
def test_a_value_that_is_no_plain_one_is_refused_by_its_line_and_the_rest_kept(read, kind, value, reason) -> None:
    records = read(lab(obx(kind, "1988-5^CRP^LN", value, "mg/L"), obx("NM", "777-3^PLT^LN", "250", "K/uL")))
    assert values(records) == {"platelets": 250.0}
    assert [(line.reason, line.where.partition(".hl7")[2]) for line in records.refused] == [
        (reason, ": message 1, group 1, line 1")
    ]


def test_a_comparator_and_a_decimal_comma_are_read_where_the_settings_say_so(read) -> None:
    conventions = Conventions(comparators="bound", decimal=",")
    lines = obx("SN", "1988-5^CRP^LN", "<^0.6", "mg/L"), obx("NM", "2823-3^K^LN", "4,1", "mmol/L")
    assert values(read(lab(*lines), conventions=conventions)) == {"crp": 0.6, "potassium": 4.1}


def test_titres_and_coded_values_stay_text(read) -> None:
    lines = obx("SN", "5048-4^ANA^LN", "^1^:^128"), obx("CWE", "94500-6^SARS^LN", "260373001^Detected^SCT")
    assert values(read(lab(*lines))) == {"5048-4": "1:128", "94500-6": "Detected"}


def test_a_local_code_keeps_its_name_until_the_settings_give_it_a_word(read) -> None:
    message = lab(obx("NM", "GLU^Glucose^L", "5.5", "mmol/L"))
    records = read(message)
    assert values(records) == {"GLU^L": 5.5}
    assert [(line.remark, line.detail.split()[0]) for line in records.noticed] == [(Remark.CODE_UNKNOWN, "1")]
    assert values(read(message, conventions=Conventions(codes={"GLU^L": "glucose"}))) == {"glucose": 5.5}
    assert values(read(message, conventions=Conventions(codes={"GLU": "glucose"}))) == {"glucose": 5.5}


def test_the_loinc_code_counts_wherever_it_stands(read) -> None:
    assert values(read(lab(obx("NM", "C1^CRP^L^1988-5^CRP^LN", "5", "mg/L")))) == {"crp": 5.0}


def test_a_unit_in_ucum_counts_wherever_it_stands(read) -> None:
    assert values(read(lab(obx("NM", "1988-5^CRP^LN", "1", "MGDL^^L^mg/dL^^UCUM")))) == {"crp": 10.0}


@pytest.mark.parametrize("status", ["X", "N", "I", "O"])
def test_a_line_that_has_no_value_yet_is_passed_over(read, status: str) -> None:
    records = read(lab(obx("NM", "1988-5^CRP^LN", "5", "mg/L", status=status)))
    assert (values(records), records.refused) == ({}, ())


@pytest.mark.parametrize("empty", ["", '""'])
def test_an_empty_value_is_none(read, empty: str) -> None:
    records = read(lab(obx("NM", "1988-5^CRP^LN", empty, "mg/L")))
    assert (values(records), records.refused) == ({}, ())


def test_a_corrected_result_replaces_the_one_sent_before_whatever_the_order_of_the_files(read) -> None:
    first = lab(obx("NM", "1988-5^CRP^LN", "5", "mg/L"), sent="20240305110000+0100")
    later = lab(obx("NM", "1988-5^CRP^LN", "50", "mg/L", status="C"), sent="20240305130000+0100")
    assert values(read(later, first)) == values(read(first, later)) == {"crp": 50.0}


@pytest.mark.parametrize("status", ["D", "W"])
def test_a_deleted_result_is_taken_away_and_listed(read, status: str) -> None:
    first = lab(obx("NM", "1988-5^CRP^LN", "5", "mg/L"), sent="20240305110000+0100")
    later = lab(obx("NM", "1988-5^CRP^LN", "5", "mg/L", status=status))
    records = read(first, later)
    assert values(records) == {}
    assert [line.reason for line in records.refused] == [Reason.WITHDRAWN]


def test_a_deletion_that_is_read_first_still_deletes(read) -> None:
    first = lab(obx("NM", "1988-5^CRP^LN", "5", "mg/L"), sent="20240305110000+0100")
    later = lab(obx("NM", "1988-5^CRP^LN", "5", "mg/L", status="D"))
    assert values(read(later, first)) == {}


def test_serial_values_of_one_order_are_all_kept(read) -> None:
    lines = [
        obx("NM", "1988-5^CRP^LN", value, "mg/L", at=at) for value, at in (("5", "202403050800"), ("9", "202403051200"))
    ]
    records = read(lab(*lines))
    assert [item.value for item in records.observations if item.code == "crp"] == [5.0, 9.0]


def report(*lines: str, order: str = RADIOLOGY, **options: str) -> list[str]:
    return [header(**options), PID, "PV1|1|I|" + "|" * 16 + "V1", order, *lines]


def test_the_lines_of_a_radiology_result_are_one_report_with_its_headings_and_numbers(read) -> None:
    lines = (
        obx("TX", "59776-5^Findings^LN", "Small effusion~on the right."),
        obx("TX", "59776-5^Findings^LN", "Heart normal."),
        obx("NM", "SIZE^Largest node^L", "12", "mm"),
        obx("FT", "CTCH&IMP", "Effusion \\T\\ nodes.\\.br\\Control."),
    )
    records = read(report(*lines))
    (note,) = records.notes
    assert note.text == (
        "FINDINGS:\nSmall effusion\non the right.\nHeart normal.\n\nLargest node: 12 mm\n\n"
        "IMPRESSION:\nEffusion & nodes.\nControl."
    )
    assert (note.kind, note.accession, note.encounter_id) == ("report", "ACC7", "V1")
    assert note.written == datetime(2024, 3, 5, 11, 30, tzinfo=CET)
    assert values(records) == {}


def test_the_study_that_a_report_names_is_its_study(read) -> None:
    line = obx("HD", "113014^DICOM Study^DCM", "1.2.840.1")
    (note,) = read(report(line, obx("TX", "GDT", "Clear."))).notes
    assert (note.study_uid, note.text) == ("1.2.840.1", "Clear.")
    (other,) = read(report(obx("TX", "GDT", "Clear."), "ZDS|1.2.840.2^100^Application^DICOM")).notes
    assert other.study_uid == "1.2.840.2"


def test_text_whose_section_nobody_names_counts_as_a_report(read) -> None:
    order = field(RADIOLOGY, 24, "")
    assert [note.kind for note in read(report(obx("TX", "GDT", "Clear."), order=order)).notes] == ["report"]


def test_text_of_another_section_keeps_its_name(read) -> None:
    order = field(field(RADIOLOGY, 24, "MB"), 4, "CULT^Sputum culture^L")
    (note,) = read(report(obx("TX", "X", "Growth."), order=order)).notes
    assert (note.kind, note.accession) == ("sputum culture", "")


def test_a_report_without_a_time_is_dated_by_its_message_not_by_its_examination(read) -> None:
    (note,) = read(report(obx("TX", "GDT", "Clear."), order=field(RADIOLOGY, 22, ""))).notes
    assert note.written == datetime(2024, 3, 5, 12, tzinfo=CET)


def test_an_addendum_replaces_its_report(read) -> None:
    first = report(obx("TX", "GDT", "Clear."), sent="20240305110000+0100")
    later = report(obx("TX", "GDT", "Clear."), obx("TX", "GDT", "ADDENDUM: nodule."), sent="20240305130000+0100")
    (note,) = read(later, first).notes
    assert note.text == "Clear.\nADDENDUM: nodule."


def test_a_report_in_two_groups_of_one_message_is_whole(read) -> None:
    text = [*report(obx("TX", "GDT", "Clear.")), RADIOLOGY, obx("TX", "GDT", "Nodes.")]
    assert [note.text for note in read(text).notes] == ["Clear.\n\nNodes."]


def test_a_cancelled_report_is_taken_away(read) -> None:
    first = report(obx("TX", "GDT", "Clear."), sent="20240305110000+0100")
    later = report(obx("TX", "GDT", "Clear.", status="W"), sent="20240305130000+0100")
    records = read(first, later)
    assert records.notes == ()
    assert [line.reason for line in records.refused] == [Reason.WITHDRAWN]


def document(*lines: str, event: str = "T02", txa: str = TXA, sent: str = "20240305130000+0100") -> list[str]:
    return [header(f"MDM^{event}", sent=sent), "EVN|T02|20240305", PID, "PV1|1|O", txa, *lines]


def test_a_document_becomes_a_note_dated_by_its_latest_change(read) -> None:
    (note,) = read(document(obx("TX", "1^text", "Cough."))).notes
    assert (note.kind, note.text, note.written) == ("consultation", "Cough.", datetime(2024, 3, 5, 12, tzinfo=CET))
    edited = field(TXA, 8, "202403051200~202403061500")
    (note,) = read(document(obx("TX", "1^text", "Cough."), txa=edited)).notes
    assert note.written == datetime(2024, 3, 6, 15, tzinfo=CET)


@pytest.mark.parametrize(
    ("code", "kind"),
    [("ED", "emergency department note"), ("DI", "report"), ("HP", "history and physical"), ("X^Brief", "brief")],
)
def test_the_type_of_a_document_is_its_kind(read, code: str, kind: str) -> None:
    assert [note.kind for note in read(document(obx("TX", "1", "Cough."), txa=field(TXA, 2, code))).notes] == [kind]


def test_a_replacement_stands_for_its_parent_and_a_cancellation_for_nothing(read) -> None:
    first = document(obx("TX", "1", "Cough."), sent="20240305110000+0100")
    newer = field(field(TXA, 12, "DOC2^SYS"), 13, "DOC1^SYS")
    later = document(obx("TX", "1", "No cough."), event="T10", txa=newer)
    assert [note.text for note in read(first, later).notes] == ["No cough."]
    records = read(first, document(event="T11"))
    assert (records.notes, [line.reason for line in records.refused]) == ((), [Reason.WITHDRAWN])


@pytest.mark.parametrize("status", ["CA", "OB"])
def test_a_document_that_is_no_longer_available_is_withdrawn(read, status: str) -> None:
    records = read(document(obx("TX", "1", "Cough."), txa=field(TXA, 19, status)))
    assert (records.notes, [line.reason for line in records.refused]) == ((), [Reason.WITHDRAWN])


@pytest.mark.parametrize(
    ("kind", "text", "read_as"),
    [
        ("PLAIN", "Müde.\nSeit Mai.", "Müde.\nSeit Mai."),
        ("HTML", "<html><body><p>Müde.</p><script>x()</script></body></html>", "Müde."),
    ],
)
def test_an_encapsulated_text_is_a_text(read, kind: str, text: str, read_as: str) -> None:
    packed = base64.b64encode(text.encode()).decode()
    (note,) = read(document(obx("ED", "1", f"APP^TEXT^{kind}^Base64^{packed}"))).notes
    assert note.text == read_as


@pytest.mark.parametrize(
    ("data", "kind", "told"),
    [
        (b"%PDF-1.7 ...", "octet-stream", "a PDF"),
        (b"{\\rtf1 x}", "x", "RTF"),
        (b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>", "xml", "XML"),
        (b"PK\x03\x04", "docx", "an office document"),
    ],
)
def test_an_encapsulated_document_that_is_no_text_is_refused_and_the_text_beside_it_kept(
    read, data, kind, told
) -> None:
    packed = base64.b64encode(data).decode()
    records = read(document(obx("ED", "1", f"APP^AP^{kind}^Base64^{packed}"), obx("TX", "1", "Cough.")))
    assert [note.text for note in records.notes] == ["Cough."]
    assert [line.reason for line in records.refused] == [Reason.NOT_A_RECORD]
    assert told in records.refused[0].detail


def test_base64_that_is_none_and_a_pointer_elsewhere_are_refused(read) -> None:
    lines = obx("ED", "1", "A^T^PLAIN^Base64^%%%"), obx("RP", "1", "\\\\server\\file.pdf")
    records = read(document(*lines))
    assert [line.reason for line in records.refused] == [Reason.NOT_A_RECORD] * 2


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_segments_may_end_in_any_way(read, end: str) -> None:
    records = read(lab(obx("NM", "1988-5^CRP^LN", "5", "mg/L")), end=end)
    assert (values(records), records.refused) == ({"crp": 5.0}, ())


def test_line_ends_within_a_text_belong_to_it(read) -> None:
    lines = "\r".join(report(obx("TX", "GDT", "First line\nSecond: line\n\nThird")))
    (note,) = read(lines).notes
    assert note.text == "First line\nSecond: line\nThird"


def test_unescaped_separators_of_a_sloppy_sender_stay_in_the_text(read) -> None:
    (note,) = read(report(obx("TX", "GDT", "ratio 3^2 & more; path C:\\temp"))).notes
    assert note.text == "ratio 3^2 & more; path C:\\temp"


def test_several_messages_stand_in_frames_and_in_batches(read) -> None:
    one = "\r".join(lab(obx("NM", "1988-5^CRP^LN", "5", "mg/L")))
    two = "\r".join(lab(obx("NM", "777-3^PLT^LN", "250", "10*9/L")))
    assert values(read(f"\x0b{one}\r\x1c\r\x0b{two}\r\x1c\r")) == {"crp": 5.0, "platelets": 250.0}
    batch = f"FHS|^~\\&|A\rBHS|^~\\&|A\r{one}\r{two}\rBTS|2\rFTS|1\r"
    records = read(batch)
    assert (values(records), records.refused) == ({"crp": 5.0, "platelets": 250.0}, ())


def test_a_batch_that_was_cut_is_told_by_its_count(read) -> None:
    one = "\r".join(lab(obx("NM", "1988-5^CRP^LN", "5", "mg/L")))
    records = read(f"BHS|^~\\&|A\r{one}\rBTS|3\r")
    assert (values(records), [line.reason for line in records.refused]) == ({"crp": 5.0}, [Reason.TRUNCATED])


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
def test_the_stated_character_set_is_the_messages(read, charset: str, encoding: str) -> None:
    records = read(report(obx("TX", "GDT", "Müde, Größe."), charset=charset), encoding=encoding)
    assert [note.text for note in records.notes] == ["Müde, Größe."]
    assert records.notes[0].patient.name == "Müller^Ada^B"
    assert records.noticed == ()


def test_one_file_holds_messages_of_two_character_sets(read, tmp_path: Path) -> None:
    parts = [
        "\r".join([*report(obx("TX", "GDT", "Müde"), charset=charset, order=field(RADIOLOGY, 3, charset)), ""]).encode(
            encoding
        )
        for charset, encoding in (("8859/1", "latin-1"), ("UNICODE UTF-8", "utf-8"))
    ]
    (tmp_path / "two.hl7").write_bytes(b"".join(parts))
    assert [note.text for note in read_hl7([tmp_path / "two.hl7"]).notes] == ["Müde", "Müde"]


def test_a_character_set_that_is_not_stated_is_named_where_it_is_beyond_doubt(read) -> None:
    records = read(report(obx("TX", "GDT", "Müde"), charset=""), encoding="cp1252")
    assert [note.text for note in records.notes] == ["Müde"]
    assert [(line.remark, line.detail) for line in records.noticed] == [(Remark.ENCODING_CHOSEN, "read as cp1252")]


@pytest.mark.parametrize(("charset", "encoding"), [("KLINGON", "utf-8"), ("UNICODE UTF-8", "latin-1"), ("", "cp1252")])
def test_a_message_in_no_known_character_set_is_refused(read, charset: str, encoding: str) -> None:
    records = read(report(obx("TX", "GDT", "Très gêné à l'effort"), charset=charset), encoding=encoding)
    assert (records.notes, [line.reason for line in records.refused]) == ((), [Reason.AMBIGUOUS_ENCODING])


def test_utf8_that_is_stated_to_be_latin1_is_suspected_aloud(read) -> None:
    records = read(report(obx("TX", "GDT", "Müde"), charset="8859/1"))
    assert [line.remark for line in records.noticed] == [Remark.MOJIBAKE_SUSPECTED]


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
def test_the_patient_is_the_one_of_the_record_number_or_nobody(read, pid: str, found: object) -> None:
    records = read([header(), pid, LAB, obx("NM", "1988-5^CRP^LN", "5", "mg/L")])
    ids = [item.patient.patient_id for item in records.observations] or [line.reason for line in records.refused]
    assert ids == [found]


@pytest.mark.parametrize("system", ["B", "1.9", "urn:oid:1.9"])
def test_the_assigning_authority_of_the_settings_chooses_the_id(read, system: str) -> None:
    pid = "PID|1||7^^^A^MR~8^^^B&1.9&ISO^PI"
    records = read([header(), pid, LAB, obx("NM", "1988-5^CRP^LN", "5", "mg/L")], identifier_system=system)
    assert [item.patient.patient_id for item in records.observations] == ["8"]


def test_each_patient_of_a_message_has_their_own_results(read) -> None:
    other = PID.replace("00123", "00456")
    line = obx("NM", "1988-5^CRP^LN", "5", "mg/L")
    records = read([header(), PID, LAB, line, other, LAB, line])
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
def test_a_time_stamp_is_never_read_as_earlier_than_written(read, stamp: str, moment: datetime | None) -> None:
    records = read(lab(obx("NM", "1988-5^CRP^LN", "5", "mg/L", at=stamp)))
    assert [item.taken for item in records.observations if item.code == "crp"] == ([moment] if moment else [])
    assert [line.reason for line in records.refused] == ([] if moment else [Reason.UNREADABLE_ROW])


def test_a_message_for_tests_is_refused_and_other_types_are_passed_over(read) -> None:
    line = obx("NM", "1988-5^CRP^LN", "5", "mg/L")
    records = read([field(header(), 11, "T"), PID, LAB, line], [header("ADT^A08"), PID], [header("MDM^T01"), PID, TXA])
    assert (records.observations, [line.reason for line in records.refused]) == ((), [Reason.NOT_A_RECORD])


@pytest.mark.parametrize(
    "content", ["", "nonsense", "PID|1||7\rMSH|^~\\&|x", "MSH|||||||||||", "MSHMSHMSHMSH", "\0" * 50]
)
def test_what_is_no_message_is_refused(read, content: str) -> None:
    records = read(content)
    assert (records.notes, records.observations) == ((), ())
    assert {line.reason for line in records.refused} <= {Reason.NOT_A_RECORD}


def test_other_separators_are_read_as_the_message_names_them(read) -> None:
    text = "\r".join(lab(obx("NM", "1988-5^CRP^LN", "5", "mg/L")))
    swapped = text.translate(str.maketrans("|^~\\&", "#!*?$"))
    assert values(read(swapped)) == {"crp": 5.0}


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f"),
        ("a\\.br\\b\\.BR\\c", "a\nb\nc"),
        ("\\H\\bold\\N\\ plain", "bold plain"),
        ("a\\X0D0A\\b", "a\nb"),
        ("M\\XC3BC\\de", "Müde"),
        ("a\\.sp2\\b", "a\n\nb"),
        ("a\\.sk3\\b", "a   b"),
        ("a\\.in+4\\\\.ti-2\\b", "ab"),
        ("C:\\temp\\x", "C:\\temp\\x"),
        ("a\\Zlocal\\b", "ab"),
        ("\\E\\F\\E\\", "\\F\\"),
    ],
)
def test_escape_sequences_are_resolved_once(text: str, plain: str) -> None:
    assert unescape(text, Separators()) == plain


def test_a_sequence_cannot_fill_the_memory() -> None:
    assert len(unescape("\\.sp999999999\\" * 3, Separators())) == 3 * LINES_AT_MOST


@given(st.text(max_size=60))
def test_text_without_the_sign_of_escapes_is_itself(text: str) -> None:
    plain = text.replace("\\", "").replace("\r", "")
    assert unescape(plain, Separators()) == plain


def test_every_character_set_of_the_table_is_one_of_ours() -> None:
    for name in ("ASCII", "8859/1", "8859/9", "ISO IR87", "GB 18030-2000", "KS X 1001", "BIG-5", "UNICODE UTF-8"):
        assert "x".encode(character_set(name)) == b"x"
    assert character_set("CNS 11643-1992") == ""


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(noise=st.binary(max_size=40), place=st.integers(0, 400))
def test_a_mangled_message_is_read_or_refused_but_never_raises(tmp_path: Path, noise: bytes, place: int) -> None:
    whole = "\r".join(report(obx("TX", "GDT", "Clear."), obx("NM", "1988-5^CRP^LN", "5", "mg/L"))).encode()
    path = tmp_path / "any.hl7"
    path.write_bytes(whole[:place] + noise + whole[place + len(noise) :])
    records = read_hl7([path])
    assert all("\n" not in line.detail and "Clear" not in line.detail for line in records.refused)


def test_nothing_of_a_patient_stands_in_what_is_printed(read) -> None:
    records = read(report(obx("TX", "GDT", "SECRETTEXT"), obx("NM", "", "SECRETVALUE")), [header(), PID, "OBX|1|NM"])
    assert "SECRET" not in repr(records)
    assert "00123" not in repr(records)


@pytest.mark.parametrize("kind", ["lab", "report", "document"])
def test_the_hl7_package_takes_a_message_apart_in_the_same_way(kind: str) -> None:
    line = obx("FT", "CTCH&IMP", "a~b \\T\\ c^d", "mg^milli^X", at="20240305")
    text = "\r".join({"lab": lab, "report": report, "document": document}[kind](line))
    (message,) = messages_in(text.encode())
    theirs = [[str(part) for part in segment] for segment in hl7.parse(text)]
    assert [list(segment.fields) for segment in message.segments] == theirs


def test_a_large_report_and_a_message_of_separators_are_bounded(read) -> None:
    started = time.perf_counter()
    (note,) = read(report(obx("FT", "GDT", "word \\.br\\ " * 300_000))).notes
    assert len(note.text) > 1_500_000
    tracemalloc.start()
    records = read([header(), PID, LAB, "OBX|1|TX|X||" + "|" * 2_100_000])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [line.reason for line in records.refused] == [Reason.TOO_LARGE]
    assert peak < 200 * 2**20
    assert time.perf_counter() - started < 20


def test_hl7_files_are_found_among_the_notes_and_observations_and_read_once(tmp_path: Path) -> None:
    text = "\r".join([*report(obx("TX", "GDT", "Clear.")), *lab(obx("NM", "1988-5^CRP^LN", "5", "mg/L"))])
    path = tmp_path / "in" / "a.HL7"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8", newline="")
    records = read_records(notes=[path.parent], observations=[path.parent])
    assert [note.text for note in records.notes] == ["Clear."]
    assert values(records) == {"crp": 5.0}
