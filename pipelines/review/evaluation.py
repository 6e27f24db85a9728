"""Telling MLflow of an evaluation: written into the workspace first, then told, now or when it can be reached, once."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_schemas.base import Record
from data_schemas.errors import WorkspaceError
from pipelines.models.pyfunc_save import scanote_version
from pipelines.models.registry import model_name
from pipelines.models.telling import tell_kept
from pipelines.models.tracking import experiment_id, tracking
from pipelines.training.evaluate.evaluation import Evaluation
from pipelines.training.evaluate.report import metrics, write_evaluation
from pipelines.workspace.digests import json_digest
from pipelines.workspace.files import write_folder, write_new
from pipelines.workspace.paths import Workspace

if TYPE_CHECKING:
    from mlflow import MlflowClient

KIND, TAG = "evaluate", "scanote.evaluation"
HEAD, REPORT = "evaluation.json", "report"
MOST_METRICS = 1000


class KeptEvaluation(Record):
    """What MLflow is told beside the files. ``finished`` is in milliseconds since 1970."""

    evaluation_id: str
    task: str
    finished: int
    params: dict[str, str]
    tags: dict[str, str]
    metrics: dict[str, float]


def keep_evaluation(workspace: Workspace, evaluation: Evaluation) -> tuple[KeptEvaluation, Path]:
    """Write report and figures into the workspace, whole, and return what is told of them and their folder.

    The same evaluation, made again, is kept once.
    """
    content: dict[str, Any] = {
        "task": evaluation.task,
        "params": {name.replace(" ", "_"): value[:500] for name, value in evaluation.about.items()},
        "tags": {
            "scanote.version": scanote_version(),
            "scanote.kind": evaluation.kind,
            "scanote.evaluated": evaluation.main,
            "scanote.use": "research only",
        },
        "metrics": metrics(evaluation),
    }
    # Another subgroup or curve is another evaluation too. As text: an undefined figure has no JSON form.
    tables = [repr(table) for table in (evaluation.rows, evaluation.differences, evaluation.curves)]
    kept = KeptEvaluation(
        evaluation_id=json_digest([content, list(evaluation.notices), tables]),
        finished=time.time_ns() // 10**6,
        **content,
    )
    folder = _folder(workspace, kept.evaluation_id)
    if (folder / HEAD).is_file():
        return _read(workspace, kept.evaluation_id), folder / REPORT
    write_folder(folder / REPORT, partial(write_evaluation, evaluation=evaluation))
    write_new(folder / HEAD, kept.model_dump_json(indent=1).encode())  # last: it says that the rest is there
    return kept, folder / REPORT


def tell_evaluation(workspace: Workspace, kept: KeptEvaluation) -> str:
    """Tell MLflow of an evaluation, and of those that it could not be told of before; return the id of its run.

    Raises
    ------
    ServerError
        MLflow cannot be reached or refuses. Nothing is lost: the next evaluation tells it.
    """
    return tell_kept(
        workspace,
        kind=KIND,
        word="evaluation",
        entry=kept.evaluation_id,
        tell=lambda entry: _tell(workspace, _read(workspace, entry)),
    )


def _tell(workspace: Workspace, kept: KeptEvaluation) -> str:
    from mlflow.entities import Metric, Param

    with tracking(workspace) as client:
        experiment = experiment_id(client, workspace, model_name(kept.task))
        if (found := _finished(client, experiment, kept)) is not None:
            return found
        run = client.create_run(
            experiment,
            start_time=kept.finished,
            run_name=f"evaluate {kept.evaluation_id[:8]}",
            tags={
                **kept.tags,
                TAG: kept.evaluation_id,
                "mlflow.source.name": "scanote evaluate",
                "mlflow.source.type": "LOCAL",
            },
        ).info.run_id
        client.log_batch(run, params=[Param(key, value) for key, value in kept.params.items()])
        rows: Sequence[Any] = [Metric(key, value, kept.finished, 0) for key, value in kept.metrics.items()]
        for start in range(0, len(rows), MOST_METRICS):
            client.log_batch(run, metrics=rows[start : start + MOST_METRICS])
        client.log_artifacts(run, str(_folder(workspace, kept.evaluation_id) / REPORT), REPORT)
        client.set_terminated(run, "FINISHED", kept.finished)
    return str(run)


def _finished(client: MlflowClient, experiment: str, kept: KeptEvaluation) -> str | None:
    """The run that tells of it whole; one that was interrupted says that it failed."""
    for run in client.search_runs([experiment], f"tags.`{TAG}` = '{kept.evaluation_id}'"):
        if run.info.status == "FINISHED":
            return str(run.info.run_id)
        if run.info.status != "FAILED":
            client.set_terminated(run.info.run_id, "FAILED")
    return None


def _folder(workspace: Workspace, evaluation_id: str) -> Path:
    return workspace.artifacts / "evaluations" / evaluation_id[:16]


def _read(workspace: Workspace, evaluation_id: str) -> KeptEvaluation:
    path = _folder(workspace, evaluation_id) / HEAD
    try:
        return KeptEvaluation(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise WorkspaceError(f"{path}: gone or damaged; delete its folder, then evaluate again") from None
