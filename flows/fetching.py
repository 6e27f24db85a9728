"""Fetching from the DICOMweb server of the settings, or another; a dead server never keeps the rest from being read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from data_schemas.errors import InputError, ServerError

if TYPE_CHECKING:
    from pipelines.sources.dicomweb import Fetched
    from pipelines.workspace.paths import Workspace


@dataclass(frozen=True)
class Arrival:
    """What was fetched, the folders to index, and what went wrong: to be raised when the rest is done."""

    folders: tuple[Path, ...] = ()
    counts: Fetched | None = None
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

    rules = workspace.settings.sources.dicomweb
    address = url or rules.url
    if not address:
        raise InputError("no DICOMweb server: name one, or set sources.dicomweb.url in the workspace's scanote.yaml")
    first = since or (today or date.today()) - timedelta(days=rules.days)
    if until and until < first:
        raise InputError("the last day lies before the first one; exchange them")
    counts, problem = None, None
    try:
        counts = fetch(
            connect(address),
            workspace.incoming,
            key=workspace.key,
            since=first,
            until=until,
            modalities=rules.modalities if modalities is None else modalities,
            progress=progress,
        )
        if counts.failed:
            problem = ServerError(f"{counts.failed} series could not be fetched; run the same command to go on")
    except ServerError as error:
        problem = error
    folder = workspace.incoming / FETCHED
    return Arrival((folder,) if instances_in(folder) else (), counts, problem)
