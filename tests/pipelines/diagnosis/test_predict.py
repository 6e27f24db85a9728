"""What a model says of a case: coherent scores, evidence from every modality, and remarks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pandas as pd
import pytest
import torch

from data_schemas.diagnosis import Evidence
from data_schemas.reasons import Remark
from pipelines.cases.examples import Example, Value, sentences_of
from pipelines.cases.mentions import mentions_of
from pipelines.diagnosis.predict import Prediction, predict
from pipelines.models.artefact import LoadedModel
from pipelines.models.reading import read_cases
from pipelines.models.table import read_table

TEXT = "HISTORY:\nOld left rib fracture. Cough. No pneumothorax, no pneumothorax.\n\nPLAN:\nWatch the pleural effusion."
CHILD, PARENT = "rib-fracture", "fracture"


@pytest.fixture(scope="module")
def model(fresh_model: Callable[..., LoadedModel]) -> LoadedModel:
    """It holds a rib fracture for likelier than a fracture, and two findings that exclude each other for likely."""
    return fresh_model({CHILD: 3.0, PARENT: -3.0, "cardiomegaly": 0.0, "hyperinflation": 3.0, "low-lung-volumes": 3.0})


def example_of(model: LoadedModel, text: str = TEXT) -> Example:
    recipe = model.card.recipe
    sentences = sentences_of([text], input_sections=recipe.note.input_sections)
    mentions = mentions_of([text], sentences, recipe=recipe)
    return Example("s", "p", None, sentences, (Value("age", 60.0),), mentions=mentions)


def said(model: LoadedModel, example: Example) -> tuple[Prediction, dict[str, float]]:
    [prediction] = predict(model, [example], device=torch.device("cpu"))
    return prediction, {score.finding: score.probability for score in prediction.scores}


def test_a_finding_is_never_likelier_than_what_it_entails(model):
    read = read_cases(model, [example_of(model)])
    assert read.before[0, 0] > read.before[0, 1] + 0.5
    _, scores = said(model, example_of(model))
    # The nearest coherent pair, by hand: both take their mean.
    assert scores[CHILD] == pytest.approx(scores[PARENT]) == pytest.approx(read.before[0, :2].mean())
    assert scores["cardiomegaly"] == pytest.approx(read.before[0, 2])


def test_scores_that_were_made_coherent_say_so_and_what_they_were(model):
    prediction, scores = said(model, example_of(model))
    assert Remark.INCOHERENT_SCORES in prediction.remarks
    [line] = [line for line in prediction.history if line.startswith("coherence: ")]
    assert f"to {scores[CHILD]:.2f}" in line
    assert "cardiomegaly" not in line


def test_findings_that_exclude_each_other_are_flagged_and_left_as_they_are(model):
    prediction, scores = said(model, example_of(model))
    assert Remark.CONTRADICTORY_SCORES in prediction.remarks
    assert any("hyperinflation and low-lung-volumes exclude each other" in line for line in prediction.history)
    assert scores["hyperinflation"] + scores["low-lung-volumes"] > 1.5


def test_coherent_scores_say_nothing(fresh_model):
    prediction, _ = said(other := fresh_model({CHILD: -3.0, PARENT: 3.0}), example_of(other))
    assert not {Remark.INCOHERENT_SCORES, Remark.CONTRADICTORY_SCORES} & set(prediction.remarks)
    assert not [line for line in prediction.history if line.startswith(("coherence", "contradiction"))]


def test_a_model_keeps_the_rules_that_it_was_trained_under(model, monkeypatch):
    monkeypatch.setattr("data_schemas.finding.findings", dict)
    _, scores = said(model, example_of(model))
    assert scores[CHILD] == pytest.approx(scores[PARENT])


def test_the_table_of_mlflow_gives_the_scores_of_a_diagnosis(model):
    table = pd.DataFrame([{"scan": "", "note": TEXT, "age": 60.0}])
    _, scores = said(model, example_of(model))
    assert read_table(model, table).iloc[0].to_dict() == pytest.approx(scores, abs=1e-6)


def test_a_concept_is_named_with_what_is_said_of_it_and_its_sentence(model):
    prediction, _ = said(model, example_of(model))
    sources = {item.source for item in prediction.scores[0].evidence if item.modality == "concept"}
    assert sources == {"0/0/0#rib-fracture/present/left", "0/0/2#pneumothorax/negated"}


def test_mentions_of_one_thing_in_one_sentence_are_one_piece_of_evidence(model):
    example = example_of(model)
    read = read_cases(model, [example])
    prediction, _ = said(model, example)
    [twice] = [item for item in prediction.scores[0].evidence if item.source == "0/0/2#pneumothorax/negated"]
    assert twice.weight == pytest.approx(float(read.reading.attention["concept"][0, 0, 1:3].sum()), abs=1e-6)


def test_the_weights_of_the_evidence_are_shares(model):
    prediction, _ = said(model, example_of(model))
    total = sum(item.weight for item in prediction.scores[0].evidence)
    assert 0.5 < total <= 1.0 + 1e-6


def test_mentions_that_were_not_read_are_said_and_never_evidence(model):
    recipe = model.card.recipe
    few = recipe.model_copy(update={"concept": recipe.concept.model_copy(update={"at_most": 1})})
    other = dataclasses.replace(model, card=model.card.model_copy(update={"recipe": few}))
    prediction, _ = said(other, example_of(model))
    assert Remark.NOTE_TRUNCATED in prediction.remarks
    assert "concepts: the first 2 mentions were not read" in prediction.history
    concepts = [item.source for item in prediction.scores[0].evidence if item.modality == "concept"]
    assert concepts == ["0/0/2#pneumothorax/negated"]


def test_text_that_was_not_read_is_said(model):
    recipe = model.card.recipe
    short = recipe.model_copy(
        update={"note": recipe.note.model_copy(update={"window": 16, "stride": 2, "windows_at_most": 1})}
    )
    other = dataclasses.replace(model, card=model.card.model_copy(update={"recipe": short}))
    prediction, _ = said(other, example_of(model))
    assert Remark.NOTE_TRUNCATED in prediction.remarks
    assert any("sub-words of the record were not read" in line for line in prediction.history)


def test_a_model_without_a_scan_in_its_recipe_neither_misses_one_nor_points_at_one(model):
    prediction, _ = said(model, example_of(model))
    assert Remark.SCAN_MISSING not in prediction.remarks
    assert not [item for score in prediction.scores for item in score.evidence if item.modality == "scan"]


def test_an_empty_case_is_read(model):
    empty = Example("s", "p", None, (), ())
    prediction, _ = said(model, empty)
    assert {Remark.NO_NOTE, Remark.NO_OBSERVATION} <= set(prediction.remarks)
    assert prediction.scores[0].evidence == ()


def test_evidence_of_a_concept_reads_back_from_the_ledger():
    item = Evidence(modality="concept", source="0/0/1#cardiomegaly/negated", weight=0.2)
    assert Evidence.model_validate_json(item.model_dump_json()) == item
