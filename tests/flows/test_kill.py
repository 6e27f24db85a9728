"""``scanote diagnose``, killed in the middle and run again, ends in the ledger of one unbroken run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from data_schemas.diagnosis import Diagnosis
from pipelines.cases.ingest import ingest
from pipelines.synthetic.write import write_hospital
from pipelines.workspace import ledger
from pipelines.workspace.paths import Workspace, open_workspace

PATIENTS = 20
DIAGNOSE = [sys.executable, "-c", "from flows.cli.app import main; main()", "diagnose", "--workspace"]


def diagnoses(workspace: Workspace) -> dict[str, Diagnosis]:
    with workspace.database() as engine:
        return {item.key: item for item in ledger.diagnoses(engine, current_only=False)}


def run(workspace: Workspace) -> None:
    done = subprocess.run([*DIAGNOSE, str(workspace.root)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def run_and_kill(workspace: Workspace, *, after: int) -> int:
    """Start a batch, kill it with SIGKILL once so many diagnoses stand, and return how many there are then."""
    with subprocess.Popen(
        [*DIAGNOSE, str(workspace.root)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as batch:
        give_up = time.monotonic() + 120
        while len(diagnoses(workspace)) < after and batch.poll() is None and time.monotonic() < give_up:
            time.sleep(0.002)
        os.kill(batch.pid, signal.SIGKILL)
    return len(diagnoses(workspace))


@pytest.fixture
def two_workspaces(champion: Callable[..., Workspace], tmp_path: Path) -> tuple[Workspace, Workspace]:
    """Two workspaces with the same key, model and cases."""
    first = champion("first")
    hospital = write_hospital(tmp_path / "many", patients=PATIENTS, seed=21)
    ingest(first, scans=[hospital.scans], notes=[hospital.records])
    shutil.copytree(first.root, tmp_path / "second")
    return first, open_workspace(tmp_path / "second")


@pytest.mark.slow
def test_a_killed_batch_run_again_ends_as_one_run(two_workspaces: tuple[Workspace, Workspace]) -> None:
    whole, broken = two_workspaces
    run(whole)
    expected = diagnoses(whole)
    assert len(expected) == PATIENTS
    standing = run_and_kill(broken, after=3)
    assert 3 <= standing < PATIENTS
    run(broken)
    assert_same(diagnoses(broken), expected)
    run(broken)
    assert_same(diagnoses(broken), expected)
    results = [(root.results / "diagnoses.jsonl").read_text() for root in two_workspaces]
    assert len(results[0].splitlines()) == len(results[1].splitlines()) == PATIENTS


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 5, 10, 15, 19])
def test_wherever_it_is_killed(two_workspaces: tuple[Workspace, Workspace], after: int) -> None:
    whole, broken = two_workspaces
    run(whole)
    run_and_kill(broken, after=after)
    run_and_kill(broken, after=min(after + 2, PATIENTS - 1))
    run(broken)
    assert_same(diagnoses(broken), diagnoses(whole))


def assert_same(found: dict[str, Diagnosis], expected: dict[str, Diagnosis]) -> None:
    """Keys, lanes, reasons and remarks are equal, scores within 1e-5."""
    assert found.keys() == expected.keys()
    for key, one in found.items():
        other = expected[key]
        assert (one.lane, one.reasons, one.remarks) == (other.lane, other.reasons, other.remarks)
        assert [score.finding for score in one.scores] == [score.finding for score in other.scores]
        assert [score.probability for score in one.scores] == pytest.approx(
            [score.probability for score in other.scores], abs=1e-5
        )
