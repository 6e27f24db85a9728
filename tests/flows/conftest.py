"""A small hospital with a model, in a workspace of its own for every test, and Prefect's ephemeral API for all."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from data_schemas.recipes import FusionRecipe, ModelRecipe, ScanRecipe, TrainingRecipe
from pipelines.cases.ingest import ingest, load_cases
from pipelines.synthetic.write import Hospital, write_hospital
from pipelines.training.run import train
from pipelines.training.trained import Trained
from pipelines.workspace.paths import Workspace, create_workspace, open_workspace

# Prefect reads these when it is first imported; nothing of the machine's own Prefect may be touched.
os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="scanote-prefect-")
atexit.register(shutil.rmtree, os.environ["PREFECT_HOME"], ignore_errors=True)
os.environ["DO_NOT_TRACK"] = "1"
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] = "120"
os.environ["PREFECT_LOGGING_LEVEL"] = "WARNING"

PATIENTS, CHUNK = 6, 4


@dataclass(frozen=True)
class Ran:
    """What a verb did."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line on stderr that is not progress."""
        [line] = [line for line in self.err.splitlines() if line.startswith("scanote: ")]
        return line


@pytest.fixture
def scanote(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """The command line, run in this process."""
    from flows.cli.app import main

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["scanote", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run


@pytest.fixture(scope="session")
def recipe() -> ModelRecipe:
    """A recipe that trains in seconds."""
    return ModelRecipe(
        findings=("pleural-effusion", "heart-failure"),
        scan=ScanRecipe(shape=(16, 16, 16), spacing_mm=(20.0, 20.0, 20.0), width=0.25),
        fusion=FusionRecipe(width=16, heads=2, layers=1),
        training=TrainingRecipe(scan_epochs=1, epochs=2, bootstrap=20),
    )


@pytest.fixture(scope="session")
def trained(recipe: ModelRecipe, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    from pipelines.synthetic.memory import synthetic_examples

    examples = synthetic_examples((("train", 30), ("validation", 12), ("test", 18)), seed=5, recipe=recipe)
    return train(tuple(examples), recipe=recipe, folder=tmp_path_factory.mktemp("trained") / "artefact")


@pytest.fixture(scope="session")
def _template(recipe: ModelRecipe, trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a champion and no case."""
    from pipelines.review.promote import promote
    from pipelines.review.publish import publish

    root = tmp_path_factory.mktemp("template") / "workspace"
    workspace = create_workspace(root, settings_text(recipe))
    publish(workspace, trained, synthetic=True)
    promote(workspace, task=recipe.task, selector="challenger", reviewer="R", reason="first", actor="test")
    return root


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    """Six synthetic patients on disk, this test's own."""
    return write_hospital(tmp_path / "hospital", patients=PATIENTS, seed=11)


@pytest.fixture
def champion(_template: Path, tmp_path: Path) -> Callable[..., Workspace]:
    """Makes a workspace with a champion and no case; its sources are the hospital beside it."""

    def make(name: str = "workspace", **changes: object) -> Workspace:
        shutil.copytree(_template, tmp_path / name)
        path = tmp_path / name / "scanote.yaml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes))
        return open_workspace(tmp_path / name)

    return make


@pytest.fixture
def workspace(champion: Callable[..., Workspace], hospital: Hospital) -> Workspace:
    """A workspace with a champion and the hospital's cases."""
    made = champion()
    ingest(made, scans=[hospital.scans], notes=[hospital.records], labels=[hospital.labels])
    return made


@pytest.fixture
def bare(tmp_path: Path, recipe: ModelRecipe) -> Callable[..., Workspace]:
    """Makes a workspace without model and cases."""

    def make(**changes: object) -> Workspace:
        return create_workspace(tmp_path / "bare", settings_text(recipe, **changes))

    return make


@pytest.fixture(scope="session")
def prefect_api() -> Iterator[None]:
    """Prefect's API on a database of this test session."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture
def told(prefect_api: None) -> Callable[[], str]:
    """Gives all that Prefect has stored so far: every row of every table of its database, and the raw bytes."""

    def read() -> str:
        from prefect.events.worker import EventsWorker
        from prefect.logging.handlers import APILogWorker
        from prefect.settings import get_current_settings

        APILogWorker.instance().drain()
        EventsWorker.drain_all()
        url = get_current_settings().server.database.connection_url
        assert url is not None
        return all_text(Path(url.get_secret_value().removeprefix("sqlite+aiosqlite:///")))

    return read


def all_text(database: Path) -> str:
    """Every row of an SQLite database as text, and the bytes of its files."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        rows = "\n".join(connection.iterdump())
    files = (path for path in database.parent.glob(f"{database.name}*") if path.is_file())
    return rows + "".join(path.read_bytes().decode("latin-1") for path in files)


@pytest.fixture
def text_of() -> Callable[[Path], str]:
    """Gives all that stands in an SQLite database."""
    return all_text


@pytest.fixture
def canaries() -> Callable[[Workspace], set[str]]:
    """Gives what must never leave a workspace: ids, names, UIDs, dates, places and sentences of its cases."""

    def collect(workspace: Workspace) -> set[str]:
        found: set[str] = set()
        for case in load_cases(workspace).cases:
            assert case.scan is not None
            assert case.cut_off is not None
            patient = case.scan.patient
            found |= {patient.patient_id, patient.name, case.scan.study_uid, case.scan.series_uid, case.scan.scan_id}
            found |= {str(patient.birth_date), case.cut_off.date().isoformat(), f"{case.cut_off:%Y%m%d}"}
            found |= {Path(case.scan.files[0].path).parent.name, case.patient_key}
            for note in case.notes:
                found |= {note.note_id, *(line for line in note.text.splitlines() if len(line) > 20)}
        return found - {"", "None"}

    return collect


@pytest.fixture
def artifact(prefect_api: None) -> Callable[[str], str]:
    """Gives the Markdown of the latest artifact of a key, as Prefect's API shows it."""

    def read(key: str) -> str:
        from prefect.artifacts import Artifact

        found = Artifact.get(key)
        assert found is not None
        return str(found.data)

    return read


def settings_text(recipe: ModelRecipe, **changes: object) -> str:
    """The settings of the tests' workspaces: the tiny recipe, chunks of four, sources beside the workspace."""
    sources = {
        "scans": ["../hospital/scans"],
        "notes": ["../hospital/records"],
        "labels": ["../hospital/labels.csv"],
        "splits": "../hospital/splits.csv",
    }
    tree = {"model": recipe.model_dump(mode="json"), "sources": sources, "diagnosis": {"chunk": CHUNK, "device": "cpu"}}
    return yaml.safe_dump(tree | changes)
