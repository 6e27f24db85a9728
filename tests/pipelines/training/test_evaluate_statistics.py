"""The mathematics of an evaluation, against hand computation, brute force, and other libraries."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.training.evaluate.bootstrap import bootstrap_interval, left_out, resampled
from pipelines.training.evaluate.delong import Areas, area_interval, delong, newcombe, paired_difference
from pipelines.training.evaluate.measures import auroc_within, brier, calibration, sensitivity_at
from pipelines.training.metrics import auroc, average_precision

# Two readers, four positives and three negatives, with a tie; small enough for paper.
SCORES = np.array([[0.9, 0.8, 0.4, 0.7, 0.3, 0.4, 0.1], [0.6, 0.9, 0.2, 0.8, 0.5, 0.7, 0.3]])
LABEL = np.array([1, 1, 1, 1, 0, 0, 0])
OWN = np.arange(7)


def brute_force(scores: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Areas and covariance straight from the definitions of DeLong, DeLong and Clarke-Pearson 1988."""
    one, zero = scores[:, label == 1], scores[:, label == 0]
    kernel = (one[:, :, None] > zero[:, None, :]) + 0.5 * (one[:, :, None] == zero[:, None, :])
    v10, v01 = kernel.mean(axis=2), kernel.mean(axis=1)
    covariance = np.atleast_2d(np.cov(v10)) / one.shape[1] + np.atleast_2d(np.cov(v01)) / zero.shape[1]
    return kernel.mean(axis=(1, 2)), covariance


def test_areas_and_variance_by_hand():
    found = delong(SCORES[:1], LABEL, OWN)
    # Pairs won: 0.9 and 0.8 and 0.7 win 3 each; 0.4 wins over 0.3 and 0.1 and ties with 0.4: 11.5 of 12.
    assert found.area[0] == pytest.approx(11.5 / 12)
    # V10 = (1, 1, 2.5/3, 1), variance 1/144; V01 = (1, 3.5/4, 1), variance 1/192.
    assert found.covariance[0, 0] == pytest.approx(1 / 144 / 4 + 1 / 192 / 3)


@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(2, 12), st.integers(1, 3))
@settings(max_examples=50, deadline=None)
def test_the_fast_algorithm_gives_the_structural_components(seed, positives, negatives, models):
    rng = np.random.default_rng(seed)
    label = np.r_[np.ones(positives), np.zeros(negatives)]
    scores = rng.integers(0, 6, (models, len(label))) / 5
    area, covariance = brute_force(scores, label)
    found = delong(scores, label, np.arange(len(label)))
    assert found.area == pytest.approx(area)
    assert found.covariance == pytest.approx(covariance, abs=1e-12)


def test_cases_of_one_patient_are_summed_before_they_are_squared():
    rng = np.random.default_rng(1)
    label = rng.integers(0, 2, 40)
    score = label + rng.normal(0, 1, 40)
    once = delong(score[None], label, np.arange(40)).covariance[0, 0]
    # Each case told five times over is no more evidence: but for (n - 1) / n the variance is the same.
    five = delong(np.tile(score, 5)[None], np.tile(label, 5), np.tile(np.arange(40), 5))
    assert five.covariance[0, 0] == pytest.approx(once, rel=1e-9)
    assert delong(np.tile(score, 5)[None], np.tile(label, 5), np.arange(200)).covariance[0, 0] < once / 4


def test_the_clustered_variance_is_that_of_obuchowski():
    from pipelines.cases.leakage.statistics import area_with_interval

    rng = np.random.default_rng(2)
    patients = np.array([f"p{n}" for n in rng.integers(0, 30, 90)])
    label = rng.integers(0, 2, 90)
    score = label + rng.normal(0, 1, 90)
    area, low, high = area_with_interval(score, label, patients.tolist())
    spread = 1.96 * math.sqrt(delong(score[None], label, patients).covariance[0, 0])
    assert (low, high) == pytest.approx((area - spread, area + spread))


def test_ranks_are_compared_within_a_stratum_only():
    # Each fold ranks its two cases rightly; pooled, 0.2 stands below the other fold's 0.8.
    score, label, fold = np.array([0.2, 0.1, 0.9, 0.8]), np.array([1, 0, 1, 0]), np.array([0, 0, 1, 1])
    assert delong(score[None], label, np.arange(4), fold).area[0] == 1.0
    assert delong(score[None], label, np.arange(4)).area[0] == 0.75
    assert auroc_within(score, label, fold, np.ones((1, 4)))[0] == 1.0


