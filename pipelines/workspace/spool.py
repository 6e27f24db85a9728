"""The spool: what a server could not be told now is kept as a file and told later, once."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_schemas.errors import WorkspaceError
from pipelines.workspace.digests import canonical_json, json_digest
from pipelines.workspace.files import make_private_folder, sync_path, write_new

Handler = Callable[[dict[str, Any]], object]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReplayCounts:
    """What a replay did: entries told, whose handler raised, that have no handler, and that cannot be read."""

    delivered: int = 0
    failed: int = 0
    unhandled: int = 0
    damaged: int = 0


@dataclass(frozen=True)
class Spool:
    """A folder of entries. Payloads hold references and aggregates, never patient data."""

    root: Path

    def put(self, kind: str, payload: Mapping[str, Any]) -> str:
        """Keep one entry and return its id, the digest of kind and payload. The same entry is told once, ever.

        A payload that may rightly be told again has to hold what tells the two apart (a run id, a step, a moment).

        Raises
        ------
        WorkspaceError
            The entry cannot be written.
        TypeError, ValueError
            The payload is not made of JSON types.
        """
        name = json_digest([kind, dict(payload)])
        make_private_folder(self.root)
        if not self._told(name).exists():
            entry = {"kind": kind, "payload": dict(payload), "put": time.time_ns()}
            write_new(self._waiting(name), canonical_json(entry))
            # Where a replay told it between the look and the write, it has been told.
            if self._told(name).exists():
                self._waiting(name).unlink(missing_ok=True)
        return name

    def about(self, keys: Collection[str]) -> tuple[Path, ...]:
        """The entries, waiting or told, whose payload names any of some keys."""
        wanted = {key.encode() for key in keys if key}
        paths = [*self.root.glob("*.json"), *(self.root / "told").glob("*.json")]
        held = ((path, path.read_bytes()) for path in sorted(paths))
        return tuple(path for path, content in held if any(key in content for key in wanted))

    def waiting(self) -> int:
        """How many entries wait to be told."""
        return len(self._names())

    def replay(self, handlers: Mapping[str, Handler]) -> ReplayCounts:
        """Tell every waiting entry, oldest first, to the handler of its kind.

        An entry leaves the queue in one step after its handler returned. Where a handler raises, its entry stays for
        the next replay and the others go on. One replay runs at a time; a second one finds nothing to do. A crash
        between a handler's return and that step tells the entry again: handlers first ask whether it is there already.
        """
        make_private_folder(self.root)
        make_private_folder(self.root / "told")
        counts = dict.fromkeys(("delivered", "failed", "unhandled", "damaged"), 0)
        with _alone(self.root / "lock") as alone:
            for name, entry in self._entries() if alone else ():
                counts[self._tell(name, entry, handlers)] += 1
        return ReplayCounts(**counts)

    def _tell(self, name: str, entry: dict[str, Any] | None, handlers: Mapping[str, Handler]) -> str:
        if entry is None:
            log.error("spool entry %s cannot be read; it stays where it is", name)
            return "damaged"
        handler = handlers.get(entry["kind"])
        if handler is None:
            return "unhandled"
        try:
            handler(entry["payload"])
        except Exception as error:  # whatever a client library raises: the entry stays
            log.warning("spool entry %s (%s) was not told: %s", name, entry["kind"], type(error).__name__)
            return "failed"
        self._waiting(name).replace(self._told(name))
        sync_path(self.root / "told")
        sync_path(self.root)
        return "delivered"

    def _entries(self) -> list[tuple[str, dict[str, Any] | None]]:
        found = [(name, self._read(name)) for name in self._names()]
        return sorted(found, key=lambda item: (item[1]["put"] if item[1] else 0, item[0]))

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            entry = json.loads(self._waiting(name).read_bytes())
            intact = json_digest([entry["kind"], entry["payload"]]) == name and isinstance(entry["put"], int)
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return entry if intact else None

    def _names(self) -> list[str]:
        return [path.stem for path in self.root.glob("[0-9a-f]*.json")]

    def _waiting(self, name: str) -> Path:
        return self.root / f"{name}.json"

    def _told(self, name: str) -> Path:
        return self.root / "told" / f"{name}.json"


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Whether this is the only holder of a lock file; the system frees it when a holder dies."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise WorkspaceError(f"{path}: cannot be opened ({error.strerror}); mend that and retry") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)
