from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.sources import attachments
from pipelines.sources.attachments import attached_text


def attach(text: str | bytes, media: str = "text/plain", **changes: Any) -> dict[str, Any]:
    data = text.encode() if isinstance(text, str) else text
    return {"contentType": media, "data": base64.b64encode(data).decode(), **changes}


def read(*items: dict[str, Any], binaries: dict[str, Any] | None = None) -> str:
    return attached_text(items, find=(binaries or {}).get)


def refusal(*items: dict[str, Any], **rest: Any) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        read(*items, **rest)
    assert caught.value.__cause__ is None
    assert "SECRET" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("data", "media", "text"),
    [
        ("Müde.".encode(), "text/plain", "Müde."),
        ("Müde.".encode("utf-8-sig"), "text/plain", "Müde."),
        ("Müde.".encode("latin-1"), "text/plain;charset=iso-8859-1", "Müde."),
        ("Müde – €".encode("cp1252"), "text/plain; charset=ISO-8859-1", "Müde – €"),
        ("Müde €".encode("cp1252"), 'text/plain; format=flowed; Charset="Windows-1252"', "Müde €"),
        ("Müde.".encode("utf-16"), "text/plain", "Müde."),
        ("咳嗽".encode("gb18030"), "text/plain; charset=GB2312", "咳嗽"),
        ("שיעול‏".encode(), "text/plain; charset=utf-8", "שיעול‏"),
        ("<p>Müde.</p>".encode("latin-1"), "text/html; charset=iso-8859-1", "Müde."),
        (b"<meta charset=latin1><p>x", "text/html; charset=utf-8", "x"),
        ("<meta charset='iso-8859-1'><p>Müde.".encode("latin-1"), "text/html", "Müde."),
        ("<p>Müde.</p>".encode(), "application/xhtml+xml", "Müde."),
        (b"<!DOCTYPE html><p>Fever.</p>", "text/plain", "Fever."),
    ],
)
def test_text_is_read_in_its_stated_character_set(data: bytes, media: str, text: str) -> None:
    assert read(attach(data, media)) == text


def test_of_one_text_in_two_forms_the_plain_one_is_read() -> None:
    assert read(attach("<p>A</p>", "text/html"), attach(b"%PDF-1.7", "application/pdf"), attach("A")) == "A"


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ([attach(b"%PDF-1.7", "application/pdf")], "attached as PDF only; export it as text/plain or text/html"),
        ([attach(rb"{\rtf1", "application/rtf"), attach(b"x", "application/pdf")], "as PDF and RTF only"),
        ([attach(b"<ClinicalDocument/>", "text/xml")], "CDA or other XML"),
        ([attach(rb"{\rtf1 SECRET}")], "RTF or PDF in truth"),
        ([attach(b"M\xfcde SECRET")], "not in its stated character set"),
        ([attach("SECRET", "text/plain; charset=ebcdic")], "not in its stated character set"),
        ([attach("a\0SECRET")], "null characters"),
        ([attach("SECRET".encode("utf-16-le"))], "null characters"),
        ([attach("<p><script>SECRET", "text/html")], "never closed"),
        ([attach("SECRET", size=5)], "stated size"),
        ([attach("SECRET", hash="aGFzaA==")], "stated hash"),
        ([attach("SECRET", data="U0VD*kVU")], "no base64"),
        ([attach("SECRET", data="U0VDUkV")], "no base64"),
        ([attach(" \n")], "empty"),
        ([{"contentType": "text/plain"}], "attached nowhere"),
        ([{"contentType": "text/plain", "url": "http://SECRET/x"}], "not in this bundle or export"),
        ([{"url": "http://SECRET/x"}], "not in this bundle or export"),
        ([{"data": "U0VDUkVU"}], "no attachment that is text"),
        ([], "no attachment that is text"),
    ],
)
def test_what_cannot_be_read_is_refused_with_how_to_mend_it(items: list[dict[str, Any]], told: str) -> None:
    error = refusal(*items)
    assert (error.reason, told in error.detail) == (Reason.NOT_A_RECORD, True), error.detail


def test_base64_may_be_broken_into_lines() -> None:
    assert read(attach("Cough.", data="Q291\r\nZ2gu\n")) == "Cough."


@pytest.mark.parametrize("form", ["sha1 base64", "sha1 hex", "sha256 base64"])
def test_a_stated_size_and_hash_that_hold_are_accepted(form: str) -> None:
    name, _, code = form.partition(" ")
    digest = hashlib.new(name, b"Cough.", usedforsecurity=False).digest()
    stated = base64.b64encode(digest).decode() if code == "base64" else digest.hex()
    assert read(attach("Cough.", size=6, hash=stated)) == "Cough."


def test_a_binary_is_read_and_may_say_what_it_is() -> None:
    binary = {"contentType": "text/html", "data": base64.b64encode(b"<p>Hi.</p>").decode()}
    assert read({"url": "Binary/b1"}, binaries={"Binary/b1": binary}) == "Hi."


def test_a_note_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "LONGEST_NOTE", 100)
    assert read(attach("a" * 100))
    assert refusal(attach("a" * 101)).reason is Reason.TOO_LARGE


def test_a_note_of_50_mb_is_refused() -> None:
    assert refusal(attach(b"word " * 10_000_000)).reason is Reason.TOO_LARGE


def test_an_address_within_the_data_is_not_followed() -> None:
    assert refusal({"contentType": "text/plain", "url": "file:///etc/passwd"}).reason is Reason.NOT_A_RECORD
