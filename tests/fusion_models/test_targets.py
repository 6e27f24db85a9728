"""Heads of targets on every fusion, and their losses by hand."""

from __future__ import annotations

import math

import pytest
import torch

from fusion_models.case_model import CaseModel
from fusion_models.fusions.kinds import KINDS
from fusion_models.fusions.reading import Reading
from fusion_models.targets import TargetHeads, level_probabilities, target_loss
from fusion_models.tokens import without

FINDINGS, LEVELS = 2, {"severity": 4, "fev1": None, "grade": 3}
NAN = float("nan")


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


@pytest.fixture
def carrying(encoders):
    """A model of some fusion with two findings and three targets."""

    def make(kind: str) -> CaseModel:
        torch.manual_seed(3)
        return CaseModel(
            encoders=encoders(("scan", "note")),
            reader=lambda features, scale: KINDS[kind](
                findings=FINDINGS + len(LEVELS), features=features, position_scale=scale,
                width=16, heads=4, layers=1, dropout=0.0, modality_dropout=0.0,
            ),
            targets=TargetHeads(LEVELS),
        ).eval()  # fmt: skip

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_every_fusion_carries_targets_beside_its_findings(carrying, batch, kind):
    model, given = carrying(kind), batch([3, 2, 0], [2, 0, 4], [0, 0, 0])
    reading = model(given)
    assert reading.logits.shape == (3, FINDINGS)
    assert {share.shape[1] for share in reading.attention.values()} == {FINDINGS}
    assert {name: tuple(said.shape) for name, said in reading.targets.items()} == {
        "severity": (3, 3),
        "fev1": (3, 1),
        "grade": (3, 2),
    }
    # One by one, with other padding, and with a modality hidden, as the contract has it for the findings.
    alone = [model(given.take(torch.tensor([row]))).targets for row in range(3)]
    hidden = model(given.with_inputs("note", without(given["note"], torch.ones(3, dtype=torch.bool)))).targets
    for name, said in reading.targets.items():
        assert torch.allclose(torch.cat([one[name] for one in alone]), said, atol=1e-5)
        assert torch.allclose(hidden[name][1], said[1], atol=1e-5)
        assert not torch.allclose(hidden[name][2], said[2], atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_the_targets_alone_reach_heads_and_fusion(carrying, batch, kind):
    model, given = carrying(kind).train(), batch([3, 2, 1], [2, 3, 4], [0, 0, 0])
    labels = torch.tensor([[0.0, 1.5, 2.0], [3.0, NAN, 1.0], [2.0, -0.5, NAN]])
    torch.manual_seed(0)
    for _ in range(6):
        target_loss(model(given).targets, labels, weights=dict.fromkeys(LEVELS, 1.0)).backward()
    assert all(bool(cut.grad.all()) for cut in model.targets.cut)
    assert all(bool(part.grad.any()) for name, part in model.diagnoser.named_parameters() if "project" in name)


def test_the_loss_is_coral_and_huber_over_the_known_by_hand():
    outputs = {"severity": torch.tensor([[1.0, -1.0], [0.5, 0.0]]), "fev1": torch.tensor([[0.5], [3.0]])}
    labels = torch.tensor([[1.0, 0.0], [NAN, 1.0]])
    found = target_loss(outputs, labels, weights={"severity": 2.0, "fev1": 0.5})
    # Grade 1 of 3: more than 0 and not more than 1; the mean of the two steps of the one known case.
    ordinal = (-math.log(sigmoid(1.0)) - math.log(1 - sigmoid(-1.0))) / 2
    huber = (0.5 * 0.5**2 + 1.0 * (2.0 - 0.5)) / 2
    assert float(found) == pytest.approx(2.0 * ordinal + 0.5 * huber, rel=1e-6)


def test_a_batch_without_any_known_value_teaches_nothing():
    said = torch.tensor([[1.0, -1.0]], requires_grad=True)
    loss = target_loss({"severity": said}, torch.tensor([[NAN]]), weights={"severity": 1.0})
    loss.backward()
    assert (float(loss.detach()), float(said.grad.abs().sum())) == (0.0, 0.0)


def test_the_levels_are_differences_of_their_steps_by_hand():
    [found] = level_probabilities(torch.tensor([[1.0, -1.0]])).tolist()
    assert found == pytest.approx([1 - sigmoid(1.0), sigmoid(1.0) - sigmoid(-1.0), sigmoid(-1.0)], rel=1e-5)


def test_cut_points_begin_at_the_shares_of_the_levels_and_stay_in_order():
    heads = TargetHeads({"severity": 4})
    grades = torch.tensor([0.0] * 50 + [1.0] * 30 + [2.0] * 15 + [3.0] * 5 + [NAN] * 9)[:, None]
    heads.begin(grades)

    def said() -> torch.Tensor:
        return heads(Reading(torch.zeros(1, 1), {})).targets["severity"]

    assert level_probabilities(said())[0].tolist() == pytest.approx([0.5, 0.3, 0.15, 0.05], abs=0.01)
    with torch.no_grad():
        heads.cut[0].copy_(torch.tensor([-5.0, -9.0, 40.0]))  # whatever training makes of them
    steps = said()[0]
    assert bool((steps[:-1] >= steps[1:]).all())
    assert bool((level_probabilities(said()) >= 0).all())
