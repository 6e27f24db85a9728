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
Person = Callable[[dict[str, Any]], bool]


def drop_resources(incoming: Path, wanted: Wanted, *, identifier_system: str | None = None, dry: bool = False) -> int:
    """Remove every fetched resource of the patients whose record id is ``wanted``, and return how many there are.

    A patient is known as reading knows them: by the identifier of ``identifier_system``, else by that of type *MR*,
    else by any; one that was replaced (*old*) counts too. So is one who is contained in a resource, or named in it by
    an identifier alone. With ``dry`` nothing is changed.

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
    def is_theirs(person: dict[str, Any]) -> bool:
        return _is_wanted(person, wanted, system)

    patients = {
        resource["id"].encode()
        for path in _files(folder)
        for line in _lines(path)
        if b'"Patient"' in line[:64]
        and (resource := _read(line))
        and isinstance(resource.get("id"), str)
        and is_theirs(resource)
    }
    theirs: set[bytes] = set()  # texts that their resources refer to
    others: set[bytes] = set()
    is_any = bool(patients)
    for path in _files(folder):
        for line in _lines(path):
            is_one = _is_of(line, patients, is_theirs)
            is_any = is_any or is_one
            found = theirs if is_one else others
            found |= {match[2] for match in _REFERENCE.finditer(line) if match[1] == b"Binary"}
    if not is_any:
        return 0
    texts = theirs - others
    count = 0
    for phase in PHASES:
        for path in _files(folder):
            lines = list(_lines(path))
            kept = [line for line in lines if not _goes(line, patients, is_theirs, texts, phase)]
            if len(kept) < len(lines):
                count += len(lines) - len(kept)
                if not dry:
                    _write(path, kept)
    return count


def _goes(line: bytes, patients: set[bytes], is_theirs: Person, texts: set[bytes], phase: str) -> bool:
    kind, name = _name(line)
    if kind != phase:
        return False
    if kind:
        return name in (patients if kind == "Patient" else texts)
    return _is_of(line, patients, is_theirs)


def _is_of(line: bytes, patients: set[bytes], is_theirs: Person) -> bool:
    """Whether a resource is about one of some patients: its subject is, or it has none and refers to one.

    A subject may also be contained in the resource, or named by an identifier alone.
    """
    named = {match[2] for match in _REFERENCE.finditer(line) if match[1] == b"Patient"}
    if named and not named & patients and b'"contained"' not in line:
        return False
    resource = _read(line) or {}
    subject = resource.get("subject") or resource.get("patient")
    if isinstance(subject, dict) and _is_named_within(resource, subject, is_theirs):
        return True
    if not named & patients:
        return False
    told = _REFERENCE.search(json.dumps(subject).encode()) if isinstance(subject, dict) else None
    return told is None or told[2] in patients


def _is_named_within(resource: dict[str, Any], subject: dict[str, Any], is_theirs: Person) -> bool:
    """Whether a subject is one of ours by what stands in the resource itself: a contained Patient, or an identifier."""
    contained, reference = resource.get("contained"), subject.get("reference")
    inner = [item for item in contained if isinstance(item, dict)] if isinstance(contained, list) else []
    people = [item for item in inner if reference == f"#{item.get('id')}"]
    if not reference:
        people.append({"identifier": [subject.get("identifier")]})
    return any(map(is_theirs, people))


def _is_wanted(resource: dict[str, Any], wanted: Wanted, system: str | None) -> bool:
    given = resource.get("identifier")
    found = [item for item in given if isinstance(item, dict)] if isinstance(given, list) else []
    if system is not None:
        found = [item for item in found if item.get("system") == system]
    numbers = [item for item in found if '"MR"' in json.dumps(item.get("type"))]
    values = (item.get("value") for item in numbers or found)
    return any(isinstance(value, str) and wanted(value) for value in values)


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
