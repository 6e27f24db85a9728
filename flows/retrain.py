"""The retrain flow: the catalogue's labelled cases make a new challenger. It promotes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows.coded import run_step
from flows.tables import markdown_table
from pipelines.workspace.paths import Workspace, open_workspace

if TYPE_CHECKING:
    from pipelines.review.retrain import Retrained
    from pipelines.training.metrics import Interval

STEP = "train"
FEWEST_SHOWN = 10  # smaller cells could point at patients


@flow(name="scanote-retrain", persist_result=False, log_prints=False)
def retrain_flow(workspace: str) -> str:
    """Train on the workspace's labelled cases, register the model as *challenger*, and return its version.

    Parameters
    ----------
    workspace
        The workspace's folder.

    Raises
    ------
    StepError
        The cohort cannot be trained on, or the model could not be registered.
    """
    version, markdown = train_challenger(workspace)
    create_markdown_artifact(
        markdown=markdown, key="scanote-retrain", description="The new challenger and its AUROC on the test split"
    )
    return version


# Not retried here: a run of hours goes on from its checkpoints when the flow is started again.
@task(name="train challenger", cache_policy=NO_CACHE, persist_result=False, log_prints=False)
def train_challenger(workspace: str) -> tuple[str, str]:
    """Train and register; the version and a table of aggregates are all that leaves the task."""
    return run_step(STEP, lambda: _retrain(open_workspace(workspace)))


def _retrain(workspace: Workspace) -> tuple[str, str]:
    from pipelines.review.retrain import retrain
    from pipelines.sources.tables import read_splits

    path = workspace.settings.sources.splits
    done = retrain(workspace, splits=read_splits(workspace.root / path) if path else None)
    return done.registered.version, summary(done)


def summary(done: Retrained) -> str:
    """The run as Markdown: version, digest, and per finding the AUROC of the new model and of late fusion."""
    from pipelines.training.report import LATE

    rows = [
        (report.finding, *(_area(report.auroc[arm]) for arm in (report.model, LATE)), _suppressed(report.cases))
        for report in done.trained.reports
    ]
    registered = done.registered
    return (
        f"## {registered.name} version {registered.version}, challenger\n\n"
        f"Artefact `{registered.digest}`. Labelled cases that could not be read: {done.refused}. "
        f"Leaks that the settings allow: {', '.join(done.trained.allowed_leaks) or 'none'}.\n\n"
        + markdown_table(("finding", "AUROC", "late fusion", "test cases"), rows)
    )


def _area(interval: Interval) -> str:
    return f"{interval.value:.2f} ({interval.low:.2f} to {interval.high:.2f})"


def _suppressed(count: int) -> str:
    return str(count) if count >= FEWEST_SHOWN else f"under {FEWEST_SHOWN}"
