"""A light model's own calibration: what rounding moved is moved back, and no more."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
import torch
from scipy.special import expit

from pipelines.models.artefact import LoadedModel
from pipelines.models.compile.match import LEAST_SLOPE, PENALTY, match_logits, own_calibration, with_calibration
from pipelines.models.reading import read_cases
from pipelines.training.light.parity import compare
from pipelines.workspace.cache import ArrayCache


def shifted(model: LoadedModel, by: float) -> LoadedModel:
    case_model = copy.deepcopy(model.case_model)
    with torch.no_grad():
        case_model.diagnoser.bias += by
    return dataclasses.replace(model, case_model=case_model)


@pytest.fixture
def logits() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 2, (4000, 1))


def test_a_stretch_and_a_shift_are_found(logits) -> None:
    [(slope, intercept)] = match_logits((logits + 0.4) / 1.5, logits)
    assert slope == pytest.approx(1.5, abs=0.01)
    assert intercept == pytest.approx(-0.4, abs=0.01)


def test_equal_logits_are_left_as_they_are(logits) -> None:
    assert match_logits(logits, logits) == [(pytest.approx(1.0), pytest.approx(0.0))]


def test_one_case_changes_little_by_the_penalty() -> None:
    """At logit 0 the slope is free of the data; the intercept solves sigmoid(b) - target + penalty · b = 0."""
    [(slope, intercept)] = match_logits(np.zeros((1, 1)), np.full((1, 1), 2.0))
    assert slope == pytest.approx(1.0)
    assert expit(intercept) - expit(2.0) + PENALTY * intercept == pytest.approx(0.0, abs=1e-5)
    assert 0 < intercept < 2


def test_the_order_of_the_cases_is_never_turned(logits) -> None:
    assert match_logits(-logits, logits)[0][0] == LEAST_SLOPE


def test_findings_are_matched_apart_and_one_that_is_no_number_is_left(logits) -> None:
    light = np.hstack([logits + 1, np.full_like(logits, np.nan), logits - 1])
    first, broken, last = match_logits(light, np.hstack([logits] * 3))
    assert broken == (1.0, 0.0)
    assert first[1] == pytest.approx(-last[1], abs=0.02)


def test_what_failed_by_its_brier_score_passes_with_a_calibration_from_other_cases() -> None:
    random = np.random.default_rng(1)
    labels = (random.random((800, 1)) < 0.4).astype(float)
    reference = 2 * labels - 1 + random.standard_normal(labels.shape)
    light = 0.8 * reference + 0.9 + 0.05 * random.standard_normal(labels.shape)
    [(slope, intercept)] = match_logits(light[:200], reference[:200])
    patients = [str(number) for number in range(600)]
    before, after = (
        compare(expit(reference[200:]), expit(rows[200:]), labels[200:], patients, ["f"], exact=False, draws=200)
        for rows in (light, slope * light + intercept)
    )
    assert "Brier score" in before.failed[0]
    assert after.passed


def test_logits_move_and_the_evidence_does_not(loaded, examples) -> None:
    names = loaded.card.recipe.findings
    moved = with_calibration(loaded, {names[0]: (2.0, 0.5)})
    one, other = (read_cases(model, examples[:5]).reading for model in (loaded, moved))
    torch.testing.assert_close(other.logits[:, 0], 2 * one.logits[:, 0] + 0.5)
    torch.testing.assert_close(other.logits[:, 1:], one.logits[:, 1:])
    for name, share in one.attention.items():
        assert torch.equal(other.attention[name], share)


def test_without_a_calibration_the_model_is_the_same_object(loaded) -> None:
    assert with_calibration(loaded, {}) is loaded


def test_a_shift_of_a_whole_model_is_undone_on_cases_that_were_not_fitted_on(loaded, examples, tmp_path) -> None:
    light, cache = shifted(loaded, 0.8), ArrayCache(tmp_path)
    calibration, cases = own_calibration(loaded, light, examples[:24], cache=cache)
    assert cases == 24
    one, before, after = (
        read_cases(model, examples[24:40], cache=cache).probabilities
        for model in (loaded, light, with_calibration(light, calibration))
    )
    assert np.abs(after - one).mean() < 0.3 * np.abs(before - one).mean()


def test_of_many_cases_some_are_taken_and_of_none_nothing_is_fitted(loaded, examples) -> None:
    assert own_calibration(loaded, loaded, examples[:20], at_most=5)[1] == 5
    assert own_calibration(loaded, loaded, []) == ({}, 0)
