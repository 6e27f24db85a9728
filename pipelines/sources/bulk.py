"""FHIR Bulk Data exports: NDJSON files of one folder, one resource a line, in any order, packed by gzip or not.

An export is read twice, a line at a time: first what others refer to, then the records. The text of Binary resources
is not held in between, but found again where it stands. A line that is broken is one refused line.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from os import SEEK_END
from pathlib import Path
from typing import IO, Any

from data_schemas.errors import InputError, RefusedError
from data_schemas.reasons import Reason
from pipelines.sources.fhir_json import parse_fhir

SUFFIXES = (".ndjson", ".jsonl")
LONGEST_LINE = 64 * 2**20
# As for archives: beyond 32 MiB, no more than 200 bytes for each byte stored.
FREE_BYTES, RATIO = 32 * 2**20, 200
SNIFFED = 100
MANIFEST = "manifest.json"
_OF_A_TYPE = re.compile(r"(?:[A-Z][a-z]+)+(\.\d+)*\.ndjson(\.gz)?", re.ASCII)


@dataclass(frozen=True)
class Entry:
    """One resource of a set, or why it cannot be read; ``place`` is where it is found again."""

    where: str
    resource: dict[str, Any] | None = field(default=None, repr=False)
    problem: RefusedError | None = None
    full_url: Any = field(default=None, repr=False)
    place: Any = field(default=None, repr=False)


def is_export_name(path: Path) -> bool:
    """Whether a file's ending is one that exports have; its content must tell then."""
    plain = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return plain.suffix.lower() in SUFFIXES


def is_export(path: Path) -> bool:
    """Whether a file of JSON lines holds FHIR resources: the first object in it says its resourceType.

    A file without a line, or without an object in its first hundred lines, is one where its name is that of a
    resource (``Patient.ndjson``), as exports leave them. What is no export is a table.
    """
    if not is_export_name(path):
        return False
    try:
        for number, (_, line) in enumerate(_lines(path)):
            if number >= SNIFFED:
                break
            try:
                first = json.loads(line or b"")
            except (ValueError, RecursionError):
                continue
            if isinstance(first, dict):
                return isinstance(first.get("resourceType"), str)
    except (OSError, RefusedError):
        pass
    return bool(_OF_A_TYPE.fullmatch(path.name))


def entries_of(paths: Sequence[Path], *, spool: IO[bytes] | None = None) -> Iterator[Entry]:
    """Every line of the files of an export, in the order of their names.

    With a ``spool``, a Binary of a packed file is laid aside in it: there is no quick way back into such a file.
    """
    for path in sorted(paths):
        number = 0
        try:
            for number, (offset, line) in enumerate(_lines(path), 1):
                if line is None:
                    detail = f"a line of more than {LONGEST_LINE} bytes"
                    yield Entry(f"{path}: line {number}", problem=RefusedError(Reason.TOO_LARGE, detail))
                elif line.strip():
                    yield _entry(f"{path}: line {number}", line, (path, offset, len(line)), spool)
        except RefusedError as error:
            yield Entry(f"{path}: after line {number}", problem=error)
        except OSError as error:
            detail = f"{path}: cannot be read ({type(error).__name__}); check the path and its rights"
            raise InputError(detail) from None


def load(place: tuple[Path | None, int, int], *, spool: IO[bytes]) -> dict[str, Any]:
    """The resource at the place of an entry."""
    path, offset, length = place
    with contextlib.nullcontext(spool) if path is None else path.open("rb") as stream:
        stream.seek(offset)
        found: dict[str, Any] = parse_fhir(stream.read(length))
    return found


def _entry(where: str, line: bytes, place: tuple[Path | None, int, int], spool: IO[bytes] | None) -> Entry:
    try:
        content = parse_fhir(line)
    except ValueError as error:
        return Entry(where, problem=RefusedError(Reason.NOT_A_RECORD, str(error)))
    if not isinstance(content, dict) or not isinstance(content.get("resourceType"), str):
        detail = "no FHIR resource, as the other lines are; keep tables and exports in files of their own"
        return Entry(where, problem=RefusedError(Reason.NOT_A_RECORD, detail))
    if spool is not None and content["resourceType"] == "Binary" and _is_packed(place[0]):
        place = (None, spool.seek(0, SEEK_END), len(line))
        spool.write(line)
    return Entry(where, resource=content, place=place)


def _is_packed(path: Path | None) -> bool:
    return path is not None and path.suffix.lower() == ".gz"


def _lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Lines with their offsets; None for one that is too long, which is passed over without being held."""
    packed = _is_packed(path)
    bound = path.stat().st_size * RATIO + FREE_BYTES if packed else None
    with gzip.open(path) if packed else path.open("rb") as stream:
        offset = 0
        try:
            while line := stream.readline(LONGEST_LINE + 1):
                start, whole = offset, len(line) <= LONGEST_LINE
                offset += len(line)
                yield start, line if whole else None
                while not whole and line and not line.endswith(b"\n"):
                    line = stream.readline(LONGEST_LINE)
                    offset += len(line)
                if bound is not None and offset > bound:
                    detail = "unpacks to more than 200 times its size; unpack it by hand if that is right"
                    raise RefusedError(Reason.TOO_LARGE, detail)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise RefusedError(Reason.TRUNCATED, "the packed file is damaged from here on; export it again") from None


@dataclass(frozen=True)
class Manifest:
    """What the manifest of an export says: its server's address, and how many resources of each type there are."""

    base: str = ""
    counts: dict[str, int] = field(default_factory=dict)


def manifest_of(content: Any) -> Manifest | None:
    """A bulk export's manifest (its JSON), or None where it is something else.

    Types of which any file has no count are left out of ``counts``.
    """
    if not isinstance(content, dict) or "resourceType" in content or "transactionTime" not in content:
        return None
    if not isinstance(content.get("output"), list):
        return None
    counts: dict[str, int] = {}
    unknown = set()
    for item in content["output"]:
        kind, count = (item.get("type"), item.get("count")) if isinstance(item, dict) else (None, None)
        if isinstance(kind, str) and isinstance(count, int) and not isinstance(count, bool):
            counts[kind] = counts.get(kind, 0) + count
        else:
            unknown.add(str(kind))
    request = content.get("request")
    address = request.partition("?")[0] if isinstance(request, str) else ""
    base = re.sub(r"(/(Patient|Group/[^/]+))?/\$export$", "", address).rstrip("/")
    return Manifest(base, {kind: count for kind, count in counts.items() if kind not in unknown})
