"""``scanote compile``, and diagnosis by what it made: measured first, keyed apart, never in silence."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from data_schemas.diagnosis import Diagnosis
from data_schemas.recipes import ModelRecipe
from pipelines.cases.ingest import ingest
from pipelines.diagnosis.speaker import load_speaker
from pipelines.models.artefact import artefact_digest
from pipelines.models.compile.kept import compiled_folder
from pipelines.models.compile.match import Matched
from pipelines.models.registry import resolve, versions
from pipelines.models.tracking import tracking
from pipelines.review import compile as compiling
from pipelines.review import distil
from pipelines.review.publish import publish
from pipelines.synthetic.write import write_hospital
from pipelines.training.trained import Trained
from pipelines.workspace import ledger
from pipelines.workspace.memberships import members
from pipelines.workspace.paths import Workspace, open_workspace

Scanote = Callable[..., Any]


def use(workspace: Workspace, **diagnosis: str) -> None:
    path = workspace.root / "scanote.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"diagnosis": diagnosis}))


def stands(workspace: Workspace) -> dict[str, Diagnosis]:
    with workspace.database() as engine:
        return {item.study_key: item for item in ledger.diagnoses(engine)}


def test_a_backend_that_the_model_is_not_compiled_for_is_said_aloud(scanote: Scanote, workspace: Workspace) -> None:
    use(workspace, backend="openvino", precision="int8")
    done = scanote("diagnose", "-w", workspace.root)
    assert done.code == 2
    assert "scanote compile 1 --backend openvino --precision int8" in done.complaint
    assert not stands(workspace)


@pytest.mark.parametrize(
    ("diagnosis", "told"),
    [
        ({"precision": "int8"}, "torch reads in fp32"),
        ({"backend": "openvino", "device": "cuda"}, "openvino runs on the CPU"),
    ],
)
def test_settings_that_no_backend_can_follow_are_refused(
    scanote: Scanote, workspace: Workspace, diagnosis: dict[str, str], told: str
) -> None:
    use(workspace, **diagnosis)
    done = scanote("diagnose", "-w", workspace.root)
    assert done.code == 2
    assert told in done.complaint


def test_a_workspace_without_labelled_cases_cannot_measure_parity(
    scanote: Scanote, champion: Callable[..., Workspace]
) -> None:
    done = scanote("compile", "champion", "-w", champion().root)
    assert done.code == 2
    assert "label" in done.complaint


@pytest.fixture
def labelled(champion: Callable[..., Workspace], tmp_path: Path) -> Workspace:
    """A champion, and enough patients that both classes stand outside of the training split."""
    made = champion("labelled")
    hospital = write_hospital(tmp_path / "larger", patients=24, seed=12)
    ingest(made, scans=[hospital.scans], notes=[hospital.records], labels=[hospital.labels])
    return made


@pytest.mark.slow
def test_a_compiled_champion_is_kept_tagged_and_diagnoses_as_the_champion_does(
    scanote: Scanote, labelled: Workspace
) -> None:
    scanote("diagnose", "-w", labelled.root)
    before = stands(labelled)
    made = scanote("compile", "champion", "-w", labelled.root, "--draws", "50", "--json")
    assert made.code == 0
    told = json.loads(made.out)
    assert told["passed"]
    assert {part["part"] for part in told["parity"]["parts"]} == {"scan", "note"}
    with tracking(labelled) as client:
        tags = client.get_model_version(told["model"], told["version"]).tags
    assert len(tags["scanote.compiled.openvino-fp32"]) == 64
    use(labelled, backend="openvino")
    done = scanote("diagnose", "-w", labelled.root, "--json")
    assert json.loads(done.out)["diagnosed"] == len(before)
    after = stands(labelled)
    assert all(item.backend.startswith("openvino-cpu-") for item in after.values())
    assert not {item.key for item in before.values()} & {item.key for item in after.values()}
    for study, item in after.items():
        for one, other in zip(before[study].scores, item.scores, strict=True):
            assert other.probability == pytest.approx(one.probability, abs=1e-4)
    again = json.loads(scanote("diagnose", "-w", labelled.root, "--json").out)
    assert (again["diagnosed"], again["known"]) == (0, len(before))
    known = json.loads(scanote("compile", "champion", "-w", labelled.root, "--json").out)
    assert known["known"]
    assert known["parity"] == told["parity"]
    assert known["calibration"] == {}


@pytest.mark.slow
def test_what_cannot_be_shown_to_be_equal_is_not_kept(scanote: Scanote, labelled: Workspace) -> None:
    """Ten cases prove no interval inside ±0.01 for scores that differ."""
    done = scanote("compile", "champion", "-w", labelled.root, "--precision", "int8", "--draws", "50")
    assert done.code == 1
    assert "failed: " in done.out
    assert "is not kept: diagnosis goes on with torch" in done.err
    version = resolve(open_workspace(labelled.root), task="chest-ct", selector="champion")
    place = compiled_folder(labelled, model_digest=version.digest, backend="openvino", precision="int8")
    assert not place.exists()


@pytest.mark.slow
def test_the_own_calibration_of_what_was_kept_speaks_with_it(scanote: Scanote, labelled: Workspace) -> None:
    """The card is given a calibration that nobody could overlook."""
    made = json.loads(scanote("compile", "champion", "-w", labelled.root, "--draws", "50", "--json").out)
    path = Path(made["kept"]) / "compiled.json"
    card = json.loads(path.read_text())
    card["calibration"] = {"pleural-effusion": [1.0, 2.0]}
    path.write_text(json.dumps(card))
    use(labelled, backend="openvino")
    reader = load_speaker(open_workspace(labelled.root), "champion").model.case_model.diagnoser
    assert isinstance(reader, Matched)
    assert reader.intercept.tolist() == [2.0, 0.0]


@pytest.mark.slow
def test_a_pruned_champion_is_kept_if_it_passes_and_what_was_kept_before_stays_if_it_does_not(
    scanote: Scanote, labelled: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten cases prove nothing of a net that scores otherwise, so its second report passes by hand."""
    place = ("-w", labelled.root, "--draws", "50")
    whole = json.loads(scanote("compile", "champion", *place, "--json").out)
    folder = Path(whole["kept"])
    size = (folder / "scan.onnx").stat().st_size

    failed = scanote("compile", "champion", "--prune", "0.5", *place)
    assert failed.code == 1
    assert "is not kept: diagnosis goes on with what was kept before, pruned otherwise" in failed.err
    assert json.loads((folder / "compiled.json").read_text())["pruned"] == 0.0

    honest = compiling.check_parity
    monkeypatch.setattr(
        compiling, "check_parity", lambda *given, **how: honest(*given, **how).model_copy(update={"failed": ()})
    )
    done = scanote("compile", "champion", "--prune", "0.5", *place, "--json")
    assert done.code == 0
    told = json.loads(done.out)
    assert (told["pruned"], told["known"], told["kept"]) == (0.5, False, str(folder))
    assert told["matched_cases"] > 0
    assert set(told["calibration"]) == {"pleural-effusion", "heart-failure"}
    assert max(row["largest_score_difference"] for row in told["parity"]["findings"]) > 1e-3
    assert (folder / "scan.onnx").stat().st_size < 0.8 * size
    assert json.loads(scanote("compile", "champion", "--prune", "0.5", *place, "--json").out)["known"]
    use(labelled, backend="openvino")
    assert scanote("diagnose", "-w", labelled.root).code == 0
    assert all(item.backend.startswith("openvino-cpu-") for item in stands(labelled).values())


