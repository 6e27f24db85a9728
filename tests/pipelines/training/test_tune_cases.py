"""A whole tuning on synthetic patients: nothing of those who are tested reaches the search that they measure."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_schemas.errors import InputError, LeakageError, ModelError, SettingsError
from data_schemas.recipes import ModelRecipe
from pipelines.cases.examples import Example
from pipelines.models.build import build_scan_encoder
from pipelines.models.weights import load_note_model, weights_bytes
from pipelines.training.fitting import fit_scan_encoder
from pipelines.training.metrics import auroc
from pipelines.training.tune.cases import Tuned, tune_cases
from pipelines.training.tune.nested import LATE_TUNED, LATE_UNTUNED, TUNED, UNTUNED, Clock
from pipelines.workspace.cache import ArrayCache


@pytest.fixture(scope="module")
def quick(recipe: ModelRecipe) -> ModelRecipe:
    """Without notes, whose encoder takes the most time here."""
    training = recipe.training.model_copy(update={"scan_epochs": 1, "epochs": 1})
    findings = ("pleural-effusion", "heart-failure")
    return recipe.model_copy(update={"findings": findings, "modalities": ("scan", "observation"), "training": training})


@pytest.fixture(scope="module", autouse=True)
def one_note_encoder():
    """Loaded once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.training.tune.cases.load_note_model", functools.cache(load_note_model))
        yield


@pytest.fixture(scope="module")
def few(examples: tuple[Example, ...]) -> tuple[Example, ...]:
    """As many as two folds can train on, and some of the test split."""
    used = [row for row in examples if row.split != "test"][:56]
    return (*used, *[row for row in examples if row.split == "test"][:8])


Fits = list[tuple[set[str], set[str]]]


