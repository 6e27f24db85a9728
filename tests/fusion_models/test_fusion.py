from __future__ import annotations

import math

import pytest
import torch

from fusion_models.fusions.attention import Attention
from fusion_models.fusions.cross_attention import CrossAttentionFusion
from fusion_models.fusions.entrance import FARTHEST, fourier
from fusion_models.tokens import Tokens

FEATURES = {"a": 3, "b": 2}
SCALE = {"a": (10.0,), "b": (1.0, 1.0)}


@pytest.fixture
def fusion() -> CrossAttentionFusion:
    torch.manual_seed(0)
    return CrossAttentionFusion(features=FEATURES, position_scale=SCALE, width=8, heads=2, layers=2, dropout=0.5).eval()


@pytest.fixture
def given(tokens):
    def make(a: list[int], b: list[int]) -> dict[str, Tokens]:
        return {
            "a": tokens(a, features=3, coordinates=1, scale=20.0),
            "b": tokens(b, features=2, coordinates=2, seed=1),
        }

    return make


def test_fourier_features_are_position_sines_and_cosines_of_doubling_frequencies():
    features = fourier(torch.tensor([[[1.0]]]))[0, 0].tolist()
    angles = [math.pi / 4, math.pi / 2, math.pi, 2 * math.pi]
    expected = [1.0, *map(math.sin, angles), *map(math.cos, angles)]
    assert features == pytest.approx(expected, abs=1e-6)


def test_fourier_features_of_several_coordinates_stay_apart():
    both = fourier(torch.tensor([[[0.5, -2.0]]]))[0, 0].tolist()
    first, second = (fourier(torch.tensor([[[value]]]))[0, 0].tolist() for value in (0.5, -2.0))
    expected = [first[0], second[0], *first[1:5], *second[1:5], *first[5:], *second[5:]]
    assert both == pytest.approx(expected, abs=1e-6)


def test_attention_reads_what_the_formula_says():
    torch.manual_seed(1)
    attention = Attention(width=4, heads=1, dropout=0.0).eval()
    x, context, place = torch.randn(1, 1, 4), torch.randn(1, 2, 4), torch.randn(1, 2, 4)
    key, value = attention.key_value(context).chunk(2, dim=-1)
    key = key + attention.place_key(place)
    share = torch.softmax(attention.query(x) @ key.transpose(1, 2) / 2.0, dim=-1)
    expected = attention.out(share @ value)
    assert torch.allclose(attention(x, context, place, torch.ones(1, 2, dtype=torch.bool)), expected, atol=1e-6)


def test_attention_reads_nothing_that_is_masked():
    torch.manual_seed(1)
    attention = Attention(width=4, heads=2, dropout=0.0).eval()
    x, context, place = torch.randn(1, 3, 4), torch.randn(1, 2, 4), torch.randn(1, 2, 4)
    mask = torch.tensor([[True, False]])
    changed = context.clone()
    changed[:, 1] += 100.0
    assert torch.equal(attention(x, context, place, mask), attention(x, changed, place, mask))


def test_a_width_that_the_heads_do_not_divide_is_refused():
    with pytest.raises(ValueError, match="10 is not a multiple of 4"):
        Attention(width=10, heads=4, dropout=0.0)


def test_every_modality_gets_one_more_slot_which_is_real_exactly_where_it_has_no_other(fusion, given):
    fused = fusion(given([2, 0], [0, 3]))
    assert fused["a"].mask.tolist() == [[True, True, False], [False, False, True]]
    assert fused["b"].mask.tolist() == [[False, False, False, True], [True, True, True, False]]
    assert fused["a"].source.tolist() == [[0, 1, -1], [-1, -1, -1]]


def test_each_modality_hears_the_others(fusion, given):
    one = given([2], [3])
    other = one | {"b": Tokens(one["b"].values + 1, one["b"].mask, one["b"].position, one["b"].source)}
    assert not torch.allclose(fusion(one)["a"].values, fusion(other)["a"].values, atol=1e-3)


def test_the_order_of_tokens_does_not_matter_beyond_their_positions(fusion, given):
    one = given([4], [3])
    order = torch.tensor([2, 0, 3, 1])
    part = one["a"]
    shuffled = one | {"a": Tokens(part.values[:, order], part.mask, part.position[:, order], part.source[:, order])}
    first, second = fusion(one), fusion(shuffled)
    assert torch.allclose(first["b"].values[:, :3], second["b"].values[:, :3], atol=1e-5)
    assert torch.allclose(first["a"].values[:, order], second["a"].values[:, :4], atol=1e-5)


def test_positions_matter(fusion, given):
    one = given([2], [3])
    part = one["a"]
    moved = one | {"a": Tokens(part.values, part.mask, part.position + 7.0, part.source)}
    assert not torch.allclose(fusion(one)["b"].values, fusion(moved)["b"].values, atol=1e-3)


def test_a_position_far_out_counts_as_the_farthest_one(fusion, given):
    one = given([2], [3])
    part = one["a"]

    def at(units: float) -> torch.Tensor:
        place = torch.full_like(part.position, units * SCALE["a"][0])
        return fusion(one | {"a": Tokens(part.values, part.mask, place, part.source)})["b"].values

    assert torch.equal(at(FARTHEST), at(1e4))
    assert not torch.equal(at(FARTHEST), at(FARTHEST - 1))


def test_a_modality_that_stands_alone_attends_to_itself(tokens):
    torch.manual_seed(0)
    alone = CrossAttentionFusion(
        features={"a": 3}, position_scale={"a": (1.0,)}, width=8, heads=2, layers=1, dropout=0.0
    ).eval()
    part = tokens([3], features=3, coordinates=1)
    changed = part.values.clone()
    changed[0, 2] += 1.0
    before, after = (
        alone({"a": Tokens(values, part.mask, part.position, part.source)})["a"].values
        for values in (part.values, changed)
    )
    assert not torch.allclose(before[0, 0], after[0, 0], atol=1e-4)


def test_dropout_is_on_in_training_only(fusion, given):
    one = given([2], [3])
    assert torch.equal(fusion(one)["a"].values, fusion(one)["a"].values)
    fusion.train()
    assert not torch.equal(fusion(one)["a"].values, fusion(one)["a"].values)


def test_a_missing_modality_in_the_tokens_is_a_key_error(fusion, given):
    with pytest.raises(KeyError):
        fusion({"a": given([2], [3])["a"]})