def test_a_model_that_knows_only_how_common_the_finding_was_scores_a_half():
    """Pooled over leave-one-out folds it would score 0: the fold that tests a positive has seen fewer of them."""
    label = np.array([1] * 10 + [0] * 10)
    score = (label.sum() - label) / 19
    fold = np.tile(np.arange(10), 2)
    assert auroc(score, label, np.ones((1, 20)))[0] == 0.0
    prevalence = np.array([np.delete(label, np.flatnonzero(fold == n)).mean() for n in fold])
    assert auroc_within(prevalence, label, fold, np.ones((1, 20)))[0] == 0.5


def test_weighted_within_areas_are_those_of_the_repeated_cases():
    rng = np.random.default_rng(3)
    score, label, fold = rng.random(30).round(1), rng.integers(0, 2, 30), rng.integers(0, 3, 30)
    weight = rng.integers(0, 3, 30)
    rows = np.repeat(np.arange(30), weight)
    whole = delong(score[None, rows], label[rows], np.arange(len(rows)), fold[rows]).area[0]
    assert auroc_within(score, label, fold, weight[None].astype(float))[0] == pytest.approx(whole)


@pytest.mark.parametrize("label", [np.ones(4), np.zeros(4), np.zeros(0)])
def test_one_class_or_no_case_leaves_the_area_undefined(label):
    found = delong(np.arange(float(len(label)))[None], label, np.arange(len(label)))
    assert np.isnan(found.area).all()
    assert math.isnan(area_interval(found).value)


def test_one_patient_of_a_class_has_an_area_and_no_interval():
    found = delong(np.array([[0.9, 0.1, 0.2]]), np.array([1, 0, 0]), np.arange(3))
    assert found.area[0] == 1.0
    assert math.isnan(area_interval(found).low)


def test_the_interval_stays_within_zero_and_one():
    found = area_interval(Areas(np.array([0.98]), np.array([[0.01]]), 10, 10))
    assert 0 < found.low < 0.98 < found.high < 1


def test_the_logit_interval_by_hand():
    # logit(0.8) = ln 4; standard error 0.05 / (0.8 * 0.2) = 0.3125.
    found = area_interval(Areas(np.array([0.8]), np.array([[0.0025]]), 50, 50))
    edges = [1 / (1 + math.exp(-(math.log(4) + sign * 1.959964 * 0.3125))) for sign in (-1, 1)]
    assert (found.low, found.high) == pytest.approx(edges, abs=1e-6)


def test_perfect_separation_of_few_patients_does_not_claim_certainty():
    found = area_interval(delong(np.array([[0.9, 0.8, 0.2, 0.1]]), np.array([1, 1, 0, 0]), np.arange(4)))
    assert found.value == found.high == 1.0
    assert found.low < 0.7


def test_newcombes_interval_solves_its_own_equation():
    found = newcombe(0.9, 30, 40)
    size = (30 + 40) / 2 - 1
    for theta in (found.low, found.high):
        spread = theta * (1 - theta) * (1 + size * (1 - theta) / (2 - theta) + size * theta / (1 + theta)) / (30 * 40)
        assert abs(0.9 - theta) == pytest.approx(1.959964 * math.sqrt(spread), abs=1e-6)


def test_the_paired_test_uses_the_covariance_of_the_two():
    found = delong(SCORES, LABEL, OWN)
    difference, p = paired_difference(found, 0, 1)
    spread = math.sqrt(found.covariance[0, 0] + found.covariance[1, 1] - 2 * found.covariance[0, 1])
    assert difference.value == pytest.approx(found.area[0] - found.area[1])
    assert difference.high - difference.value == pytest.approx(1.959964 * spread, rel=1e-6)
    assert p == pytest.approx(math.erfc(abs(difference.value) / spread / math.sqrt(2)))


def test_models_that_rank_alike_do_not_differ():
    difference, p = paired_difference(delong(np.stack([SCORES[0], SCORES[0] ** 3]), LABEL, OWN), 0, 1)
    assert (difference.value, difference.low, difference.high, p) == (0.0, 0.0, 0.0, 1.0)


def test_a_perfect_model_against_a_constant_one_has_no_p_value():
    pair = np.stack([LABEL.astype(float), np.full(7, 0.5)])
    difference, p = paired_difference(delong(pair, LABEL, OWN), 0, 1)
    assert math.isnan(p)
    assert math.isnan(difference.value)


def test_sensitivity_at_a_specificity_by_hand():
    # Ten negatives 0.0 to 0.9; specificity 0.8 lets 0.9 and 0.8 through, and 0.75 with them.
    score = np.r_[np.arange(10) / 10, [0.95, 0.85, 0.75, 0.5]]
    label = np.r_[np.zeros(10), np.ones(4)]
    sensitivity, threshold = sensitivity_at(score, label, np.ones((1, 14)), specificity=0.8)
    assert sensitivity.tolist() == [0.75]
    assert threshold.tolist() == [0.75]


