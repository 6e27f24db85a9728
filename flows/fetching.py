"""Fetching from the servers of the settings, or others; a dead server never keeps the rest from being read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from data_schemas.errors import InputError, ServerError

if TYPE_CHECKING:
    from pipelines.sources.dicomweb import Fetched
    from pipelines.sources.fhir_server import FetchedRecords
    from pipelines.workspace.paths import Workspace


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
    address = url or rules.url
    if not address:
        raise InputError("no DICOMweb server: name one, or set sources.dicomweb.url in the workspace's scanote.yaml")
    first = since or (today or date.today()) - timedelta(days=rules.days)
    if until and until < first:
        raise InputError("the last day lies before the first one; exchange them")
    with workspace.database() as engine:
        forgotten = blocked(engine).studies
    counts, problem = None, None
    try:
        counts = fetch(
            connect(address),
            workspace.incoming,
            key=workspace.key,
            since=first,
            until=until,
            modalities=rules.modalities if modalities is None else modalities,
            skip=forgotten,
            progress=progress,
        )
        if counts.failed:
            problem = ServerError(f"{counts.failed} series could not be fetched; run the same command to go on")
    except ServerError as error:
        problem = error
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
    from pipelines.sources.fhir_server import fetch_records

    rules = workspace.settings.sources.fhir
    address = url or rules.url
    if not address:
        raise InputError("no FHIR server: name one, or set sources.fhir.url in the workspace's scanote.yaml")
    first = since or (today or date.today()) - timedelta(days=rules.days)
    if until and until < first:
        raise InputError("the last day lies before the first one; exchange them")
    counts, problem = None, None
    try:
        counts = fetch_records(
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
        if counts.failed:
            problem = ServerError(f"{counts.problems[0]}; {counts.failed} kinds were not fetched to their end, retry")
    except ServerError as error:
        problem = error
    return RecordsArrival(fetched_records(workspace), counts, problem)


def fetched_records(workspace: Workspace) -> tuple[Path, ...]:
    """The folders of what was fetched from FHIR servers, those that hold anything."""
    from pipelines.sources.fhir_store import FETCHED

    folder = workspace.incoming / FETCHED
    return (folder,) if any(folder.glob("*/*.ndjson")) else ()
