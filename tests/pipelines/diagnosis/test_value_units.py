"""A model reads values in the units that it was trained in, whatever the catalogue holds them in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
import torch

from data_schemas.case import Case
from data_schemas.diagnosis import Diagnosis, Lane, ModelReference
from data_schemas.observation import Observation
from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts
from fusion_models.observation_encoder import Values
from pipelines.cases.examples import Example, Value
from pipelines.diagnosis.batch import Outcome, Speaker, diagnose_cases
from pipelines.models.artefact import LoadedModel
from pipelines.models.reading import read_cases
from pipelines.training.trained import Trained
from pipelines.workspace import ledger
from pipelines.workspace.paths import Workspace

FINDING = "heart-failure"


@pytest.fixture(scope="module")
def model(fresh_model: Callable[..., LoadedModel]) -> LoadedModel:
    return fresh_model({FINDING: 0.3}, modalities=("note", "observation"))


@pytest.fixture
def diagnosed(workspace: Workspace, model: LoadedModel) -> Callable[..., tuple[Outcome, Diagnosis]]:
    def run(value: float, unit: str, *, units: dict[str, str] | None) -> tuple[Outcome, Diagnosis]:
        told = replace(model, card=model.card.model_copy(update={"observation_units": units}))
        reference = ModelReference(name="m", version="1", digest=model.digest)
        speaker = Speaker(model=told, reference=reference, device=torch.device("cpu"))
        at = datetime(2024, 3, 5, 12)
        item = Observation(patient=PatientFacts(patient_id="7"), taken=at, code="weight", value=value, unit=unit)
        case = Case(study_key=f"{value}{unit}", patient_key="p", cut_off=at, observations=(item,))
        outcome = diagnose_cases([case], workspace=workspace, speaker=speaker)
        with workspace.database() as engine:
            [found] = [row for row in ledger.diagnoses(engine) if row.study_key == case.study_key]
        return outcome, found

    return run


def test_a_card_holds_the_units_of_the_values_that_it_was_trained_on(trained: Trained) -> None:
    assert trained.card.observation_units == {"age": "years", "sex": "", "weight": "kg"}


def test_another_unit_is_converted_and_said(diagnosed: Callable[..., tuple[Outcome, Diagnosis]]) -> None:
    same, kilograms = diagnosed(70.0, "kg", units={"weight": "kg"})
    outcome, grams = diagnosed(70_000.0, "g", units={"weight": "kg"})
    line = "weight: converted from g to kg, the model's unit"
    assert (dict(same.told or {}), dict(outcome.told or {})) == ({}, {line: 1})
    assert f"observation: {line}" in grams.history
    assert not any("converted" in row for row in kilograms.history)
    assert grams.scores[0].probability == pytest.approx(kilograms.scores[0].probability, abs=1e-6)


def test_what_reaches_the_model_is_in_its_units(model: LoadedModel) -> None:
    told = replace(model, card=model.card.model_copy(update={"observation_units": {"weight": "kg"}}))
    values = (Value("weight", 70_000.0, 1.0, "g"), Value("age", 60.0, 1.0, "years"))
    example = Example(study_key="s", patient_key="p", scan=None, sentences=(), values=values)
    inputs = read_cases(told, [example]).features.batch.inputs["observation"]
    assert isinstance(inputs, Values)
    assert inputs.value.tolist() == [[70.0, 60.0]]


def test_a_unit_that_cannot_be_converted_refuses_the_case(
    diagnosed: Callable[..., tuple[Outcome, Diagnosis]],
) -> None:
    outcome, found = diagnosed(70.0, "mmol/L", units={"weight": "kg"})
    assert (found.lane, found.reasons, found.scores) == (Lane.REFUSE, (Reason.UNKNOWN_UNIT,), ())
    [line] = outcome.told or {}
    assert line.startswith("refused: weight: in mmol/L, and the model reads it in kg; set sources.units")


def test_a_model_without_units_reads_on_and_that_is_said(
    diagnosed: Callable[..., tuple[Outcome, Diagnosis]],
) -> None:
    outcome, found = diagnosed(70.0, "kg", units=None)
    assert found.lane is Lane.REVIEW
    [line] = outcome.told or {}
    assert line.startswith("the model does not say the units of its values")
