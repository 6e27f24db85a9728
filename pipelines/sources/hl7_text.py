"""Text as HL7 v2 writes it: escape sequences, and the character sets that MSH-18 names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason

# HL7 table 0211, and the names that senders write instead. Windows-1252 holds Latin-1 and what Windows adds to it.
CHARACTER_SETS = {"ASCII": "ascii", "ISO IR6": "ascii", "ISO IR100": "cp1252", "8859/1": "cp1252"}
CHARACTER_SETS |= {f"8859/{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)}
CHARACTER_SETS |= {"ISO IR101": "iso8859-2", "ISO IR109": "iso8859-3", "ISO IR110": "iso8859-4"}
CHARACTER_SETS |= {"ISO IR144": "iso8859-5", "ISO IR127": "iso8859-6", "ISO IR126": "iso8859-7"}
CHARACTER_SETS |= {"ISO IR138": "iso8859-8", "ISO IR148": "iso8859-9", "ISO IR13": "cp932", "ISO IR14": "cp932"}
CHARACTER_SETS |= {"ISO IR87": "iso2022_jp_2", "ISO IR159": "iso2022_jp_2", "KS X 1001": "cp949", "BIG-5": "big5"}
CHARACTER_SETS |= {"GB 18030-2000": "gb18030", "UNICODE": "utf-8", "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8"}
CHARACTER_SETS |= {"UTF8": "utf-8", "UNICODE UTF8": "utf-8", "LATIN1": "cp1252", "ISO8859-1": "cp1252"}
_OTHER_NAMES = re.compile(r"ISO[ -_]?8859[-_/](\d{1,2})|(?:WINDOWS|CP)[- ]?(125[0-8])", re.ASCII)

_CODES = (
    r"[FSRETPHN]|\.[A-Za-z]{2}[+-]?[0-9]{0,9}|X[0-9A-Fa-f]{2,4096}|C[0-9A-Fa-f]{4}|M[0-9A-Fa-f]{4,6}|Z[A-Za-z0-9]{0,20}"
)
LINES_AT_MOST, BLANKS_AT_MOST = 20, 80  # what one sequence may add: \.sp999999999\ would fill the memory


@dataclass(frozen=True)
class Separators:
    """The signs of one message: MSH-1 and MSH-2."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


def character_set(name: str) -> str:
    """Python's name for a character set of MSH-18; blank where it is unknown.

    Stated Latin-1 is read as Windows-1252: of the two, texts hold the latter's signs.
    """
    text = " ".join(name.upper().split())
    if found := CHARACTER_SETS.get(text):
        return found
    if match := _OTHER_NAMES.fullmatch(text):
        if match[2]:
            return f"cp{match[2]}"
        return "cp1252" if match[1] == "1" else f"iso8859-{match[1]}" if f"8859/{match[1]}" in CHARACTER_SETS else ""
    return ""


def unescape(text: str, separators: Separators, *, encoding: str = "utf-8") -> str:
    """Text with its escape sequences resolved once (HL7 v2.9 chapter 2.7); line ends become line feeds.

    Sequences for colour and margins are dropped. What is no sequence, such as a backslash of a path, stays as it is.

    Raises
    ------
    RefusedError
        A sequence that switches the character set within the text.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    sign = separators.escape
    if not sign or sign not in text:
        return text
    plain = {
        "F": separators.field,
        "S": separators.component,
        "R": separators.repetition,
        "E": sign,
        "T": separators.subcomponent,
        "P": "#",
        "H": "",
        "N": "",
    }

    def resolve(match: re.Match[str]) -> str:
        code = match[1]
        if code in plain:
            return plain[code]
        if code[0] in "CM":
            raise RefusedError(Reason.AMBIGUOUS_ENCODING, "a text that changes its character set; send it as UTF-8")
        if code[0] == "X":
            return _from_hex(code[1:], encoding) if len(code) % 2 else match[0]
        if code[0] == "Z":
            return ""
        return _layout(code[1:3].lower(), int(code[3:].lstrip("+") or 1) if code[3:].lstrip("+-").isdigit() else 1)

    edge = re.escape(sign)
    return re.sub(f"{edge}({_CODES}){edge}", resolve, text)


def _layout(code: str, count: int) -> str:
    if code in ("br", "ce"):
        return "\n"
    if code == "sp":
        return "\n" * max(1, min(count, LINES_AT_MOST))
    return " " * max(0, min(count, BLANKS_AT_MOST)) if code == "sk" else ""


def _from_hex(digits: str, encoding: str) -> str:
    data = bytes.fromhex(digits)
    for name in (encoding, "cp1252"):
        try:
            return data.decode(name).replace("\r\n", "\n").replace("\r", "\n").replace("\0", " ")
        except UnicodeDecodeError:
            continue
    return "\ufffd"
