"""Targets in a training run: learned, measured, kept in the card, and told of a case."""

from __future__ import annotations

import dataclasses
import functools
import logging
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from data_schemas.errors import InputError, SettingsError
from data_schemas.recipes import FusionRecipe, ModelRecipe, TrainingRecipe
from data_schemas.target import TargetRecipe
from pipelines.cases.examples import Example, Value
from pipelines.diagnosis.predict import predict
from pipelines.models.artefact import load_model
from pipelines.models.weights import load_note_model
from pipelines.training.cohort import digest_example
from pipelines.training.evaluate.cross import check_folds
from pipelines.training.evaluate.held_out import evaluate_models
from pipelines.training.report import LATE, OBSERVATION
from pipelines.training.run import train
from pipelines.training.targets import fit_targets, scaled_targets, with_learnable_targets
from pipelines.training.trained import Trained

TARGETS = {
    "severity": TargetRecipe(kind="ordinal", levels=4),
    "fev1": TargetRecipe(kind="regression", unit="L"),
}
RECIPE = ModelRecipe(
    findings=("pneumonia",),
    targets=TARGETS,
    modalities=("observation",),
    observation_codes=("age", "weight"),
    fusion=FusionRecipe(kind="concatenation", width=16, heads=2, layers=1, dropout=0.0),
    training=TrainingRecipe(epochs=10, patience=10, batch_size=16, learning_rate=0.01, bootstrap=50),
)


