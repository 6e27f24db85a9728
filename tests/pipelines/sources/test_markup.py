from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.markup import MarkupError, html_to_text, looks_like_html, stated_charset


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Cough.</p><p>Fever.</p>", "Cough.\n\nFever."),
        ("<div>Cough.</div><div>Fever.</div>", "Cough.\nFever."),
        ("<div><div><div>A</div></div></div>B", "A\nB"),
        ("Line<br>next<br/><br/>after", "Line\nnext\n\nafter"),
        ("<ul><li>one</li><li>two<li><p>three</p></ul>x", "- one\n- two\n- three\n\nx"),
        ("<h1>HISTORY</h1>Cough <b>since</b>\n  Monday.", "HISTORY\n\nCough since Monday."),
        (
            "<table><tr><th>CRP</th><td>12</td></tr><tr><td>Na</td><td></td><td>140</td></tr></table>",
            "CRP\t12\nNa\t\t140",
        ),
        ("<pre>a\nb  c</pre>", "a\nb  c"),
        ("5 &lt; 6 &amp;lt; M&uuml;de &#xe4;", "5 < 6 &lt; Müde ä"),
        ("<p>no<script>alert('<p>x</p>')</script>ne</p>", "none"),
        ("<style>p {}</style><title>Name</title>text", "text"),
        ("<p hidden>x</p><p style='Display : none'>y</p>z", "z"),
        ("Effusion <del>left</del><s>old<s>er</s></s> right", "Effusion  right"),
        ("<html><body><!-- x --><p>A</p></body></html>", "A"),
        ("A<img alt='b'>C<hr>D", "AC\nD"),
        ("<svg><text>x</text></svg>y", "y"),
        ("unclosed <b>bold", "unclosed bold"),
        ("a\x00b\x01c", "a b c"),
        ("", ""),
    ],
)
def test_html_is_read_as_a_reader_sees_it(markup: str, text: str) -> None:
    assert html_to_text(markup) == text


@pytest.mark.parametrize("markup", ["<p>Effusion.<script>x", "<del>left</p> right", "<div hidden>A<div>B</div>"])
def test_text_that_would_be_lost_behind_an_open_element_is_refused(markup: str) -> None:
    with pytest.raises(MarkupError, match="never closed"):
        html_to_text(markup)


HOSTILE = [
    "<div>",
    "<",
    "&",
    "<a ",
    "<a b='",
    "<!--x--><",
    "<!",
    "<?",
    "</",
    "&#",
    " \t",
    "<pre> ",
    "<a b='>'>",
    "<td>",
]


@pytest.mark.parametrize("piece", [*HOSTILE, "<a " * 9 + ">", "<p hidden>", "\x01 "])
def test_a_hostile_document_is_read_in_bounded_time(piece: str) -> None:
    began = time.monotonic()
    with contextlib.suppress(MarkupError):
        html_to_text(piece * 30_000 + "<p>end")
    with contextlib.suppress(MarkupError):
        html_to_text("<pre>" + " " * 100_000 + piece * 3)
    assert time.monotonic() - began < 10  # an algorithm that takes the square takes minutes


@given(st.text(max_size=200))
def test_escaped_text_is_given_back_word_for_word(text: str) -> None:
    from html import escape

    told = html_to_text(f"<p>{escape(text)}</p>")
    assert "<p>" not in told.replace(text, "")
    words = [word for word in text.split() if word.isalnum()]
    assert all(word in told for word in words)


@given(st.text(alphabet="<>/abdehilprst ='\"!-&;#x01", max_size=120))
def test_any_markup_is_read_or_refused(markup: str) -> None:
    with contextlib.suppress(MarkupError):
        assert "\x01" not in html_to_text(markup)


@pytest.mark.parametrize(
    ("data", "charset"),
    [
        (b'<meta charset="ISO-8859-1">', "iso-8859-1"),
        (b"<META http-equiv='x' content='text/html; charset=utf-8'>", "utf-8"),
        (b"<p>charset=latin1</p>", ""),
    ],
)
def test_a_document_states_its_character_set(data: bytes, charset: str) -> None:
    assert stated_charset(data) == charset


@pytest.mark.parametrize(
    ("text", "is_html"), [("<!DOCTYPE html><p>", True), (" <html>", True), ("a < b <html>", False)]
)
def test_html_under_another_name_is_known_by_its_beginning(text: str, is_html: bool) -> None:
    assert looks_like_html(text) is is_html
