"""``scanote compile``, and diagnosis by what it made: measured first, keyed apart, never in silence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from data_schemas.diagnosis import Diagnosis
from pipelines.cases.ingest import ingest
from pipelines.models.compile.kept import compiled_folder
from pipelines.models.registry import resolve
from pipelines.models.tracking import tracking
from pipelines.synthetic.write import write_hospital
from pipelines.workspace import ledger
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
