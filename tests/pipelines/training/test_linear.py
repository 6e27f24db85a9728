"""The scores of a small cohort: what they find, what they leave alone, and that no patient tests himself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.training.linear import JOINT, LATE, Vectors, _principal, fit_finding, inner_folds


def cohort(count: int = 120, *, seed: int = 0, signal: float = 2.0) -> tuple[dict[str, Vectors], np.ndarray, list[str]]:
    """A scan whose first of 40 features tells the label, and a note that tells nothing."""
    random = np.random.default_rng(seed)
    label = (random.random(count) < 0.4).astype(float)
    scan, note = random.standard_normal((count, 40)), random.standard_normal((count, 60))
    scan[:, 0] += signal * label
    present = np.ones(count, bool)
    vectors = {"scan": Vectors(scan, present), "note": Vectors(note, present)}
    return vectors, label, [str(number) for number in range(count)]


def auroc(score: np.ndarray, label: np.ndarray) -> float:
    above = score[label == 1][:, None] - score[label == 0][None]
    return float(((above > 0) + (above == 0) / 2).mean())


def test_what_tells_is_found_and_what_does_not_is_not_believed() -> None:
    vectors, label, patients = cohort()
    unseen, truth, _ = cohort(seed=1)
    fitted = fit_finding(vectors, label, patients, seed=0)
    assert auroc(fitted.arms["scan"].logits(unseen), truth) > 0.8
    assert auroc(fitted.arms[fitted.chosen].logits(unseen), truth) > 0.8
    assert np.ptp(fitted.arms["note"].logits(unseen)) < 1.0


def test_without_any_signal_every_case_gets_the_share_of_positives() -> None:
    vectors, label, patients = cohort(signal=0.0, seed=3)
    chance = 1 / (1 + np.exp(-fit_finding(vectors, label, patients, seed=0).arms[LATE].logits(vectors)))
    assert abs(chance.mean() - label.mean()) < 0.05
    assert chance.std() < 0.15


def test_a_case_without_a_modality_is_scored_by_the_others() -> None:
    vectors, label, patients = cohort()
    fitted = fit_finding(vectors, label, patients, seed=0).arms[LATE]
    hidden = {"scan": vectors["scan"], "note": Vectors(np.full_like(vectors["note"].values, 1e9), np.zeros(120, bool))}
    part = fitted.parts["scan"]
    level = np.clip((vectors["scan"].values - part.centre) / part.spread, -5, 5)
    expected = fitted.bias + part.share * (level @ part.weight + part.offset)
    np.testing.assert_allclose(fitted.logits(hidden), expected)


@pytest.mark.parametrize("positives", [0, 1])
def test_a_class_of_fewer_than_two_patients_teaches_nothing(positives: int) -> None:
    vectors, _, patients = cohort()
    label = np.zeros(120)
    label[:positives] = 1
    logits = fit_finding(vectors, label, patients, seed=0).arms[LATE].logits(vectors)
    assert np.ptp(logits) == 0
    assert logits[0] == pytest.approx(np.log((positives + 0.5) / (120 - positives + 0.5)))


def test_unknown_labels_are_left_out_whatever_their_cases_hold() -> None:
    vectors, label, patients = cohort()
    label[:20] = np.nan
    spoiled = {name: Vectors(part.values.copy(), part.present) for name, part in vectors.items()}
    spoiled["scan"].values[:20] = 1e6
    one, other = (fit_finding(given, label, patients, seed=0) for given in (vectors, spoiled))
    for arm in (LATE, JOINT, "scan"):
        np.testing.assert_array_equal(one.arms[arm].parts["scan"].weight, other.arms[arm].parts["scan"].weight)


def test_the_same_seed_gives_the_same_scores() -> None:
    vectors, label, patients = cohort()
    one, other = (fit_finding(vectors, label, patients, seed=5) for _ in range(2))
    assert one.chosen == other.chosen
    np.testing.assert_array_equal(one.arms[LATE].logits(vectors), other.arms[LATE].logits(vectors))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 1)), min_size=4, max_size=60), st.integers(0, 3))
def test_no_patient_stands_on_both_sides_of_an_inner_fold(rows: list[tuple[int, int]], seed: int) -> None:
    patients, label = [str(patient) for patient, _ in rows], np.array([value for _, value in rows])
    fold = inner_folds(label, patients, seed=seed)
    if fold is None:
        return
    of = {}
    for patient, number in zip(patients, fold, strict=True):
        assert of.setdefault(patient, number) == number
    assert len(set(fold.tolist())) >= 2


def test_more_features_than_cases_and_columns_that_repeat_are_no_hurdle() -> None:
    random = np.random.default_rng(4)
    label = (np.arange(60) % 2).astype(float)
    values = np.repeat(random.standard_normal((60, 40)) + label[:, None], 60, axis=1)
    fitted = fit_finding({"note": Vectors(values, np.ones(60, bool))}, label, [str(n) for n in range(60)], seed=0)
    logits = fitted.arms["note"].logits({"note": Vectors(values, np.ones(60, bool))})
    assert np.isfinite(logits).all()
    assert logits[label == 1].mean() > logits[label == 0].mean() + 1


def test_a_modality_in_which_nothing_varies_teaches_nothing() -> None:
    vectors, label, patients = cohort(60, signal=4.0)
    vectors = {"scan": vectors["scan"], "words": Vectors(np.zeros((len(label), 8)), np.ones(len(label), bool))}
    fitted = fit_finding(vectors, label, patients, seed=0)
    assert np.ptp(fitted.arms["words"].logits(vectors)) == 0.0
    assert auroc(fitted.arms[fitted.chosen].logits(vectors), label) > 0.8
    alone = fit_finding({"words": vectors["words"]}, label, patients, seed=0)
    for arm in (LATE, JOINT):
        assert np.ptp(alone.arms[arm].logits(vectors)) == 0.0


def test_axes_are_those_of_the_singular_value_decomposition_whichever_side_is_longer() -> None:
    values = np.random.default_rng(0).standard_normal((60, 7))
    for table in (values, values.T):
        axes, turned = _principal(table)
        _, size, right = np.linalg.svd(table, full_matrices=False)
        assert np.allclose(np.abs(axes), np.abs(right.T), atol=1e-8)
        assert np.allclose(np.linalg.norm(turned, axis=0), size)
