"""The text of FHIR attachments: plain or HTML, inline or in a Binary of the same set, of the size and hash stated."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.sources.markup import MarkupError, html_to_text, looks_like_html, stated_charset

PLAIN, HTML = ("text/plain",), ("text/html", "application/xhtml+xml")
# The names by which MIME knows character sets; of Python's own many names no other is taken. Stated Latin-1 is read as
# Windows-1252, as browsers and the HL7 reader do: of the two, texts hold the latter's signs.
CHARSETS = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "ascii": "ascii", "iso-8859-1": "cp1252"}
CHARSETS |= {f"iso-8859-{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)}
CHARSETS |= {f"windows-125{part}": f"cp125{part}" for part in range(9)}
CHARSETS |= {"utf-16": "utf-16", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be", "koi8-r": "koi8-r", "big5": "big5"}
CHARSETS |= {"gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "shift_jis": "cp932", "euc-jp": "euc-jp"}
CHARSETS |= {"euc-kr": "cp949", "tis-620": "tis-620"}
OTHER_FORMS = {"application/pdf": "PDF", "application/rtf": "RTF", "text/rtf": "RTF", "application/msword": "Word"}
LONGEST_NOTE = 10 * 2**20  # characters; a thousand-page record has three million
HOW_TO_MEND = "export it as text/plain or text/html"

Find = Callable[[str], "dict[str, Any] | None"]


def attached_text(attachments: Iterable[dict[str, Any]], *, find: Find) -> str:
    """The text of some attachments of one record, as their JSON.

    Plain text is preferred, for the attachments of a record are often one text in several forms; HTML is read where
    there is no plain one. ``find`` gives the Binary (its JSON) that an address leads to, or None.

    Raises
    ------
    RefusedError
        No readable text; or one that is not what is stated of it: character set, size, hash, base64.
    """
    given = [(item, *_form(item, find)) for item in attachments]
    wanted = next((forms for forms in (PLAIN, HTML) if any(media in forms for _, media, _, _ in given)), None)
    if wanted is None:
        raise RefusedError(Reason.NOT_A_RECORD, _why_not(given))
    texts = []
    for item, media, charset, binary in given:
        if media in wanted:
            texts.append(_decode(_bytes(item, binary), charset, is_html=media in HTML))
    joined = "\n\n".join(dict.fromkeys(text for text in texts if text.strip()))
    if not joined:
        raise RefusedError(Reason.NOT_A_RECORD, "the attached text is empty")
    if len(joined) > LONGEST_NOTE:
        raise RefusedError(Reason.TOO_LARGE, f"a text of more than {LONGEST_NOTE} characters; split it")
    return joined


Form = tuple[str, str, "dict[str, Any] | None"]


def _form(item: dict[str, Any], find: Find) -> Form:
    """Media type and character set of an attachment, and the Binary that holds it, if one does."""
    address = item.get("url")
    binary = find(address) if isinstance(address, str) and item.get("data") is None else None
    stated = item.get("contentType") or (binary or {}).get("contentType") or ""
    media, _, parameters = str(stated).lower().partition(";")
    return media.strip(), parameters.partition("charset=")[2].partition(";")[0].strip(" \"'"), binary


def _bytes(item: dict[str, Any], binary: dict[str, Any] | None) -> bytes:
    data = item.get("data") if binary is None else binary.get("data")
    if not isinstance(data, str):
        where = "at an address that is not in this bundle or export" if item.get("url") else "nowhere"
        raise RefusedError(Reason.NOT_A_RECORD, f"its text is attached {where}; export the Binary resources too")
    try:
        found = base64.b64decode("".join(data.split()), validate=True)
    except ValueError:
        raise RefusedError(Reason.NOT_A_RECORD, "the attached data are no base64") from None
    size = item.get("size")
    if size is not None and str(size) != str(len(found)):
        raise RefusedError(Reason.NOT_A_RECORD, "the attached text is not of its stated size")
    if item.get("hash") and not _has_hash(found, str(item["hash"])):
        raise RefusedError(Reason.NOT_A_RECORD, "the attached text does not have its stated hash")
    return found


def _has_hash(data: bytes, stated: str) -> bool:
    """Whether data have a stated hash: SHA-1 in base64 as R4 has it; servers write hexadecimal and SHA-256 too."""
    sums = (hashlib.sha1(data, usedforsecurity=False).digest(), hashlib.sha256(data).digest())
    return stated.strip() in {form for digest in sums for form in (base64.b64encode(digest).decode(), digest.hex())}


def _decode(data: bytes, charset: str, *, is_html: bool) -> str:
    charset = charset or (stated_charset(data) if is_html else "")
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), "")
    if data.startswith((b"{\\rtf", b"%PDF-")):
        raise RefusedError(Reason.NOT_A_RECORD, f"the attached text is RTF or PDF in truth; {HOW_TO_MEND}")
    try:
        text = data.decode(marked or CHARSETS[charset or "utf-8"]).removeprefix("\ufeff")
    except (KeyError, UnicodeDecodeError):
        detail = "the attached text is not in its stated character set (UTF-8 where none is stated)"
        raise RefusedError(Reason.NOT_A_RECORD, detail) from None
    if "\0" in text:
        raise RefusedError(Reason.NOT_A_RECORD, "the attached text holds null characters: no text, or UTF-16 unnamed")
    if len(text) > 4 * LONGEST_NOTE:
        raise RefusedError(Reason.TOO_LARGE, f"a text of more than {LONGEST_NOTE} characters; split it")
    try:
        return html_to_text(text) if is_html or looks_like_html(text) else text
    except MarkupError as error:
        raise RefusedError(Reason.NOT_A_RECORD, f"the attached text is {error}; {HOW_TO_MEND}") from None


# Byte-order marks say more surely than any label what follows them.
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def _why_not(given: list[tuple[dict[str, Any], str, str, dict[str, Any] | None]]) -> str:
    forms = {OTHER_FORMS.get(media, "CDA or other XML" if "xml" in media else "") for _, media, _, _ in given} - {""}
    if forms:
        return f"its text is attached as {' and '.join(sorted(forms))} only; {HOW_TO_MEND}"
    if any(item.get("url") and binary is None for item, _, _, binary in given):
        return (
            "its text is attached at an address that is not in this bundle or export; export the Binary resources too"
        )
    return f"no attachment that is text; {HOW_TO_MEND}"
