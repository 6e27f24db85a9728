"""A tuning in the workspace and in MLflow: kept whole, told once with a nested run a trial, and no key of anybody."""

from __future__ import annotations

import dataclasses
import json
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from data_schemas.errors import ServerError, SettingsError, WorkspaceError
from data_schemas.recipes import ModelRecipe
from data_schemas.settings import read_settings
from data_schemas.tuning import Finalist, SearchRecord, TriedRecipe
from pipelines.models.tracking import tracking
from pipelines.training.evaluate.evaluation import summarise
from pipelines.training.evaluate.scored import Scored
from pipelines.training.tune.cases import Tuned
from pipelines.training.tune.chosen import BEFORE, section_text, write_chosen
from pipelines.training.tune.keep import keep_tuning
from pipelines.training.tune.nested import KIND_OF_REPORT, LATE_TUNED, LATE_UNTUNED, TUNED, UNTUNED
from pipelines.training.tune.report import late_of
from pipelines.training.tune.telling import PARENT, tell_tuning
from pipelines.workspace.paths import Workspace, default_settings_text, open_workspace
from pipelines.workspace.spool import Spool

VALUES = {"fusion.kind": "gated", "fusion.width": 32, "training.learning_rate": 0.00123}


def searched(name: str) -> SearchRecord:
    late = {"fusion.kind": "late", "fusion.width": 64, "training.learning_rate": 0.001}
    tried = (
        TriedRecipe(number=0, state="complete", fixed="late", parameters=late, epochs=4, loss=0.6, auroc=0.7),
        TriedRecipe(number=1, state="complete", parameters=dict(VALUES), epochs=4, loss=0.5, auroc=0.8),
        TriedRecipe(number=2, state="pruned", parameters=dict(VALUES), epochs=2),
    )
    finalists = (Finalist(trial=1, losses=(0.5, 0.52)), Finalist(trial=0, losses=(0.6, 0.64)))
    return SearchRecord(name=name, wanted=3, trials=tried, finalists=finalists, chosen=1)


@pytest.fixture(scope="module")
def tuned() -> Tuned:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (60, 1)).astype(float)
    arms = {
        name: 1 / (1 + np.exp(-(labels + rng.normal(0, 1, labels.shape))))
        for name in (TUNED, UNTUNED, LATE_UNTUNED, LATE_TUNED)
    }
    keys = np.array([f"CANARY7Q-{n}" for n in range(60)], object)
    evaluation = summarise(
        Scored(("pneumonia",), arms, labels, keys, keys, np.zeros(60, int), {}),
        kind=KIND_OF_REPORT,
        task="chest-ct",
        main=TUNED,
        others=[UNTUNED, LATE_UNTUNED, LATE_TUNED],
        specificity=0.9,
        draws=20,
        seed=0,
        about={"outer folds": "2"},
    )
    before = {"fusion.kind": "cross-attention", "fusion.width": 64, "training.learning_rate": 0.001}
    searches = tuple(searched(name) for name in ("fold 1", "fold 2", "all"))
    return Tuned(evaluation, searches, ModelRecipe(), values=VALUES, before=before)


def test_a_parent_run_and_a_nested_run_a_trial_are_told_once(workspace: Workspace, tuned: Tuned) -> None:
    kept, folder = keep_tuning(workspace, tuned)
    assert keep_tuning(workspace, tuned) == (kept, folder)
    run_id = tell_tuning(workspace, kept)
    assert tell_tuning(workspace, kept) == run_id
    with tracking(workspace) as client:
        parent = client.get_run(run_id)
        below = client.search_runs([parent.info.experiment_id], f"tags.`{PARENT}` = '{run_id}'")
        whole = client.search_runs([parent.info.experiment_id])
        names = {item.path for item in client.list_artifacts(run_id, "report")}
    assert len(below) == 9
    assert len(whole) == 10
    assert parent.data.params["chosen.fusion.kind"] == "gated"
    assert parent.data.metrics["auroc_mean_nested"] == pytest.approx(tuned.reported)
    assert parent.data.metrics["auroc_mean_inner"] == pytest.approx(0.8)
    [best] = [run for run in below if run.info.run_name == "fold 2, trial 1"]
    assert best.data.params == {name: str(value) for name, value in VALUES.items()}
    assert best.data.metrics == {"validation_loss": 0.5, "validation_auroc_mean": 0.8, "epochs": 4.0}
    assert best.data.tags["scanote.chosen"] == "true"
    states = {run.info.run_name: run.info.status for run in below}
    assert (states["all, trial 0"], states["all, trial 2"]) == ("FINISHED", "KILLED")
    assert {"report/tuning.md", "report/tuning.json", "report/model.yaml", "report/evaluation.md"} <= names


def test_another_subgroup_is_another_report(workspace: Workspace, tuned: Tuned) -> None:
    done = tuned.evaluation
    rows = (*done.rows, dataclasses.replace(done.rows[0], group="site", level="north"))
    kept, folder = keep_tuning(workspace, tuned)
    other, elsewhere = keep_tuning(
        workspace, dataclasses.replace(tuned, evaluation=dataclasses.replace(done, rows=rows))
    )
    assert kept.metrics == other.metrics
    assert elsewhere != folder


