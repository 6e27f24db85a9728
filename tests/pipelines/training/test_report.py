from __future__ import annotations

import math

import numpy as np
import pytest

from pipelines.training.late import stack_late
from pipelines.training.report import FUSION, LATE, NOTE, OBSERVATION, SCAN, SINGLES, report_findings

GENERATOR = np.random.default_rng(0)
LABEL = GENERATOR.integers(0, 2, 60).astype(float)
NOISE = GENERATOR.normal(0, 1, (5, 60))


def report(label: np.ndarray = LABEL, patients: list[str] | None = None, **strength: float):
    given = {SCAN: 0.0, NOTE: 1.0, LATE: 1.0, FUSION: 4.0, OBSERVATION: 0.0} | strength
    scores = {arm: (label.copy() * given[arm] + NOISE[n])[:, None] for n, arm in enumerate(given)}
    scores = {arm: np.nan_to_num(rows) for arm, rows in scores.items()}
    patients = patients or [str(n) for n in range(len(label))]
    [found] = report_findings(scores, label[:, None], patients, ["pneumonia"], draws=200, seed=0)
    return found


def test_a_finding_is_measured_in_every_arm():
    found = report()
    assert set(found.auroc) == set(found.auprc) == {*SINGLES, LATE, FUSION}
    assert (found.finding, found.cases, found.positives) == ("pneumonia", 60, int(LABEL.sum()))
    assert found.auroc[FUSION].value > 0.95


def test_differences_are_paired():
    found = report(**{LATE: 1.0})
    assert found.over_late.value == pytest.approx(found.auroc[FUSION].value - found.auroc[LATE].value)
    assert found.over_late.low > 0


def test_an_arm_against_itself_differs_by_exactly_nothing():
    score = (LABEL + NOISE[0])[:, None]
    arms = dict.fromkeys((*SINGLES, LATE, FUSION), score)
    [found] = report_findings(arms, LABEL[:, None], [str(n) for n in range(60)], ["x"], draws=50, seed=0)
    assert (found.over_late.low, found.over_late.high) == (0.0, 0.0)


def test_the_better_single_modality_is_the_one_to_beat():
    found = report(**{SCAN: 3.0})
    assert found.over_single.value == pytest.approx(found.auroc[FUSION].value - found.auroc[SCAN].value)


def test_cases_of_unknown_label_are_left_out():
    label = LABEL.copy()
    label[:10] = np.nan
    assert report(label).cases == 50


@pytest.mark.parametrize("value", [0.0, 1.0, float("nan")])
def test_a_finding_without_both_classes_is_undefined_and_not_a_failure(value):
    found = report(np.full(60, value))
    assert math.isnan(found.auroc[FUSION].value)
    assert math.isnan(found.over_late.low)


def test_late_fusion_learns_which_modality_to_trust():
    good, bad = LABEL[:, None] * 4 + NOISE[:1].T, NOISE[1:2].T * 5
    probability = stack_late([good[:40], bad[:40]], LABEL[:40, None], [good[40:], bad[40:]])
    assert probability.shape == (20, 1)
    assert (probability[LABEL[40:] == 1].mean() - probability[LABEL[40:] == 0].mean()) > 0.5


def test_late_fusion_of_one_class_takes_the_mean_of_the_logits():
    probability = stack_late([np.zeros((3, 1))] * 2, np.ones((3, 1)), [np.full((2, 1), 1.0), np.full((2, 1), 3.0)])
    assert probability[:, 0].tolist() == pytest.approx([1 / (1 + math.exp(-2))] * 2)


def test_late_fusion_leaves_unknown_labels_out():
    logits = np.array([[3.0], [-3.0], [3.0], [-3.0], [5.0]])
    labels = np.array([[1.0], [0.0], [1.0], [0.0], [np.nan]])
    known = stack_late([logits[:4]], labels[:4], [logits])
    assert np.allclose(stack_late([logits], labels, [logits]), known)


def test_late_fusion_of_extreme_logits_gives_probabilities_without_a_warning():
    logits = np.array([[900.0], [-900.0], [800.0], [-800.0]])
    for labels in (np.array([[1.0], [0.0], [1.0], [0.0]]), np.ones((4, 1))):
        probability = stack_late([logits], labels, [logits])
        assert ((probability >= 0) & (probability <= 1)).all()
