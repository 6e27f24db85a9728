"""Which version of which FHIR resource something is: its name on its server, and what orders its versions."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from data_schemas.observation import Origin
from pipelines.sources.tables import note_digest

CORRECTED = ("amended", "corrected", "entered-in-error")


def name_on_server(content: dict[str, Any], full_url: Any, base: str) -> str:
    """The name of a resource with its server's address, or its URN; "" where no server is known.

    An id is unique on one server only: ``Observation/1`` of two servers are two resources.
    """
    kind, own = content["resourceType"], content.get("id")
    stated = full_url.partition("/_history/")[0] if isinstance(full_url, str) else ""
    if not isinstance(own, str) or not own:
        return stated
    if stated.startswith(("http://", "https://")) and stated.endswith(f"/{kind}/{own}"):
        return stated
    return f"{base}/{kind}/{own}" if base else ""


def origin_of(content: dict[str, Any], full_url: Any, base: str, patient_id: str) -> Origin | None:
    """The origin of what a resource gives; None where nothing names it.

    Where no server is known the patient is part of the name, as of notes: two servers that number alike do not meet.
    """
    own = content.get("id")
    name = name_on_server(content, full_url, base)
    if not name and patient_id and isinstance(own, str) and own:
        name = note_digest(patient_id, content["resourceType"], own)
    return Origin(resource=name, version=_version(content), changed=changed_at(content)) if name else None


@dataclass(frozen=True)
class Versions:
    """The versions of each resource of a set: which of them counts, and where nothing says so.

    In their order: the last change, the number of the version, and that a correction follows what it corrects.
    """

    base: str = ""
    newest: dict[bytes, tuple[tuple[Any, ...], int, bytes]] = field(default_factory=dict, repr=False)
    unclear: set[bytes] = field(default_factory=set, repr=False)

    def see(self, number: int, content: dict[str, Any], full_url: Any) -> None:
        """Take note of the entry of that number."""
        name = self._name(content, full_url)
        if not name:
            return
        found = (_stamp(content), number, _digest(content))
        known = self.newest.get(name)
        if known is None:
            self.newest[name] = found
            return
        order = _compare(found[0], known[0])
        if order > 0:
            self.newest[name] = found
            self.unclear.discard(name)
        elif order == 0 and found[2] != known[2]:
            self.unclear.add(name)

    def is_outdated(self, number: int, content: dict[str, Any], full_url: Any) -> bool:
        """Whether another entry of the set is the later version, or the same one once more."""
        held = self.newest.get(self._name(content, full_url))
        return held is not None and held[1] != number

    def is_unclear(self, content: dict[str, Any], full_url: Any) -> bool:
        """Whether the set holds two different versions, and nothing says which was written last."""
        return self._name(content, full_url) in self.unclear

    def _name(self, content: dict[str, Any], full_url: Any) -> bytes:
        own = content.get("id")
        name = name_on_server(content, full_url, self.base)
        name = name or (f"{content['resourceType']}/{own}" if isinstance(own, str) and own else "")
        return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest() if name else b""


def _compare(one: tuple[Any, ...], other: tuple[Any, ...]) -> int:
    """1 where the first was written later, -1 where earlier, 0 where nothing says so; by the first that both tell."""
    for a, b in zip(one, other, strict=True):
        if a is not None and b is not None and a != b:
            return 1 if a > b else -1
    return 0


def _stamp(content: dict[str, Any]) -> tuple[Any, ...]:
    changed, version = changed_at(content), _version(content)
    number = int(version) if version.isascii() and version.isdigit() else None
    return (changed.timestamp() if changed else None, number, content.get("status") in CORRECTED)


def changed_at(content: dict[str, Any]) -> datetime | None:
    """When the server last changed a resource (``meta.lastUpdated``); None where it does not tell, or no zone."""
    meta = content.get("meta")
    stated = meta.get("lastUpdated") if isinstance(meta, dict) else None
    try:
        moment = datetime.fromisoformat(stated) if isinstance(stated, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _version(content: dict[str, Any]) -> str:
    meta = content.get("meta")
    stated = meta.get("versionId") if isinstance(meta, dict) else None
    return stated[:64] if isinstance(stated, str) else ""


def _digest(content: dict[str, Any]) -> bytes:
    """Of everything but ``meta``."""
    try:
        text = json.dumps({name: value for name, value in content.items() if name != "meta"}, sort_keys=True)
    except RecursionError:  # too deep to be any resource: validation refuses it
        text = ""
    return hashlib.blake2b(text.encode(), digest_size=8).digest()
