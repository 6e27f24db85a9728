"""Word shingles and MinHash, against exact sets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.cases.leakage.shingles import (
    HASHES,
    boilerplate,
    candidates,
    containment,
    jaccard,
    minhash,
    shingles,
    without,
)

NUMBERS = st.sets(st.integers(0, 2**64 - 1), min_size=1, max_size=300)


def hashed(numbers: set[int]) -> np.ndarray:
    return np.array(sorted(numbers), np.uint64)


def test_shingles_are_runs_of_five_words_whatever_case_and_punctuation() -> None:
    assert len(shingles("one two three four five six")) == 2
    assert np.array_equal(shingles("One, two; THREE four-five six!"), shingles("one two three four five six"))
    assert not np.array_equal(shingles("two one three four five"), shingles("one two three four five"))


@pytest.mark.parametrize("text", ["", "one two three four", "\0", "…"])
def test_a_text_of_fewer_words_has_none(text: str) -> None:
    assert len(shingles(text)) == 0


def test_the_same_run_twice_is_one_shingle() -> None:
    assert len(shingles("a b c d e a b c d e")) == 5


def test_jaccard_and_containment_by_hand() -> None:
    first, second = hashed({1, 2, 3, 4}), hashed({3, 4, 5})
    assert jaccard(first, second) == pytest.approx(2 / 5)
    assert containment(second, first) == pytest.approx(2 / 3)
    assert jaccard(hashed(set()), hashed(set())) == containment(hashed(set()), first) == 0.0


@settings(max_examples=60, deadline=None)
@given(NUMBERS, NUMBERS, NUMBERS)
def test_the_share_of_equal_places_estimates_the_jaccard_index(
    common: set[int], first: set[int], second: set[int]
) -> None:
    one, other = hashed(common | first), hashed(common | second)
    exact = jaccard(one, other)
    equal = float(np.mean(minhash(one) == minhash(other)))
    assert abs(equal - exact) < 5 * np.sqrt(max(exact * (1 - exact), 1 / HASHES) / HASHES) + 1e-9


def test_nearly_all_pairs_of_jaccard_0_7_are_candidates_and_few_of_0_2() -> None:
    rng = np.random.default_rng(0)
    found = {0.7: 0, 0.2: 0}
    for share in found:
        size = 100
        common = round(2 * size * share / (1 + share))
        for _ in range(300):
            numbers = rng.integers(0, 2**64, 2 * size - common, np.uint64)
            one, other = np.sort(numbers[:size]), np.sort(np.r_[numbers[:common], numbers[size:]])
            assert jaccard(one, other) == pytest.approx(share, abs=0.01)
            found[share] += len(list(candidates([minhash(one), minhash(other)])))
    assert found[0.7] >= 298
    assert found[0.2] < 30


def test_each_candidate_pair_is_told_once() -> None:
    signature = minhash(hashed({1, 2, 3}))
    assert list(candidates([signature] * 3)) == [(0, 1), (0, 2), (1, 2)]


def test_what_stands_in_the_texts_of_many_patients_is_boilerplate() -> None:
    texts = {str(patient): [hashed({1, 100 + patient}), hashed({1, 2})][: 1 + (patient < 3)] for patient in range(10)}
    assert boilerplate(texts, share=0.0, at_least=4, at_most=50) == {1}
    assert boilerplate(texts, share=1.0, at_least=4, at_most=50) == set()
    assert boilerplate(texts, share=1.0, at_least=1, at_most=2) == {1, 2}


def test_a_patient_who_repeats_a_text_makes_no_boilerplate_of_it() -> None:
    assert boilerplate({"a": [hashed({1})] * 20, "b": []}, share=0.0, at_least=4, at_most=50) == set()


def test_without_takes_the_common_ones_out() -> None:
    assert without(hashed({1, 2, 3}), {2}).tolist() == [1, 3]
    assert without(hashed(set()), {2}).tolist() == []
