"""``scanote tune``: what cannot be tuned is one line; and a tuning from the command line, written into the settings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from data_schemas.recipes import ModelRecipe
from data_schemas.settings import read_settings
from pipelines.cases.ingest import ingest
from pipelines.models.tracking import tracking
from pipelines.synthetic.write import write_hospital
from pipelines.workspace.paths import Workspace, create_workspace

Scanote = Callable[..., Any]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--trials", "0"), "0 trials: a search needs 2 or more"),
        (("--folds", "1"), "nested cross-validation needs 2 or more"),
        (("--minutes", "0"), "must be more than 0"),
        (("--seed", "-1"), "the seed -1: it must be 0 or more"),
        (("--only", "training.seed"), "'training.seed' cannot be tuned"),
        (("--encoder", "resnet99"), "the scan encoder 'resnet99' cannot be in the race"),
        (("--allow-leak", "luck"), "no leak is called luck"),
        ((), "no labelled case to tune on"),
    ],
)
def test_what_cannot_be_tuned_is_one_line(
    scanote: Scanote, bare: Callable[..., Workspace], arguments: tuple[str, ...], complaint: str
) -> None:
    done = scanote("tune", "-w", bare(sources={}).root, *arguments)
    assert done.code == 2
    assert complaint in done.complaint


def test_too_few_patients_are_one_line(scanote: Scanote, workspace: Workspace) -> None:
    done = scanote("tune", "-w", workspace.root)
    assert done.code == 2
    assert "training needs at least 20" in done.complaint


def test_a_small_cohort_is_told_what_to_do_instead(scanote: Scanote, workspace: Workspace) -> None:
    """The settings name no fusion, so the plan for so few patients is the linear one."""
    tree = yaml.safe_load((workspace.root / "scanote.yaml").read_text())
    del tree["model"]["fusion"], tree["model"]["modalities"]
    (workspace.root / "scanote.yaml").write_text(yaml.safe_dump(tree))
    done = scanote("tune", "-w", workspace.root)
    assert done.code == 2
    assert "the linear fusion, which has nothing to tune: train chooses its penalties" in done.complaint
    assert "name model.fusion.kind in scanote.yaml" in done.complaint


@pytest.mark.slow
def test_a_tuning_is_told_written_and_goes_on_where_it_was(
    scanote: Scanote, recipe: ModelRecipe, tmp_path: Path, canaries: Callable[[Workspace], set[str]]
) -> None:
    made = write_hospital(tmp_path / "many", patients=80, seed=3)
    tree = {"model": recipe.model_dump(mode="json")}
    workspace = create_workspace(tmp_path / "many-workspace", yaml.safe_dump(tree))
    ingest(workspace, scans=[made.scans], notes=[made.records], labels=[made.labels])
    asked = ("tune", "-w", workspace.root, "--folds", "2", "--trials", "3", "--draws", "20")
    done = scanote(*asked, "--json", "--write")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert [search["name"] for search in told["searches"]] == ["fold 1", "fold 2", "all"]
    assert {row["arm"] for row in told["measures"]} == {"tuned", "untuned", "untuned late", "tuned late"}
    chosen = read_settings(workspace.root / "scanote.yaml").model
    assert chosen.fusion.kind == told["chosen"]["fusion.kind"]
    assert chosen.training.learning_rate == told["chosen"]["training.learning_rate"]
    assert chosen.findings == recipe.findings
    with tracking(workspace) as client:
        runs = client.search_runs([row.experiment_id for row in client.search_experiments()])
    assert sum("mlflow.parentRunId" in run.data.tags for run in runs) == 9
    # The same settings again: every trial is remembered.
    (workspace.root / "scanote.yaml").write_text(yaml.safe_dump(tree))
    again = scanote(*asked)
    assert again.code == 0
    assert f"report: {told['report']}/tuning.md" in again.out
    kept = [path for path in (workspace.artifacts / "tunings").rglob("*") if path.is_file()]
    kept += list((workspace.cache / "tuning").rglob("*.jsonl"))
    seen = done.out + done.err + "".join(path.read_bytes().decode("latin-1") for path in kept)
    assert not [canary for canary in canaries(workspace) if canary in seen]
