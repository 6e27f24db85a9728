"""A bulk export of a FHIR server (FHIR Bulk Data Access, ``$export``): asked for, waited for, fetched, kept.

The server is asked once and makes files of JSON lines meanwhile; they are kept as what is searched for is
(`pipelines.sources.fhir_server`), in the same folder. Where the server or this process dies, the next run goes on with
the same export, at the file that is missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.parse import urlencode

from data_schemas.errors import ServerError
from pipelines.sources.arrivals import only_one
from pipelines.sources.bulk import LONGEST_LINE
from pipelines.sources.fhir_connection import FhirConnection, StatusError
from pipelines.sources.fhir_json import parse_fhir
from pipelines.sources.fhir_server import FetchedRecords
from pipelines.sources.fhir_store import FETCHED, Store, open_store
from pipelines.sources.quiet import quiet
from pipelines.workspace.digests import json_digest
from pipelines.workspace.files import make_private_folder, write_atomic
from pipelines.workspace.identity import keyed_digest

NDJSON = "application/fhir+ndjson"
PATIENCE_S = 6 * 3600.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 300.0
LARGEST_FILE = 64 * 2**30
CHUNK = 500  # resources that are written at once
BUSY = frozenset({408, 425, 429, 502, 503, 504})  # by what else a server answers, an export that was begun is no more
GONE = frozenset({404, 410})


@dataclass(slots=True)
class _State:
    """An export that was begun: what was asked, where it is asked after, and the files that are kept already."""

    path: Path
    query: str = ""
    status: str = ""
    done: tuple[str, ...] = ()

    def save(self) -> None:
        content = {"query": self.query, "status": self.status, "done": list(self.done)}
        write_atomic(self.path, json.dumps(content).encode())


def fetch_export(
    connection: FhirConnection,
    into: Path,
    *,
    key: bytes,
    kinds: Sequence[str],
    since: date | None = None,
    group: str = "",
    patience_s: float = PATIENCE_S,
    progress: Callable[[int, int], None] | None = None,
) -> FetchedRecords:
    """Fetch an export of some kinds: everything, or what was changed since a day, and what was deleted since then.

    Parameters
    ----------
    connection, into, key, kinds
        As of `pipelines.sources.fhir_server.fetch_records`.
    since
        The day; without it, everything.
    group
        The id of a Group: its patients alone. Without it, all patients.
    patience_s
        How long the server may take to make the export, in seconds.
    progress
        Called with (files fetched, all files).

    Raises
    ------
    ServerError
        The server does not answer, answers nonsense, refuses, or has not finished in time; or another process is
        fetching. What was fetched stays, and the same call goes on.
    WorkspaceError
        The folder cannot be written.
    """
    name = keyed_digest(key, "fhir-server", connection.url)
    with only_one(into / "fhir.lock", "is fetching"), quiet("httpx", "httpcore"), connection:
        state = _state(make_private_folder(into / "fhir-state") / f"{name}-export.json")
        store = open_store(into / FETCHED / name, key, connection.url)
        query = _query(kinds, since=since, group=group)
        manifest = _manifest(connection, state, query, patience_s)
        files = [(item, list_name) for list_name in ("output", "deleted") for item in _files(manifest, list_name)]
        problems: list[str] = []
        for number, (item, list_name) in enumerate(files, 1):
            address = connection.address(item["url"], of=state.status)
            mark = json_digest([list_name, address])
            if mark not in state.done:
                try:
                    _fetch(connection, store, address, item, problems)
                except StatusError as error:
                    if error.status not in GONE:
                        raise
                    state.path.unlink(missing_ok=True)
                    raise ServerError(
                        f"{connection.url}: has dropped a file of its export; run the same command to ask for a new one"
                    ) from None
                state.done = (*state.done, mark)
                state.save()
            store.counted["pages"] += 1
            if progress:
                progress(number, len(files))
        if failed := len(_files(manifest, "error")):
            problems.append(
                f"{connection.url}: the export lacks something, by {failed} files of errors; look into them"
            )
        with suppress(ServerError):
            connection.forget(state.status)
        state.path.unlink(missing_ok=True)
    counted = {name: store.counted[name] for name in ("pages", "new", "known", "odd")}
    return FetchedRecords(folder=store.folder, **counted, failed=len(problems), problems=tuple(problems))


def _manifest(connection: FhirConnection, state: _State, query: str, patience_s: float) -> dict[str, Any]:
    """The manifest of the export that was begun for this query, or of a new one."""
    # One that was begun for an earlier day is finished first: what has changed since is found by the next run.
    if state.status and _covers(state.query, query):
        try:
            return _wait(connection, state.status, patience_s)
        except StatusError as error:
            if error.status in BUSY:
                raise  # else the server has forgotten it, or could not make it
    answer = connection.raw(connection.address(query), headers={"Prefer": "respond-async"})
    if answer.status != 202 or not answer.location:
        raise StatusError(f"{connection.url}: does not offer bulk exports ($export); search it instead")
    state.query, state.status, state.done = query, connection.address(answer.location), ()
    state.save()
    return _wait(connection, state.status, patience_s)


def _wait(connection: FhirConnection, status: str, patience_s: float) -> dict[str, Any]:
    waited, pause = 0.0, FIRST_PAUSE_S
    while True:
        answer = connection.raw(status, headers={"Accept": "application/json"})
        if answer.status != 202:
            break
        wait = min(pause if answer.pause is None else max(answer.pause, 1.0), LONGEST_PAUSE_S)
        if waited + wait > patience_s:
            raise ServerError(f"{connection.url}: still makes its export; run the same command later to go on with it")
        connection.wait(wait)
        waited, pause = waited + wait, min(pause * 2, 60.0)
    try:
        content = json.loads(answer.content)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("output"), list):
        raise StatusError(f"{connection.url}: answers with no manifest of an export; look into the server's log")
    return content


def _fetch(connection: FhirConnection, store: Store, address: str, item: dict[str, Any], problems: list[str]) -> None:
    """Fetch one file whole, then keep its resources; a file of deletions holds bundles, which are kept as they are."""
    with TemporaryFile() as spool:
        connection.download(address, spool, media=NDJSON, at_most=LARGEST_FILE)
        found: list[dict[str, Any]] = []
        seen = 0
        for resource in _resources(spool):
            seen += 1
            if resource is None:
                store.counted["odd"] += 1
                continue
            found.append(resource)
            if len(found) >= CHUNK:
                store.put(found)
                found = []
        store.put(found)
    count = item.get("count")
    if isinstance(count, int) and not isinstance(count, bool) and seen < count:
        problems.append(f"{connection.url}: a file of {item.get('type', 'its export')} has {seen} of {count} resources")


def _resources(spool: IO[bytes]) -> Iterator[dict[str, Any] | None]:
    """The resources of a file by line; None for a line that is none. A Bundle (of deletions) without an id gets one."""
    spool.seek(0)
    while line := spool.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            while line and not line.endswith(b"\n"):
                line = spool.readline(LONGEST_LINE)
            yield None
        elif line.strip():
            yield _resource(line)


def _resource(line: bytes) -> dict[str, Any] | None:
    try:
        content = parse_fhir(line)
    except ValueError:
        return None
    if not isinstance(content, dict) or not isinstance(content.get("resourceType"), str):
        return None
    if content["resourceType"] == "Bundle" and not content.get("id"):
        content["id"] = json_digest(content)[:32]
    return content if isinstance(content.get("id"), str) else None


def _files(manifest: dict[str, Any], name: str) -> list[dict[str, Any]]:
    listed = manifest.get(name)
    return [
        item
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, dict) and isinstance(item.get("url"), str)
    ]


def _query(kinds: Sequence[str], *, since: date | None, group: str) -> str:
    rules = [("_outputFormat", NDJSON), ("_type", ",".join(kinds))]
    if since is not None:
        rules.append(("_since", f"{since.isoformat()}T00:00:00Z"))
    return f"{f'Group/{group}' if group else 'Patient'}/$export?{urlencode(rules)}"


def _covers(begun: str, wanted: str) -> bool:
    """Whether an export that was begun gives all that is wanted: the same kinds and patients, from as early a day."""
    what, _, since = begun.partition("&_since=")
    also, _, day = wanted.partition("&_since=")
    return what == also and (not since or since <= day)


def _state(path: Path) -> _State:
    """What is known of an export that was begun; a damaged file is as good as none."""
    try:
        content = json.loads(path.read_bytes())
        query, status, done = content["query"], content["status"], content["done"]
    except (OSError, ValueError, KeyError, TypeError):
        return _State(path)
    is_text = all(isinstance(item, str) for item in (query, status, *(done if isinstance(done, list) else [None])))
    return _State(path, query, status, tuple(done)) if is_text else _State(path)
