"""The diagnose flow: every case without a diagnosis by the model gets one, a chunk of cases a task.

What Prefect is told are keys of studies (HMACs of the workspace), codes and counts. The ledger is the truth: a run that
Prefect lost is completed by simply running again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import uuid4

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import wait
from prefect.task_runners import ThreadPoolTaskRunner

from data_schemas.case import Case
from data_schemas.diagnosis import ModelReference
from data_schemas.errors import InputError
from flows.coded import StepError, run_step, worth_retrying
from flows.tables import markdown_table
from pipelines.workspace.paths import Workspace, open_workspace

if TYPE_CHECKING:
    from pipelines.delivery.deliver import Delivered
    from pipelines.diagnosis.batch import Outcome, Speaker

STEP = "diagnose"


@dataclass(frozen=True)
class Plan:
    """One batch: the model that speaks in all of it, and the keys of its studies in chunks."""

    batch: str
    model: ModelReference
    chunks: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Batch:
    """What a batch did and where its results lie; ``lanes`` counts what stands in the ledger, by lane."""

    model: ModelReference
    outcome: Outcome
    delivered: Delivered
    lanes: dict[str, int]


# One thread: torch already uses every core, and a second model in memory would not make it faster.
@flow(
    name="scanote-diagnose",
    task_runner=ThreadPoolTaskRunner(max_workers=1),  # type: ignore[arg-type]
    persist_result=False,
    log_prints=False,
)
def diagnose_flow(workspace: str, model: str | None = None, since: str | None = None) -> Batch:
    """Diagnose what has no diagnosis by this model yet, then write the results and the pages.

    Parameters
    ----------
    workspace
        The workspace's folder.
    model
        Alias or version, resolved once for the whole batch; the default is ``diagnosis.model`` of the settings.
    since
        ISO day: only studies acquired at or after it, and undated ones.

    Raises
    ------
    StepError
        The workspace or the model cannot be used, or some chunks failed for another reason than their cases. What is
        in the ledger stays, and is delivered; running again does the rest.
    """
    plan = plan_batch(workspace, model, since)
    futures = [diagnose_chunk.submit(workspace, plan.batch, plan.model.version, keys) for keys in plan.chunks]
    wait(futures)
    results = [future.result(raise_on_failure=False) for future in futures]
    _cases.cache_clear()
    failed = [result for result in results if isinstance(result, Exception)]
    done = [result for result in results if not isinstance(result, Exception)]
    batch = deliver_batch(workspace, plan.model, done)
    create_markdown_artifact(
        markdown=summary(batch, failed_chunks=len(failed), chunks=len(plan.chunks)),
        key="scanote-diagnose",
        description="What one batch diagnosed, by outcome, reason and lane",
    )
    if failed:
        first = failed[0].detail if isinstance(failed[0], StepError) else type(failed[0]).__name__
        detail = f"{len(failed)} of {len(plan.chunks)} chunks failed ({first}); the others are done: run again"
        raise StepError(STEP, detail, retry=True)
    return batch


@task(name="plan batch", cache_policy=NO_CACHE, persist_result=False, log_prints=False)
def plan_batch(workspace: str, model: str | None, since: str | None) -> Plan:
    """Resolve the model to a version, and cut the batch's studies into chunks of ``diagnosis.chunk``."""
    return run_step(STEP, lambda: _plan(open_workspace(workspace), model, since))


@task(
    name="diagnose chunk",
    retries=2,
    retry_delay_seconds=10,
    retry_condition_fn=worth_retrying,
    cache_policy=NO_CACHE,
    persist_result=False,
    log_prints=False,
)
def diagnose_chunk(workspace: str, batch: str, version: str, study_keys: Sequence[str]) -> Outcome:
    """Diagnose some studies of a batch; how many ended how is all that leaves the task."""
    return run_step(STEP, lambda: _diagnose(open_workspace(workspace), batch, version, study_keys))


@task(
    name="deliver",
    retries=2,
    retry_delay_seconds=10,
    retry_condition_fn=worth_retrying,
    cache_policy=NO_CACHE,
    persist_result=False,
    log_prints=False,
)
def deliver_batch(workspace: str, model: ModelReference, outcomes: Sequence[Outcome]) -> Batch:
    """Write results, worklist and pages from the ledger, and count its lanes."""
    return run_step("deliver", lambda: _deliver(open_workspace(workspace), model, outcomes))


