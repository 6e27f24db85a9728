from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from pipelines.training.metrics import Interval, auroc, average_precision, interval, patient_weights

ONES = np.ones((1, 4))
CASES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5001, 1.0]), st.booleans(), st.integers(0, 3)),
    min_size=2,
    max_size=25,
).filter(lambda rows: {label for _, label, weight in rows if weight} == {True, False})


def test_auroc_by_hand_counts_a_tie_as_half():
    # Pairs (positive over negative): 0.8 > 0.2, 0.8 > 0.5, 0.5 > 0.2, 0.5 = 0.5: 3.5 of 4.
    score, label = np.array([0.8, 0.5, 0.5, 0.2]), np.array([1, 1, 0, 0])
    assert auroc(score, label, ONES).tolist() == [0.875]


def test_average_precision_by_hand():
    # Ranks 1 (+), 2 (-), 3 (+), 4 (-): (1/1 + 2/3) / 2.
    score, label = np.array([0.9, 0.8, 0.7, 0.1]), np.array([1, 0, 1, 0])
    assert average_precision(score, label, ONES).tolist() == pytest.approx([5 / 6])


@given(CASES)
def test_both_measures_are_those_of_scikit_learn(rows):
    score, label, weight = (np.array(column, float) for column in zip(*rows, strict=True))
    assert auroc(score, label, weight[None])[0] == pytest.approx(roc_auc_score(label, score, sample_weight=weight))
    expected = average_precision_score(label, score, sample_weight=weight)
    assert average_precision(score, label, weight[None])[0] == pytest.approx(expected)


def test_each_row_of_weights_is_measured_on_its_own():
    generator = np.random.default_rng(0)
    score, label, weights = generator.random(30), generator.integers(0, 2, 30), generator.integers(0, 3, (5, 30))
    for measure in (auroc, average_precision):
        single = [measure(score, label, row[None].astype(float))[0] for row in weights]
        assert measure(score, label, weights.astype(float)).tolist() == pytest.approx(single)


@pytest.mark.parametrize("label", [0, 1])
def test_auroc_of_one_class_is_undefined(label):
    assert np.isnan(auroc(np.arange(4.0), np.full(4, label), ONES)).all()


def test_a_sample_that_drew_only_one_class_is_undefined_and_the_others_are_not():
    found = auroc(np.array([0.1, 0.9]), np.array([0, 1]), np.array([[1.0, 1.0], [2.0, 0.0]]))
    assert found[0] == 1.0
    assert math.isnan(found[1])


def test_measures_of_no_case_are_undefined():
    weights = patient_weights([], draws=3, seed=0)
    assert weights.shape == (4, 0)
    for measure in (auroc, average_precision):
        assert np.isnan(measure(np.zeros(0), np.zeros(0), weights)).all()


def test_the_first_row_weighs_every_case_once_and_the_others_draw_as_many_patients():
    weights = patient_weights(["b", "a", "c"], draws=50, seed=0)
    assert weights[0].tolist() == [1.0, 1.0, 1.0]
    assert (weights[1:].sum(axis=1) == 3).all()
    assert len({tuple(row) for row in weights[1:]}) > 3


def test_the_cases_of_a_patient_are_drawn_together():
    weights = patient_weights(["a", "b", "a", "c", "a"], draws=200, seed=0)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 0] == weights[:, 4]).all()
    assert not (weights[:, 0] == weights[:, 1]).all()


def test_draws_depend_on_the_seed_only():
    patients = ["a", "b", "c", "d"]
    assert (patient_weights(patients, draws=9, seed=1) == patient_weights(patients, draws=9, seed=1)).all()
    assert not (patient_weights(patients, draws=9, seed=1) == patient_weights(patients, draws=9, seed=2)).all()


def test_many_studies_of_one_patient_widen_the_interval():
    generator = np.random.default_rng(0)
    label = np.repeat(generator.integers(0, 2, 20), 10)
    score = np.repeat(label[::10] + generator.normal(0, 1.0, 20), 10)

    def width(patients: list[str]) -> float:
        found = interval(auroc(score, label, patient_weights(patients, draws=300, seed=0)))
        return found.high - found.low

    assert width([str(n // 10) for n in range(200)]) > 2 * width([str(n) for n in range(200)])


def test_an_interval_is_the_estimate_and_the_percentiles_of_the_draws():
    found = interval(np.array([0.7, *np.linspace(0, 1, 41)]))
    assert (found.value, found.low, found.high) == pytest.approx((0.7, 0.025, 0.975))


def test_undefined_draws_are_left_out_of_an_interval():
    found = interval(np.array([0.7, float("nan"), 0.5, 0.5]))
    assert (found.low, found.high) == (0.5, 0.5)


@pytest.mark.parametrize("samples", [[float("nan"), 0.5], [0.5, float("nan")], [0.5]])
def test_an_interval_without_an_estimate_or_a_draw_is_undefined_throughout(samples):
    found = interval(np.array(samples))
    assert all(math.isnan(value) for value in (found.value, found.low, found.high))


def test_an_interval_reads_as_estimate_and_range():
    assert str(Interval(0.9116, 0.88, 0.9412)) == "0.912 (0.880 to 0.941)"
