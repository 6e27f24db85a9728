"""Records from a FHIR server: searched by date, page by page, with what they refer to; kept as an export of our own.

A page becomes a file of JSON lines under the folder for arrivals, whole or not at all. A resource that is there
already, equal in every byte, is not written again; a later version is, and counts. What was fetched before a server or
this process died stays, and the next run goes on at the page where it stopped.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from data_schemas.errors import ServerError
from pipelines.sources.arrivals import only_one
from pipelines.sources.fhir_connection import JSON_TYPES, FhirConnection, StatusError
from pipelines.sources.fhir_json import parse_fhir
from pipelines.sources.fhir_store import FETCHED, Store, interrupted, open_store, remember
from pipelines.sources.quiet import quiet
from pipelines.workspace.files import make_private_folder
from pipelines.workspace.identity import keyed_digest

PAGE = 100
MAX_PAGES = 100_000
# So many pages in a row without anything new are the server's trouble.
EMPTY_PAGES = 50
# What is searched by date with `by: date`; the rest is searched by its last change whatever the settings say.
DATES = {"DocumentReference": "date", "DiagnosticReport": "date", "Observation": "date", "Encounter": "date"}
DATES |= {"Condition": "recorded-date", "ServiceRequest": "authored", "ImagingStudy": "started"}
REFERRED_TO = ("Patient", "Encounter", "ImagingStudy", "ServiceRequest", "Binary")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_REFERENCE = re.compile(rf"({'|'.join(REFERRED_TO)})/[A-Za-z0-9.-]{{1,64}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FetchedRecords:
    """What one run did: pages read, and resources new or known already.

    ``odd`` counts entries without a type or an id, ``absent`` resources that others refer to and the server does not
    give, ``failed`` the kinds that could not be searched to their end. ``folder`` is where the resources lie.
    """

    folder: Path = field(repr=False)
    pages: int = 0
    new: int = 0
    known: int = 0
    odd: int = 0
    absent: int = 0
    failed: int = 0
    problems: tuple[str, ...] = ()


def fetch_records(
    connection: FhirConnection,
    into: Path,
    *,
    key: bytes,
    kinds: Sequence[str],
    since: date,
    until: date | None = None,
    by: str = "_lastUpdated",
    page: int = PAGE,
    progress: Callable[[int, int], None] | None = None,
) -> FetchedRecords:
    """Fetch every resource of some kinds that was changed, or is dated, within some days, and what it refers to.

    Parameters
    ----------
    connection
        The server.
    into
        The workspace's folder of what came in.
    key
        The workspace's key: folders and files are named by keyed digests.
    kinds
        Resource types, such as "DocumentReference".
    since, until
        First and last day; without ``until`` there is no last one.
    by
        "_lastUpdated" (when the server changed a resource) or "date" (the resource's own date).
    page
        How many resources are asked for at once.
    progress
        Called with (pages read, 0).

    Raises
    ------
    ServerError
        The server does not answer, answers nonsense or refuses; or another process is fetching. What was fetched
        stays.
    WorkspaceError
        The folder cannot be written.
    """
    name = keyed_digest(key, "fhir-server", connection.url)
    folder, state_file = into / FETCHED / name, into / "fhir-state" / f"{name}.json"
    problems: list[str] = []
    with only_one(into / "fhir.lock", "is fetching"), quiet("httpx", "httpcore"), connection:
        _check_version(connection)
        make_private_folder(state_file.parent)
        store = open_store(folder, key, connection.url)
        for kind in kinds:
            query = _query(kind, by=by, since=since, until=until, page=page)
            try:
                for _ in _searches(connection, store, kind, query, state_file):
                    store.counted["pages"] += 1
                    if progress:
                        progress(store.counted["pages"], 0)
            except StatusError as error:
                problems.append(f"{error} (searching for {kind}; leave it out of sources.fhir.kinds if it has none)")
    counted = {name: store.counted[name] for name in ("pages", "new", "known", "odd", "absent")}
    return FetchedRecords(folder=folder, **counted, failed=len(problems), problems=tuple(problems))


def _searches(connection: FhirConnection, store: Store, kind: str, query: str, state_file: Path) -> Iterator[None]:
    """Read every page of a search, first of one that was interrupted; each is stored before the next is asked for."""
    unfinished = interrupted(state_file).get(kind)
    if unfinished is not None:
        try:
            yield from _pages(connection, store, kind, unfinished["query"], unfinished["next"], state_file)
        except StatusError as error:
            if error.status not in (400, 404, 410):
                raise
            # The server has forgotten that page; what was searched then is searched again from its start.
            yield from _pages(connection, store, kind, unfinished["query"], "", state_file)
        if unfinished["query"] == query:
            return
    yield from _pages(connection, store, kind, query, "", state_file)


def _pages(
    connection: FhirConnection, store: Store, kind: str, query: str, start: str, state_file: Path
) -> Iterator[None]:
    link = connection.address(start or query)
    links, seen, barren = {link}, set[str](), 0
    while True:
        bundle = connection.json(link)
        if bundle["resourceType"] != "Bundle":
            raise StatusError(f"{connection.url}: answers a search with no Bundle; check the base URL")
        found, odd = _resources(bundle)
        store.counted["odd"] += odd
        names = {f"{item['resourceType']}/{item['id']}" for item in found}
        barren = 0 if names - seen else barren + 1
        seen |= names
        following = _next(bundle)
        store.put([*found, *_referred(connection, store, found)])
        if not following:
            remember(state_file, kind, None)
            yield None
            return
        link = connection.address(following, of=link)
        if link in links or barren >= EMPTY_PAGES or len(links) >= MAX_PAGES:
            remember(state_file, kind, None)
            raise StatusError(f"{connection.url}: its links to the next page go round in a circle, or lead nowhere")
        links.add(link)
        remember(state_file, kind, {"query": query, "next": link})
        yield None


def _referred(connection: FhirConnection, store: Store, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What resources refer to and nobody has: patients, encounters, studies, orders, attached texts; a step further."""
    held = {f"{item['resourceType']}/{item['id']}" for item in found}
    fetched: list[dict[str, Any]] = []
    waiting = list(found)
    while waiting:
        for name, media in _references(waiting.pop(), connection.url):
            if name in held or name in store.names or name in store.asked:
                continue
            store.asked.add(name)
            resource = _read(connection, name, media)
            if resource is None:
                store.counted["absent"] += 1
            else:
                fetched.append(resource)
                waiting.append(resource)
    return fetched


def _read(connection: FhirConnection, name: str, media: str) -> dict[str, Any] | None:
    """One resource by its name, or None where the server does not give it; a raw Binary is put into its resource."""
    kind, _, wanted = name.partition("/")
    address = connection.address(name)
    try:
        if kind != "Binary":
            content = connection.json(address)
        else:
            answer = connection.raw(address)
            if answer.media in JSON_TYPES:
                content = parse_fhir(answer.content)
            elif media and answer.media == media.partition(";")[0].strip().lower():
                data = base64.b64encode(answer.content).decode()
                content = {"resourceType": kind, "id": wanted, "contentType": media, "data": data}
            else:
                return None
    except (StatusError, ValueError):
        return None
    is_it = isinstance(content, dict) and content.get("resourceType") == kind and content.get("id") == wanted
    return content if is_it else None


def _references(resource: dict[str, Any], base: str) -> Iterator[tuple[str, str]]:
    """What a resource refers to, by name, with the media type that is stated for an attached text."""
    waiting: list[Any] = [value for name, value in resource.items() if name not in ("contained", "text")]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            waiting += item.values()
            for name in ("reference", "url"):
                address = item.get(name)
                if isinstance(address, str):
                    plain = address.partition("/_history/")[0].removeprefix(f"{base}/")
                    is_file = plain.startswith("Binary/")
                    if _REFERENCE.fullmatch(plain) and is_file == (name == "url"):
                        media = item.get("contentType")
                        yield plain, media if isinstance(media, str) else ""


def _resources(bundle: dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """The resources of a page, and how many entries are none."""
    found, odd = [], 0
    entries = bundle.get("entry")
    for entry in entries if isinstance(entries, list) else []:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if kind == "OperationOutcome":
            continue
        name = resource.get("id") if isinstance(resource, dict) else None
        if isinstance(resource, dict) and isinstance(kind, str) and isinstance(name, str) and _ID.fullmatch(name):
            found.append(resource)
        else:
            odd += 1
    return found, odd


def _next(bundle: dict[str, Any]) -> str:
    links = bundle.get("link")
    for item in links if isinstance(links, list) else []:
        if isinstance(item, dict) and item.get("relation") == "next" and isinstance(item.get("url"), str):
            return str(item["url"])
    return ""


def _query(kind: str, *, by: str, since: date, until: date | None, page: int) -> str:
    name = DATES.get(kind, "_lastUpdated") if by == "date" else "_lastUpdated"
    rules = [(name, f"ge{since.isoformat()}")]
    if until is not None:
        rules.append((name, f"lt{(until + timedelta(days=1)).isoformat()}"))
    rules.append(("_count", str(page)))
    # In the order of change, what is changed while the pages are read comes last and not into the middle.
    if name == "_lastUpdated":
        rules.append(("_sort", "_lastUpdated"))
    return f"{kind}?{urlencode(rules)}"


def _check_version(connection: FhirConnection) -> None:
    """Refuse a server of another version by its CapabilityStatement; one that has none is asked all the same."""
    try:
        version = connection.json(connection.address("metadata")).get("fhirVersion")
    except StatusError:
        return
    if isinstance(version, str) and not version.startswith("4."):
        raise ServerError(f"{connection.url}: speaks FHIR {version[:8]}; scanote reads R4 (4.0): name its R4 address")
