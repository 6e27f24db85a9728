"""Publishing a finished run: kept in the workspace first, then told to MLflow, now or when it can be reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data_schemas.errors import ScanoteError, ServerError
from pipelines.models.registry import Registered
from pipelines.review.publication import keep_artefact, read_publication, write_publication
from pipelines.review.table import format_table as format_table
from pipelines.review.table import report_table as report_table
from pipelines.review.telling import tell
from pipelines.training.trained import Trained
from pipelines.workspace.paths import Workspace
from pipelines.workspace.spool import ReplayCounts, Spool

KIND = "publish"


def publish(
    workspace: Workspace,
    trained: Trained,
    *,
    attainable: Mapping[str, Mapping[str, float]] | None = None,
    synthetic: bool,
) -> Registered:
    """Register a finished run as ``scanote-<task>``, alias *challenger*; the same run is registered once.

    The artefact and everything that MLflow is told are written into the workspace before MLflow is asked anything;
    whatever happens then, even the end of this process, the next call tells what was not told, the oldest first.

    Parameters
    ----------
    attainable
        For the report: by finding, the best attainable AUROC from ``scan``, ``note`` and ``both``.
    synthetic
        Whether any of the cases is made up.

    Raises
    ------
    ServerError
        MLflow cannot be reached or refuses. Nothing is lost: it is told by the next call, or by `replay_publish`.
    ModelError
        The artefact is not the one that was trained.
    """
    keep_artefact(workspace, trained.folder, trained.digest)
    publication = write_publication(workspace, trained, attainable=attainable, synthetic=synthetic)
    entry = publication.publication_id
    Spool(workspace.spool).put(KIND, {"publication": entry})
    _, told, failed = _replay(workspace)
    problem = failed.get(entry)
    if isinstance(problem, ServerError):
        raise ServerError(
            f"{problem}. The model is kept (digest {trained.digest[:12]}) and is told to MLflow by the next run"
        ) from None
    if problem is not None:
        raise problem from None
    # Where it was told before, or another process tells it now, this waits for that and finds it.
    return told[entry] if entry in told else tell(workspace, publication)


def replay_publish(workspace: Workspace) -> ReplayCounts:
    """Tell MLflow of every published run that it could not be told of, once each."""
    return _replay(workspace)[0]


def _replay(workspace: Workspace) -> tuple[ReplayCounts, dict[str, Registered], dict[str, ScanoteError]]:
    told: dict[str, Registered] = {}
    failed: dict[str, ScanoteError] = {}

    def handler(payload: dict[str, Any]) -> None:
        entry = str(payload["publication"])
        try:
            told[entry] = tell(workspace, read_publication(workspace, entry))
        except ScanoteError as error:
            failed[entry] = error
            raise

    return Spool(workspace.spool).replay({KIND: handler}), told, failed
