"""The real chest CTs of the shared data go the whole way: ingest with an id map, diagnosis, remarks, lane.

The model is a small one trained on phantoms, as the demo's is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from data_schemas.diagnosis import Diagnosis, Lane
from data_schemas.reasons import Remark
from data_schemas.recipes import FusionRecipe, ModelRecipe, ScanRecipe, TrainingRecipe
from pipelines.cases.ingest import Ingested, ingest, load_cases
from pipelines.delivery.deliver import deliver
from pipelines.diagnosis.batch import Outcome, diagnose_cases
from pipelines.diagnosis.speaker import load_speaker
from pipelines.workspace import ledger
from pipelines.workspace.paths import Workspace, create_workspace, open_workspace

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("SCANOTE_REAL_DATA", ROOT.parent / "shared" / "data")) / "chest-ct"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data at {DATA}; set SCANOTE_REAL_DATA")

RECIPE = ModelRecipe(
    scan=ScanRecipe(shape=(24, 24, 24), spacing_mm=(14.0, 14.0, 14.0), width=0.25),
    fusion=FusionRecipe(width=16, heads=2, layers=1),
    training=TrainingRecipe(scan_epochs=2, epochs=2, bootstrap=20),
)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clinical rows as scanote's tables, made by the example of the documentation."""
    out = tmp_path_factory.mktemp("tables")
    example = ROOT / "docs" / "examples" / "covid_ct_md.py"
    subprocess.run([sys.executable, str(example), str(DATA / "clinical.csv"), str(out)], check=True)
    return out


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a champion trained on phantoms, which allows undated text, and no case."""
    from pipelines.review.promote import promote
    from pipelines.review.publish import publish
    from pipelines.synthetic.memory import synthetic_examples
    from pipelines.training.run import train

    folder = tmp_path_factory.mktemp("real")
    settings = {"model": RECIPE.model_dump(mode="json"), "link": {"allow_undated_text": True}}
    workspace = create_workspace(folder / "workspace", yaml.safe_dump(settings))
    examples = synthetic_examples((("train", 64), ("validation", 24), ("test", 24)), seed=5, recipe=RECIPE)
    publish(workspace, train(tuple(examples), recipe=RECIPE, folder=folder / "model"), synthetic=True)
    promote(workspace, task=RECIPE.task, selector="challenger", reviewer="R", reason="test", actor="test")
    return workspace.root


@pytest.fixture
def champion(template: Path, tmp_path: Path) -> Workspace:
    """A copy of the template, this test's own."""
    shutil.copytree(template, tmp_path / "workspace")
    return open_workspace(tmp_path / "workspace")


def ingest_real(workspace: Workspace, scans: Path, tables: Path) -> Ingested:
    return ingest(
        workspace,
        scans=[scans],
        notes=[tables / "notes.csv"],
        observations=[tables / "observations.csv"],
        id_map=tables / "id_map.csv",
    )


def diagnose(workspace: Workspace) -> tuple[Outcome, tuple[Diagnosis, ...]]:
    outcome = diagnose_cases(load_cases(workspace).cases, workspace=workspace, speaker=load_speaker(workspace))
    with workspace.database() as engine:
        return outcome, ledger.diagnoses(engine)


def test_all_three_are_diagnosed_and_say_what_they_are(champion: Workspace, tables: Path) -> None:
    done = ingest_real(champion, DATA / "scans", tables)
    assert len(done.linked.cases) == 3
    assert all(len(case.notes) == 2 and len(case.observations) == 3 for case in done.linked.cases)
    assert sum(Remark.ID_MAPPED in case.remarks for case in done.linked.cases) == 1
    outcome, found = diagnose(champion)
    assert outcome.diagnosed == 3
    for item in found:
        assert item.lane is Lane.REVIEW
        assert {Remark.OUTSIDE_TRAINING_DISTRIBUTION, Remark.UNDATED_TEXT} <= set(item.remarks)
        assert {piece.modality for score in item.scores for piece in score.evidence} >= {"scan", "note"}
    delivered = deliver(champion, recipe=RECIPE)
    pages = [path.read_text() for path in champion.pages.glob("*.html")]
    assert len(pages) == 4
    assert not any("98C1066" in page or "normal002" in page for page in pages)
    assert len([json.loads(line) for line in delivered.results.read_text().splitlines()]) == 3


def test_neither_the_future_nor_the_diagnosis_is_an_input(tables: Path) -> None:
    text = " ".join(path.read_text() for path in tables.iterdir())
    assert "COVID" not in text
    assert "CAP" not in text.replace("cap001", "")
    assert "Uneventful" not in text


def test_a_bit_flipped_after_ingest_is_noticed_before_it_is_used(
    champion: Workspace, tables: Path, tmp_path: Path
) -> None:
    shutil.copytree(DATA / "scans" / "cap001", tmp_path / "scans")
    for path in tmp_path.joinpath("scans").iterdir():
        path.chmod(0o644)
    ingest_real(champion, tmp_path / "scans", tables)
    victim = sorted(tmp_path.joinpath("scans").iterdir())[80]
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    outcome, found = diagnose(champion)
    assert dict(outcome.refused or {}) == {"digest-changed": 1}
    assert found == ()
