"""Telling MLflow of a tuning: one run, and below it a nested run a trial; now, or when it can be reached, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from data_schemas.tuning import SearchRecord, TriedRecipe
from pipelines.models.registry import model_name
from pipelines.models.telling import tell_kept
from pipelines.models.tracking import experiment_id, tracking
from pipelines.training.tune.keep import REPORT, KeptTuning, read_tuning, tuning_folder
from pipelines.workspace.paths import Workspace

if TYPE_CHECKING:
    from mlflow import MlflowClient

KIND, TAG, PARENT = "tune", "scanote.tuning", "mlflow.parentRunId"
MOST_METRICS = 1000


def tell_tuning(workspace: Workspace, kept: KeptTuning) -> str:
    """Tell MLflow of a tuning, and of those that it could not be told of before; return the id of the parent run.

    Raises
    ------
    ServerError
        MLflow cannot be reached or refuses. Nothing is lost: the next tuning tells it.
    """
    return tell_kept(
        workspace,
        kind=KIND,
        word="tuning",
        entry=kept.tuning_id,
        tell=lambda entry: _tell(workspace, read_tuning(workspace, entry)),
    )


def _tell(workspace: Workspace, kept: KeptTuning) -> str:
    from mlflow.entities import Metric, Param

    with tracking(workspace) as client:
        experiment = experiment_id(client, workspace, model_name(kept.task))
        if (found := _finished(client, experiment, kept)) is not None:
            return found
        source = {"mlflow.source.name": "scanote tune", "mlflow.source.type": "LOCAL"}
        run = client.create_run(
            experiment,
            start_time=kept.finished,
            run_name=f"tune {kept.tuning_id[:8]}",
            tags={**kept.tags, **source, TAG: kept.tuning_id},
        ).info.run_id
        client.log_batch(run, params=[Param(key, value) for key, value in kept.params.items()])
        rows: Sequence[Any] = [Metric(key, value, kept.finished, 0) for key, value in kept.metrics.items()]
        for start in range(0, len(rows), MOST_METRICS):
            client.log_batch(run, metrics=rows[start : start + MOST_METRICS])
        for search in kept.searches:
            for trial in search.trials:
                _tell_trial(client, experiment, kept, search, trial, parent=run, source=source)
        client.log_artifacts(run, str(tuning_folder(workspace, kept.tuning_id) / REPORT), REPORT)
        client.set_terminated(run, "FINISHED", kept.finished)
    return str(run)


def _tell_trial(
    client: MlflowClient,
    experiment: str,
    kept: KeptTuning,
    search: SearchRecord,
    trial: TriedRecipe,
    *,
    parent: str,
    source: dict[str, str],
) -> None:
    from mlflow.entities import Metric, Param

    run = client.create_run(
        experiment,
        start_time=kept.finished,
        run_name=f"{search.name}, trial {trial.number}",
        tags={
            **kept.tags,
            **source,
            PARENT: parent,
            "scanote.kind": "trial of tuning",
            "scanote.search": search.name,
            "scanote.trial": trial.state,
            "scanote.chosen": str(trial.number == search.chosen).lower(),
        },
    ).info.run_id
    told = {"validation_loss": trial.loss, "validation_auroc_mean": trial.auroc, "epochs": float(trial.epochs)}
    client.log_batch(
        run,
        metrics=[Metric(name, value, kept.finished, 0) for name, value in told.items() if value is not None],
        params=[Param(name, str(value)) for name, value in trial.parameters.items()],
    )
    client.set_terminated(run, "FINISHED" if trial.state == "complete" else "KILLED", kept.finished)


def _finished(client: MlflowClient, experiment: str, kept: KeptTuning) -> str | None:
    """The run that tells of it whole; one that was interrupted says that it failed, and so do its trials."""
    for run in client.search_runs([experiment], f"tags.`{TAG}` = '{kept.tuning_id}'"):
        if run.info.status == "FINISHED":
            return str(run.info.run_id)
        below = client.search_runs([experiment], f"tags.`{PARENT}` = '{run.info.run_id}'", max_results=10_000)
        for each in (run, *below):
            if each.info.status != "FAILED":
                client.set_terminated(each.info.run_id, "FAILED")
    return None
