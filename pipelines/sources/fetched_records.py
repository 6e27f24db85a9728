"""What was fetched from FHIR servers, without the lines of a forgotten patient: a file of an export holds many people.

Texts go first, then what refers to them, and the Patient resources last: whoever is stopped in between still knows
whose the lines are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipelines.sources.fhir_store import FETCHED
from pipelines.workspace.files import write_atomic

_REFERENCE = re.compile(rb"\b(Patient|Binary)/([A-Za-z0-9.-]{1,64})")
PHASES = ("Binary", "", "Patient")
Wanted = Callable[[str], bool]


def drop_resources(incoming: Path, wanted: Wanted, *, identifier_system: str | None = None, dry: bool = False) -> int:
    """Remove every fetched resource of the patients whose record id is ``wanted``, and return how many there are.

    A patient is known as reading knows them: by the identifier of ``identifier_system``, else by that of type *MR*,
    else by any; one that was replaced (*old*) counts too. With ``dry`` nothing is changed.

    Raises
    ------
    WorkspaceError
        A file cannot be written.
    """
    return sum(
        _drop_of_server(folder, wanted, identifier_system, dry=dry)
        for folder in sorted((incoming / FETCHED).glob("*"))
        if folder.is_dir()
    )


def _drop_of_server(folder: Path, wanted: Wanted, system: str | None, *, dry: bool) -> int:
    patients = {
        resource["id"].encode()
        for path in _files(folder)
        for line in _lines(path)
        if b'"Patient"' in line[:64] and (resource := _read(line)) and _is_wanted(resource, wanted, system)
    }
    if not patients:
        return 0
    theirs: set[bytes] = set()  # texts that their resources refer to
    others: set[bytes] = set()
    for path in _files(folder):
        for line in _lines(path):
            found = theirs if _is_of(line, patients) else others
            found |= {match[2] for match in _REFERENCE.finditer(line) if match[1] == b"Binary"}
    texts = theirs - others
    count = 0
    for phase in PHASES:
        for path in _files(folder):
            lines = list(_lines(path))
            kept = [line for line in lines if not _goes(line, patients, texts, phase)]
            if len(kept) < len(lines):
                count += len(lines) - len(kept)
                if not dry:
                    _write(path, kept)
    return count


def _goes(line: bytes, patients: set[bytes], texts: set[bytes], phase: str) -> bool:
    kind, name = _name(line)
    if kind != phase:
        return False
    if kind:
        return name in (patients if kind == "Patient" else texts)
    return _is_of(line, patients)


def _is_of(line: bytes, patients: set[bytes]) -> bool:
    """Whether a resource is about one of some patients: its subject is, or it has none and refers to one."""
    named = {match[2] for match in _REFERENCE.finditer(line) if match[1] == b"Patient"}
    if not named & patients:
        return False
    resource = _read(line) or {}
    subject = resource.get("subject") or resource.get("patient")
    told = _REFERENCE.search(json.dumps(subject).encode()) if isinstance(subject, dict) else None
    return told is None or told[2] in patients


def _is_wanted(resource: dict[str, Any], wanted: Wanted, system: str | None) -> bool:
    given = resource.get("identifier")
    found = [item for item in given if isinstance(item, dict)] if isinstance(given, list) else []
    if system is not None:
        found = [item for item in found if item.get("system") == system]
    numbers = [item for item in found if '"MR"' in json.dumps(item.get("type"))]
    values = (item.get("value") for item in numbers or found)
    return isinstance(resource.get("id"), str) and any(isinstance(value, str) and wanted(value) for value in values)


def _name(line: bytes) -> tuple[str, bytes]:
    resource = (
        _read(line) if line[:64].startswith((b'{"resourceType": "Binary"', b'{"resourceType": "Patient"')) else None
    )
    return (str(resource["resourceType"]), str(resource.get("id", "")).encode()) if resource else ("", b"")


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(line)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.ndjson"))


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        for line in stream:
            yield line.rstrip(b"\n")


def _write(path: Path, lines: list[bytes]) -> None:
    if lines:
        write_atomic(path, b"\n".join(lines) + b"\n")
    else:
        path.unlink()
