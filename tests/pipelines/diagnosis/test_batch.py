"""A batch on a workspace with real files: exactly once, one failure never fails the others, nothing private is told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import torch

from data_schemas.case import Case
from data_schemas.diagnosis import Diagnosis, Lane, ModelReference
from data_schemas.reasons import Reason, Remark
from pipelines.cases.ingest import ingest, load_cases
from pipelines.cases.prepare import prepare
from pipelines.delivery.deliver import deliver
from pipelines.diagnosis.batch import Speaker, diagnose_cases, select_cases
from pipelines.diagnosis.predict import predict
from pipelines.models.artefact import LoadedModel
from pipelines.synthetic.write import Hospital, write_hospital
from pipelines.workspace import claims, ledger
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.paths import Workspace

PATIENTS = 4


@pytest.fixture
def speaker(loaded: LoadedModel) -> Speaker:
    reference = ModelReference(name="scanote-chest-ct", version="1", digest=loaded.digest)
    return Speaker(model=loaded, reference=reference, device=torch.device("cpu"))


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    return write_hospital(tmp_path / "hospital", patients=PATIENTS, seed=31)


@pytest.fixture
def cases(workspace: Workspace, hospital: Hospital) -> tuple[Case, ...]:
    ingest(workspace, scans=[hospital.scans], notes=[hospital.records])
    return load_cases(workspace).cases


def stands(workspace: Workspace) -> tuple[Diagnosis, ...]:
    with workspace.database() as engine:
        return ledger.diagnoses(engine)


def test_every_case_gets_one_diagnosis(workspace: Workspace, speaker: Speaker, cases: tuple[Case, ...]) -> None:
    assert diagnose_cases(cases, workspace=workspace, speaker=speaker).diagnosed == PATIENTS
    found = stands(workspace)
    assert {item.study_key for item in found} == {case.study_key for case in cases}
    assert all(item.lane is Lane.REVIEW and not item.calibrated for item in found)
    assert all(Remark.UNCALIBRATED in item.remarks for item in found)
    assert all(len(item.scores) == len(speaker.model.card.recipe.findings) for item in found)


def test_running_it_again_adds_nothing(workspace: Workspace, speaker: Speaker, cases: tuple[Case, ...]) -> None:
    diagnose_cases(cases, workspace=workspace, speaker=speaker)
    before = stands(workspace)
    again = diagnose_cases(cases, workspace=workspace, speaker=speaker)
    assert (again.diagnosed, again.known) == (0, PATIENTS)
    assert stands(workspace) == before


def test_a_late_note_makes_a_new_diagnosis_that_supersedes(
    workspace: Workspace, speaker: Speaker, cases: tuple[Case, ...], tmp_path: Path
) -> None:
    diagnose_cases(cases, workspace=workspace, speaker=speaker)
    patient = cases[0].scan.patient.patient_id if cases[0].scan else ""
    table = f"patient_id,datetime,type,text\n{patient},2024-01-01T10:00:00+00:00,progress,Swollen ankles.\n"
    (tmp_path / "late.csv").write_text(table)
    ingest(workspace, notes=[tmp_path / "late.csv"])
    outcome = diagnose_cases(load_cases(workspace).cases, workspace=workspace, speaker=speaker)
    assert (outcome.diagnosed, outcome.known) == (1, PATIENTS - 1)
    assert len(stands(workspace)) == PATIENTS
    with workspace.database() as engine:
        assert len(ledger.diagnoses(engine, current_only=False)) == PATIENTS + 1


def test_a_changed_file_keeps_its_case_open_and_the_others_go_on(
    workspace: Workspace, speaker: Speaker, cases: tuple[Case, ...]
) -> None:
    victim = cases[1]
    assert victim.scan is not None
    path = Path(victim.scan.files[3].path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    outcome = diagnose_cases(cases, workspace=workspace, speaker=speaker)
    assert outcome.diagnosed == PATIENTS - 1
    assert dict(outcome.refused or {}) == {"digest-changed": 1}
    assert victim.study_key not in {item.study_key for item in stands(workspace)}
    path.write_bytes(whole)
    assert diagnose_cases(cases, workspace=workspace, speaker=speaker).diagnosed == 1


def test_a_case_that_raises_is_left_for_another_attempt_and_its_text_stays_private(
    workspace: Workspace,
    speaker: Speaker,
    cases: tuple[Case, ...],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails_once(case: Case, **rest: object) -> object:
        if case.study_key == cases[0].study_key:
            raise OSError("CANARY-PATIENT-NAME")
        return prepare(case, **rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch, caplog.at_level(logging.DEBUG):
        patch.setattr("pipelines.diagnosis.batch.prepare", fails_once)
        outcome = diagnose_cases(cases, workspace=workspace, speaker=speaker)
    assert (outcome.diagnosed, outcome.failed) == (PATIENTS - 1, 1)
    assert "CANARY" not in caplog.text
    with workspace.database() as engine:
        tried = claims.attempts(engine, study_key=cases[0].study_key)
    assert [(item.reason, item.error_class) for item in tried] == [(Reason.PREDICTION_FAILED, "OSError")]
    assert diagnose_cases(cases, workspace=workspace, speaker=speaker).diagnosed == 1


def test_a_missing_note_is_said(workspace: Workspace, speaker: Speaker, hospital: Hospital) -> None:
    ingest(workspace, scans=[hospital.scans])
    diagnose_cases(load_cases(workspace).cases, workspace=workspace, speaker=speaker)
    for item in stands(workspace):
        assert {Remark.NO_NOTE, Remark.NO_OBSERVATION} <= set(item.remarks)
        assert {piece.modality for score in item.scores for piece in score.evidence} == {"scan"}


def test_scores_do_not_depend_on_what_is_read_together(
    speaker: Speaker, workspace: Workspace, cases: tuple[Case, ...]
) -> None:
    recipe = speaker.model.card.recipe
    examples = [prepare(case, recipe=recipe) for case in cases]
    together = predict(speaker.model, examples, device=speaker.device)
    for example, other in zip(examples, together, strict=True):
        [alone] = predict(speaker.model, [example], device=speaker.device, cache=ArrayCache(workspace.cache))
        assert [score.probability for score in alone.scores] == pytest.approx(
            [score.probability for score in other.scores], abs=1e-5
        )


def test_evidence_points_at_sentences_and_places_of_the_case(
    speaker: Speaker, workspace: Workspace, cases: tuple[Case, ...]
) -> None:
    case = cases[0]
    assert case.scan is not None
    example = prepare(case, recipe=speaker.model.card.recipe)
    [told] = predict(speaker.model, [example], device=speaker.device)
    sources = {sentence.source for sentence in example.sentences}
    centre = torch.tensor(case.scan.geometry.affine)[:3, 3]
    for score in told.scores:
        assert sum(piece.weight for piece in score.evidence) <= 1.0 + 1e-5
        for piece in score.evidence:
            if piece.modality == "note":
                assert piece.source in sources
            if piece.modality == "scan":
                assert piece.position_mm is not None
                assert (torch.tensor(piece.position_mm) - centre).norm() < 600


def test_since_keeps_what_is_newer_or_undated(cases: tuple[Case, ...]) -> None:
    days = sorted(case.cut_off.date() for case in cases if case.cut_off)
    assert len(select_cases(cases, since=days[2])) == sum(day >= days[2] for day in days)
    undated = cases[0].model_copy(update={"cut_off": None})
    assert select_cases([undated], since=date(2999, 1, 1)) == [undated]


def test_delivery_follows_the_ledger(
    workspace: Workspace, speaker: Speaker, cases: tuple[Case, ...], hospital: Hospital
) -> None:
    diagnose_cases(cases[:2], workspace=workspace, speaker=speaker)
    first = deliver(workspace, recipe=speaker.model.card.recipe)
    assert (first.new_pages, first.diagnoses) == (2, 2)
    diagnose_cases(cases, workspace=workspace, speaker=speaker)
    second = deliver(workspace, recipe=speaker.model.card.recipe)
    assert (second.new_pages, second.diagnoses) == (PATIENTS - 2, PATIENTS)
    assert len(list(workspace.pages.glob("*.html"))) == PATIENTS + 1
    assert deliver(workspace, recipe=speaker.model.card.recipe).new_pages == 0


@pytest.fixture
def both_ways(
    workspace: Workspace, hospital: Hospital, cases: tuple[Case, ...], speaker: Speaker
) -> Callable[[int], tuple[object, object]]:
    from pipelines.synthetic.memory import example_of
    from pipelines.synthetic.patients import draw_patient
    from pipelines.synthetic.split import pool_of, split_of
    from pipelines.synthetic.truth import Dials

    def make(number: int) -> tuple[object, object]:
        split = split_of(number, seed=31)
        patient = draw_patient(number, seed=31, dials=Dials(), pool=pool_of(split))
        recipe = speaker.model.card.recipe
        [case] = [case for case in cases if case.scan and case.scan.patient.patient_id == patient.patient_id]
        return prepare(case, recipe=recipe), example_of(patient, recipe=recipe, split=split)

    return make


@pytest.mark.parametrize("number", range(PATIENTS))
def test_files_and_memory_give_the_same_example(both_ways: Callable[[int], tuple[object, object]], number: int) -> None:
    from pipelines.cases.examples import Example

    files, memory = both_ways(number)
    assert isinstance(files, Example)
    assert isinstance(memory, Example)
    assert files.scan is not None
    assert memory.scan is not None
    assert abs(files.scan.values.astype(float) - memory.scan.values.astype(float)).max() <= 1e-3
    assert abs(files.scan.affine - memory.scan.affine).max() <= 1e-4
    assert files.sentences == memory.sentences
    found = {value.code: (value.value, value.age_days) for value in files.values}
    assert found.keys() == {value.code for value in memory.values}
    for value in memory.values:
        assert found[value.code] == pytest.approx((value.value, value.age_days), abs=1e-4)


def test_a_study_quarantined_after_its_diagnosis_is_withheld(
    workspace: Workspace, speaker: Speaker, cases: tuple[Case, ...], tmp_path: Path
) -> None:
    diagnose_cases(cases, workspace=workspace, speaker=speaker)
    deliver(workspace, recipe=speaker.model.card.recipe)
    assert cases[0].scan is not None
    patient = cases[0].scan.patient
    other = {"M": "F", "F": "M"}[patient.sex]
    (tmp_path / "sex.csv").write_text(f"patient_id,sex\n{patient.patient_id},{other}\n")
    ingest(workspace, observations=[tmp_path / "sex.csv"])
    delivered = deliver(workspace, recipe=speaker.model.card.recipe)
    assert (delivered.diagnoses, delivered.withheld) == (PATIENTS - 1, 1)
    assert not (workspace.pages / f"{cases[0].study_key[:16]}.html").exists()
    assert cases[0].study_key not in delivered.results.read_text()
    assert len(stands(workspace)) == PATIENTS


def test_files_that_are_away_for_long_use_up_no_attempt(
    workspace: Workspace, speaker: Speaker, cases: tuple[Case, ...], hospital: Hospital
) -> None:
    away = hospital.scans.rename(hospital.folder / "away")
    for _ in range(workspace.settings.diagnosis.attempts + 2):
        assert diagnose_cases(cases, workspace=workspace, speaker=speaker).mendable == PATIENTS
    away.rename(hospital.scans)
    assert diagnose_cases(cases, workspace=workspace, speaker=speaker).diagnosed == PATIENTS


def test_scans_named_by_a_relative_path_are_found_from_another_folder(
    workspace: Workspace, speaker: Speaker, hospital: Hospital, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(hospital.folder)
    ingest(workspace, scans=[Path("scans")])
    monkeypatch.chdir(tmp_path)
    assert diagnose_cases(load_cases(workspace).cases, workspace=workspace, speaker=speaker).diagnosed == PATIENTS
