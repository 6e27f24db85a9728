"""Losses of pairs by hand, projections that see real tokens only, and what is hidden of volumes and words."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion_models.masked_volume import MaskedVolume, hidden_blocks
from fusion_models.masked_words import IGNORED, hide_words
from fusion_models.pretraining import (
    MOST_SCALE,
    PairModel,
    Projection,
    info_nce,
    pair_loss,
    prompt_scores,
    recall_at,
    sigmoid_pairs,
)
from fusion_models.scan_encoder import ScanEncoder
from fusion_models.tokens import Tokens

SCAN = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
NOTE = torch.tensor([[0.6, 0.8], [0.0, 1.0]])
ONE = torch.tensor(1.0)
NONE = torch.tensor(0.0)


@pytest.fixture
def encoder() -> ScanEncoder:
    torch.manual_seed(0)
    return ScanEncoder(architecture="resnet10", channels=2, tap="layer2", width=0.125, signs=1)


@pytest.fixture
def pair_model(encoder: ScanEncoder) -> PairModel:
    return PairModel(scan_encoder=encoder, note_features=6, hidden=8, width=4, temperature=0.1).eval()


def notes(values: torch.Tensor, mask: torch.Tensor) -> Tokens:
    place = torch.zeros(*mask.shape, 2)
    return Tokens(values, mask, place, torch.where(mask, 0, -1))


def test_info_nce_is_the_mean_of_both_directions_by_hand() -> None:
    # Products: [[0.6, 0], [0.8, 1]], times 2.
    rows = (math.log(math.exp(1.2) + 1) - 1.2 + math.log(math.exp(1.6) + math.exp(2)) - 2) / 2
    columns = (math.log(math.exp(1.2) + math.exp(1.6)) - 1.2 + math.log(1 + math.exp(2)) - 2) / 2
    found = info_nce(SCAN, NOTE, scale=torch.tensor(2.0))
    assert float(found) == pytest.approx((rows + columns) / 2, abs=1e-6)


def test_info_nce_leaves_out_pairs_that_are_no_negatives() -> None:
    alike = torch.ones(2, 2, dtype=torch.bool)
    assert float(info_nce(SCAN, NOTE, scale=ONE, alike=alike)) == pytest.approx(0.0, abs=1e-7)


def test_the_sigmoid_loss_sums_over_all_pairs_by_hand() -> None:
    # Logits at scale 2 and bias -1: [[0.2, -1], [0.6, 1]]; the diagonal belongs together.
    def softplus(value: float) -> float:
        return math.log1p(math.exp(value))

    by_hand = (softplus(-0.2) + softplus(-1) + softplus(0.6) + softplus(-1)) / 2
    found = sigmoid_pairs(SCAN, NOTE, scale=torch.tensor(2.0), bias=torch.tensor(-1.0))
    assert float(found) == pytest.approx(by_hand, abs=1e-6)


def test_the_sigmoid_loss_leaves_out_pairs_that_are_no_negatives() -> None:
    alike = torch.tensor([[True, True], [True, True]])
    found = sigmoid_pairs(SCAN, NOTE, scale=ONE, bias=NONE, alike=alike)
    by_hand = (math.log1p(math.exp(-0.6)) + math.log1p(math.exp(-1))) / 2
    assert float(found) == pytest.approx(by_hand, abs=1e-6)


def test_recall_counts_own_notes_among_the_nearest() -> None:
    note = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    scan = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    # The first has one of equal nearness (half before it: found), the second has its own behind, the third is first.
    assert float(recall_at(scan, note, k=1)) == pytest.approx(2 / 3)
    assert float(recall_at(scan, note, k=3)) == 1.0


def test_equal_vectors_are_no_retrieval() -> None:
    same = torch.ones(8, 2)
    assert float(recall_at(same, same, k=1)) == 0.0


def test_prompt_scores_are_the_softmax_over_there_is_and_there_is_no_by_hand() -> None:
    found = prompt_scores(SCAN, NOTE[:1], SCAN[1:], scale=torch.tensor(3.0))
    assert found[0, 0] == pytest.approx(1 / (1 + math.exp(-1.8)))
    assert found[1, 0] == pytest.approx(1 / (1 + math.exp(0.6)))


def test_a_projection_gives_vectors_of_length_one_whatever_stands_in_padding() -> None:
    torch.manual_seed(0)
    head = Projection(features=6, hidden=8, width=4, place_scale=(2.0, 2.0))
    values, mask = torch.randn(3, 5, 6), torch.tensor([[1, 1, 0, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]]).bool()
    told = notes(values, mask)
    other = notes(torch.where(mask[..., None], values, torch.full_like(values, 7.0)), mask)
    assert torch.allclose(head(told), head(other))
    assert torch.allclose(head(told).norm(dim=-1), torch.ones(3))
    assert torch.allclose(head(told.take(torch.tensor([0]))), head(told)[:1], atol=1e-6)


def test_a_projection_reads_where_a_token_lies_and_not_where_the_case_lies() -> None:
    torch.manual_seed(0)
    head = Projection(features=6, hidden=8, width=4, place_scale=(2.0, 2.0))
    told = notes(torch.randn(1, 3, 6), torch.ones(1, 3, dtype=torch.bool))
    place = torch.randn(1, 3, 2)
    here, there, turned = (replace(told, position=way) for way in (place, place + 50.0, -place))
    assert torch.allclose(head(here), head(there), atol=1e-4)
    assert not torch.allclose(head(here), head(turned), atol=1e-3)


def test_gradients_reach_scan_encoder_projections_and_temperature(pair_model: PairModel) -> None:
    pair_model.train()
    told = notes(torch.randn(3, 2, 6), torch.ones(3, 2, dtype=torch.bool))
    pairs = pair_model(torch.rand(3, 2, 32, 32, 32), torch.eye(4).expand(3, 4, 4), told)
    pair_loss(pairs, kind="info-nce").backward()
    without = {name for name, part in pair_model.named_parameters() if part.grad is None or not part.grad.any()}
    assert without == {"bias", "scan_encoder.sign_head.weight", "scan_encoder.sign_head.bias"}


@pytest.mark.parametrize("kind", ["info-nce", "siglip"])
def test_pairs_that_agree_cost_less_than_pairs_that_are_swapped(pair_model: PairModel, kind: str) -> None:
    told = notes(torch.randn(2, 1, 6), torch.ones(2, 1, dtype=torch.bool))
    pairs = pair_model(torch.rand(2, 2, 32, 32, 32), torch.eye(4).expand(2, 4, 4), told)
    own, swapped = pairs._replace(note=pairs.scan), pairs._replace(note=pairs.scan.flip(0))
    assert pair_loss(own, kind=kind) < pair_loss(swapped, kind=kind)


def test_the_scale_is_held_at_a_hundred(pair_model: PairModel) -> None:
    assert float(pair_model.scale.detach()) == pytest.approx(10.0)
    with torch.no_grad():
        pair_model.log_scale.fill_(50.0)
    assert float(pair_model.scale.detach()) == pytest.approx(MOST_SCALE, rel=1e-5)


def test_a_pair_model_for_the_sigmoid_loss_begins_where_siglip_does(encoder: ScanEncoder) -> None:
    model = PairModel(scan_encoder=encoder, note_features=6, hidden=8, width=4, temperature=None)
    assert float(model.scale.detach()) == pytest.approx(10.0)
    assert float(model.bias.detach()) == -10.0


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(*[st.integers(4, 17)] * 3),
    block=st.integers(2, 9),
    share=st.floats(0.01, 0.99),
    seed=st.integers(0, 99),
)
def test_hidden_blocks_hide_something_and_never_all(
    shape: tuple[int, int, int], block: int, share: float, seed: int
) -> None:
    torch.manual_seed(seed)
    hidden = hidden_blocks(3, shape, block=block, share=share)
    assert hidden.shape == (3, *shape)
    assert hidden.flatten(1).any(dim=1).all()
    if any(size > block for size in shape):
        assert not hidden.flatten(1).all(dim=1).any()


def test_so_many_blocks_are_hidden_as_the_share_says() -> None:
    hidden = hidden_blocks(2, (16, 16, 16), block=4, share=0.25)
    assert hidden.flatten(1).sum(dim=1).tolist() == [16 * 64, 16 * 64]
    assert (hidden.reshape(2, 4, 4, 4, 4, 4, 4).float().mean(dim=(2, 4, 6)) % 1 == 0).all()


def test_a_masked_volume_is_judged_on_what_was_hidden_alone(encoder: ScanEncoder) -> None:
    model = MaskedVolume(scan_encoder=encoder).eval()
    volume = torch.rand(1, 2, 32, 32, 32)
    hidden = torch.zeros(1, 32, 32, 32, dtype=torch.bool)
    hidden[:, :16] = True
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.fill_(0.25)
        found = model(volume, hidden)
    # The token grid of layer2 on 32³ is 4³ and tells 16³ means: 2³ voxels each.
    means = torch.nn.functional.avg_pool3d(volume[:, :, :16], 2)
    assert float(found) == pytest.approx(float((means - 0.25).abs().mean()), abs=1e-6)


def test_what_is_hidden_of_a_volume_does_not_reach_the_encoder(encoder: ScanEncoder) -> None:
    model = MaskedVolume(scan_encoder=encoder).eval()
    seen: list[torch.Tensor] = []
    encoder.body.register_forward_pre_hook(lambda _module, given: seen.append(given[0].clone()))
    hidden = torch.zeros(1, 32, 32, 32, dtype=torch.bool)
    hidden[:, :8] = True
    volume = torch.rand(1, 2, 32, 32, 32)
    other = torch.where(hidden[:, None], torch.rand_like(volume), volume)
    for given_volume in (volume, other):
        model(given_volume, hidden)
    assert torch.equal(seen[0], seen[1])


def test_each_value_told_of_a_volume_lies_where_its_voxels_lie(encoder: ScanEncoder) -> None:
    model = MaskedVolume(scan_encoder=encoder)
    channels, z, y, x = 2, 2, 1, 3
    fine = torch.arange(channels * 8 * 4 * 12).float().reshape(1, channels, 8, 4, 12)
    folded = fine.reshape(1, channels, z, 4, y, 4, x, 4).permute(0, 1, 3, 5, 7, 2, 4, 6)
    assert torch.equal(model._unfolded(folded.reshape(1, channels * 64, z, y, x), channels), fine)


@settings(max_examples=40, deadline=None)
@given(share=st.floats(0.01, 0.99), seed=st.integers(0, 999))
def test_words_are_asked_for_where_it_is_allowed_and_all_else_stays(share: float, seed: int) -> None:
    torch.manual_seed(seed)
    ids = torch.randint(5, 50, (3, 12))
    allowed = torch.rand(3, 12) < 0.7
    read, labels = hide_words(ids, allowed, share=share, mask_id=1, vocabulary=50)
    asked = labels != IGNORED
    assert asked.any() == allowed.any()
    assert not (asked & ~allowed).any()
    assert torch.equal(labels[asked], ids[asked])
    assert torch.equal(read[~asked], ids[~asked])


def test_of_the_words_asked_for_most_are_masked_some_replaced_and_some_kept() -> None:
    torch.manual_seed(0)
    ids = torch.randint(100, 20_000, (200, 200))
    read, labels = hide_words(ids, torch.ones_like(ids).bool(), share=0.15, mask_id=1, vocabulary=30_000)
    asked = labels != IGNORED
    assert float(asked.float().mean()) == pytest.approx(0.15, abs=0.01)
    assert float((read[asked] == 1).float().mean()) == pytest.approx(0.8, abs=0.02)
    assert float((read[asked] == ids[asked]).float().mean()) == pytest.approx(0.1, abs=0.02)
