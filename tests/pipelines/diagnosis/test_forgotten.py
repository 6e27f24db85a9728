"""A patient who is forgotten while a batch reads their case: it ends as refused, and nothing is written back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import pipelines.diagnosis.batch as module
from data_schemas.case import Case
from data_schemas.diagnosis import ModelReference
from pipelines.cases.ingest import ingest, load_cases
from pipelines.cases.person import find_person
from pipelines.diagnosis.batch import Speaker, diagnose_cases
from pipelines.models.artefact import LoadedModel
from pipelines.synthetic.write import write_hospital
from pipelines.workspace import claims, ledger
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.forget import delete_rows
from pipelines.workspace.paths import Workspace
from pipelines.workspace.tombstones import begin


@pytest.fixture
def speaker(loaded: LoadedModel) -> Speaker:
    reference = ModelReference(name="scanote-chest-ct", version="1", digest=loaded.digest)
    return Speaker(model=loaded, reference=reference, device=torch.device("cpu"))


@pytest.fixture
def cases(workspace: Workspace, tmp_path: Path) -> tuple[Case, ...]:
    hospital = write_hospital(tmp_path / "hospital", patients=2, seed=31)
    ingest(workspace, scans=[hospital.scans], notes=[hospital.records])
    return load_cases(workspace).cases


def remove(workspace: Workspace, case: Case) -> None:
    """What forgetting does to the database and the cache."""
    assert case.scan is not None
    with workspace.database() as engine:
        person = find_person(workspace, engine, case.scan.patient.patient_id)
        begin(engine, person.marks(workspace.key), {})
        ArrayCache(workspace.cache).of(case.study_key).drop()
        delete_rows(engine, person.whose)


def at_first_call(monkeypatch: pytest.MonkeyPatch, name: str, work: Callable[[], None]) -> None:
    real, done = getattr(module, name), []

    def call(*arguments: Any, **options: Any) -> Any:
        if not done:
            done.append(True)
            work()
        return real(*arguments, **options)

    monkeypatch.setattr(module, name, call)


@pytest.mark.parametrize("moment", ["prepare", "diagnosis_of"])
def test_a_case_that_is_forgotten_after_its_claim_ends_as_refused(
    workspace: Workspace, speaker: Speaker, cases: tuple[Case, ...], monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    first = cases[0]
    at_first_call(monkeypatch, moment, lambda: remove(workspace, first))
    outcome = diagnose_cases(cases, workspace=workspace, speaker=speaker)
    assert (outcome.diagnosed, outcome.failed, dict(outcome.refused or {})) == (1, 0, {"forgotten": 1})
    nothing_of(workspace, first)


def test_a_case_that_was_forgotten_before_its_claim_is_refused_unread(
    workspace: Workspace, speaker: Speaker, cases: tuple[Case, ...]
) -> None:
    remove(workspace, cases[0])
    outcome = diagnose_cases(cases, workspace=workspace, speaker=speaker)
    assert (outcome.diagnosed, dict(outcome.refused or {})) == (1, {"forgotten": 1})
    nothing_of(workspace, cases[0])


def test_files_that_are_gone_with_their_patient_are_no_reason_to_try_again(
    workspace: Workspace, speaker: Speaker, cases: tuple[Case, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = cases[0]
    assert first.scan is not None

    def gone() -> None:
        remove(workspace, first)
        for file in first.scan.files if first.scan else ():
            Path(file.path).unlink()

    at_first_call(monkeypatch, "prepare", gone)
    outcome = diagnose_cases(cases, workspace=workspace, speaker=speaker)
    assert (outcome.mendable, dict(outcome.refused or {})) == (0, {"forgotten": 1})


def test_what_a_killed_batch_left_in_the_cache_goes_with_the_next_one(
    workspace: Workspace, speaker: Speaker, cases: tuple[Case, ...]
) -> None:
    diagnose_cases(cases, workspace=workspace, speaker=speaker)
    own = ArrayCache(workspace.cache).of(cases[0].study_key)
    remove(workspace, cases[0])
    own.put("ab" * 32, torch.ones(3).numpy())
    diagnose_cases(cases[1:], workspace=workspace, speaker=speaker)
    assert not own.root.exists()
    assert ArrayCache(workspace.cache).of(cases[1].study_key).entries() > 0


def nothing_of(workspace: Workspace, case: Case) -> None:
    with workspace.database() as engine:
        assert all(item.study_key != case.study_key for item in ledger.diagnoses(engine, current_only=False))
        assert claims.attempts(engine, study_key=case.study_key) == ()
    assert not ArrayCache(workspace.cache).of(case.study_key).root.exists()
