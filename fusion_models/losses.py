"""Losses for labels that may be unknown."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def masked_bce(
    logits: Float[Tensor, "B F"], labels: Float[Tensor, "B F"], weight: Float[Tensor, " F"] | None = None
) -> Float[Tensor, ""]:
    """Mean binary cross-entropy over the known labels (0 or 1; NaN is unknown).

    ``weight`` multiplies the positives of each finding. A batch without a known label gives 0 with a gradient of 0.
    """
    known = ~labels.isnan()
    target = labels.nan_to_num()
    loss = F.binary_cross_entropy_with_logits(logits, target, pos_weight=weight, reduction="none")
    return (loss * known).sum() / known.sum().clamp(min=1)


def positive_weight(labels: Float[Tensor, "N F"], *, at_most: float = 20.0) -> Float[Tensor, " F"]:
    """Negatives over positives of each finding, between 1/at_most and at_most; 1 where a class is absent."""
    positive = (labels == 1).sum(dim=0).float()
    negative = (labels == 0).sum(dim=0).float()
    ratio = torch.where((positive > 0) & (negative > 0), negative / positive.clamp(min=1), torch.ones_like(positive))
    return ratio.clamp(1 / at_most, at_most)
