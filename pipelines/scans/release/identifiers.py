"""The values of an object that identify, and where any of them still stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from pipelines.scans.release.actions import identifiers as identifying_tags
from pipelines.scans.release.encode import Elements, Value
from pipelines.scans.release.forms import DUMMY_WORD
from pipelines.scans.values import text

# Fewer ASCII characters are met everywhere by chance; two characters of another script are a name already.
SHORTEST, SHORTEST_WIDE = 4, 2
# From this length on a match inside a longer word counts, and raw bytes are searched as well.
SURE, SURE_RAW = 6, 8
CHARSET = 0x00080005
_DATE = re.compile(r"(\d{8})\d*(?:\.\d*)?(?:[+-]\d{4})?")
_SPLIT = re.compile(r"[\\^=,;]+|\s{2,}")
_NAME_SPLIT = re.compile(r"[\\^=,;\s]+")
_TOKEN = re.compile(r"[0-9A-Za-z.\-]+")
_DATE_SIGNS = re.compile(r"(?<=\d)[-./](?=\d)")
_EIGHT_DIGITS = re.compile(r"(?=(\d{8}))")
_NOBODY = frozenset({"unknown", "anonymous", "anonymized", "anonymised", "none", "null", DUMMY_WORD.casefold()})


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What identifies the source: words (names, ids, places, case folded), dates as eight digits, and UIDs.

    ``raw`` are the bytes of long words, with ASCII letters in lower case.
    """

    words: frozenset[str] = field(default=frozenset(), repr=False)
    dates: frozenset[str] = field(default=frozenset(), repr=False)
    uids: frozenset[str] = field(default=frozenset(), repr=False)
    raw: frozenset[bytes] = field(default=frozenset(), repr=False)


def identifiers_of(source: Elements) -> Identifiers:
    """Collect the identifying values of a data set at every depth.

    These are: persons' names, whole and in parts; the ids, places and numbers that ``actions.yaml`` lists; dates;
    and UIDs that the standard does not register. Words of fewer than four characters are left out, as are UIDs of
    fewer than eight.
    """
    words: set[str] = set()
    dates: set[str] = set()
    uids: set[str] = set()
    raws: set[bytes] = set()
    for tag, value, charset in texts(source):
        vr, data = value.vr, value.data
        if vr == "UI":
            uids.update(part for part in text(data).split("\\") if len(part) >= SURE_RAW and not is_registered(part))
        elif vr in {"DA", "DT"}:
            for part in text(data).replace(".", "" if vr == "DA" else ".").split("\\"):
                found = _DATE.fullmatch(part.strip())
                dates.update([found[1]] if found else [])
        elif vr == "PN" or tag in identifying_tags():
            whole = text(data, charset)
            parts = {part.strip() for part in _SPLIT.split(whole)}
            if vr == "PN":
                parts |= set(_NAME_SPLIT.split(whole))
            words.update(part.casefold() for part in parts if _long_enough(part))
            pieces = (piece.strip(b" \0") for piece in re.split(rb"[\\^=]+", data))
            raws.update(piece.lower() for piece in pieces if len(piece) >= SURE_RAW)
    words -= _NOBODY
    return Identifiers(frozenset(words), frozenset(dates), frozenset(uids), frozenset(raws | _raw_words(words)))


@lru_cache(maxsize=4096)
def is_registered(uid: str) -> bool:
    """Whether PS3.6 registers a UID: it names a class, a syntax or a scheme, and no instance."""
    from pydicom.config import IGNORE
    from pydicom.uid import UID

    # A warning of pydicom's would quote the value.
    return UID(uid, validation_mode=IGNORE).type != ""


def tells(told: str, known: Identifiers, dates: frozenset[str]) -> bool:
    """Whether a text holds an identifying value.

    A long word counts anywhere, a short one as a word of its own; UIDs count as a whole, dates with or without signs
    between their parts. ``dates`` are those of ``known`` that must not be met.
    """
    pattern = _pattern(known.words)
    if pattern is not None and pattern.search(told.casefold()):
        return True
    if any(token in known.uids for token in _TOKEN.findall(told)):
        return True
    return bool(dates) and any(found in dates for found in _EIGHT_DIGITS.findall(_DATE_SIGNS.sub("", told)))


@lru_cache(maxsize=256)
def _pattern(words: frozenset[str]) -> re.Pattern[str] | None:
    if not words:
        return None
    sure = [re.escape(word) for word in sorted(words) if len(word) >= SURE]
    short = [rf"(?<!\w){re.escape(word)}(?!\w)" for word in sorted(words) if len(word) < SURE]
    return re.compile("|".join(sure + short))


def _long_enough(word: str) -> bool:
    wide = not word.isascii()
    return len(word) >= (SHORTEST_WIDE if wide else SHORTEST) and len(set(word)) > 1


def _raw_words(words: set[str]) -> set[bytes]:
    """Long words in the encodings that might stand in bytes nobody parses."""
    found = {word.encode(code, "ignore").lower() for word in words for code in ("utf-8", "utf-16-le", "latin-1")}
    return {piece for piece in found if len(piece) >= SURE_RAW and len(set(piece)) > 3}


def texts(elements: Elements, charset: bytes = b"") -> Iterator[tuple[int, Value, bytes]]:
    """Every standard element but sequences, at every depth, with the character set its text is written in."""
    if CHARSET in elements:
        charset = elements[CHARSET].data
    for tag, value in elements.items():
        if tag >> 16 & 1:
            continue
        if value.items is None:
            yield tag, value, charset
        for item in value.items or ():
            yield from texts(item, charset)
