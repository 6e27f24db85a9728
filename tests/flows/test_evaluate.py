"""``scanote evaluate``: a registered model on the test split and on another workspace, and the recipe in folds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from data_schemas.recipes import ModelRecipe
from pipelines.cases.ingest import ingest
from pipelines.models.tracking import tracking
from pipelines.synthetic.write import Hospital, write_hospital
from pipelines.workspace.paths import Workspace, create_workspace

Scanote = Callable[..., Any]
QUICK = ("--draws", "20", "--no-curves")


@pytest.fixture
def everyone(tmp_path: Path, hospital: Hospital) -> Path:
    """A table that puts every patient of the hospital into the test split."""
    rows = hospital.splits.read_text().splitlines()
    path = tmp_path / "everyone.csv"
    path.write_text("\n".join([rows[0], *(f"{row.split(',')[0]},test" for row in rows[1:])]))
    return path


def test_a_registered_model_is_tested_and_told(scanote: Scanote, workspace: Workspace, everyone: Path) -> None:
    done = scanote("evaluate", "champion", "-w", workspace.root, "--splits", everyone, *QUICK, "--json")
    assert done.code == 0
    told = json.loads(done.out)
    assert (told["kind"], told["main"]) == ("held-out test", "version 1")
    assert told["about"]["cases"] == "under 10"
    assert all(row["positives"] is None for row in told["measures"])
    assert any("trained on other cases" in notice for notice in told["notices"])
    assert (Path(told["report"]) / "evaluation.md").is_file()
    with tracking(workspace) as client:
        found = [row.experiment_id for row in client.search_experiments()]
        kinds = [run.data.tags.get("scanote.kind") for run in client.search_runs(found)]
    assert "held-out test" in kinds


def test_no_id_of_a_patient_is_printed_kept_or_told(
    scanote: Scanote, workspace: Workspace, everyone: Path, canaries: Callable[[Workspace], set[str]]
) -> None:
    done = scanote("evaluate", "champion", "-w", workspace.root, "--splits", everyone, *QUICK)
    kept = [path for path in (workspace.artifacts / "evaluations").rglob("*") if path.is_file()]
    assert kept
    told = done.out + done.err + "".join(path.read_bytes().decode("latin-1") for path in kept)
    assert not [canary for canary in canaries(workspace) if canary in told]


def test_an_external_cohort_is_tested_whole_and_may_be_copied_out(
    scanote: Scanote, champion: Callable[..., Workspace], workspace: Workspace, tmp_path: Path
) -> None:
    ours = champion("ours")
    done = scanote("evaluate", "1", "-w", ours.root, "--cohort", workspace.root, "--out", tmp_path / "report", *QUICK)
    assert done.code == 0
    assert done.out.startswith("external test of version 1: under 10 cases")
    assert (tmp_path / "report" / "measures.parquet").is_file()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--against", "2"), "--against is for a registered model"),
        (("--cohort", "elsewhere"), "--cohort is for a registered model"),
        (("--specificity", "1.5"), "must lie between 0 and 1"),
        (("9",), "no alias or version '9'"),
        (("1", "--against", "champion"), "the same version is named twice"),
        (("1", "--repeats", "2"), "--repeats is for cross-validation"),
        (("1", "--cohort", "elsewhere", "--splits", "table.csv"), "of another cohort all cases are tested"),
        (("--folds", "1"), "2 folds or more"),
        ((), "each of 5 folds would train on about 4, and training needs at least 20"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    scanote: Scanote, workspace: Workspace, arguments: tuple[str, ...], complaint: str
) -> None:
    done = scanote("evaluate", *arguments, "-w", workspace.root)
    assert done.code == 2
    assert complaint in done.complaint


def test_a_report_is_not_written_over(scanote: Scanote, workspace: Workspace, tmp_path: Path) -> None:
    done = scanote("evaluate", "1", "-w", workspace.root, "--out", tmp_path)
    assert done.code == 2
    assert "is there already" in done.complaint


def test_without_a_case_that_the_model_was_not_fitted_on_there_is_one_line(
    scanote: Scanote, champion: Callable[..., Workspace]
) -> None:
    done = scanote("evaluate", "1", "-w", champion(sources={}).root)
    assert done.code == 2
    assert "no labelled case that version 1 was not fitted on" in done.complaint


@pytest.mark.slow
def test_the_recipe_is_cross_validated_from_the_command_line(
    scanote: Scanote, recipe: ModelRecipe, tmp_path: Path
) -> None:
    made = write_hospital(tmp_path / "many", patients=60, seed=3)
    tree = {"model": recipe.model_dump(mode="json")}
    workspace = create_workspace(tmp_path / "many-workspace", yaml.safe_dump(tree))
    ingest(workspace, scans=[made.scans], notes=[made.records], labels=[made.labels])
    done = scanote("evaluate", "-w", workspace.root, "--folds", "2", "--repeats", "2", "--draws", "20")
    assert done.code == 0
    assert done.out.startswith("cross-validation of cross-attention: 60 cases of 60 patients")
    assert "AUROC of cross-attention less that of the others, paired" in done.out
    [report] = (workspace.artifacts / "evaluations").glob("*/report")
    told = (report / "evaluation.md").read_text()
    for words in ("## By age", "## By repeat", "## By scanner", "AUROC by missing note", "AUROC by dropped slices"):
        assert words in told
