"""The retrain flow: the catalogue's labelled cases make a new challenger. It promotes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows.coded import run_step
from pipelines.workspace.paths import Workspace, open_workspace

if TYPE_CHECKING:
    pass

STEP = "train"


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
