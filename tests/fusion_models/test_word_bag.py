"""The word bag keeps what a cohort has in common and tells it once a case."""

from __future__ import annotations

import torch

from fusion_models.linear_diagnoser import pool
from fusion_models.tokens import Tokens, collate, missing, of_one_case
from fusion_models.word_bag import WordBag


def texts(*rows: list[list[float]]) -> Tokens:
    """A row of words a sentence, a list of sentences a case."""
    return collate([of_one_case(torch.tensor(row), torch.zeros(len(row), 2)) for row in rows])


def test_words_of_too_few_cases_and_of_all_of_them_are_left_out() -> None:
    # Word 0 in every case, word 1 in three of six, word 2 in two.
    rows = [[[1.0, float(n < 3), float(n < 2)]] for n in range(6)]
    bag = WordBag(features=3)
    bag.fit(texts(*rows))
    assert bag.common.tolist() == [0.0, 1.0, 0.0]


def test_cases_without_text_do_not_count() -> None:
    bag = WordBag(features=1)
    empty = missing(batch=1, features=1, coordinates=2)
    held = of_one_case(torch.ones(1, 1), torch.zeros(1, 2))
    bag.fit(collate([held] * 3 + [empty] * 5))
    assert bag.common.tolist() == [0.0]  # all that have a text have the word


def test_a_case_is_told_which_words_it_holds_however_often_and_in_however_many_sentences() -> None:
    bag = WordBag(features=2)
    bag.common.fill_(1.0)
    vector, present = pool(bag(texts([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0]])))
    assert vector.tolist() == [[1.0, 1.0], [0.0, 1.0]]
    assert present.tolist() == [True, True]


def test_sentences_share_the_word_that_they_hold() -> None:
    bag = WordBag(features=1)
    bag.common.fill_(1.0)
    values = bag(texts([[1.0], [1.0], [0.0], [0.0]])).values[0, :, 0]
    assert (values / len(values)).tolist() == [0.5, 0.5, 0.0, 0.0]