def cohort(counts: tuple[int, int, int] = (160, 60, 60), *, unknown: float = 0.3) -> list[Example]:
    """Severity grows with age, in steps; lung volume with weight; a third of their values is unknown."""
    random = np.random.default_rng(0)
    rows = []
    for split, count in zip(("train", "validation", "test"), counts, strict=True):
        for number in range(count):
            age, weight = random.uniform(20, 90), random.uniform(50, 100)
            targets = {
                "severity": float(np.clip((age + random.normal(0, 3) - 20) // 17.5, 0, 3)),
                "fev1": 0.04 * weight + random.normal(0, 0.1),
            }
            key = f"{split}-{number}"
            rows.append(
                Example(
                    key,
                    key,
                    None,
                    (),
                    (Value("age", age), Value("weight", weight)),
                    labels={"pneumonia": int(random.random() < (0.8 if age > 60 else 0.2))},
                    split=split,  # type: ignore[arg-type]
                    targets={name: value for name, value in targets.items() if random.random() > unknown},
                )
            )
    return rows


def split(rows: Sequence[Example], name: str) -> list[Example]:
    return sorted((row for row in rows if row.split == name), key=digest_example)


@pytest.fixture(scope="module", autouse=True)
def one_note_encoder():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.training.run.load_note_model", functools.cache(load_note_model))
        yield


@pytest.fixture(scope="module")
def rows() -> list[Example]:
    return cohort()


@pytest.fixture(scope="module")
def trained(rows, tmp_path_factory) -> Trained:
    return train(rows, recipe=RECIPE, folder=tmp_path_factory.mktemp("targets") / "model")


def test_grades_and_measurements_that_can_be_learned_are(trained):
    severity, fev1 = trained.targets
    assert list(severity.measures) == [OBSERVATION, LATE, "concatenation"]
    assert severity.measures["concatenation"]["kappa"].low > 0.7
    assert severity.measures["concatenation"]["mae"].high < 0.5
    assert fev1.measures["concatenation"]["r2"].low > 0.7
    assert fev1.measures["concatenation"]["pearson"].low > 0.85
    assert fev1.measures["concatenation"]["mae"].value < 0.3
    assert fev1.covered.value > 0.75
    assert trained.reports[0].auroc["concatenation"].value > 0.7
    assert 20 < severity.cases < 60  # what is unknown is not measured


def test_the_card_holds_what_the_estimates_need(trained, rows):
    severity, fev1 = trained.card.targets
    known = [row.targets["fev1"] for row in split(rows, "train") if "fev1" in row.targets]
    assert (severity.levels, severity.mean, severity.deviation, severity.margin) == (4, 0.0, 1.0, None)
    assert (fev1.unit, fev1.coverage) == ("L", 0.9)
    assert (fev1.mean, fev1.deviation) == pytest.approx((np.mean(known), np.std(known)))
    assert fev1.margin is not None
    assert 0.05 < fev1.margin < 1.0


def test_a_case_is_told_levels_with_probabilities_and_a_value_with_its_interval(trained, rows):
    model = load_model(trained.folder, expected_digest=trained.digest)
    test = split(rows, "test")
    told = predict(model, test, device=torch.device("cpu"))
    errors, right = [], []
    for row, prediction in zip(test, told, strict=True):
        severity, fev1 = prediction.estimates
        assert sum(severity.probabilities) == pytest.approx(1.0)
        assert len(severity.probabilities) == 4
        assert fev1.unit == "L"
        assert (fev1.value - fev1.low, fev1.high - fev1.value) == pytest.approx([trained.card.targets[1].margin] * 2)
        errors += [abs(fev1.value - row.targets["fev1"])] if "fev1" in row.targets else []
        right += [abs(severity.level - row.targets["severity"])] if "severity" in row.targets else []
    # What was reported is what the loaded model says.
    assert np.mean(errors) == pytest.approx(trained.targets[1].measures["concatenation"]["mae"].value, abs=1e-5)
    assert np.mean(right) == pytest.approx(trained.targets[0].measures["concatenation"]["mae"].value)
    [alone] = predict(model, test[:1], device=torch.device("cpu"))
    assert alone.estimates[0].probabilities == pytest.approx(told[0].estimates[0].probabilities, abs=1e-5)


def test_evaluation_measures_the_findings_and_says_that_it_leaves_the_targets(trained, rows):
    model = load_model(trained.folder)
    done = evaluate_models({"one": model}, {"one": split(rows, "test")}, kind="held-out test", draws=10, curves=False)
    assert [line for line in done.notices if line.startswith("not measured here: fev1, severity")]
    assert check_folds(rows, RECIPE, folds=3, repeats=1)[1][-1].startswith("not measured here: fev1, severity")


def test_a_target_that_cannot_be_learned_is_left_out_aloud(rows, caplog):
    parts = {name: split(rows, name) for name in ("train", "validation", "test")}
    parts["train"] = [dataclasses.replace(row, targets={"severity": 1.0}) for row in parts["train"]]
    parts["test"] = [dataclasses.replace(row, targets={}) for row in parts["test"]]
    with caplog.at_level(logging.WARNING):
        assert with_learnable_targets(parts, RECIPE).targets == {}
    assert [line.split(":")[0] for line in caplog.messages] == [
        "target severity is left out",
        "target fev1 is left out",
    ]
    parts["train"] = split(rows, "train")
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert set(with_learnable_targets(parts, RECIPE).targets) == set(TARGETS)
    assert len(caplog.messages) == 2
    assert all("no value among the test cases" in line for line in caplog.messages)


def test_measurements_that_differ_by_almost_nothing_are_left_out_and_endless_ones_stop_the_run(rows) -> None:
    """Neither has a standard deviation to divide by."""

    def of(value: float) -> dict[str, list[Example]]:
        train = [dataclasses.replace(row, targets={"fev1": 0.0}) for row in split(rows, "train")]
        train[0] = dataclasses.replace(train[0], targets={"fev1": value})
        return {"train": train, "validation": split(rows, "validation"), "test": split(rows, "test")}

    recipe = RECIPE.model_copy(update={"targets": {"fev1": TARGETS["fev1"]}})
    assert with_learnable_targets(of(1e-320), recipe).targets == {}
    assert set(with_learnable_targets(of(0.1), recipe).targets) == {"fev1"}
    with pytest.raises(InputError, match=r"target fev1: the values of 1 labelled cases are not numbers up to 1e\+12"):
        with_learnable_targets(of(1e300), recipe)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"targets": {"severity": TargetRecipe(kind="ordinal", levels=3)}}, "not whole numbers from 0 to 2"),
        ({"observation_codes": ("age", "severity")}, "would read its own answer"),
    ],
)
def test_what_contradicts_the_settings_stops_the_run(rows, change, told):
    parts = {name: split(rows, name) for name in ("train", "validation", "test")}
    with pytest.raises(InputError, match=told) as caught:
        with_learnable_targets(parts, RECIPE.model_copy(update=change))
    assert "train-" not in str(caught.value)


def test_a_planned_linear_fusion_is_refused_with_targets(rows, tmp_path):
    linear = RECIPE.model_copy(update={"fusion": RECIPE.fusion.model_copy(update={"kind": "linear"})})
    with pytest.raises(SettingsError, match="linear fusion of small cohorts has no heads"):
        train(rows, recipe=linear, folder=tmp_path / "model")


def test_measurements_are_standardised_on_the_training_split(rows):
    fitted = fit_targets(split(rows, "train"), TARGETS)
    scaled = scaled_targets(split(rows, "train"), fitted)
    known = scaled[:, 1][~scaled[:, 1].isnan()]
    assert (float(known.mean()), float(known.std(correction=0))) == pytest.approx((0.0, 1.0), abs=1e-5)
    assert set(scaled[:, 0][~scaled[:, 0].isnan()].tolist()) == {0.0, 1.0, 2.0, 3.0}


def test_only_cases_with_targets_have_another_digest(rows):
    plain = dataclasses.replace(rows[0], targets={})
    other = dataclasses.replace(rows[0], targets={"severity": 2.0})
    assert (
        len({digest_example(row) for row in (plain, other, dataclasses.replace(other, targets={"severity": 3.0}))}) == 3
    )
