"""HTML as a reader sees it: paragraphs, list items and table cells apart, without scripts and struck-out text.

The scanner is our own and goes forward only: the standard library's takes the square of the length over open tags
(``"<a " * 8000``, 24 kB, takes Python 3.11 many seconds).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape

DROPPED = frozenset({"template", "del", "s", "strike", "iframe", "object", "svg", "math"})
RAW = frozenset({"script", "style", "title"})  # what stands in them is no markup
VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
        "li",
    ]
)
PARAGRAPHS = frozenset(["blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"])
_HIDDEN = re.compile(r"(display\s*:\s*none|visibility\s*:\s*hidden)", re.I)
_STATED = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.I)
_LOOKS_LIKE_IT = re.compile(r"\s*(<!--.{0,2000}?-->\s*)*<(!doctype\s+html|html|body)\b", re.I | re.S)


# Marks within the collected text; the text's own control characters become blanks first.
_LINE, _PARAGRAPH, _ITEM = "\x01", "\x02", "\x03"
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")
_BREAKS = re.compile(
    rf"(?<![ {_LINE}{_PARAGRAPH}])[ {_LINE}{_PARAGRAPH}]*[\n{_LINE}{_PARAGRAPH}][ \n{_LINE}{_PARAGRAPH}]*"
)
_TABS = re.compile(r"(?<! ) *\t *")
_NAME = re.compile(r"</?([A-Za-z][^\s/>]*)")
_ATTRIBUTE = re.compile(r"""([^\s=/>"']+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>"']*))?""")
# A ">" within quotes ends no tag; so many of them are looked for, and a tag is no longer than this.
_TRIES, _LONGEST_TAG = 16, 2**16


class MarkupError(ValueError):
    """HTML of which a part would be lost in silence."""


def html_to_text(markup: str) -> str:
    """The visible text of HTML: a line a block, list items after ``- ``, table cells apart by tabs.

    Scripts, styles, hidden elements and text that is struck out (``del``, ``s``: it no longer holds) are left out;
    character references are resolved once. Nothing is fetched and nothing runs. It takes time in proportion to length.

    Raises
    ------
    MarkupError
        An element that is to be left out is never closed, so the rest of the document would be lost with it.
    """
    page = _Page()
    at, last = 0, markup.rfind(">")
    while at < len(markup):
        start = markup.find("<", at)
        if start < 0 or start > last:
            page.put(markup[at:])
            break
        page.put(markup[at:start])
        at = _markup_at(markup, start, page)
    if page.left_out:
        raise MarkupError(f"HTML in which <{page.left_out[0]}> is never closed")
    return page.text()


def looks_like_html(text: str) -> bool:
    """Whether a text begins as an HTML document does, whatever it is called."""
    return bool(_LOOKS_LIKE_IT.match(text[:4096]))


def stated_charset(data: bytes) -> str:
    """The character set that an HTML document itself states in its first 2,048 bytes; blank where it states none."""
    found = _STATED.search(data[:2048])
    return found[1].decode("ascii").lower() if found else ""


def _markup_at(markup: str, start: int, page: _Page) -> int:
    """Take what begins with ``<`` at a place, and return where it ends."""
    if markup.startswith("<!--", start):
        end = markup.find("-->", start + 4)
        if end < 0:
            raise MarkupError("HTML in which <!-- is never closed")
        return end + 3
    if markup.startswith(("<!", "<?"), start):
        return markup.find(">", start) + 1
    named = _NAME.match(markup, start)
    end = _end_of_tag(markup, start) if named else -1
    if named is None or end < 0:
        page.put("<")
        return start + 1
    name, tag = named[1].lower(), markup[start:end]
    if tag.startswith("</"):
        page.close(name)
        return end
    if name in RAW:
        closing = re.compile(rf"</{name}(?![a-z])", re.IGNORECASE).search(markup, end)
        finish = markup.find(">", closing.end()) if closing else -1
        if finish < 0:
            raise MarkupError(f"HTML in which <{name}> is never closed")
        return finish + 1
    page.open(name, hidden=_is_hidden(tag[named.end() - start : -1]))
    if tag.endswith("/>") and name not in VOID:
        page.close(name)
    return end


def _end_of_tag(markup: str, start: int) -> int:
    """Where a tag ends, after its ``>``; -1 where it does not."""
    first = end = markup.find(">", start)
    for _ in range(_TRIES):
        if end < 0 or end - start > _LONGEST_TAG:
            break
        without = re.sub(r"\"[^\"]*\"|'[^']*'", "", markup[start:end])
        if '"' not in without and "'" not in without:
            return end + 1
        end = markup.find(">", end + 1)
    return first + 1 if first >= 0 else -1


def _is_hidden(attributes: str) -> bool:
    lowered = attributes.lower()
    if "hidden" not in lowered and "none" not in lowered:
        return False
    given = {name: value.strip("\"'") for name, value in _ATTRIBUTE.findall(lowered)}
    return "hidden" in given or bool(_HIDDEN.search(given.get("style", "")))


@dataclass(slots=True)
class _Page:
    """The text so far; ``left_out`` holds the element that is being left out, and those of its name within it."""

    pieces: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    preformatted: int = 0
    cells: int = 0

    def open(self, tag: str, *, hidden: bool) -> None:
        """Take a start tag."""
        if self.left_out:
            if tag == self.left_out[0] and tag not in VOID:
                self.left_out.append(tag)
            return
        if tag in DROPPED or hidden:
            if tag not in VOID:
                self.left_out.append(tag)
            return
        self._break(tag)
        if tag == "br":
            self.pieces.append("\n")
        elif tag == "li":
            self.pieces.append(_ITEM)
        elif tag == "tr":
            self.cells = 0
        elif tag in {"td", "th"}:
            self.pieces.append("\t" if self.cells else "")
            self.cells += 1
        self.preformatted += tag == "pre"

    def close(self, tag: str) -> None:
        """Take an end tag."""
        if self.left_out:
            if tag == self.left_out[0]:
                self.left_out.pop()
            return
        self.preformatted -= tag == "pre" and self.preformatted > 0
        self._break(tag)

    def put(self, text: str) -> None:
        """Take text as it stands between tags."""
        if text and not self.left_out:
            plain = _CONTROLS.sub(" ", unescape(text))
            self.pieces.append(plain if self.preformatted else re.sub(r"\s+", " ", plain))

    def text(self) -> str:
        """Everything, its breaks made one where several meet."""
        joined = _BREAKS.sub(_newlines, _TABS.sub("\t", "".join(self.pieces)))
        return re.sub(rf"{_ITEM}\s*", "- ", joined).strip("\n ")

    def _break(self, tag: str) -> None:
        if tag in BLOCKS:
            self.pieces.append(_PARAGRAPH if tag in PARAGRAPHS else _LINE)


def _newlines(found: re.Match[str]) -> str:
    """Breaks that stand side by side are one; only line breaks of the text's own add up."""
    own = found[0].count("\n")
    stated = 2 if _PARAGRAPH in found[0] else int(_LINE in found[0])
    return "\n" * min(max(own, stated), 2)
