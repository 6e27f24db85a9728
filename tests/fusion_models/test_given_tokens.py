from __future__ import annotations

import pytest
import torch

from fusion_models.given_tokens import FARTHEST, GivenTokens
from fusion_models.tokens import Tokens


def made(values: torch.Tensor, mask: torch.Tensor, position: torch.Tensor | None = None) -> Tokens:
    where = torch.zeros(*mask.shape, 1) if position is None else position
    return Tokens(values, mask, where, torch.zeros(mask.shape).long())


MASK = torch.tensor([[True, True, False], [True, False, False]])


def test_features_are_standardised_after_the_real_tokens_of_the_cohort():
    encoder = GivenTokens(features=1, position_scale=(1.0,))
    given = made(torch.tensor([[[1.0], [3.0], [99.0]], [[5.0], [99.0], [99.0]]]), MASK)
    encoder.fit(given)
    assert (encoder.centre.item(), encoder.spread.item()) == (3.0, 2.0)
    assert encoder(given).values[MASK].flatten().tolist() == [-1.0, 0.0, 1.0]


def test_a_feature_that_hardly_varies_is_not_divided_by_its_rounding():
    encoder = GivenTokens(features=2, position_scale=(1.0,))
    encoder.fit(made(torch.tensor([[[8.0, 0.0], [8.000001, 0.0]]]), torch.ones(1, 2, dtype=torch.bool)))
    assert encoder.spread.tolist() == pytest.approx([0.08, 1e-4])


def test_an_outlier_is_held_at_ten_deviations():
    encoder = GivenTokens(features=1, position_scale=(1.0,))
    assert encoder(
        made(torch.tensor([[[1e9], [-1e9]]]), torch.ones(1, 2, dtype=torch.bool))
    ).values.flatten().tolist() == [
        FARTHEST,
        -FARTHEST,
    ]


def test_positions_are_taken_from_the_middle_of_the_real_tokens_where_asked():
    given = made(torch.zeros(2, 3, 1), MASK, torch.tensor([[[10.0], [20.0], [999.0]], [[7.0], [999.0], [999.0]]]))
    assert GivenTokens(features=1, position_scale=(1.0,), centred=True)(given).position[..., 0].tolist() == [
        [-5.0, 5.0, 0.0],
        [0.0, 0.0, 0.0],
    ]
    assert torch.equal(GivenTokens(features=1, position_scale=(1.0,))(given).position, given.position)
