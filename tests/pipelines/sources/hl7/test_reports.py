"""Texts: reports of studies (ORU), documents (MDM), and files within them (ED)."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta, timezone

import pytest

from data_schemas.reasons import Reason

CET = timezone(timedelta(hours=1))


def test_the_lines_of_a_radiology_result_are_one_report_with_its_headings_and_numbers(v2, read) -> None:
    lines = (
        v2.obx("TX", "59776-5^Findings^LN", "Small effusion~on the right."),
        v2.obx("TX", "59776-5^Findings^LN", "Heart normal."),
        v2.obx("NM", "SIZE^Largest node^L", "12", "mm"),
        v2.obx("FT", "CTCH&IMP", "Effusion \\T\\ nodes.\\.br\\Control."),
    )
    records = read(v2.report(*lines))
    (note,) = records.notes
    assert note.text == (
        "FINDINGS:\nSmall effusion\non the right.\nHeart normal.\n\nLargest node: 12 mm\n\n"
        "IMPRESSION:\nEffusion & nodes.\nControl."
    )
    assert (note.kind, note.accession, note.encounter_id) == ("report", "ACC7", "V1")
    assert note.written == datetime(2024, 3, 5, 11, 30, tzinfo=CET)
    assert v2.values(records) == {}


def test_the_study_that_a_report_names_is_its_study(v2, read) -> None:
    line = v2.obx("HD", "113014^DICOM Study^DCM", "1.2.840.1")
    (note,) = read(v2.report(line, v2.obx("TX", "GDT", "Clear."))).notes
    assert (note.study_uid, note.text) == ("1.2.840.1", "Clear.")
    (other,) = read(v2.report(v2.obx("TX", "GDT", "Clear."), "ZDS|1.2.840.2^100^Application^DICOM")).notes
    assert other.study_uid == "1.2.840.2"


def test_text_whose_section_nobody_names_counts_as_a_report(v2, read) -> None:
    order = v2.field(v2.RADIOLOGY, 24, "")
    assert [note.kind for note in read(v2.report(v2.obx("TX", "GDT", "Clear."), order=order)).notes] == ["report"]


def test_text_of_another_section_keeps_its_name(v2, read) -> None:
    order = v2.field(v2.field(v2.RADIOLOGY, 24, "MB"), 4, "CULT^Sputum culture^L")
    (note,) = read(v2.report(v2.obx("TX", "X", "Growth."), order=order)).notes
    assert (note.kind, note.accession) == ("sputum culture", "")


def test_a_report_without_a_time_is_dated_by_its_message_not_by_its_examination(v2, read) -> None:
    (note,) = read(v2.report(v2.obx("TX", "GDT", "Clear."), order=v2.field(v2.RADIOLOGY, 22, ""))).notes
    assert note.written == datetime(2024, 3, 5, 12, tzinfo=CET)


def test_an_addendum_replaces_its_report(v2, read) -> None:
    first = v2.report(v2.obx("TX", "GDT", "Clear."), sent="20240305110000+0100")
    later = v2.report(
        v2.obx("TX", "GDT", "Clear."), v2.obx("TX", "GDT", "ADDENDUM: nodule."), sent="20240305130000+0100"
    )
    (note,) = read(later, first).notes
    assert note.text == "Clear.\nADDENDUM: nodule."


def test_a_report_in_two_groups_of_one_message_is_whole(v2, read) -> None:
    text = [*v2.report(v2.obx("TX", "GDT", "Clear.")), v2.RADIOLOGY, v2.obx("TX", "GDT", "Nodes.")]
    assert [note.text for note in read(text).notes] == ["Clear.\n\nNodes."]


def test_a_cancelled_report_is_taken_away(v2, read) -> None:
    first = v2.report(v2.obx("TX", "GDT", "Clear."), sent="20240305110000+0100")
    later = v2.report(v2.obx("TX", "GDT", "Clear.", status="W"), sent="20240305130000+0100")
    records = read(first, later)
    assert records.notes == ()
    assert [line.reason for line in records.refused] == [Reason.WITHDRAWN]


def test_a_document_becomes_a_note_dated_by_its_latest_change(v2, read) -> None:
    (note,) = read(v2.document(v2.obx("TX", "1^text", "Cough."))).notes
    assert (note.kind, note.text, note.written) == ("consultation", "Cough.", datetime(2024, 3, 5, 12, tzinfo=CET))
    edited = v2.field(v2.TXA, 8, "202403051200~202403061500")
    (note,) = read(v2.document(v2.obx("TX", "1^text", "Cough."), txa=edited)).notes
    assert note.written == datetime(2024, 3, 6, 15, tzinfo=CET)


@pytest.mark.parametrize(
    ("code", "kind"),
    [("ED", "emergency department note"), ("DI", "report"), ("HP", "history and physical"), ("X^Brief", "brief")],
)
def test_the_type_of_a_document_is_its_kind(v2, read, code: str, kind: str) -> None:
    assert [
        note.kind for note in read(v2.document(v2.obx("TX", "1", "Cough."), txa=v2.field(v2.TXA, 2, code))).notes
    ] == [kind]


def test_a_replacement_stands_for_its_parent_and_a_cancellation_for_nothing(v2, read) -> None:
    first = v2.document(v2.obx("TX", "1", "Cough."), sent="20240305110000+0100")
    newer = v2.field(v2.field(v2.TXA, 12, "DOC2^SYS"), 13, "DOC1^SYS")
    later = v2.document(v2.obx("TX", "1", "No cough."), event="T10", txa=newer)
    assert [note.text for note in read(first, later).notes] == ["No cough."]
    records = read(first, v2.document(event="T11"))
    assert (records.notes, [line.reason for line in records.refused]) == ((), [Reason.WITHDRAWN])


@pytest.mark.parametrize("status", ["CA", "OB"])
def test_a_document_that_is_no_longer_available_is_withdrawn(v2, read, status: str) -> None:
    records = read(v2.document(v2.obx("TX", "1", "Cough."), txa=v2.field(v2.TXA, 19, status)))
    assert (records.notes, [line.reason for line in records.refused]) == ((), [Reason.WITHDRAWN])


@pytest.mark.parametrize(
    ("kind", "text", "read_as"),
    [
        ("PLAIN", "Müde.\nSeit Mai.", "Müde.\nSeit Mai."),
        ("HTML", "<html><body><p>Müde.</p><script>x()</script></body></html>", "Müde."),
    ],
)
def test_an_encapsulated_text_is_a_text(v2, read, kind: str, text: str, read_as: str) -> None:
    packed = base64.b64encode(text.encode()).decode()
    (note,) = read(v2.document(v2.obx("ED", "1", f"APP^TEXT^{kind}^Base64^{packed}"))).notes
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
    v2, read, data, kind, told
) -> None:
    packed = base64.b64encode(data).decode()
    records = read(v2.document(v2.obx("ED", "1", f"APP^AP^{kind}^Base64^{packed}"), v2.obx("TX", "1", "Cough.")))
    assert [note.text for note in records.notes] == ["Cough."]
    assert [line.reason for line in records.refused] == [Reason.NOT_A_RECORD]
    assert told in records.refused[0].detail


def test_base64_that_is_none_and_a_pointer_elsewhere_are_refused(v2, read) -> None:
    lines = v2.obx("ED", "1", "A^T^PLAIN^Base64^%%%"), v2.obx("RP", "1", "\\\\server\\file.pdf")
    records = read(v2.document(*lines))
    assert [line.reason for line in records.refused] == [Reason.NOT_A_RECORD] * 2
