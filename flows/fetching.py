"""Fetching from the servers of the settings, or others; a dead server never keeps the rest from being read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from data_schemas.errors import InputError, ServerError

if TYPE_CHECKING:
    from pipelines.sources.dicomweb import Fetched
    from pipelines.sources.fhir_server import FetchedRecords
    from pipelines.workspace.paths import Workspace

T = TypeVar("T")


@dataclass(frozen=True)
class Arrival:
    """What was fetched, the folders to index, and what went wrong: to be raised when the rest is done."""

    folders: tuple[Path, ...] = ()
    counts: Fetched | None = None
    problem: ServerError | None = None


@dataclass(frozen=True)
class RecordsArrival:
    """What was fetched of records, the folders to read, and what went wrong: to be raised when the rest is done."""

    folders: tuple[Path, ...] = ()
    counts: FetchedRecords | None = None
    problem: ServerError | None = None


def fetch_studies(
    workspace: Workspace,
    *,
    url: str | None = None,
    since: date | None = None,
    until: date | None = None,
    modalities: Sequence[str] | None = None,
    today: date | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Arrival:
    """Fetch studies into the workspace; what is not given is taken from ``sources.dicomweb`` of the settings.

    Raises
    ------
    InputError
        The URL cannot be used, or the days are the wrong way round.
    WorkspaceError
        The workspace cannot be written.
    """
    from pipelines.sources.arrivals import FETCHED, instances_in
    from pipelines.sources.dicomweb import fetch
    from pipelines.sources.wado import connect
    from pipelines.workspace.tombstones import blocked

    rules = workspace.settings.sources.dicomweb
    address = _address(url or rules.url, "DICOMweb")
    first = _first_day(since, until, days=rules.days, today=today)
    with workspace.database() as engine:
        forgotten = blocked(engine).studies
    counts, problem = _attempt(
        lambda: fetch(
            connect(address),
            workspace.incoming,
            key=workspace.key,
            since=first,
            until=until,
            modalities=rules.modalities if modalities is None else modalities,
            skip=forgotten,
            progress=progress,
        )
    )
    if counts and counts.failed:
        problem = ServerError(f"{counts.failed} series could not be fetched; run the same command to go on")
    folder = workspace.incoming / FETCHED
    return Arrival((folder,) if instances_in(folder) else (), counts, problem)


def fetch_fhir(
    workspace: Workspace,
    *,
    url: str | None = None,
    since: date | None = None,
    until: date | None = None,
    today: date | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> RecordsArrival:
    """Fetch records into the workspace; what is not given is taken from ``sources.fhir`` of the settings.

    Raises
    ------
    InputError
        The URL cannot be used, or the days are the wrong way round.
    WorkspaceError
        The workspace cannot be written.
    """
    from pipelines.sources.fhir_connection import connect_fhir
    from pipelines.sources.fhir_export import fetch_export
    from pipelines.sources.fhir_server import fetch_records

    rules = workspace.settings.sources.fhir
    address = _address(url or rules.url, "FHIR")
    first = _first_day(since, until, days=rules.days, today=today)
    if rules.way == "export" and until:
        raise InputError("a bulk export has no last day: leave --until out, or set sources.fhir.way to search")
    counts, problem = _attempt(
        lambda: (
            fetch_export(
                connect_fhir(address),
                workspace.incoming,
                key=workspace.key,
                kinds=rules.kinds,
                since=first,
                group=rules.group,
                progress=progress,
            )
            if rules.way == "export"
            else fetch_records(
                connect_fhir(address),
                workspace.incoming,
                key=workspace.key,
                kinds=rules.kinds,
                since=first,
                until=until,
                by=rules.by,
                page=rules.page,
                progress=progress,
            )
        )
    )
    if counts and counts.failed:
        lacking = "files or kinds" if rules.way == "export" else "kinds"
        problem = ServerError(f"{counts.problems[0]}; {counts.failed} {lacking} were not fetched to their end, retry")
    return RecordsArrival(fetched_records(workspace), counts, problem)


def fetched_records(workspace: Workspace) -> tuple[Path, ...]:
    """The folders of what was fetched from FHIR servers, those that hold anything."""
    from pipelines.sources.fhir_store import FETCHED

    folder = workspace.incoming / FETCHED
    return (folder,) if any(folder.glob("*/*.ndjson")) else ()


def _address(url: str | None, kind: str) -> str:
    if not url:
        setting = f"sources.{kind.lower()}.url"
        raise InputError(f"no {kind} server: name one, or set {setting} in the workspace's scanote.yaml")
    return url


def _first_day(since: date | None, until: date | None, *, days: int, today: date | None) -> date:
    """The first day that is asked for: the given one, or so many days ago as the settings say."""
    first = since or (today or date.today()) - timedelta(days=days)
    if until and until < first:
        mend = "exchange them" if since else f"that is {first}, by the settings: name another"
        raise InputError(f"the last day lies before the first one; {mend}")
    return first


def _attempt(fetch: Callable[[], T]) -> tuple[T | None, ServerError | None]:
    try:
        return fetch(), None
    except ServerError as error:
        return None, error