@pytest.fixture
def graded(champion: Callable[..., Workspace], trained: Trained, tmp_path: Path) -> Workspace:
    """Version 2 says that it has a target."""
    made = champion("graded")
    folder = Path(shutil.copytree(trained.folder, tmp_path / "graded-artefact"))
    card = json.loads((folder / "model.json").read_text())
    card["targets"] = [{"name": "severity", "kind": "ordinal", "levels": 4}]
    (folder / "model.json").write_text(json.dumps(card))
    publish(made, dataclasses.replace(trained, folder=folder, digest=artefact_digest(folder)), synthetic=True)
    return made


@pytest.mark.parametrize("how", ["--precision int8", "--prune 0.3", "--distill"])
def test_what_would_not_be_measured_of_grades_is_refused(
    scanote: Scanote, graded: Workspace, student: Path, how: str
) -> None:
    more = ("--distill", student) if how == "--distill" else how.split()
    done = scanote("compile", "2", *more, "-w", graded.root)
    assert done.code == 2
    assert "a model of grades or measurements: " in done.complaint
    assert len(versions(graded, "chest-ct")) == 2


@pytest.mark.parametrize(
    "other", ["--backend onnxruntime", "--precision int8", "--calibration-scans 8", "--prune 0.3", "--again"]
)
def test_a_student_is_not_compiled_in_the_same_command(scanote: Scanote, tmp_path: Path, other: str) -> None:
    done = scanote("compile", "champion", "-w", tmp_path, "--distill", tmp_path / "student.yaml", *other.split())
    assert done.code == 2
    assert f"{other.split()[0]} is for compiling" in done.complaint


