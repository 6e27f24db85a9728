from __future__ import annotations

import math

import pytest
import torch

from fusion_models.losses import masked_bce, positive_weight

NAN = float("nan")


def test_the_loss_is_the_mean_over_the_known_labels():
    logits = torch.tensor([[0.0, 1.0], [2.0, -3.0]])
    labels = torch.tensor([[1.0, 0.0], [NAN, 1.0]])
    expected = (math.log(2) + math.log(1 + math.e) + math.log(1 + math.exp(3))) / 3
    assert float(masked_bce(logits, labels)) == pytest.approx(expected, rel=1e-6)


def test_the_weight_multiplies_the_positives_only():
    loss = masked_bce(torch.zeros(2, 1), torch.tensor([[1.0], [0.0]]), torch.tensor([3.0]))
    assert float(loss) == pytest.approx((3 + 1) * math.log(2) / 2, rel=1e-6)


def test_a_batch_without_a_known_label_gives_a_loss_and_a_gradient_of_zero():
    logits = torch.zeros(2, 2, requires_grad=True)
    loss = masked_bce(logits, torch.full((2, 2), NAN))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert not logits.grad.any()


def test_an_unknown_label_gives_no_gradient():
    logits = torch.zeros(1, 2, requires_grad=True)
    masked_bce(logits, torch.tensor([[1.0, NAN]])).backward()
    assert logits.grad.tolist() == [[-0.5, 0.0]]


def test_positive_weight_is_negatives_over_positives_within_bounds():
    few = torch.tensor([[1.0]] + [[0.0]] * 30)
    columns = [torch.tensor([1.0, 0, 0, 0, NAN]), torch.tensor([1.0, 1, 1, 0, 0]), torch.ones(5), torch.full((5,), NAN)]
    assert positive_weight(torch.stack(columns, dim=1)).tolist() == pytest.approx([3.0, 2 / 3, 1.0, 1.0])
    assert positive_weight(few).tolist() == [20.0]
    assert positive_weight(1 - few).tolist() == pytest.approx([1 / 20])
