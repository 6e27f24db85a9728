"""Cross-validation and the test of finished models: real training runs on synthetic patients."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from data_schemas.errors import InputError, LeakageError
from data_schemas.recipes import FusionRecipe, ModelRecipe
from pipelines.cases.examples import Example
from pipelines.models.artefact import LoadedModel
from pipelines.models.weights import load_note_model
from pipelines.training.evaluate.cross import check_folds, cross_validate
from pipelines.training.evaluate.curves import SHARES
from pipelines.training.evaluate.evaluation import Evaluation
from pipelines.training.evaluate.held_out import evaluate_models, reader
from pipelines.training.report import FUSION, LATE, NOTE, OBSERVATION, SCAN, SELECTED
from pipelines.training.run import train
from pipelines.training.trained import Trained
from pipelines.workspace.cache import ArrayCache


@pytest.fixture(scope="module")
def quick(recipe: ModelRecipe) -> ModelRecipe:
    return recipe.model_copy(
        update={
            "findings": ("pleural-effusion", "heart-failure"),
            "training": recipe.training.model_copy(update={"scan_epochs": 1, "epochs": 1}),
        }
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> ArrayCache:
    return ArrayCache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module", autouse=True)
def one_note_encoder():
    """Loaded once: every run reads the same one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.training.run.load_note_model", functools.cache(load_note_model))
        yield


@pytest.fixture(scope="module")
def few(examples: tuple[Example, ...]) -> tuple[Example, ...]:
    """As many as two folds can train on."""
    return examples[:50]


@pytest.fixture(scope="module")
def crossed(quick: ModelRecipe, few: tuple[Example, ...], cache: ArrayCache) -> Evaluation:
    return cross_validate(few, recipe=quick, folds=2, draws=20, curves=False, cache=cache)


def test_every_labelled_case_is_tested_once_by_every_arm(crossed: Evaluation, few: tuple[Example, ...]) -> None:
    for finding in crossed.findings:
        for arm in (SCAN, NOTE, OBSERVATION, LATE, FUSION):
            row = crossed.of(finding, arm)
            assert row is not None
            assert row.cases == len(few)
            assert row.positives == sum(example.labels[finding] for example in few)
    assert crossed.about["folds"] == "2"


def test_cross_attention_is_compared_with_every_other_arm(crossed: Evaluation) -> None:
    others = {row.other for row in crossed.differences}
    assert others == {SCAN, NOTE, OBSERVATION, LATE}
    assert {row.arm for row in crossed.differences} == {FUSION}


def test_nothing_of_a_fold_is_left_on_the_disk(crossed: Evaluation, cache: ArrayCache) -> None:
    assert not list(cache.root.glob("fold-*"))


def test_the_model_of_a_fold_never_saw_its_test_patients(
    quick: ModelRecipe, examples: tuple[Example, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, set[str]]] = []

    class StoppedError(Exception):
        pass

    def noted(rows: Sequence[Example], **_: object) -> Trained:
        seen.append(
            {
                split: {row.patient_key for row in rows if row.split == split}
                for split in ("train", "validation", "test")
            }
        )
        raise StoppedError

    monkeypatch.setattr("pipelines.training.evaluate.cross.train", noted)
    again = [dataclasses.replace(row, study_key=f"{row.study_key}-again") for row in examples[:20]]
    with pytest.raises(StoppedError):
        cross_validate([*examples, *again], recipe=quick, folds=4, draws=20)
    [parts] = seen
    assert not parts["test"] & (parts["train"] | parts["validation"])
    assert not parts["train"] & parts["validation"]
    assert set().union(*parts.values()) == {row.patient_key for row in examples}