def summary(batch: Batch, *, failed_chunks: int, chunks: int) -> str:
    """The batch as Markdown: model version, and counts by outcome, reason and lane."""
    outcome = batch.outcome
    rows: list[tuple[str, str, int]] = [
        ("diagnosed", "", outcome.diagnosed),
        ("known", "already in the ledger", outcome.known),
        *(("refused", reason, count) for reason, count in sorted((outcome.refused or Counter()).items())),
        ("failed", "will be tried again", outcome.failed),
        ("left", "another run holds them", outcome.leased),
        ("left", "no attempt left", outcome.exhausted),
        *(("told", line, count) for line, count in sorted((outcome.told or Counter()).items())),
        ("chunks", "failed", failed_chunks),
        ("chunks", "all", chunks),
        ("pages", "written", batch.delivered.new_pages),
    ]
    lanes = [(lane, count) for lane, count in sorted(batch.lanes.items())]
    return (
        f"## Diagnosed by {batch.model.name} version {batch.model.version}\n\n"
        + markdown_table(("what", "why", "count"), rows)
        + "\n### Diagnoses that stand in the ledger\n\n"
        + markdown_table(("lane", "count"), lanes)
    )


def _plan(workspace: Workspace, model: str | None, since: str | None) -> Plan:
    from pipelines.cases.ingest import load_cases
    from pipelines.diagnosis.batch import select_cases
    from pipelines.models.registry import resolve

    settings = workspace.settings
    registered = resolve(workspace, task=settings.model.task, selector=model or settings.diagnosis.model)
    cases = select_cases(load_cases(workspace).cases, since=_day(since))
    keys = [case.study_key for case in cases]
    size = settings.diagnosis.chunk
    chunks = tuple(tuple(keys[start : start + size]) for start in range(0, len(keys), size))
    reference = ModelReference(
        name=registered.name, version=registered.version, digest=registered.digest, ungated=registered.ungated
    )
    return Plan(batch=uuid4().hex, model=reference, chunks=chunks)


def _diagnose(workspace: Workspace, batch: str, version: str, study_keys: Sequence[str]) -> Outcome:
    from pipelines.diagnosis.batch import diagnose_cases

    cases = _cases(workspace, batch)
    # A study that was there when the batch was planned may have been withdrawn since.
    wanted = [cases[key] for key in study_keys if key in cases]
    return diagnose_cases(wanted, workspace=workspace, speaker=_speaker(workspace, version))


def _deliver(workspace: Workspace, model: ModelReference, outcomes: Sequence[Outcome]) -> Batch:
    from pipelines.delivery.deliver import deliver
    from pipelines.diagnosis.batch import Outcome
    from pipelines.workspace.ledger import diagnoses

    # Where no chunk got as far as a model, there is nothing new to draw.
    recipe = _speaker(workspace, model.version).model.card.recipe if outcomes else None
    delivered = deliver(workspace, recipe=recipe)
    with workspace.database() as engine:
        lanes = Counter(diagnosis.lane.value for diagnosis in diagnoses(engine))
    return Batch(model=model, outcome=sum(outcomes, Outcome()), delivered=delivered, lanes=dict(lanes))


def _day(since: str | None) -> date | None:
    try:
        return date.fromisoformat(since) if since else None
    except ValueError:
        raise InputError("since: expected a day as YYYY-MM-DD") from None


@lru_cache(maxsize=1)
def _speaker(workspace: Workspace, version: str) -> Speaker:
    """The model of a version: loaded once for all chunks that this process takes."""
    from pipelines.diagnosis.speaker import load_speaker

    return load_speaker(workspace, version)


@lru_cache(maxsize=1)
def _cases(workspace: Workspace, batch: str) -> dict[str, Case]:
    """The cases as this process found them at its first chunk of a batch: linking is done once, not once a chunk."""
    from pipelines.cases.ingest import load_cases

    return {case.study_key: case for case in load_cases(workspace).cases}
