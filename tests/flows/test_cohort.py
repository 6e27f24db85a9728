"""``scanote cohort``: the cohort described and audited; and a training run that a leak stops."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from data_schemas.leakage import LEAK_KINDS
from data_schemas.recipes import ModelRecipe
from pipelines.cases.ingest import ingest
from pipelines.synthetic.truth import Dials, Leaks
from pipelines.synthetic.write import Hospital, write_hospital
from pipelines.workspace.paths import Workspace, create_workspace, open_workspace

PATIENTS = 24


Scanote = Callable[..., Any]


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    """Twenty-four patients, some of whom are registered twice, with reports and future notes."""
    dials = Dials(reports=0.5, future_notes=0.2, leaks=Leaks(same_patient=0.4))
    return write_hospital(tmp_path_factory.mktemp("leaky") / "hospital", patients=PATIENTS, seed=4, dials=dials)


@pytest.fixture(scope="module")
def _ingested(leaky: Hospital, recipe: ModelRecipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = {"model": recipe.model_dump(mode="json"), "sources": {"splits": str(leaky.splits)}}
    workspace = create_workspace(tmp_path_factory.mktemp("leaky") / "workspace", yaml.safe_dump(tree))
    ingest(workspace, scans=[leaky.scans], notes=[leaky.records], labels=[leaky.labels])
    return workspace.root


@pytest.fixture
def cohort(_ingested: Path, tmp_path: Path) -> Workspace:
    """A workspace of one's own with the leaky hospital's cases, split as its table says."""
    shutil.copytree(_ingested, tmp_path / "workspace")
    return open_workspace(tmp_path / "workspace")


def test_the_cohort_is_described_and_audited(scanote: Scanote, cohort: Workspace) -> None:
    done = scanote("cohort", "-w", cohort.root)
    assert done.code == 0
    for words in ("prevalence", "what the cases have", "leakage audit", "pleural-effusion", "scan + note"):
        assert words in done.out
    [line] = [line for line in done.out.splitlines() if line.startswith("same-patient")]
    assert " leak " in line
    assert "patients" in line


def test_as_json_every_kind_has_its_status_and_its_studies_as_keys(
    scanote: Scanote, cohort: Workspace, leaky: Hospital
) -> None:
    told = json.loads(scanote("cohort", "-w", cohort.root, "--json").out)
    status = {check["kind"]: check["status"] for check in told["audit"]["checks"]}
    assert list(status) == list(LEAK_KINDS)
    assert status["same-patient"] == "leak"
    assert {kind for kind, found in status.items() if found == "leak"} == {"same-patient"}
    assert all(len(key) == 32 for leak in told["audit"]["leaks"] for key in leak["where"])
    assert told["availability"].keys() == {"scan + note + observations"}
    assert told["splits"]["validation"]["cases"] is None
    assert "SYN" not in json.dumps(told)


def test_prevalence_withholds_classes_under_ten(scanote: Scanote, cohort: Workspace) -> None:
    rows = json.loads(scanote("cohort", "-w", cohort.root, "--json").out)["prevalence"]
    counts = [row[name] for row in rows for name in ("positive", "negative", "uncertain")]
    assert all(count is None or count >= 10 for count in counts)


def test_strict_exits_with_one_unless_the_leak_is_allowed(scanote: Scanote, cohort: Workspace) -> None:
    assert scanote("cohort", "-w", cohort.root, "--strict", "--no-volumes").code == 1
    allowed = scanote("cohort", "-w", cohort.root, "--strict", "--no-volumes", "--allow-leak", "same-patient")
    assert allowed.code == 0
    assert " allowed " in allowed.out


def test_the_settings_allow_by_name_too(scanote: Scanote, cohort: Workspace) -> None:
    path = cohort.root / "scanote.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"leakage": {"allow": ["same-patient"]}}))
    assert scanote("cohort", "-w", cohort.root, "--strict", "--no-volumes").code == 0


def test_an_unknown_kind_is_one_line_that_lists_the_known_ones(scanote: Scanote, cohort: Workspace) -> None:
    for verb in ("cohort", "train"):
        done = scanote(verb, "-w", cohort.root, "--allow-leak", "labels")
        assert done.code == 2
        assert "no leak is called labels" in done.err
    path = cohort.root / "scanote.yaml"
    path.write_text(yaml.safe_dump({"leakage": {"allow": ["labels"]}}))
    done = scanote("cohort", "-w", cohort.root)
    assert done.code == 2
    assert "leakage.allow" in done.err


def test_a_scan_that_cannot_be_read_is_counted_and_left_out(
    scanote: Scanote, leaky: Hospital, recipe: ModelRecipe, tmp_path: Path
) -> None:
    shutil.copytree(leaky.scans, tmp_path / "scans")
    workspace = create_workspace(tmp_path / "w", yaml.safe_dump({"model": recipe.model_dump(mode="json")}))
    folders = sorted((tmp_path / "scans").iterdir())[:4]
    ingest(workspace, scans=folders, notes=[leaky.records], labels=[leaky.labels])
    next(folders[0].iterdir()).unlink()
    done = scanote("cohort", "-w", workspace.root, "--json")
    assert json.loads(done.out)["refused"] == 1
    assert "1 labelled cases could not be read" in done.err


def test_a_workspace_without_labels_is_one_line_that_says_what_to_ingest(scanote: Scanote, tmp_path: Path) -> None:
    create_workspace(tmp_path / "empty")
    done = scanote("cohort", "-w", tmp_path / "empty", "--json")
    assert done.code == 2
    assert done.complaint.startswith("scanote: no labelled case in this workspace: ingest scans, and labels")


def test_training_on_too_few_cases_is_one_line(scanote: Scanote, cohort: Workspace) -> None:
    done = scanote("train", "-w", cohort.root)
    assert done.code == 2
    assert "training needs at least 20" in done.complaint


def test_synth_plants_what_it_is_told_to(scanote: Scanote, tmp_path: Path) -> None:
    arguments = ("--patients", 3, "--leak", "label-words=1", "--leak", "metadata=1", "--reports", "1")
    assert scanote("synth", tmp_path / "new", *arguments).code == 0
    told = json.loads((tmp_path / "new" / "truth.json").read_text())
    assert {row["kind"] for row in told["leaks"]} == {"label-words", "metadata"}
    assert told["dials"]["leaks"]["label_words"] == 1.0


@pytest.mark.parametrize("word", ["labels=0.5", "label-words", "label-words=many", "label-words=2"])
def test_a_leak_that_cannot_be_planted_is_one_line(scanote: Scanote, tmp_path: Path, word: str) -> None:
    done = scanote("synth", tmp_path / "new", "--leak", word)
    assert done.code == 2
    assert word.split("=")[0] in done.err
    assert not (tmp_path / "new").exists()
