"""Measures of targets, by hand and against the libraries."""

from __future__ import annotations

import numpy as np
import pytest

from data_schemas.target import FittedTarget
from pipelines.models.estimates import median_level
from pipelines.review.target_table import format_targets, markdown_targets, target_measures
from pipelines.training.report import LATE, NOTE
from pipelines.training.target_report import (
    conformal_margin,
    correlation,
    explained_variance,
    mean_absolute_error,
    report_targets,
    weighted_kappa,
)

ONE = np.ones((1, 4))
GRADE = FittedTarget(name="severity", kind="ordinal", levels=3)
VALUE = FittedTarget(name="fev1", kind="regression", unit="L", mean=2.0, deviation=0.5, margin=0.25)


def test_kappa_of_four_cases_by_hand():
    level, truth = np.array([0.0, 1.0, 2.0, 1.0]), np.array([0.0, 2.0, 2.0, 1.0])
    # Observed: one case off by one, 1/4. Expected, of all 16 pairs: (0+4+4+1 + 1+1+1+0 + 4+0+0+1 + 1+1+1+0) / 16.
    assert weighted_kappa(level, truth, ONE)[0] == pytest.approx(1 - (1 / 4) / (20 / 16))
    # The second case drawn twice and the first not at all.
    drawn = weighted_kappa(level, truth, np.array([[0.0, 2.0, 1.0, 1.0]]))
    assert drawn == pytest.approx(weighted_kappa(level[[1, 1, 2, 3]], truth[[1, 1, 2, 3]], ONE))


def test_kappa_is_that_of_scikit_learn_and_undefined_where_all_is_one_level():
    from sklearn.metrics import cohen_kappa_score

    random = np.random.default_rng(0)
    truth = random.integers(0, 5, 200)
    level = np.clip(truth + random.integers(-1, 2, 200), 0, 4)
    found = weighted_kappa(level.astype(float), truth.astype(float), np.ones((1, 200)))[0]
    assert found == pytest.approx(cohen_kappa_score(level, truth, weights="quadratic"))
    assert np.isnan(weighted_kappa(np.ones(4), np.ones(4), ONE)[0])


def test_errors_and_correlation_are_those_of_drawn_cases():
    random = np.random.default_rng(1)
    truth = random.normal(size=50)
    value = truth + random.normal(size=50)
    drawn = random.integers(0, 50, 50)
    weights = np.stack([np.ones(50), np.bincount(drawn, minlength=50).astype(float)])
    for row, chosen in enumerate((np.arange(50), drawn)):
        said, held = value[chosen], truth[chosen]
        assert mean_absolute_error(value, truth, weights)[row] == pytest.approx(np.abs(said - held).mean())
        assert correlation(value, truth, weights)[row] == pytest.approx(np.corrcoef(said, held)[0, 1])
        assert explained_variance(value, truth, weights)[row] == pytest.approx(
            1 - ((said - held) ** 2).sum() / ((held - held.mean()) ** 2).sum()
        )
    assert np.isnan(explained_variance(value, np.ones(50), weights)).all()


def test_the_margin_is_the_residual_at_the_place_that_split_conformal_names():
    residuals = np.array([-0.1, 0.2, -0.3, 0.4, 0.5, -0.6, 0.7, 0.8, 0.9, 1.0])
    assert conformal_margin(residuals, coverage=0.9) == pytest.approx(1.0)  # ceil(11 * 0.9) = 10
    assert conformal_margin(residuals, coverage=0.5) == pytest.approx(0.6)  # ceil(11 * 0.5) = 6
    assert conformal_margin(residuals[:8], coverage=0.9) is None  # ceil(9 * 0.9) = 9, of 8


def test_the_margin_covers_as_it_says():
    random = np.random.default_rng(2)
    held = [
        np.mean(np.abs(random.normal(size=500)) <= conformal_margin(random.normal(size=60), coverage=0.9))
        for _ in range(200)
    ]
    assert 0.89 < np.mean(held) < 0.92


def test_the_median_level_is_the_number_of_steps_that_are_likelier_than_not():
    assert median_level(np.array([[0.6, 0.3, 0.1], [0.4, 0.3, 0.3], [0.1, 0.2, 0.7]])).tolist() == [0, 1, 2]


def report(count: int = 12):
    truth = np.stack([np.arange(count) % 3, np.linspace(1, 3, count)], axis=1).astype(float)
    truth[0] = np.nan
    sure = np.eye(3)[np.arange(count) % 3]
    arms = {
        NOTE: {"severity": np.full((count, 3), 1 / 3), "fev1": np.full(count, 2.0)},
        LATE: {"severity": sure, "fev1": np.full(count, 2.0)},
        "gated": {"severity": sure, "fev1": truth[:, 1] + np.where(np.arange(count) % 2, 0.1, 0.5)},
    }
    patients = [f"p{number // 2}" for number in range(count)]
    return report_targets(arms, truth, patients, (GRADE, VALUE), draws=50, seed=0, main="gated")


def test_every_arm_is_measured_on_the_known_cases_with_intervals():
    severity, fev1 = report()
    assert (severity.cases, fev1.cases, severity.model) == (11, 11, "gated")
    assert severity.measures["gated"]["kappa"].value == pytest.approx(1.0)
    assert severity.measures[NOTE]["kappa"].value == pytest.approx(0.0)
    assert severity.measures[NOTE]["mae"].value == pytest.approx(7 / 11)  # one level off at 0 and at 2
    assert fev1.measures["gated"]["mae"].value == pytest.approx((6 * 0.1 + 5 * 0.5) / 11)
    assert fev1.covered.value == pytest.approx(6 / 11)
    low, high = fev1.measures["gated"]["mae"].low, fev1.measures["gated"]["mae"].high
    assert low < fev1.measures["gated"]["mae"].value < high
    assert np.isnan(severity.covered.value)


def test_the_table_names_the_unit_and_few_cases_are_withheld():
    told = format_targets(report())
    assert "fev1: MAE in L" in told
    assert "severity: weighted kappa" in told
    assert "fev1: within the interval" in told
    assert "| severity: MAE in levels |" in markdown_targets(report())
    assert target_measures(report())["kappa/severity/gated"] == pytest.approx(1.0)
    assert (target_measures(report(9)), markdown_targets(())) == ({}, "")
    assert "0.636" not in format_targets(report(9))
