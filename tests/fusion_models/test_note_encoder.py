from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from fusion_models.note_encoder import NoteEncoder


class Counting(nn.Module):
    """Hidden states that can be added in the head: state k of sub-word i is [i + 10 k, -i]."""

    config = SimpleNamespace(hidden_size=2)

    def forward(self, input_ids, attention_mask, output_hidden_states):
        assert output_hidden_states
        states = [torch.stack([input_ids + 10.0 * k, -input_ids.float()], dim=-1) for k in range(3)]
        return SimpleNamespace(hidden_states=states)


def encode(ids, unit, units, *, states=(0,)):
    encoder = NoteEncoder(backbone=Counting(), states=states)
    ids, unit = torch.tensor(ids), torch.tensor(unit)
    return encoder(ids, torch.ones_like(ids), unit, units)


def test_a_unit_is_the_mean_of_its_sub_words_and_special_ones_belong_to_none():
    values = encode([[101, 1, 3, 8, 102]], [[-1, 0, 0, 1, -1]], 2)
    assert values.tolist() == [[2.0, -2.0], [8.0, -8.0]]


def test_a_sub_word_that_two_windows_see_counts_twice():
    # Sub-words 1, 2, 5 of one unit; 2 stands in both windows: (1 + 2 + 2 + 5) / 4.
    values = encode([[101, 1, 2, 102], [101, 2, 5, 102]], [[-1, 0, 0, -1], [-1, 0, 0, -1]], 1)
    assert values.tolist() == [[2.5, -2.5]]


def test_chosen_states_stand_side_by_side_in_the_order_asked_for():
    encoder = NoteEncoder(backbone=Counting(), states=(-1, 1))
    assert encoder.features == 4
    assert encode([[7]], [[0]], 1, states=(-1, 1)).tolist() == [[27.0, -7.0, 17.0, -7.0]]


def test_a_unit_without_any_sub_word_is_zero_and_not_nan():
    assert encode([[5]], [[0]], 2).tolist() == [[5.0, -5.0], [0.0, 0.0]]


def test_a_mask_of_another_shape_is_refused_in_the_tests():
    encoder = NoteEncoder(backbone=Counting(), states=(0,))
    with pytest.raises(Exception, match="Type-check"):
        encoder(torch.ones(1, 3).long(), torch.ones(1, 2).long(), torch.zeros(1, 3).long(), 1)
