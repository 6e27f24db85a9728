"""An evaluation in MLflow: told whole and once, kept while the server is down, and without a key of anybody."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data_schemas.errors import ServerError, WorkspaceError
from pipelines.models.tracking import tracking
from pipelines.review.evaluation import keep_evaluation, tell_evaluation
from pipelines.training.evaluate.curves import CurveRow
from pipelines.training.evaluate.evaluation import Evaluation, summarise
from pipelines.training.evaluate.scored import Scored
from pipelines.workspace.paths import Workspace, open_workspace
from pipelines.workspace.spool import Spool


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (60, 1)).astype(float)
    arms = {name: 1 / (1 + np.exp(-(labels + rng.normal(0, 1, labels.shape)))) for name in ("late fusion", "fusion")}
    keys = np.array([f"CANARY7Q-{n}" for n in range(60)], object)
    given = Scored(("pneumonia",), arms, labels, keys, keys, np.zeros(60, int), {})
    return summarise(
        given,
        kind="held-out test",
        task="chest-ct",
        main="fusion",
        others=["late fusion"],
        specificity=0.9,
        draws=20,
        seed=0,
        about={"version 3": "digest 0123456789ab"},
    )


def test_measures_report_and_how_it_was_made_stand_in_one_run(workspace: Workspace, evaluation: Evaluation) -> None:
    kept, folder = keep_evaluation(workspace, evaluation)
    run_id = tell_evaluation(workspace, kept)
    with tracking(workspace) as client:
        run = client.get_run(run_id)
        names = {item.path for item in client.list_artifacts(run_id, "report")}
    row = evaluation.of("pneumonia")
    assert row is not None
    assert run.data.metrics["auroc_low/pneumonia/fusion"] == pytest.approx(row.auroc.low)
    assert run.data.params["bootstrap_samples"] == "20"
    assert (run.data.tags["scanote.kind"], run.info.status) == ("held-out test", "FINISHED")
    assert {"report/evaluation.md", "report/measures.parquet", "report/arms.svg"} <= names
    assert (folder / "evaluation.md").is_file()


def test_the_same_evaluation_is_kept_and_told_once(workspace: Workspace, evaluation: Evaluation) -> None:
    first, folder = keep_evaluation(workspace, evaluation)
    again, same = keep_evaluation(workspace, evaluation)
    assert (first, folder) == (again, same)
    assert tell_evaluation(workspace, first) == tell_evaluation(workspace, again)
    other = dataclasses.replace(evaluation, about={**evaluation.about, "seed": "1"})
    assert keep_evaluation(workspace, other)[1] != folder


def test_another_curve_or_subgroup_is_another_evaluation(workspace: Workspace, evaluation: Evaluation) -> None:
    """The report of a run without curves must not stand for that of the same run with them."""
    _, folder = keep_evaluation(workspace, evaluation)
    curve = CurveRow("pneumonia", "missing note", 0.5, evaluation.rows[0].auroc)
    group = dataclasses.replace(evaluation.rows[0], group="sex", level="F")
    for change in ({"curves": (curve,)}, {"rows": (*evaluation.rows, group)}):
        assert keep_evaluation(workspace, dataclasses.replace(evaluation, **change))[1] != folder


def test_a_dead_server_costs_no_evaluation(
    workspace_on: Callable[[str], Workspace], closed_port: int, evaluation: Evaluation
) -> None:
    dead = workspace_on(f"http://127.0.0.1:{closed_port}")
    kept, folder = keep_evaluation(dead, evaluation)
    with pytest.raises(ServerError, match="The evaluation is kept and is told to MLflow by the next one"):
        tell_evaluation(dead, kept)
    assert (folder / "evaluation.md").is_file()
    assert Spool(dead.spool).waiting() == 1
    (dead.root / "scanote.yaml").write_text("")
    back = open_workspace(dead.root)
    other, _ = keep_evaluation(back, dataclasses.replace(evaluation, notices=("another",)))
    tell_evaluation(back, other)
    assert Spool(back.spool).waiting() == 0


def test_a_run_that_was_interrupted_is_told_anew_and_says_that_it_failed(
    workspace: Workspace, evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    kept, _ = keep_evaluation(workspace, evaluation)
    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, "log_artifacts", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            tell_evaluation(workspace, kept)
    run_id = tell_evaluation(workspace, kept)
    with tracking(workspace) as client:
        experiment = client.get_run(run_id).info.experiment_id
        states = sorted(run.info.status for run in client.search_runs([experiment]))
    assert states == ["FAILED", "FINISHED"]


def test_a_damaged_evaluation_is_one_line(workspace: Workspace, evaluation: Evaluation) -> None:
    kept, folder = keep_evaluation(workspace, evaluation)
    (folder.parent / "evaluation.json").write_text("{")
    with pytest.raises(WorkspaceError, match="gone or damaged; delete its folder, then evaluate again"):
        tell_evaluation(workspace, kept)


def test_no_key_is_kept_or_told(workspace: Workspace, evaluation: Evaluation) -> None:
    kept, _ = keep_evaluation(workspace, evaluation)
    tell_evaluation(workspace, kept)
    files = [path for path in workspace.root.rglob("*") if path.is_file()]
    assert not any("CANARY7Q" in path.read_bytes().decode("latin-1") for path in files)
    assert not any("CANARY7Q" in str(path) for path in files)


def test_the_files_are_for_their_owner_alone(workspace: Workspace, evaluation: Evaluation) -> None:
    _, folder = keep_evaluation(workspace, evaluation)
    for path in (folder, folder.parent):
        assert Path(path).stat().st_mode & 0o077 == 0