def test_the_report_tells_what_to_report_and_what_the_search_saw(workspace: Workspace, tuned: Tuned) -> None:
    _, folder = keep_tuning(workspace, tuned)
    text = (folder / "tuning.md").read_text()
    assert f"Mean AUROC: **{tuned.reported:.3f}** nested; 0.800 is what the searches saw" in text
    assert "| fusion.width | 64 | 32 |" in text
    assert "| fold 1 | 3 of 3 | 1 | gated | 0.5100 | 0.800 | 0.6200 |" in text
    assert late_of(tuned.searches[0]) == pytest.approx(0.62)
    plain = json.loads((folder / "tuning.json").read_text())
    assert plain["chosen"] == VALUES
    assert plain["searches"][0]["trials"][2]["loss"] is None
    assert yaml.safe_load((folder / "model.yaml").read_text()) == {
        "model": {"fusion": {"kind": "gated", "width": 32}, "training": {"learning_rate": 0.00123}}
    }
    assert folder.stat().st_mode & 0o077 == 0


def test_a_dead_server_costs_no_tuning(workspace_on: Callable[[str], Workspace], tuned: Tuned) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed_port = probe.getsockname()[1]
    dead = workspace_on(f"http://127.0.0.1:{closed_port}")
    kept, _ = keep_tuning(dead, tuned)
    with pytest.raises(ServerError, match="The tuning is kept and is told to MLflow by the next one"):
        tell_tuning(dead, kept)
    (dead.root / "scanote.yaml").write_text("")
    back = open_workspace(dead.root)
    tell_tuning(back, kept)
    assert Spool(back.spool).waiting() == 0


def test_a_tuning_that_was_half_told_is_told_anew_and_its_runs_say_that_they_failed(
    workspace: Workspace, tuned: Tuned, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    kept, _ = keep_tuning(workspace, tuned)
    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, "log_artifacts", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            tell_tuning(workspace, kept)
    run_id = tell_tuning(workspace, kept)
    with tracking(workspace) as client:
        runs = client.search_runs([client.get_run(run_id).info.experiment_id])
    assert sorted(run.info.status for run in runs).count("FAILED") == 10
    assert sum(run.info.status == "FINISHED" for run in runs) == 1 + 6


def test_no_key_is_kept_or_told(workspace: Workspace, tuned: Tuned) -> None:
    kept, folder = keep_tuning(workspace, tuned)
    tell_tuning(workspace, kept)
    files = [path for path in workspace.root.rglob("*") if path.is_file()]
    assert not any("CANARY7Q" in path.read_bytes().decode("latin-1") for path in files)
    (folder.parent / "tuning.json").write_text("{")
    with pytest.raises(WorkspaceError, match="delete its folder, then tune again"):
        keep_tuning(workspace, tuned)


def test_the_chosen_recipe_is_written_below_settings_that_keep_their_comments(workspace: Workspace) -> None:
    path = workspace.root / "scanote.yaml"
    path.write_text(default_settings_text())
    assert write_chosen(workspace, VALUES) is None
    assert path.read_text().startswith(default_settings_text().rstrip())
    assert path.read_text().endswith(section_text(VALUES))
    chosen = read_settings(path).model
    assert (chosen.fusion.kind, chosen.fusion.width, chosen.training.learning_rate) == ("gated", 32, 0.00123)


@pytest.mark.parametrize("old", ["{}\n", "{diagnosis: {chunk: 8}}\n", "---\ndiagnosis:\n  chunk: 8\n...\n"])
def test_settings_that_nothing_can_follow_are_written_anew_and_kept(workspace: Workspace, old: str) -> None:
    path = workspace.root / "scanote.yaml"
    path.write_text(old)
    kept = write_chosen(workspace, VALUES)
    assert kept is not None
    assert kept.read_text() == old
    found = read_settings(path)
    assert found.model.fusion.kind == "gated"
    assert found.diagnosis.chunk == (8 if "chunk" in old else 16)


def test_a_model_section_keeps_what_was_not_tuned_and_the_old_file_is_kept(workspace: Workspace) -> None:
    path = workspace.root / "scanote.yaml"
    old = "# ours\nmodel:\n  task: our-task\n  fusion: {kind: joint, dropout: 0.3}\n  training: {}\nlink: {}\n"
    path.write_text(old)
    kept = write_chosen(workspace, VALUES)
    assert kept == workspace.root / BEFORE
    assert kept.read_text() == old
    found = read_settings(path).model
    assert (found.task, found.fusion.kind, found.fusion.dropout) == ("our-task", "gated", 0.3)
    assert found.training.learning_rate == 0.00123
    assert path.stat().st_mode & 0o077 == 0


def test_settings_that_would_not_hold_together_stay_as_they_are(workspace: Workspace) -> None:
    path = workspace.root / "scanote.yaml"
    path.write_text("model:\n  fusion: {heads: 7, width: 70}\n")
    with pytest.raises(SettingsError, match="does not go with the chosen recipe"):
        write_chosen(workspace, VALUES)
    assert path.read_text() == "model:\n  fusion: {heads: 7, width: 70}\n"


@pytest.mark.parametrize("values", [VALUES])
def test_the_yaml_gives_the_values_back(values: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "scanote.yaml"
    path.write_text(section_text(values))  # type: ignore[arg-type]
    assert read_settings(path).model.training.learning_rate == 0.00123