@pytest.fixture(scope="module")
def tuned(
    few: tuple[Example, ...], quick: ModelRecipe, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Tuned, Fits, dict[str, Any]]:
    """A tuning, the patients that each scan encoder was fitted and validated on, and how it was asked for."""
    fits: Fits = []

    def noted(encoder: Any, train: Sequence[Example], validation: Sequence[Example], **how: Any) -> Any:
        fits.append(({row.patient_key for row in train}, {row.patient_key for row in validation}))
        return fit_scan_encoder(encoder, train, validation, **how)

    root = tmp_path_factory.mktemp("tuning")
    how: dict[str, Any] = {"trials": 3, "folds": 2, "draws": 20, "store": root, "cache": ArrayCache(root / "cache")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.training.tune.material.fit_scan_encoder", noted)
        return tune_cases(few, recipe=quick, **how), fits, how


def test_every_case_but_those_of_the_test_split_is_measured_once_by_every_arm(tuned, few) -> None:
    done, _, _ = tuned
    used = [row for row in few if row.split != "test"]
    for finding in done.evaluation.findings:
        for arm in (TUNED, UNTUNED, LATE_UNTUNED, LATE_TUNED):
            row = done.evaluation.of(finding, arm)
            assert row.cases == len(used)
            assert row.positives == sum(example.labels[finding] for example in used)
    assert {row.other for row in done.evaluation.differences} == {UNTUNED, LATE_UNTUNED, LATE_TUNED}


def test_no_scan_encoder_saw_the_patients_whom_its_fold_tests_nor_the_test_split(tuned, few) -> None:
    _, fits, _ = tuned
    used = {row.patient_key for row in few if row.split != "test"}
    *folds, last = fits
    tested = [used - train - validation for train, validation in folds]
    assert set().union(*tested) == used  # each is tested in one fold ...
    assert not tested[0] & tested[1]  # ... and in no other
    assert not any(train & validation for train, validation in fits)
    assert last == tuple({row.patient_key for row in few if row.split == name} for name in ("train", "validation"))


def test_each_search_begins_with_late_fusion_and_has_it_among_its_finalists(tuned) -> None:
    done, _, _ = tuned
    assert [search.name for search in done.searches] == ["fold 1", "fold 2", "all"]
    for search in done.searches:
        assert search.trials[0].parameters["fusion.kind"] == "late"
        assert "late" in {search.trial(row.trial).parameters["fusion.kind"] for row in search.finalists}
    assert done.recipe.fusion.kind == done.values["fusion.kind"]
    assert done.inner == pytest.approx(np.mean([search.best.auroc for search in done.searches[:-1]]))
    assert done.reported == pytest.approx(
        np.mean([done.evaluation.of(name).auroc.value for name in done.evaluation.findings])
    )


@pytest.mark.slow
def test_a_second_run_repeats_no_trial_and_the_test_split_changes_nothing(tuned, few, quick, monkeypatch) -> None:
    done, _, how = tuned
    turned = [
        dataclasses.replace(row, labels={name: 1 - value for name, value in row.labels.items()})
        if row.split == "test"
        else row
        for row in few
    ]
    memory: dict[str, Any] = {**how, "store": None}
    again = tune_cases(turned, recipe=quick, **memory)
    assert again.searches == done.searches
    assert again.evaluation.rows == done.evaluation.rows
    monkeypatch.setattr("pipelines.training.tune.search._try", lambda *_, **__: pytest.fail("a trial was repeated"))
    assert tune_cases(few, recipe=quick, **how).searches == done.searches


def test_the_mean_auroc_of_a_trial_is_that_of_the_validation_cases() -> None:
    """0.75 and 1.0 by hand; a finding of one class counts in none."""
    import torch

    from pipelines.training.tune.search import mean_auroc

    class Cut:
        validation = None
        validation_labels = torch.tensor([[0.0, 0, 1], [1, 0, 1], [0, 1, 1], [1, torch.nan, torch.nan]])

    logits = torch.tensor([[0.1, 0, 0], [0.2, 1, 0], [0.3, 2, 0], [0.4, 3, 0]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.training.tune.search.predict_logits", lambda *_: logits)
        assert mean_auroc(None, Cut()) == pytest.approx((0.75 + 1.0) / 2)  # type: ignore[arg-type]
    assert auroc(logits[:, 0].numpy(), Cut.validation_labels[:, 0].numpy(), np.ones((1, 4)))[0] == 0.75


def test_the_time_that_is_left_is_shared_among_the_searches_to_come(monkeypatch) -> None:
    monkeypatch.setattr("pipelines.training.tune.nested.time.monotonic", lambda: 100.0)
    assert Clock(160.0).share(3) == 20.0
    assert Clock(90.0).share(1) == 0.0
    assert Clock(None).share(2) is None


class BegunError(Exception):
    """What ends a tuning where a test has seen enough."""


def test_a_scan_encoder_with_given_weights_is_fitted_as_train_fits_it(few, quick, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "body.safetensors"
    path.write_bytes(weights_bytes(build_scan_encoder(quick, signs=1).body))
    given = quick.model_copy(update={"scan": quick.scan.model_copy(update={"weights": str(path)})})
    seen: list[str] = []

    def noted(name: str, *_: Any, **__: Any) -> None:
        seen.append(name)
        raise BegunError

    for name in ("fit_sign_head", "fit"):
        monkeypatch.setattr(f"pipelines.training.fitting.{name}", partial(noted, name))
    for recipe in (given, quick):
        with pytest.raises(BegunError):
            tune_cases(few, recipe=recipe, trials=2, folds=2)
    assert seen == ["fit_sign_head", "fit"]


def test_cases_of_other_patients_have_trials_of_their_own(few, quick, tmp_path: Path, monkeypatch) -> None:
    """The same cases, two of which were found to be one patient's: the folds are others, and so are their trials."""
    stores: list[Path] = []

    def noted(path: Path) -> None:
        stores.append(path)
        raise BegunError

    monkeypatch.setattr("pipelines.training.tune.cases.open_storage", noted)
    one, other = [row for row in few if row.split == "train"][:2]
    merged = [dataclasses.replace(row, patient_key=one.patient_key) if row is other else row for row in few]
    for rows in (few, few[::-1], merged):
        with pytest.raises(BegunError):
            tune_cases(rows, recipe=quick, folds=2, store=tmp_path)
    assert stores[0] == stores[1]
    assert stores[0] != stores[2]


@pytest.mark.parametrize(
    ("how", "error", "complaint"),
    [
        ({"trials": 0}, InputError, "0 trials: a search needs 2 or more"),
        ({"folds": 1}, InputError, "1 outer folds: nested cross-validation needs 2 or more"),
        ({"folds": 40}, InputError, "fewer patients|each of 40 folds|no finding has patients"),
        ({"minutes": 0.0}, InputError, "must be more than 0"),
        ({"draws": 1}, InputError, "1 bootstrap samples"),
        ({"seed": -1}, InputError, "the seed -1: it must be 0 or more"),
        ({"only": ("training.loss",)}, SettingsError, "'training.loss' cannot be tuned"),
        ({"encoders": ("resnet99",)}, SettingsError, "the scan encoder 'resnet99' cannot be in the race"),
        ({"encoders": ("densenet121",)}, SettingsError, "model.scan"),
    ],
)
def test_what_cannot_be_done_is_one_line_before_the_first_fit(few, quick, how, error, complaint, monkeypatch) -> None:
    monkeypatch.setattr("pipelines.training.tune.cases.nested", lambda *_, **__: pytest.fail("it was begun"))
    with pytest.raises(error, match=complaint) as told:
        tune_cases(few, recipe=quick, **how)
    assert "\n" not in str(told.value)


def test_cases_that_cannot_be_tuned_on_are_one_line(few, quick, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("pipelines.training.tune.cases.nested", lambda *_, **__: pytest.fail("it was begun"))
    with pytest.raises(InputError, match="training needs at least 20"):
        tune_cases((), recipe=quick, folds=2)
    tested = [row for row in few if row.split == "test"]
    train = [dataclasses.replace(row, split="train") for row in few[:21]]
    held = [dataclasses.replace(row, split="validation") for row in few[21:23]]
    with pytest.raises(InputError, match="each of 2 folds would train on about"):
        tune_cases([*train, *held, *tested], recipe=quick, folds=2)
    lost = quick.scan.model_copy(update={"weights": str(tmp_path / "gone.safetensors")})
    with pytest.raises(ModelError, match="cannot be read as safetensors"):
        tune_cases(few, recipe=quick.model_copy(update={"scan": lost}), folds=2)
    leaking = [dataclasses.replace(row, sentences=few[0].sentences * 9) for row in few[:2]]
    with pytest.raises(LeakageError):
        tune_cases([*leaking, *few[2:]], recipe=quick, folds=2)
