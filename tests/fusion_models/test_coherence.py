"""Coherent scores: hand-computed cases, and the properties of a projection on random forests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion_models.coherence import coherent_scores, conflicts

CHAIN = [(0, 1), (1, 2)]  # 0 is a 1, 1 is a 2


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, list[tuple[int, int]]]:
    width = draw(st.integers(1, 8))
    pairs = [(low, high) for low in range(width) for high in range(low + 1, width) if draw(st.integers(0, 3)) == 0]
    row = st.lists(st.floats(0, 1, width=32), min_size=width, max_size=width)
    return np.array(draw(st.lists(row, min_size=1, max_size=3))), pairs


def test_a_child_above_its_parent_meets_it_in_the_middle() -> None:
    assert coherent_scores(np.array([[0.8, 0.2]]), [(0, 1)]) == pytest.approx(np.array([[0.5, 0.5]]))


def test_a_chain_is_pooled_as_least_squares_has_it() -> None:
    # 0.9 ≤ 0.6 ≤ 0.3 is broken twice: all three meet in their mean.
    assert coherent_scores(np.array([[0.9, 0.6, 0.3]]), CHAIN) == pytest.approx(np.full((1, 3), 0.6))


def test_two_children_share_what_their_parent_is_raised_by() -> None:
    # Only the child above the parent's new value takes part: (0.9 + 0.3) / 2 = 0.6, the other one stays at 0.4.
    assert coherent_scores(np.array([[0.9, 0.4, 0.3]]), [(0, 2), (1, 2)]) == pytest.approx(np.array([[0.6, 0.4, 0.6]]))


def test_one_that_entails_two_is_lowered_and_both_are_raised() -> None:
    # (0.9 + 0.3 + 0.3) / 3
    assert coherent_scores(np.array([[0.9, 0.3, 0.3]]), [(0, 1), (0, 2)]) == pytest.approx(np.full((1, 3), 0.5))


@given(cases())
def test_no_child_is_likelier_than_its_parent(case: tuple[np.ndarray, list[tuple[int, int]]]) -> None:
    scores, pairs = case
    made = coherent_scores(scores, pairs)
    assert all((made[:, low] <= made[:, high]).all() for low, high in pairs)


@given(cases())
def test_doing_it_twice_changes_nothing(case: tuple[np.ndarray, list[tuple[int, int]]]) -> None:
    scores, pairs = case
    once = coherent_scores(scores, pairs)
    assert np.array_equal(coherent_scores(once, pairs), once)


@given(cases())
def test_a_coherent_row_is_left_as_it_is(case: tuple[np.ndarray, list[tuple[int, int]]]) -> None:
    scores, pairs = case
    scores = np.sort(scores, axis=1)  # pairs point from a lower column to a higher one
    assert np.array_equal(coherent_scores(scores, pairs), scores)


@given(cases())
def test_values_stay_between_the_least_and_the_most_of_their_row(
    case: tuple[np.ndarray, list[tuple[int, int]]],
) -> None:
    scores, pairs = case
    made = coherent_scores(scores, pairs)
    assert (made >= scores.min(axis=1, keepdims=True)).all()
    assert (made <= scores.max(axis=1, keepdims=True)).all()


@given(cases(), st.randoms(use_true_random=False))
def test_the_distance_to_a_coherent_truth_never_grows(
    case: tuple[np.ndarray, list[tuple[int, int]]], random: np.random.Generator
) -> None:
    scores, pairs = case
    truth = np.sort([random.random() for _ in range(scores.shape[1])]) > 0.5
    before, after = (((made - truth) ** 2).sum(axis=1) for made in (scores, coherent_scores(scores, pairs)))
    assert (after <= before + 1e-9).all()


@given(cases(), st.floats(0, 1, width=32))
def test_higher_scores_give_no_lower_ones(case: tuple[np.ndarray, list[tuple[int, int]]], lift: float) -> None:
    scores, pairs = case
    higher = scores.copy()
    higher[:, -1] = np.maximum(higher[:, -1], lift)
    assert (coherent_scores(higher, pairs) >= coherent_scores(scores, pairs) - 1e-9).all()


def test_a_missing_score_is_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        coherent_scores(np.array([[0.1, np.nan]]), [(0, 1)])


def test_without_rules_nothing_changes() -> None:
    scores = np.array([[0.9, 0.1]])
    assert np.array_equal(coherent_scores(scores, []), scores)


def test_a_pair_that_excludes_each_other_is_flagged_above_one_together() -> None:
    scores = np.array([[0.7, 0.4, 0.1], [0.5, 0.5, 0.9]])
    assert conflicts(scores, [(0, 1), (1, 2)]).tolist() == [[True, False], [False, True]]


def test_without_pairs_there_are_no_flags() -> None:
    assert conflicts(np.array([[0.7, 0.4]]), []).shape == (1, 0)
