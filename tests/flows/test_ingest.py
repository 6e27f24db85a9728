from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from data_schemas.errors import SettingsError
from flows.coded import StepError
from flows.ingest import ingest_flow, source_paths
from pipelines.cases.ingest import load_cases
from pipelines.synthetic.write import Hospital
from pipelines.workspace.paths import Workspace

PATIENTS = 6
pytestmark = pytest.mark.usefixtures("prefect_api")


@pytest.fixture
def filled(bare: Callable[..., Workspace], hospital: Hospital) -> Workspace:
    """A workspace that nothing was read into yet; one slice of one scan is not there."""
    folder = sorted(hospital.scans.iterdir())[0]
    (sorted(folder.iterdir())[3]).unlink()
    return bare()


def test_the_flow_reads_the_sources_of_the_settings(filled: Workspace) -> None:
    counts = ingest_flow(str(filled.root))
    assert counts["cases"] == {"linked": len(load_cases(filled).cases)} == {"linked": PATIENTS - 1}
    assert counts["scans"] == {"added": PATIENTS - 1, "known": 0}
    assert counts["quarantined series"] == {"missing-slices": 1}


def test_running_it_again_adds_nothing(filled: Workspace) -> None:
    ingest_flow(str(filled.root))
    again = ingest_flow(str(filled.root))
    assert {kind: row["added"] for kind, row in again.items() if "added" in row} == dict.fromkeys(
        ("scans", "notes", "observations", "labels", "id map rows"), 0
    )


def test_the_artifact_counts_by_reason(filled: Workspace, artifact: Callable[[str], str]) -> None:
    ingest_flow(str(filled.root))
    assert "| quarantined series | missing-slices | 1 |" in artifact("scanote-ingest")


def test_nothing_of_a_patient_reaches_prefect(
    filled: Workspace,
    canaries: Callable[[Workspace], set[str]],
    told: Callable[[], str],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    ingest_flow(str(filled.root))
    found = told()
    assert str(filled.root) in found
    printed = "".join(capfd.readouterr()) + caplog.text
    leaked = [canary for canary in canaries(filled) if canary in found or canary in printed]
    assert leaked == []


def test_a_source_that_is_gone_fails_the_run_without_its_name(
    bare: Callable[..., Workspace], told: Callable[[], str]
) -> None:
    workspace = bare(sources={"notes": ["../CANARY-NAME-OF-A-PATIENT.csv"]})
    state = ingest_flow(str(workspace.root), return_state=True)
    assert state.is_failed()
    assert "InputError; to read what is wrong with which file, run at a terminal: scanote ingest" in str(state.message)
    assert "CANARY-NAME" not in told()


def test_sources_that_name_nothing_are_one_clear_line(bare: Callable[..., Workspace]) -> None:
    with pytest.raises(StepError, match="'sources' names nothing to read"):
        ingest_flow(str(bare(sources={}).root))


def test_relative_sources_are_relative_to_the_workspace(bare: Callable[..., Workspace], tmp_path: Path) -> None:
    workspace = bare(sources={"scans": ["in", str(tmp_path / "elsewhere")], "id_map": "map.csv"})
    assert source_paths(workspace) == {
        "scans": (workspace.root / "in", tmp_path / "elsewhere"),
        "notes": (),
        "observations": (),
        "labels": (),
        "id_map": workspace.root / "map.csv",
    }


def test_an_id_map_alone_is_no_source(bare: Callable[..., Workspace]) -> None:
    with pytest.raises(SettingsError, match="names nothing to read"):
        source_paths(bare(sources={"id_map": "map.csv"}))
