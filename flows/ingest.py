"""The ingest flow: what lies under the sources of the settings goes into the catalogue."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from data_schemas.errors import SettingsError
from flows.coded import run_step, worth_retrying
from flows.tables import markdown_table
from pipelines.workspace.paths import Workspace, open_workspace

STEP = "ingest"


@flow(name="scanote-ingest", persist_result=False, log_prints=False)
def ingest_flow(workspace: str) -> dict[str, dict[str, int]]:
    """Read the settings' sources into the workspace's catalogue; reading them again adds nothing.

    Parameters
    ----------
    workspace
        The workspace's folder.

    Returns
    -------
    dict
        Counts by kind of thing and by what became of it: codes and numbers, nothing of any patient.

    Raises
    ------
    StepError
        The sources or the workspace cannot be used.
    """
    counts = read_sources(workspace)
    rows = [(kind, what, number) for kind, by in counts.items() for what, number in by.items()]
    create_markdown_artifact(
        markdown="## Ingest\n\n" + markdown_table(("what", "became", "count"), rows),
        key="scanote-ingest",
        description="What one ingest read, and what it set aside by reason",
    )
    return counts


@task(
    name="read sources",
    retries=2,
    retry_delay_seconds=10,
    retry_condition_fn=worth_retrying,
    cache_policy=NO_CACHE,
    persist_result=False,
    log_prints=False,
)
def read_sources(workspace: str) -> dict[str, dict[str, int]]:
    """Ingest; the counts are all that leaves the task."""
    return run_step(STEP, lambda: _ingest(open_workspace(workspace)))


def _ingest(workspace: Workspace) -> dict[str, dict[str, int]]:
    from data_schemas.scan import SeriesStatus
    from flows.fetching import Arrival, RecordsArrival, fetch_fhir, fetch_studies, fetched_records
    from pipelines.cases.ingest import count_reasons, ingest
    from pipelines.sources.arrivals import arrived

    arrival = fetch_studies(workspace) if workspace.settings.sources.dicomweb.url else Arrival()
    records = fetch_fhir(workspace) if workspace.settings.sources.fhir.url else RecordsArrival()
    paths = source_paths(workspace)
    paths["scans"] += arrived(workspace.incoming)
    paths["notes"] += fetched_records(workspace)
    done = ingest(workspace, **paths)
    if problem := arrival.problem or records.problem:
        # What could be had is in the catalogue; the rest is worth a retry.
        raise problem
    series = Counter(
        reason.value
        for series in done.index.series
        if series.status is SeriesStatus.QUARANTINED
        for reason in series.reasons
    )
    put = {kind: {"added": counts.added, "known": counts.known} for kind, counts in done.put.items()}
    aside = {
        "ignored files": done.index.ignored,
        "quarantined series": series,
        "refused records": Counter(line.reason.value for line in done.refused),
        "noticed": Counter(line.remark.value for line in done.noticed),
        **{f"{kind}, not linked": by for kind, by in count_reasons(done.linked).items()},
    }
    return {**put, "cases": {"linked": len(done.linked.cases)}, **{kind: dict(by) for kind, by in aside.items() if by}}


def source_paths(workspace: Workspace) -> dict[str, Any]:
    """The sources of the settings as `pipelines.cases.ingest.ingest` takes them, made absolute.

    Raises
    ------
    SettingsError
        The settings name no source at all.
    """
    from flows.fetching import fetched_records
    from pipelines.sources.arrivals import arrived

    sources = workspace.settings.sources
    named = {
        kind: tuple(_absolute(workspace, path) for path in getattr(sources, kind))
        for kind in ("scans", "notes", "observations", "labels")
    }
    fetched = sources.dicomweb.url or sources.fhir.url or arrived(workspace.incoming) or fetched_records(workspace)
    if not any(named.values()) and not fetched:
        raise SettingsError(
            f"{workspace.root}/scanote.yaml: 'sources' names nothing to read; list folders or files under sources.scans"
        )
    return {**named, "id_map": _absolute(workspace, sources.id_map) if sources.id_map else None}


def _absolute(workspace: Workspace, path: str) -> Path:
    return workspace.root / Path(path).expanduser()