def test_at_a_tie_the_cases_stand_together():
    score, label = np.array([0.5, 0.5, 0.5, 0.1]), np.array([1, 1, 0, 0])
    sensitivity, threshold = sensitivity_at(score, label, np.ones((1, 4)), specificity=0.9)
    assert (sensitivity[0], threshold[0]) == (0.0, np.inf)
    assert sensitivity_at(score, label, np.ones((1, 4)), specificity=0.5)[0].tolist() == [1.0]


def test_the_specificity_is_not_lost_to_rounding():
    # 1 - 0.9 is below 0.1 in floating point: one of ten negatives must still be let through.
    score, label = np.r_[0.9, np.zeros(9), 0.8], np.r_[np.zeros(10), 1]
    assert sensitivity_at(score, label, np.ones((1, 11)), specificity=0.9)[0].tolist() == [1.0]


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_sensitivity_is_the_best_point_of_the_roc_curve_that_is_specific_enough(seed):
    from sklearn.metrics import roc_curve

    rng = np.random.default_rng(seed)
    score, label = rng.integers(0, 8, 25) / 8, np.r_[1, 0, rng.integers(0, 2, 23)]
    false, true, _ = roc_curve(label, score, drop_intermediate=False)
    best = true[1 - false >= 0.75 - 1e-9].max()
    assert sensitivity_at(score, label, np.ones((1, 25)), specificity=0.75)[0][0] == pytest.approx(best)


def test_a_sample_of_one_class_has_no_sensitivity():
    score, label = np.array([0.1, 0.9]), np.array([0, 1])
    found, threshold = sensitivity_at(score, label, np.array([[2.0, 0.0], [0.0, 2.0], [1.0, 1.0]]), specificity=0.9)
    assert np.isnan(found[:2]).all()
    assert np.isnan(threshold[:2]).all()
    assert found[2] == 1.0


def test_brier_by_hand():
    score, label = np.array([0.8, 0.4]), np.array([1.0, 0.0])
    assert brier(score, label, np.array([[1.0, 1.0], [1.0, 3.0]])) == pytest.approx([0.1, 0.13])


def test_calibration_is_that_of_an_unpenalised_logistic_regression():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(4)
    level = rng.normal(0, 1.5, 200)
    label = (rng.random(200) < 1 / (1 + np.exp(-(0.6 * level - 0.4)))).astype(float)
    slope, _ = calibration(1 / (1 + np.exp(-level)), label, np.arange(200))
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(level[:, None], label)
    assert slope.value == pytest.approx(model.coef_[0, 0], abs=1e-5)
    assert slope.low < 0.6 < slope.high


def test_the_intercept_brings_the_mean_probability_to_the_prevalence():
    rng = np.random.default_rng(5)
    level = rng.normal(0, 1, 300)
    label = (rng.random(300) < 1 / (1 + np.exp(-(level + 1)))).astype(float)
    _, intercept = calibration(1 / (1 + np.exp(-level)), label, np.arange(300))
    assert (1 / (1 + np.exp(-(level + intercept.value)))).mean() == pytest.approx(label.mean(), abs=1e-8)
    assert intercept.low < 1 < intercept.high


def test_overconfident_probabilities_have_the_slope_of_their_excess():
    level = np.repeat([-1.0, 1.0], 50)
    label = np.r_[np.repeat([1.0, 0.0], [20, 30]), np.repeat([1.0, 0.0], [30, 20])]
    # At level 1 the odds are 3 : 2: the fitted slope is ln 1.5 over the logit.
    slope, intercept = calibration(1 / (1 + np.exp(-3 * level)), label, np.arange(100))
    assert slope.value == pytest.approx(math.log(1.5) / 3)
    assert intercept.value == pytest.approx(0.0, abs=1e-9)


def test_patients_with_many_cases_widen_the_calibration_interval():
    rng = np.random.default_rng(6)
    level = rng.normal(0, 1, 60)
    label = (rng.random(60) < 1 / (1 + np.exp(-level))).astype(float)
    score, four = 1 / (1 + np.exp(-level)), np.tile(np.arange(60), 4)
    whole, apart = (calibration(np.tile(score, 4), np.tile(label, 4), owner)[0] for owner in (four, np.arange(240)))
    assert whole.high - whole.low == pytest.approx(2 * (apart.high - apart.low), rel=0.02)


