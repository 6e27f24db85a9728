"""Telling MLflow of a pretraining: the card is kept in the workspace first, then told, now or by the next one, once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_schemas.errors import ScanoteError, ServerError
from pipelines.models.pyfunc_save import scanote_version
from pipelines.models.registry import model_name
from pipelines.models.tracking import experiment_id, tracking
from pipelines.training.pretrain.keep import CARD, EncoderCard, encoders_folder, read_card
from pipelines.workspace.paths import Workspace
from pipelines.workspace.spool import Spool

if TYPE_CHECKING:
    from mlflow import MlflowClient

KIND, TAG = "pretrain", "scanote.encoder"


def tell_encoder(workspace: Workspace, card: EncoderCard) -> str:
    """Tell MLflow of a kept encoder, and of those that it could not be told of before; return the id of its run.

    The weights stay in the workspace: MLflow gets settings, epochs, measures and the card.

    Raises
    ------
    ServerError
        MLflow cannot be reached or refuses. Nothing is lost: the next pretraining tells it.
    """
    told: dict[str, str] = {}
    failed: dict[str, ScanoteError] = {}

    def handler(payload: dict[str, Any]) -> None:
        entry = str(payload["encoder"])
        try:
            told[entry] = _tell(workspace, encoders_folder(workspace) / entry)
        except ScanoteError as error:
            failed[entry] = error
            raise

    name = card.digest[:16]
    Spool(workspace.spool).put(KIND, {"encoder": name})
    Spool(workspace.spool).replay({KIND: handler})
    problem = failed.get(name)
    if isinstance(problem, ServerError):
        raise ServerError(f"{problem}. The encoder is kept and is told to MLflow by the next pretraining") from None
    if problem is not None:
        raise problem from None
    # Where it was told before, or another process tells it now, this finds it.
    return told.get(name) or _tell(workspace, encoders_folder(workspace) / name)


def _tell(workspace: Workspace, folder: Path) -> str:
    from mlflow.entities import Metric, Param

    card = read_card(folder)
    with tracking(workspace) as client:
        experiment = experiment_id(client, workspace, model_name(card.task))
        if (found := _finished(client, experiment, card)) is not None:
            return found
        now = time.time_ns() // 10**6
        run = client.create_run(
            experiment,
            start_time=now,
            run_name=f"pretrain {card.objective} {card.digest[:8]}",
            tags={
                TAG: card.digest,
                "scanote.version": scanote_version(),
                "scanote.kind": f"pretrain {card.objective}",
                "scanote.release": card.release,
                "scanote.use": "research only",
                "mlflow.source.name": "scanote pretrain",
                "mlflow.source.type": "LOCAL",
            },
        ).info.run_id
        told = card.settings | {f"cases.{split}": str(count or "under 10") for split, count in card.cases.items()}
        client.log_batch(run, params=[Param(name, value[:500]) for name, value in told.items()])
        for step, metrics in enumerate(card.epochs):
            client.log_batch(run, metrics=[Metric(name, value, now, step) for name, value in metrics.items()])
        client.log_batch(run, metrics=[Metric(name, value, now, 0) for name, value in card.measures.items()])
        client.log_artifact(run, str(folder / CARD))
        client.set_terminated(run, "FINISHED")
    return str(run)


def _finished(client: MlflowClient, experiment: str, card: EncoderCard) -> str | None:
    """The run that tells of it whole; one that was interrupted says that it failed."""
    for run in client.search_runs([experiment], f"tags.`{TAG}` = '{card.digest}'"):
        if run.info.status == "FINISHED":
            return str(run.info.run_id)
        if run.info.status != "FAILED":
            client.set_terminated(run.info.run_id, "FAILED")
    return None
