"""Raw DICOM values to Python values, strictly: what cannot be read is absent, never guessed."""

from __future__ import annotations

import math
import re
import struct
import unicodedata
import warnings
from datetime import date, datetime, timedelta, timezone, tzinfo

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)
_AGE = re.compile(r"(\d{1,3})([YMWD]?)")
_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})")
_DAYS = {"D": 1.0, "W": 7.0, "M": 365.25 / 12, "Y": 365.25, "": 365.25}
_LATEST_YEAR = 2200


def text(raw: bytes | None, charset: bytes | None = None) -> str:
    """Decode one text value, stripped of padding and in Unicode NFC.

    ``charset`` is the raw value of Specific Character Set. Bytes that no character set explains are kept as
    backslash escapes, so that two different values stay different.
    """
    if not raw:
        return ""
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii").strip(" \0")
    return unicodedata.normalize("NFC", _decode(raw, charset or b"").strip(" \0"))


def _decode(raw: bytes, charset: bytes) -> str:
    from pydicom import charset as charsets

    names = [name.strip(" \0") for name in charset.decode("ascii", "replace").split("\\")]
    codecs = [charsets.python_encoding.get(name) for name in names]
    try:
        if len(codecs) == 1 and codecs[0] and b"\x1b" not in raw:
            return raw.decode(codecs[0])
        known = [codec for codec in codecs if codec]
        if known:
            # pydicom warns where it puts replacement characters: two names could become one.
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                return str(charsets.decode_bytes(raw, known, {0x5C, 0x3D, 0x5E}))
    except (UnicodeError, LookupError, UserWarning):
        pass
    return raw.decode("ascii", "backslashreplace")


def person(raw: bytes | None, charset: bytes | None = None) -> str:
    """A person's name without the empty components that may trail it."""
    groups = [group.rstrip("^ ") for group in text(raw, charset).split("=")]
    return "=".join(groups).rstrip("=")


def words(raw: bytes | None) -> tuple[str, ...]:
    """The values of a multi-valued code string."""
    whole = text(raw)
    return tuple(part.strip(" \0") for part in whole.split("\\")) if whole else ()


def decimals(raw: bytes | None, count: int) -> tuple[float, ...] | None:
    """Exactly ``count`` decimal numbers, or None. "nan" and "inf" are read, so that they can be refused by name."""
    if not raw:
        return None
    parts = words(raw)
    if len(parts) != count or not all(_DECIMAL.fullmatch(part) for part in parts):
        return None
    return tuple(float(part) for part in parts)


def decimal(raw: bytes | None) -> float | None:
    """One decimal number, or None."""
    found = decimals(raw, 1)
    return found[0] if found else None


def whole(raw: bytes | None) -> int | None:
    """One whole number (IS) that is not negative, or None."""
    digits = text(raw)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 12 else None


def short(raw: bytes | None, little_endian: bool) -> int | None:
    """One unsigned 16-bit number, or None."""
    if raw is None or len(raw) != 2:
        return None
    return int.from_bytes(raw, "little" if little_endian else "big")


def double(raw: bytes | None, little_endian: bool) -> float | None:
    """One 64-bit floating-point number (FD), or None."""
    if raw is None or len(raw) != 8:
        return None
    return float(struct.unpack("<d" if little_endian else ">d", raw)[0])


def day(raw: str) -> date | None:
    """A date (DA, or the old form with dots), or None."""
    digits = raw.replace(".", "")
    if len(digits) != 8 or not digits.isdecimal() or not digits.isascii():
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def moment(day_raw: str, time_raw: str, zone: tzinfo | None = None) -> datetime | None:
    """A date and a time (DA and TM), or None where either is absent or cannot be read."""
    on = day(day_raw)
    digits, _, fraction = time_raw.replace(":", "").partition(".")
    if on is None or len(digits) not in {2, 4, 6} or not (digits + fraction).isdecimal():
        return None
    if on.year > _LATEST_YEAR or not (digits + fraction).isascii():
        return None
    hour, minute, second = (int(digits[at : at + 2] or 0) for at in (0, 2, 4))
    try:
        return datetime(
            on.year, on.month, on.day, hour, minute, min(second, 59), int(fraction[:6].ljust(6, "0")), tzinfo=zone
        )
    except ValueError:
        return None


def date_time(raw: str, zone: tzinfo | None = None) -> datetime | None:
    """A DT value with at least a day and an hour, or None. Its own offset wins over ``zone``."""
    found = re.fullmatch(r"(\d{8})(\d{2,6}(?:\.\d{1,6})?)([+-]\d{4})?", raw)
    if not found:
        return None
    return moment(found[1], found[2], offset(found[3]) if found[3] else zone)


def offset(raw: str) -> tzinfo | None:
    """A time zone from "+0100", or None."""
    found = _OFFSET.fullmatch(raw)
    if not found or int(found[2]) > 14 or int(found[3]) > 59:
        return None
    minutes = int(found[2]) * 60 + int(found[3])
    return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))


def age_years(raw: str) -> float | None:
    """Years from an age string ("048Y", "006M", "002W", "010D", and the bare "42" that is met), or None."""
    found = _AGE.fullmatch(raw)
    if not found:
        return None
    if found[2] in {"Y", ""}:
        return float(found[1])
    years = int(found[1]) * _DAYS[found[2]] / _DAYS["Y"]
    return years if math.isfinite(years) else None
