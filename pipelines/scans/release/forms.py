"""The form of values: what a kept value must look like, and the dummies that stand for what may not be told."""

from __future__ import annotations

import re
import struct

DUMMY_WORD = "REMOVED"
DUMMY_DATE, DUMMY_TIME = "19000101", "000000"

_FORMS = {
    "CS": re.compile(rb"[A-Za-z0-9_ .+\-/]{0,16}"),
    "DS": re.compile(rb" *(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)? *"),
    "IS": re.compile(rb" *(?:[+-]?\d{1,12})? *"),
    "AS": re.compile(rb"(?:\d{3}[DWMY])?"),
    "TM": re.compile(rb"(?:\d{2}(?::?\d{2}(?::?\d{2}(?:\.\d{1,6})?)?)?)? *"),
    "UI": re.compile(rb"[0-9.]{0,64}"),
}
_SIZES = {"US": 2, "SS": 2, "US or SS": 2, "US or OW": 2, "OW": 2, "UL": 4, "SL": 4, "FL": 4, "AT": 4, "OL": 4,
          "OF": 4, "FD": 8, "OD": 8, "SV": 8, "UV": 8, "OV": 8}  # fmt: skip
# Longest text in characters (PS3.5 table 6.2-1).
_LONGEST = {"LO": 64, "SH": 16}
TEXT = frozenset({"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
# US or SS, US or OW: what stands in the file decides, where it is one of them.
_EITHER = {"US or SS": ("US", "SS"), "US or OW": ("US", "OW"), "OB or OW": ("OB", "OW")}
_WORDS = {"AE": DUMMY_WORD, "CS": DUMMY_WORD, "LO": DUMMY_WORD, "LT": DUMMY_WORD, "PN": DUMMY_WORD, "SH": DUMMY_WORD,
          "ST": DUMMY_WORD, "UC": DUMMY_WORD, "UT": DUMMY_WORD, "UR": "urn:removed", "DA": DUMMY_DATE,
          "DT": DUMMY_DATE + DUMMY_TIME, "TM": DUMMY_TIME, "AS": "000Y", "DS": "0", "IS": "0"}  # fmt: skip


def has_form(vr: str, data: bytes) -> bool:
    """Whether bytes have the form of a value representation; free text is held to its length only.

    Code strings may be in lower case and hold a few signs more than the standard allows: scanners write such.
    """
    if vr in _SIZES:
        return len(data) % _SIZES[vr] == 0
    if vr in _FORMS:
        return all(_FORMS[vr].fullmatch(part) for part in data.rstrip(b" \0").split(b"\\"))
    if vr in _LONGEST:
        # A character takes at most four bytes, or an escape sequence before each.
        return all(len(part) <= 4 * _LONGEST[vr] for part in data.split(b"\\")) and b"\0" not in data.rstrip(b"\0")
    return False


def written_vr(expected: str, found: str | None) -> str:
    """The representation to write: that of the dictionary; where it leaves two, the one that the file has."""
    if expected in _EITHER:
        return found if found in _EITHER[expected] else _EITHER[expected][0]
    return expected


def dummy(vr: str, *, little: bool) -> bytes:
    """A value of the representation that tells nothing; for numbers zero, for bytes two NULs."""
    if vr in _WORDS:
        return _WORDS[vr].encode()
    if vr in {"FL", "FD"}:
        return struct.pack(("<" if little else ">") + {"FL": "f", "FD": "d"}[vr], 0.0)
    return b"\0" * _SIZES.get(vr, 2)
