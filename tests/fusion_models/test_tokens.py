from __future__ import annotations

import pytest
import torch

from fusion_models.tokens import Tokens, collate, missing, without


def test_collate_pads_to_the_longest_and_marks_what_it_pads(tokens):
    short = tokens([2], features=3, coordinates=1)
    long = tokens([4], features=3, coordinates=1, seed=1)
    joined = collate([short, long])
    assert joined.mask.tolist() == [[True, True, False, False], [True] * 4]
    assert joined.source.tolist() == [[0, 1, -1, -1], [0, 1, 2, 3]]
    assert torch.equal(joined.values[0, :2], short.values[0])
    assert not joined.values[0, 2:].any()
    assert torch.equal(joined.position[1], long.position[0])


def test_a_missing_modality_is_one_masked_slot_a_case():
    tokens = missing(batch=2, features=3, coordinates=2)
    assert tokens.mask.tolist() == [[False], [False]]
    assert (tokens.values.shape, tokens.position.shape, tokens.source.tolist()) == ((2, 1, 3), (2, 1, 2), [[-1], [-1]])


def test_without_masks_whole_rows_and_leaves_the_others(tokens):
    given = tokens([2, 2], features=3, coordinates=1)
    assert without(given, torch.tensor([True, False])).mask.tolist() == [[False, False], [True, True]]


def test_collate_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one row"):
        collate([])


def test_collate_of_rows_of_different_features_is_refused(tokens):
    rows = [tokens([1], features=3, coordinates=1), tokens([1], features=4, coordinates=1)]
    with pytest.raises(ValueError, match="differ"):
        collate(rows)


def test_tokens_of_shapes_that_do_not_fit_are_refused_in_the_tests():
    with pytest.raises(Exception, match="Type-check"):
        Tokens(torch.zeros(1, 2, 3), torch.ones(1, 3, dtype=torch.bool), torch.zeros(1, 2, 1), torch.zeros(1, 2).long())