@pytest.mark.parametrize(
    ("score", "label"),
    [
        ([0.2, 0.4, 0.6], [1, 1, 1]),
        ([0.5, 0.5, 0.5, 0.5], [1, 0, 1, 0]),
        ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]),
        ([0.1, 0.5, 0.5, 0.9], [0, 0, 1, 1]),
    ],
    ids=["one class", "one score", "separated", "separated but for a tie"],
)
def test_a_slope_that_no_data_tells_is_undefined(score, label):
    slope, _ = calibration(np.array(score), np.array(label, float), np.arange(len(label)))
    assert math.isnan(slope.value)


def test_probabilities_of_exactly_zero_and_one_do_not_break_calibration():
    slope, intercept = calibration(np.array([0.0, 1.0, 0.3, 1.0, 0.0]), np.array([0.0, 1, 1, 0, 1]), np.arange(5))
    assert math.isfinite(slope.value)
    assert math.isfinite(intercept.value)


def test_blocks_of_draws_give_what_one_block_gives(monkeypatch):
    rng = np.random.default_rng(7)
    score, label = rng.random(20), rng.integers(0, 2, 20)
    patients = [f"p{n // 2}" for n in range(20)]

    def run() -> np.ndarray:
        return resampled(lambda weights: auroc(score, label, weights), patients, draws=50, seed=3)

    whole = run()
    monkeypatch.setattr("pipelines.training.evaluate.bootstrap.CELLS_A_BLOCK", 60)
    assert np.array_equal(run(), whole, equal_nan=True)


def test_a_draw_takes_all_cases_of_a_patient():
    seen = resampled(lambda weights: weights, ["a", "b", "a"], draws=30, seed=0)
    assert (seen[:, 0] == seen[:, 2]).all()
    assert seen[0].tolist() == [1, 1, 1]
    assert not (seen[:, 0] == seen[:, 1]).all()


def test_no_case_gives_an_undefined_estimate_and_no_draw():
    found = resampled(
        lambda weights: average_precision(np.zeros(0), np.zeros(0), weights), np.zeros(0, str), draws=9, seed=0
    )
    assert np.isnan(found).all()
    assert math.isnan(bootstrap_interval(found, 9).value)


def test_an_interval_needs_half_of_its_draws_and_two_patients_of_each_class():
    assert math.isnan(bootstrap_interval(np.array([0.7, np.nan, np.nan, 0.6]), 9).low)
    assert bootstrap_interval(np.array([0.7, np.nan, 0.8, 0.6]), 9).value == 0.7
    assert math.isnan(bootstrap_interval(np.array([0.7, 0.8, 0.6]), 1).low)


def test_the_percentiles_are_widened_for_the_size_of_the_smaller_class():
    samples = np.r_[0.5, np.linspace(0, 1, 100_001)]
    many, few = bootstrap_interval(samples, 10**9), bootstrap_interval(samples, 5)
    assert (many.low, many.high) == pytest.approx((0.025, 0.975), abs=1e-4)
    # t with 4 degrees of freedom is 2.776, times the root of 5 / 4: z = 3.104, whose tail is 0.000955.
    assert (few.low, few.high) == pytest.approx((0.000955, 1 - 0.000955), abs=1e-5)


def test_the_bca_interval_is_that_of_scipy():
    from scipy.stats import bootstrap

    rng = np.random.default_rng(9)
    values = rng.exponential(1.0, 50)

    def mean(weights: np.ndarray) -> np.ndarray:
        return (weights @ values) / weights.sum(axis=1)

    patients = np.arange(50)
    ours = bootstrap_interval(resampled(mean, patients, draws=20_000, seed=0), 10**9, left_out(mean, patients))
    theirs = bootstrap((values,), np.mean, n_resamples=20_000, method="BCa", rng=1).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)
    assert ours.high - ours.value > ours.value - ours.low


def test_patients_are_left_out_whole_and_each_of_them_once():
    seen = left_out(lambda weights: weights, ["a", "b", "a", "c"])
    assert seen.sum(axis=0).tolist() == [2, 2, 2, 2]
    assert (seen[:, 0] == seen[:, 2]).all()
    assert len(left_out(lambda weights: weights, np.arange(500))) == 50


@given(st.lists(st.floats(0, 1), min_size=3, max_size=30), st.integers(2, 50))
@settings(max_examples=50, deadline=None)
def test_an_interval_holds_its_estimate(samples, fewest):
    found = bootstrap_interval(np.array(samples), fewest, np.array(samples))
    assert found.low <= found.value <= found.high


def test_many_draws_of_many_findings_are_quick():
    import time

    rng = np.random.default_rng(8)
    label, score = rng.integers(0, 2, (500, 10)), rng.random((500, 10))
    patients = np.arange(500)
    began = time.process_time()
    for number in range(10):
        found = resampled(
            lambda weights, n=number: auroc(score[:, n], label[:, n], weights), patients, draws=1000, seed=0
        )
        assert len(found) == 1001
    assert time.process_time() - began < 10
