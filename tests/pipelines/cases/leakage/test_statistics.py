from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from pipelines.cases.leakage.statistics import area_under_roc, area_with_interval, holm

RNG = np.random.default_rng(0)


def test_the_area_counts_ties_half() -> None:
    score, label = np.array([0, 1, 1, 2]), np.array([0, 0, 1, 1])
    assert area_under_roc(score, label) == pytest.approx(3.5 / 4)


def test_the_area_is_that_of_scikit_learn() -> None:
    score, label = RNG.integers(0, 5, 200), RNG.integers(0, 2, 200)
    assert area_under_roc(score, label) == pytest.approx(roc_auc_score(label, score))


def test_of_patients_of_one_case_each_the_interval_is_delongs() -> None:
    score, label = RNG.normal(size=60), np.arange(60) % 2
    area, low, high = area_with_interval(score, label, [str(n) for n in range(60)])
    ones, zeros = score[label == 1], score[label == 0]
    above = (ones[:, None] > zeros).mean(axis=1)
    below = (ones[:, None] > zeros).mean(axis=0)
    expected = 1.96 * np.sqrt(above.var(ddof=1) / 30 + below.var(ddof=1) / 30)
    assert area == pytest.approx(area_under_roc(score, label))
    assert (high - area, area - low) == pytest.approx((expected, expected))


def test_cases_counted_twice_make_the_interval_no_narrower() -> None:
    score, label = RNG.normal(size=60), np.arange(60) % 2
    patients = [str(n) for n in range(60)]
    once = area_with_interval(score, label, patients)
    twice = area_with_interval(np.tile(score, 2), np.tile(label, 2), patients * 2)
    assert twice == pytest.approx(once)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    truth = float(norm.cdf(1 / np.sqrt(2)))
    label = np.arange(80) % 2
    hits = 0
    for _ in range(300):
        _, low, high = area_with_interval(RNG.normal(size=80) + label, label, [str(n) for n in range(80)])
        hits += low <= truth <= high
    assert 0.91 < hits / 300 < 0.98


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