@pytest.fixture
def many(champion: Callable[..., Workspace], tmp_path: Path) -> Workspace:
    """A champion, and enough patients to train on."""
    made = champion("many")
    hospital = write_hospital(tmp_path / "many-patients", patients=44, seed=13)
    ingest(made, scans=[hospital.scans], notes=[hospital.records], labels=[hospital.labels])
    return made


@pytest.fixture
def student(tmp_path: Path) -> Path:
    path = tmp_path / "student.yaml"
    path.write_text(yaml.safe_dump({"scan": {"width": 0.125}, "fusion": {"width": 8, "heads": 1}}))
    return path


@pytest.mark.slow
def test_a_student_that_says_something_else_is_not_registered(scanote: Scanote, many: Workspace, student: Path) -> None:
    done = scanote("compile", "champion", "-w", many.root, "--distill", student, "--draws", "50")
    assert done.code == 1
    assert "failed: " in done.out
    assert "is not registered" in done.err
    assert len(versions(many, "chest-ct")) == 1


@pytest.mark.slow
def test_a_student_that_passes_is_a_version_of_its_own_that_knows_its_teacher(
    scanote: Scanote, many: Workspace, student: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No cohort of 44 patients proves parity, so here every report passes."""
    honest = distil.check_parity
    monkeypatch.setattr(
        distil, "check_parity", lambda *given, **how: honest(*given, **how).model_copy(update={"failed": ()})
    )
    done = scanote("compile", "champion", "-w", many.root, "--distill", student, "--draws", "50", "--json")
    assert done.code == 0
    told = json.loads(done.out)
    assert (told["teacher"], told["version"]) == ("1", "2")
    teacher, new = versions(many, "chest-ct")
    with tracking(many) as client:
        tags = client.get_model_version(new.name, new.version).tags
    assert tags["scanote.teacher"] == teacher.digest
    assert tags["scanote.synthetic"] == "yes"
    sizes = {part["part"]: part for part in told["parity"]["parts"]}
    assert sizes["scan"]["compiled_mb"] < 0.5 * sizes["scan"]["torch_mb"]
    with many.database() as engine:
        assert {row.split for row in members(engine, new.digest)} == {"train", "validation", "test"}
    place = many.artifacts / "compiled" / teacher.digest / f"student-{new.digest[:16]}" / "parity.json"
    assert json.loads(place.read_text()) == told["parity"]


def test_a_student_file_that_asks_for_another_grid_is_one_line(
    scanote: Scanote, champion: Callable[..., Workspace], tmp_path: Path
) -> None:
    path = tmp_path / "student.yaml"
    path.write_text("scan: {shape: [8, 8, 8]}\n")
    done = scanote("compile", "champion", "-w", champion().root, "--distill", path)
    assert done.code == 2
    assert "'scan.shape' is its teacher's" in done.complaint


@pytest.fixture
def linear(bare: Callable[..., Workspace], recipe: ModelRecipe, tmp_path: Path, scanote: Scanote) -> Workspace:
    """A linear model of notes and observations, fitted on all of 24 patients, as champion."""
    small = recipe.model_copy(
        update={
            "modalities": ("note", "observation"),
            "fusion": recipe.fusion.model_copy(update={"kind": "linear"}),
            "training": recipe.training.model_copy(update={"folds": 2, "repeats": 1}),
        }
    )
    made = bare(model=small.model_dump(mode="json"), sources={})
    hospital = write_hospital(tmp_path / "hospital", patients=30, seed=12)
    ingest(made, scans=[hospital.scans], notes=[hospital.records], labels=[hospital.labels])
    assert scanote("train", "-w", made.root).code == 0
    return made


@pytest.mark.slow
def test_a_linear_model_is_compiled_in_fp32_and_says_what_it_was_measured_on(
    scanote: Scanote, linear: Workspace
) -> None:
    made = scanote("compile", "challenger", "-w", linear.root, "--draws", "50")
    assert made.code == 0, made.err
    assert "| note | fp32 |" in made.out
    assert "The model was fitted on" in made.out
    light = scanote(
        "compile", "challenger", "-w", linear.root, "--backend", "onnxruntime", "--precision", "int8", "--draws", "50"
    )
    assert light.code == 2
    assert (
        "a linear model is fitted on all cases, so there is none to measure what scores otherwise with"
        in light.complaint
    )
