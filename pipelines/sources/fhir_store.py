"""What was fetched from a FHIR server: files of JSON lines, a page each, and the searches that were interrupted."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.workspace.files import make_private_folder, write_atomic, write_new
from pipelines.workspace.identity import keyed_digest

FETCHED = "fhir"
_NAMED = re.compile(rb'\{"resourceType": "([A-Za-z]+)", "id": "([A-Za-z0-9.-]+)"')


@dataclass(slots=True)
class Store:
    """The lines of a folder that are held, by digest, and the resources among them, by name.

    ``counted`` counts what a run did, ``asked`` are the resources that it has asked for one by one.
    """

    folder: Path
    key: bytes = field(repr=False)
    lines: set[bytes] = field(repr=False)
    names: set[str] = field(repr=False)
    counted: Counter[str] = field(default_factory=Counter)
    asked: set[str] = field(default_factory=set, repr=False)

    def put(self, resources: Sequence[dict[str, Any]]) -> None:
        """Write the resources that are new into one file, whole or not at all."""
        fresh: dict[bytes, bytes] = {}
        for resource in resources:
            line = _line(resource)
            digest = _digest(line)
            if digest in self.lines or digest in fresh:
                self.counted["known"] += 1
            else:
                fresh[digest] = line
        if fresh:
            content = b"\n".join(fresh.values()) + b"\n"
            name = keyed_digest(self.key, "fhir-page", hashlib.sha256(content).hexdigest())
            write_atomic(self.folder / f"{name}.ndjson", content)
            self.lines |= fresh.keys()
            self.counted["new"] += len(fresh)
        self.names |= {f"{item['resourceType']}/{item['id']}" for item in resources}


def open_store(folder: Path, key: bytes, url: str) -> Store:
    """The store in a folder, which is made where it is missing; ``url`` is the server's address.

    Raises
    ------
    WorkspaceError
        The folder cannot be written.
    """
    make_private_folder(folder)
    # As exports have it: the address that absolute references begin with.
    stated = {"transactionTime": "", "request": url, "output": [], "error": []}
    write_new(folder / "manifest.json", json.dumps(stated).encode())
    return Store(folder, key, *_held(folder))


def _held(folder: Path) -> tuple[set[bytes], set[str]]:
    """The digests of all lines in a folder, and the names of their resources."""
    lines, names = set(), set()
    for path in sorted(folder.glob("*.ndjson")):
        with path.open("rb") as stream:
            for line in stream:
                lines.add(_digest(line.rstrip(b"\n")))
                if found := _NAMED.match(line):
                    names.add(f"{found[1].decode()}/{found[2].decode()}")
    return lines, names


def _line(resource: dict[str, Any]) -> bytes:
    first = {"resourceType": resource["resourceType"], "id": resource["id"]}
    return json.dumps({**first, **resource}, ensure_ascii=True).encode()


def _digest(line: bytes) -> bytes:
    return hashlib.blake2b(line, digest_size=16).digest()


def interrupted(path: Path) -> dict[str, dict[str, str]]:
    """The searches that were interrupted, by kind: ``query``, and the ``next`` page.

    A damaged file is as good as none, for what is there already is not written anew.
    """
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {
        kind: entry
        for kind, entry in content.items()
        if isinstance(entry, dict) and isinstance(entry.get("query"), str) and isinstance(entry.get("next"), str)
    }


def remember(path: Path, kind: str, entry: dict[str, str] | None) -> None:
    """Write down where the search for a kind has come to, or, with None, that it is over."""
    state = interrupted(path)
    if entry is None:
        if kind not in state:
            return
        del state[kind]
    else:
        state[kind] = entry
    write_atomic(path, json.dumps(state).encode())
