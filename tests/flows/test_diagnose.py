from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import flows.diagnose
from data_schemas.diagnosis import Diagnosis
from flows.coded import StepError
from flows.diagnose import diagnose_flow
from pipelines.cases.ingest import load_cases
from pipelines.diagnosis import batch as batch_module
from pipelines.diagnosis import speaker as speaker_module
from pipelines.diagnosis.batch import diagnose_cases
from pipelines.diagnosis.speaker import load_speaker
from pipelines.synthetic.write import Hospital
from pipelines.workspace import ledger
from pipelines.workspace.paths import Workspace, open_workspace

PATIENTS, CHUNK = 6, 4
CANARY = "CANARY^PATIENT"
pytestmark = pytest.mark.usefixtures("prefect_api")


@pytest.fixture(autouse=True)
def _no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry at once, and keep no model of another test."""
    flows.diagnose._speaker.cache_clear()
    for name in ("diagnose_chunk", "deliver_batch"):
        monkeypatch.setattr(flows.diagnose, name, getattr(flows.diagnose, name).with_options(retry_delay_seconds=0))


def diagnoses(workspace: Workspace) -> dict[str, Diagnosis]:
    with workspace.database() as engine:
        return {item.key: item for item in ledger.diagnoses(engine, current_only=False)}


def spoil(hospital: Hospital) -> None:
    """Flip one bit of one stored slice."""
    path = sorted(hospital.scans.rglob("*.dcm"))[0]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def failing(function: Callable[..., Any], *, times: int, error: Exception) -> Callable[..., Any]:
    """The function, but its first calls raise."""
    calls = 0

    def call(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls <= times:
            raise error
        return function(*args, **options)

    return call


def test_the_flow_writes_the_ledger_that_the_plain_functions_write(workspace: Workspace, tmp_path: Path) -> None:
    shutil.copytree(workspace.root, tmp_path / "plain")
    plain = open_workspace(tmp_path / "plain")
    diagnose_cases(load_cases(plain).cases, workspace=plain, speaker=load_speaker(plain))
    diagnose_flow(str(workspace.root))
    found, expected = diagnoses(workspace), diagnoses(plain)
    assert len(found) == PATIENTS
    assert found.keys() == expected.keys()
    for key, diagnosis in found.items():
        other = expected[key]
        assert (diagnosis.lane, diagnosis.reasons, diagnosis.model) == (other.lane, other.reasons, other.model)
        for score, same in zip(diagnosis.scores, other.scores, strict=True):
            assert score.probability == pytest.approx(same.probability, abs=1e-5)


def test_running_it_again_adds_nothing(workspace: Workspace) -> None:
    assert diagnose_flow(str(workspace.root)).outcome.diagnosed == PATIENTS
    first = diagnoses(workspace)
    again = diagnose_flow(str(workspace.root)).outcome
    assert (again.diagnosed, again.known) == (0, PATIENTS)
    assert diagnoses(workspace) == first


def test_a_case_whose_file_was_changed_does_not_fail_the_batch(workspace: Workspace, hospital: Hospital) -> None:
    spoil(hospital)
    state = diagnose_flow(str(workspace.root), return_state=True)
    assert state.is_completed()
    outcome = state.result().outcome
    assert (outcome.diagnosed, outcome.refused) == (PATIENTS - 1, Counter({"digest-changed": 1}))


def test_a_case_that_breaks_the_code_does_not_fail_the_batch(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_module, "prepare", failing(batch_module.prepare, times=1, error=ValueError(CANARY)))
    state = diagnose_flow(str(workspace.root), return_state=True)
    assert state.is_completed()
    assert (state.result().outcome.diagnosed, state.result().outcome.failed) == (PATIENTS - 1, 1)
    assert diagnose_flow(str(workspace.root)).outcome.diagnosed == 1


def test_a_chunk_that_the_machine_failed_is_tried_again(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = failing(diagnose_cases, times=2, error=OSError(28, CANARY))
    monkeypatch.setattr(batch_module, "diagnose_cases", broken)
    assert diagnose_flow(str(workspace.root)).outcome.diagnosed == PATIENTS


def test_a_chunk_that_keeps_failing_leaves_the_others_and_a_rerun_completes_it(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(batch_module, "diagnose_cases", failing(diagnose_cases, times=3, error=OSError(28, CANARY)))
        with pytest.raises(StepError, match="1 of 2 chunks failed") as caught:
            diagnose_flow(str(workspace.root))
        assert CANARY not in str(caught.value)
    assert len(diagnoses(workspace)) == PATIENTS - CHUNK
    assert len((workspace.results / "diagnoses.jsonl").read_text().splitlines()) == PATIENTS - CHUNK
    assert diagnose_flow(str(workspace.root)).outcome.diagnosed == CHUNK


def test_a_model_that_does_not_exist_is_told_in_one_line(workspace: Workspace) -> None:
    state = diagnose_flow(str(workspace.root), model="winner", return_state=True)
    assert state.is_failed()
    assert "no alias or version 'winner'; there are: " in str(state.message)
    assert diagnoses(workspace) == {}


def test_the_model_is_loaded_once_by_its_version(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def load(given: Workspace, selector: str | None = None) -> Any:
        asked.append(selector)
        return load_speaker(given, selector)

    monkeypatch.setattr(speaker_module, "load_speaker", load)
    batch = diagnose_flow(str(workspace.root), model="challenger")
    assert asked == [batch.model.version] == ["1"]


def test_since_leaves_out_what_was_acquired_before(workspace: Workspace) -> None:
    days = sorted(case.cut_off.date() for case in load_cases(workspace).cases if case.cut_off)
    since = days[-2] + timedelta(days=1)  # a day of no case, for Prefect stores what it is asked for
    assert since < days[-1]
    assert diagnose_flow(str(workspace.root), since=since.isoformat()).outcome.diagnosed == 1


def test_a_day_that_is_no_day_fails_before_anything_is_done(workspace: Workspace) -> None:
    with pytest.raises(StepError, match="InputError"):
        diagnose_flow(str(workspace.root), since="yesterday")
    assert diagnoses(workspace) == {}


def test_a_workspace_without_cases_is_a_batch_of_none(champion: Callable[..., Workspace]) -> None:
    batch = diagnose_flow(str(champion().root))
    assert (batch.outcome.diagnosed, batch.lanes) == (0, {})


def test_a_folder_that_is_no_workspace_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="no workspace here"):
        diagnose_flow(str(tmp_path))


def test_a_change_of_case_since_the_plan_does_not_matter(workspace: Workspace) -> None:
    from flows.diagnose import diagnose_chunk

    keys = [case.study_key for case in load_cases(workspace).cases]
    outcome = diagnose_chunk.fn(str(workspace.root), "batch-1", "1", [keys[0], "0" * 32])
    assert outcome.diagnosed == 1


def test_results_and_worklist_are_delivered(workspace: Workspace) -> None:
    batch = diagnose_flow(str(workspace.root))
    lines = [json.loads(line) for line in batch.delivered.results.read_text().splitlines()]
    assert len(lines) == PATIENTS
    assert batch.delivered.worklist.is_file()


def test_the_artifact_tells_version_outcomes_reasons_and_lanes(
    workspace: Workspace, hospital: Hospital, artifact: Callable[[str], str]
) -> None:
    spoil(hospital)
    diagnose_flow(str(workspace.root))
    found = artifact("scanote-diagnose")
    assert "scanote-chest-ct version 1" in found
    for row in ("| diagnosed |  | 5 |", "| refused | digest-changed | 1 |", "| review | 5 |", "| chunks | all | 2 |"):
        assert row in found


def test_nothing_of_a_patient_reaches_prefect(
    workspace: Workspace,
    hospital: Hospital,
    monkeypatch: pytest.MonkeyPatch,
    canaries: Callable[[Workspace], set[str]],
    told: Callable[[], str],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    spoil(hospital)
    with monkeypatch.context() as patch:
        patch.setattr(batch_module, "prepare", failing(batch_module.prepare, times=1, error=ValueError(CANARY)))
        diagnose_flow(str(workspace.root))
    patched = failing(diagnose_cases, times=3, error=KeyError(CANARY))
    monkeypatch.setattr(batch_module, "diagnose_cases", patched)
    assert diagnose_flow(str(workspace.root), return_state=True).is_failed()
    found = told()
    assert "KeyError at tests/flows/test_diagnose.py" in found
    assert str(workspace.root) in found
    printed = "".join(capfd.readouterr()) + caplog.text
    leaked = [canary for canary in canaries(workspace) | {CANARY} if canary in found or canary in printed]
    assert leaked == []
