"""Escape sequences and character sets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.hl7_text import LINES_AT_MOST, Separators, character_set, unescape


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
