"""The regular files of a tar stream, read forwards: no name is trusted, no link or device looked at.

`tarfile` reads the headers that carry long names into memory whole, however long they say they are; this reader takes
a name's ending and nothing else from them. Formats: v7, ustar, GNU and pax (POSIX.1-2001), without sparse files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason

BLOCK = 512
PIECE = 2**20
# Type flags, as tarfile has them.
_FILES = frozenset({b"0", b"\0", b"7"})
_EMPTY = frozenset({b"1", b"2", b"3", b"4", b"5", b"6"})
_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL, _SPARSE = b"L", b"K", b"x", b"g", b"S"
# Of a long name or a pax header; tar's own limit on a path is 4,096 bytes.
_MAX_EXTRA = 2**16


@dataclass(frozen=True, slots=True)
class Member:
    """A regular file of an archive: which one of all members it is, counted from 1, and its content in pieces.

    ``name`` is what the archive calls it; only its ending may be looked at.
    """

    number: int
    name: str
    pieces: Iterator[bytes]


def is_tar_header(block: bytes) -> bool:
    """Whether a block of 512 bytes is the header of a tar member, by its checksum."""
    return len(block) == BLOCK and any(block) and _checksum(block) == _octal(block[148:156])


def tar_members(stream: BinaryIO) -> Iterator[Member]:
    """Every regular file of a tar stream, in order; what is left of a file's pieces is skipped.

    Raises
    ------
    RefusedError
        ``truncated`` where the stream lacks its end, ``decode-failed`` where a header is damaged, or
        ``unsupported-object`` for sparse files.
    """
    number, name, size_of_pax = 0, "", None
    while True:
        block = _exactly(stream, BLOCK)
        if not any(block):
            return
        if not is_tar_header(block):
            raise RefusedError(Reason.DECODE_FAILED, "a header of the tar archive is damaged")
        kind, size = block[156:157], _size(block[124:136])
        if kind in {_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL}:
            extra = _extra(stream, size)
            if kind == _LONG_NAME:
                name = _text(extra)
            elif kind == _PAX:
                name, size_of_pax = _pax(extra)
            continue
        number += 1
        if kind == _SPARSE:
            raise RefusedError(Reason.UNSUPPORTED_OBJECT, "the tar archive holds sparse files")
        size = 0 if kind in _EMPTY else size if size_of_pax is None else size_of_pax
        name = name or _text(block[:100])
        pieces = _pieces(stream, size)
        if kind in _FILES and not name.endswith("/"):
            yield Member(number, name, pieces)
        for _ in pieces:
            pass
        _exactly(stream, -size % BLOCK)
        name, size_of_pax = "", None


def _pieces(stream: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0:
        piece = stream.read(min(size, PIECE))
        if not piece:
            raise RefusedError(Reason.TRUNCATED, "the tar archive ends inside of a file")
        size -= len(piece)
        yield piece


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = stream.read(size - len(data))
        if not piece:
            raise RefusedError(Reason.TRUNCATED, "the tar archive has no end")
        data += piece
    return data


def _extra(stream: BinaryIO, size: int) -> bytes:
    if size > _MAX_EXTRA:
        raise RefusedError(Reason.TOO_LARGE, f"a header of {size} bytes in the tar archive")
    data = _exactly(stream, size)
    _exactly(stream, -size % BLOCK)
    return data


def _pax(data: bytes) -> tuple[str, int | None]:
    """The name and the size of a pax header's records, each ``length key=value`` and a line feed."""
    name, size = "", None
    while data.strip(b"\0"):
        length, _, _ = data.partition(b" ")
        if not length.isdigit() or not len(length) < int(length[:6]) <= len(data):
            raise RefusedError(Reason.DECODE_FAILED, "a pax header of the tar archive is damaged")
        record, data = data[len(length) + 1 : int(length)], data[int(length) :]
        key, _, value = record.rstrip(b"\n").partition(b"=")
        if key.startswith(b"GNU.sparse"):
            raise RefusedError(Reason.UNSUPPORTED_OBJECT, "the tar archive holds sparse files")
        if key == b"path":
            name = _text(value)
        elif key == b"size":
            if not value.isdigit() or len(value) > 20:
                raise RefusedError(Reason.DECODE_FAILED, "a pax header of the tar archive is damaged")
            size = int(value)
    return name, size


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "replace")


def _size(raw: bytes) -> int:
    size = int.from_bytes(raw[1:], "big") if raw[0] == 0x80 else _octal(raw)
    if size is None:
        raise RefusedError(Reason.DECODE_FAILED, "a header of the tar archive states no size")
    return size


def _octal(raw: bytes) -> int | None:
    digits = raw.partition(b"\0")[0].strip(b" ")
    try:
        return int(digits or b"0", 8) if digits[:1] not in {b"-", b"+"} and b"_" not in digits else None
    except ValueError:
        return None


def _checksum(block: bytes) -> int:
    """The sum of a header's bytes, its own checksum counted as blanks."""
    return sum(block) - sum(block[148:156]) + 8 * 0x20
