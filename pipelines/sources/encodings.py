"""Bytes become text: by their mark, as UTF-8, or by an encoding that is named or beyond doubt; never by a guess."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from data_schemas.errors import InputError, RefusedError
from data_schemas.reasons import Reason
from pipelines.sources.encoding_candidates import candidates, one_name_a_text

# UTF-32 before UTF-16: its mark begins with that of UTF-16.
MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
SEVEN_BITS = ("iso2022", "hz", "utf-7", "utf7")  # encodings whose bytes all look like ASCII: they go before UTF-8
LARGEST = 2**31  # bytes of one file
_MULTI_BYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]")
# What UTF-8 looks like to one who reads it as Windows-1252 or Latin-1: "Ã¤", "â€œ".
_MOJIBAKE = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u0178\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]{1,3}")


@dataclass(frozen=True)
class Decoded:
    """A text, the encoding it was in, and how that is known: by its mark, as UTF-8, named by the user, or detected."""

    text: str = field(repr=False)
    encoding: str
    how: Literal["marked", "utf-8", "named", "detected"]

    @property
    def told(self) -> str:
        """What must be said aloud of it: "read as cp1252"; empty where nothing was chosen."""
        return f"read as {self.encoding}" if self.how in ("named", "detected") else ""


def read_decoded(path: Path, *, encoding: str | None = None) -> Decoded:
    """The text of a file; ``encoding`` is that of files which are not UTF-8.

    Raises
    ------
    InputError
        The file cannot be opened, is larger than 2 GiB, or `decode` refuses its bytes.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path}: larger than {LARGEST // 2**30} GiB; split it")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({type(error).__name__}); check the path and its rights") from None
    try:
        return decode(data, encoding=encoding)
    except RefusedError as error:
        raise InputError(f"{path}: {error.detail}") from None


def decode(data: bytes, *, encoding: str | None = None) -> Decoded:
    """Bytes as text.

    A byte order mark decides. Then strict UTF-8, then the named ``encoding``, then a detection, which is believed only
    where every encoding that could be meant gives one and the same text. (An encoding of seven bits goes before UTF-8,
    as does a named UTF-16 or UTF-32.)

    Raises
    ------
    RefusedError
        *ambiguous-encoding*: nothing is named, and several encodings give different texts, or none gives any; or the
        bytes are not what they are marked or named as. The detail names the candidates and the setting.
    """
    for mark, name in MARKS:
        if data.startswith(mark):
            return Decoded(_strict(data[len(mark) :], name, "its byte order mark says"), name, "marked")
    if encoding and (_is_seven_bits(encoding) or _is_wide(encoding)):
        return Decoded(_strict(data, encoding, "the settings say"), encoding, "named")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf8(data, error.start, encoding)
    if wide := _wide_without_mark(data):
        return Decoded(data.decode(wide), wide, "detected")
    return Decoded(text, "utf-8", "utf-8")


def mojibake(text: str) -> int:
    """How many places look like UTF-8 that was read as Windows-1252 or Latin-1 before it came here ("Ã¤")."""
    return sum(_is_mojibake(match[0]) for match in _MOJIBAKE.finditer(text)) if not text.isascii() else 0


def is_encoding(name: str) -> bool:
    """Whether a name is that of an encoding of text."""
    try:
        return isinstance("".encode(name), bytes) and not name.lower().replace("-", "_").startswith(_NO_TEXT)
    except (LookupError, ValueError, TypeError):
        return False


_NO_TEXT = ("unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined")


def _not_utf8(data: bytes, start: int, encoding: str | None) -> Decoded:
    if encoding:
        return Decoded(_strict(data, encoding, "the settings say"), encoding, "named")
    if _is_damaged_utf8(data):
        detail = f"UTF-8 that is damaged at byte {start}; write the file again"
        raise RefusedError(Reason.AMBIGUOUS_ENCODING, detail)
    wide = _wide_without_mark(data)
    found = [(wide, data.decode(wide))] if wide else candidates(data)
    texts = {text for _, text in found}
    if len(texts) == 1:
        name, text = found[0]
        return Decoded(text, name, "detected")
    names = one_name_a_text(found)
    could = f"could be {', '.join(names[:6])}" if names else "no encoding that scanote knows by itself"
    detail = f"not UTF-8 at byte {start}: {could}; save it as UTF-8, or name it in the settings: sources.encoding"
    raise RefusedError(Reason.AMBIGUOUS_ENCODING, detail)


def _strict(data: bytes, encoding: str, source: str) -> str:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        where = f" at byte {error.start}" if isinstance(error, UnicodeDecodeError) else ""
        detail = f"{source} {encoding}, which it is not{where}; correct the one or the other"
        raise RefusedError(Reason.AMBIGUOUS_ENCODING, detail) from None


def _is_seven_bits(encoding: str) -> bool:
    return encoding.lower().replace("_", "").replace("-", "").startswith(tuple(n.replace("-", "") for n in SEVEN_BITS))


def _is_wide(encoding: str) -> bool:
    return ("16" in encoding.lower() and encoding.lower().startswith("utf")) or "32" in encoding.lower()


def _wide_without_mark(data: bytes) -> str:
    """UTF-16 without its mark: every other byte of its ASCII characters is zero."""
    sample = data[:4096]
    if len(data) < 4 or len(data) % 2 or b"\0" not in sample:
        return ""
    odd, even = sample[1::2].count(0), sample[::2].count(0)
    name, zeros, others = ("utf-16-le", odd, even) if odd > even else ("utf-16-be", even, odd)
    if others or zeros < 0.3 * len(sample) / 2:
        return ""
    try:
        data.decode(name)
    except UnicodeDecodeError:
        return ""
    return name


def _is_damaged_utf8(data: bytes) -> bool:
    """Whether nearly all bytes beyond ASCII stand in characters of UTF-8: no other encoding looks so by chance."""
    sample = data[: 2**22]
    high = len(_HIGH.findall(sample))
    covered = sum(map(len, _MULTI_BYTE.findall(sample)))
    return covered >= 4 and covered >= 0.8 * high


def _is_mojibake(piece: str) -> bool:
    if piece.endswith("\u00a0"):
        return False  # "IRMÃ" and a hard blank
    try:
        b"".join(map(_as_windows_1252, piece)).decode("utf-8")
    except UnicodeError:
        return False
    return True


def _as_windows_1252(character: str) -> bytes:
    """The byte of a character; Windows leaves five of them to Latin-1."""
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        return character.encode("latin-1")