def test_a_linear_recipe_is_fitted_on_nobody_whom_its_fold_tests(
    quick: ModelRecipe, few: tuple[Example, ...], cache: ArrayCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left to itself it would cross-validate over all cases, and fit on all of them."""
    made: list[tuple[set[str], set[str]]] = []

    def noted(rows: Sequence[Example], **how: Any) -> Trained:
        found = train(rows, **how)
        made.append(({row.study_key for row in rows if row.split == "test"}, set(found.test_keys)))
        return found

    monkeypatch.setattr("pipelines.training.evaluate.cross.train", noted)
    linear = quick.model_copy(
        update={"fusion": FusionRecipe(kind="linear"), "modalities": ("radiomics", "note", "observation")}
    )
    found = cross_validate(few, recipe=linear, folds=2, draws=20, curves=False, cache=cache)
    assert found.main == SELECTED
    assert all(tested == measured for tested, measured in made)


@pytest.mark.slow
def test_repeats_are_shown_apart_and_curves_are_those_of_the_first(
    quick: ModelRecipe, few: tuple[Example, ...], cache: ArrayCache
) -> None:
    found = cross_validate(few, recipe=quick, folds=2, repeats=2, draws=20, cache=cache)
    repeats = [row for row in found.rows if row.group == "repeat" and row.finding == "heart-failure"]
    assert [row.level for row in repeats] == ["1", "2"]
    assert {row.cases for row in repeats} == {len(few)}
    missing = [row for row in found.curves if (row.finding, row.curve) == ("heart-failure", "missing note")]
    assert [row.level for row in missing] == list(SHARES)
    assert missing[0].auroc.value == pytest.approx(repeats[0].auroc.value, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"folds": 1}, "2 folds or more"),
        ({"repeats": 0}, "1 repeat or more"),
        ({"folds": 200}, "104 labelled patients for 200 folds"),
    ],
)
def test_folds_out_of_range_are_one_line(quick, examples, changes, message):
    with pytest.raises(InputError, match=message) as told:
        check_folds(examples, quick, **{"folds": 5, "repeats": 1} | changes)
    assert "\n" not in str(told.value)


def test_ten_patients_are_too_few_and_the_line_says_how_many_it_takes(quick, examples):
    with pytest.raises(InputError, match=r"10 labelled cases of 10 patients: each of 5 folds .* needs at least 20"):
        check_folds(examples[:10], quick, folds=5, repeats=1)


def test_a_cohort_of_one_class_is_one_line(quick, examples):
    rows = [dataclasses.replace(row, labels=dict.fromkeys(quick.findings, 0)) for row in examples]
    with pytest.raises(InputError, match="no finding has patients with and without it for each of 5 folds"):
        check_folds(rows, quick, folds=5, repeats=1)


@pytest.mark.parametrize(("positives", "told"), [(0, "no patient with it"), (4, "fewer patients with it than folds")])
def test_a_finding_that_lacks_a_class_in_a_fold_is_left_out_and_said(quick, examples, positives, told):
    rows = [
        dataclasses.replace(row, labels={**row.labels, "heart-failure": int(number < positives)})
        for number, row in enumerate(examples)
    ]
    recipe, [notice] = check_folds(rows, quick, folds=5, repeats=1)
    assert recipe.findings == ("pleural-effusion",)
    assert notice.startswith(f"finding heart-failure is left out: {told}")


def test_given_scan_weights_are_warned_of(quick, examples):
    given = quick.model_copy(update={"scan": quick.scan.model_copy(update={"weights": "somewhere.safetensors"})})
    _, [notice] = check_folds(examples, given, folds=5, repeats=1)
    assert "must not come from these patients" in notice


def test_a_leak_stops_the_cross_validation(quick, examples, cache):
    leaking = [dataclasses.replace(row, sentences=examples[0].sentences * 9) for row in examples[:2]]
    with pytest.raises(LeakageError):
        cross_validate([*leaking, *examples[2:]], recipe=quick, folds=2, draws=20, curves=False, cache=cache)


def of_test_split(examples: Sequence[Example]) -> list[Example]:
    return [row for row in examples if row.split == "test"]


@pytest.fixture(scope="module")
def held_out(loaded: LoadedModel, examples: tuple[Example, ...], cache: ArrayCache) -> Evaluation:
    rows = of_test_split(examples)
    models = {"version 2": loaded, "version 1": loaded}
    return evaluate_models(
        models, dict.fromkeys(models, rows), kind="held-out test", draws=20, curves=False, cache=cache
    )


def test_a_registered_model_scores_what_training_reported(held_out: Evaluation, trained: Trained) -> None:
    for report in trained.reports:
        row = held_out.of(report.finding)
        assert row is not None
        assert row.auroc.value == pytest.approx(report.auroc[FUSION].value, abs=1e-6)


def test_a_model_does_not_differ_from_itself(held_out: Evaluation) -> None:
    assert {(row.arm, row.other) for row in held_out.differences} == {("version 2", "version 1")}
    assert all((row.difference.value, row.p_holm) == (0.0, 1.0) for row in held_out.differences)


def test_without_a_case_to_test_on_there_is_one_line(loaded: LoadedModel) -> None:
    with pytest.raises(InputError, match="no labelled case to test on"):
        evaluate_models({"a": loaded}, {"a": []}, kind="external test")


def test_models_without_a_finding_in_common_are_not_compared(loaded: LoadedModel, examples) -> None:
    card = loaded.card.model_copy(
        update={"recipe": loaded.card.recipe.model_copy(update={"findings": ("pulmonary-mass",)})}
    )
    models = {"a": loaded, "b": dataclasses.replace(loaded, card=card)}
    with pytest.raises(InputError, match="no finding in common"):
        evaluate_models(models, dict.fromkeys(models, of_test_split(examples)), kind="external test")


def test_a_cohort_without_notes_is_measured_and_says_which_curves_it_lacks(
    loaded: LoadedModel, examples, cache, monkeypatch
):
    for name in ("NOISE", "DROPPED"):
        monkeypatch.setattr(f"pipelines.training.evaluate.curves.{name}", (0.5,))
    rows = [dataclasses.replace(row, sentences=(), mentions=()) for row in of_test_split(examples)]
    found = evaluate_models({"a": loaded}, {"a": rows}, kind="external test", draws=20, cache=cache)
    [line] = [notice for notice in found.notices if notice.startswith("left out")]
    assert line.endswith("another patient's note, missing note, typing errors a letter")
    assert {row.curve for row in found.curves} == {
        "missing scan",
        "missing observations",
        "image noise (SD)",
        "dropped slices",
    }


def test_a_reader_gives_the_findings_in_the_order_asked_for_and_nan_for_unknown_ones(loaded, examples, cache):
    rows = of_test_split(examples)[:4]
    first, second = loaded.card.recipe.findings[:2]
    whole = reader(loaded, (first, second), cache=cache)(rows)
    turned = reader(loaded, (second, "unheard-of", first), cache=cache)(rows)
    assert np.array_equal(turned[:, [2, 0]], whole)
    assert np.isnan(turned[:, 1]).all()
    assert reader(loaded, (first,))([]).shape == (0, 1)
