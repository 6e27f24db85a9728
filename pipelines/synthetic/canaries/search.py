"""The search for canaries in the bytes of files, databases and logs, in every form that a program writes text in."""

from __future__ import annotations

import base64
import gzip
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MOST_UNPACKED = 64 << 20


@dataclass(frozen=True)
class Sighting:
    """A canary where it must not be: its kind, the store, and in which form."""

    kind: str
    where: str
    form: str


def find_canaries(words: Mapping[str, str], where: str, data: bytes) -> Iterator[Sighting]:
    """Every canary in some bytes: as text of eight or sixteen bits, base64, hexadecimal, or packed with zip or gzip.

    Upper and lower case are the same, base64 excepted. ``where`` is how a sighting names the bytes.
    """
    lower = data.lower()
    for kind, word in words.items():
        for form, piece, folded in _forms(word):
            if piece in (lower if folded else data):
                yield Sighting(kind, where, form)
                break
    yield from _packed(words, where, data)


def search_folder(words: Mapping[str, str], root: Path, *, allowed: Iterable[Path] = ()) -> tuple[Sighting, ...]:
    """Search every file under a folder, and every name of a file or folder; ``allowed`` files and folders are left out.

    The names of allowed files are searched all the same.
    """
    spared = tuple(allowed)
    found: list[Sighting] = []
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        found += find_canaries(words, f"name of {name}", name.encode("utf-8", "surrogateescape"))
        inside = any(path == spare or path.is_relative_to(spare) for spare in spared)
        if path.is_file() and not path.is_symlink() and not inside:
            found += find_canaries(words, name, path.read_bytes())
    return tuple(found)


@cache
def _forms(word: str) -> tuple[tuple[str, bytes, bool], ...]:
    """The forms of a word, each with whether case is folded."""
    lower = word.lower()
    plain = [("text", lower.encode()), ("utf-16", lower.encode("utf-16-le"))]
    coded = [("hex", data.hex().encode()) for data in (word.encode(), lower.encode(), word.upper().encode())]
    inner = [
        ("base64", base64.b64encode(b"\0" * pad + text.encode())[(4 if pad else 0) : -4])
        for text in (word, lower)
        for pad in range(3)
    ]
    return (*((form, data, True) for form, data in (*plain, *coded)), *((form, data, False) for form, data in inner))


def _packed(words: Mapping[str, str], where: str, data: bytes) -> Iterator[Sighting]:
    if data[:4] == b"PK\3\4":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for item in archive.infolist():
                yield from find_canaries(words, f"{where} / name of a member", item.filename.encode())
                if item.file_size <= MOST_UNPACKED:
                    yield from find_canaries(words, f"{where} / {item.filename}", archive.read(item))
    elif data[:2] == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            yield from find_canaries(words, f"{where} / unpacked", stream.read(MOST_UNPACKED))
