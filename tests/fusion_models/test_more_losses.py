from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fusion_models.losses import (
    alignment,
    effective_weight,
    make_loss,
    masked_asymmetric,
    masked_bce,
    masked_focal,
    masked_huber,
    masked_ordinal,
    positive_weight,
)

NAN = float("nan")
KINDS = ("bce", "focal", "asymmetric")


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_focal_loss_is_cross_entropy_times_the_squared_distance():
    found = masked_focal(torch.tensor([[2.0, 0.5]]), torch.tensor([[1.0, 0.0]]))
    one = (1 - sigmoid(2.0)) ** 2 * -math.log(sigmoid(2.0))
    two = sigmoid(0.5) ** 2 * -math.log(1 - sigmoid(0.5))
    assert float(found) == pytest.approx((one + two) / 2, rel=1e-5)


def test_focal_loss_of_gamma_0_is_cross_entropy():
    logits, labels = torch.randn(6, 3), torch.tensor([[1.0, 0.0, NAN]]).expand(6, 3)
    assert torch.allclose(masked_focal(logits, labels, gamma=0.0), masked_bce(logits, labels))


def test_asymmetric_loss_shifts_and_damps_the_negatives_only():
    found = masked_asymmetric(
        torch.tensor([[1.0, 1.0]]), torch.tensor([[1.0, 0.0]]), gamma_positive=1.0, gamma_negative=2.0, margin=0.1
    )
    chance = sigmoid(1.0)
    positive = (1 - chance) * -math.log(chance)
    negative = (chance - 0.1) ** 2 * -math.log(1 - (chance - 0.1))
    assert float(found) == pytest.approx((positive + negative) / 2, rel=1e-5)


def test_a_negative_scored_below_the_margin_costs_and_teaches_nothing():
    logits = torch.tensor([[-4.0]], requires_grad=True)
    loss = masked_asymmetric(logits, torch.zeros(1, 1))
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0.0, abs=1e-12)
    assert float(logits.grad) == 0.0


def test_asymmetric_loss_without_gammas_and_margin_is_cross_entropy():
    logits, labels = torch.randn(6, 3), torch.tensor([[1.0, 0.0, NAN]]).expand(6, 3)
    found = masked_asymmetric(logits, labels, gamma_positive=0.0, gamma_negative=0.0, margin=0.0)
    assert torch.allclose(found, masked_bce(logits, labels), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_every_loss_weighs_the_positives_of_each_finding(kind):
    logits = torch.zeros(1, 2)
    plain = make_loss(kind)(logits, torch.ones(1, 2))
    weighed = make_loss(kind, weight=torch.tensor([3.0, 1.0]))(logits, torch.ones(1, 2))
    assert float(weighed / plain) == pytest.approx(2.0, rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_no_loss_knows_anything_of_an_unknown_label(kind):
    logits = torch.tensor([[1.0, -2.0]], requires_grad=True)
    make_loss(kind)(logits, torch.full((1, 2), NAN)).backward()
    assert not logits.grad.any()


@pytest.mark.parametrize("kind", KINDS)
@given(logit=st.floats(-60, 60), label=st.sampled_from([0.0, 0.3, 1.0]))
def test_every_loss_and_its_gradient_are_finite_and_not_negative(kind, logit, label):
    logits = torch.tensor([[logit]], requires_grad=True)
    loss = make_loss(kind)(logits, torch.tensor([[label]]))
    loss.backward()
    assert float(loss.detach()) >= 0.0
    assert math.isfinite(float(loss.detach()))
    assert math.isfinite(float(logits.grad))


def test_a_loss_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="unknown loss 'hinge'; known: bce, focal, asymmetric"):
        make_loss("hinge")


def test_the_effective_number_of_cases_makes_the_weight():
    labels = torch.tensor([[1.0]] * 2 + [[0.0]] * 10 + [[NAN]])
    expected = (1 - 0.9**10) / (1 - 0.9**2)
    assert effective_weight(labels, beta=0.9).tolist() == pytest.approx([expected], rel=1e-5)


def test_effective_weights_go_from_none_to_the_ratio_of_the_classes():
    labels = torch.tensor([[1.0]] * 3 + [[0.0]] * 12)
    assert effective_weight(labels, beta=1e-9).tolist() == pytest.approx([1.0])
    assert effective_weight(labels, beta=0.99999).tolist() == pytest.approx(positive_weight(labels).tolist(), rel=1e-3)


def test_a_finding_of_one_class_has_a_weight_of_one():
    labels = torch.tensor([[1.0, 0.0, NAN]] * 4)
    assert effective_weight(labels).tolist() == [1.0, 1.0, 1.0]


def test_alignment_of_two_cases_is_as_computed_by_hand():
    scan = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    note = torch.tensor([[3.0, 0.0], [1.0, 1.0]])
    all_there = {name: torch.ones(2, dtype=torch.bool) for name in ("scan", "note")}
    found = alignment({"scan": scan, "note": note}, all_there, temperature=0.5)
    r = math.sqrt(0.5)
    score = [[2.0, 2 * r], [0.0, 2 * r]]
    by_row = [math.log(sum(map(math.exp, row))) - row[n] for n, row in enumerate(score)]
    by_column = [math.log(sum(map(math.exp, col))) - col[n] for n, col in enumerate(zip(*score, strict=True))]
    assert float(found) == pytest.approx((sum(by_row) + sum(by_column)) / 4, rel=1e-5)


def test_alignment_asks_only_cases_that_have_both():
    vectors = {"scan": torch.randn(5, 3, requires_grad=True), "note": torch.randn(5, 3)}
    there = torch.tensor([True, False, True, True, True])
    found = alignment(vectors, {"scan": there, "note": torch.tensor([True, True, True, False, True])})
    found.backward()
    kept = {name: part.detach()[[0, 2, 4]] for name, part in vectors.items()}
    ones = torch.ones(3, dtype=torch.bool)
    assert float(found.detach()) == pytest.approx(float(alignment(kept, {"scan": ones, "note": ones})), rel=1e-5)
    assert not vectors["scan"].grad[[1, 3]].any()


def test_alignment_of_a_batch_that_has_no_pair_is_zero_and_can_be_derived():
    scan = torch.randn(3, 2, requires_grad=True)
    none = torch.zeros(3, dtype=torch.bool)
    loss = alignment({"scan": scan, "note": torch.randn(3, 2)}, {"scan": ~none, "note": none})
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert not scan.grad.any()


def test_ordinal_loss_asks_at_each_step_whether_the_grade_is_beyond():
    logits = torch.tensor([[[1.0, -1.0]], [[0.0, 0.0]]])
    found = masked_ordinal(logits, torch.tensor([[1.0], [NAN]]))
    assert float(found) == pytest.approx(-math.log(sigmoid(1.0)) * 2, rel=1e-5)


def test_huber_loss_is_squared_near_and_linear_far():
    found = masked_huber(torch.tensor([[0.5, 3.0, 9.0]]), torch.tensor([[0.0, 0.0, NAN]]))
    assert float(found) == pytest.approx((0.5 * 0.25 + (3.0 - 0.5)) / 2)
