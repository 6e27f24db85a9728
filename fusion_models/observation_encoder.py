"""Observation encoder: each dated value is one token, made of its code and its standardised value."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from fusion_models.tokens import Tokens

# A spread below this share of the mean is rounding.
CONSTANT = 1e-6


class ObservationEncoder(nn.Module):
    """Values in, tokens out.

    Parameters
    ----------
    codes
        Number of known codes.
    features
        Width D of the tokens.

    Notes
    -----
    ``centre`` and ``scale`` (per code) standardise values; ``fit`` sets them from the training cohort, and they are
    saved with the weights.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, *, codes: int, features: int) -> None:
        super().__init__()
        self.code = nn.Embedding(codes, features)
        self.value = nn.Linear(2, features)
        self.register_buffer("centre", torch.zeros(codes))
        self.register_buffer("scale", torch.ones(codes))

    def fit(self, code: Int[Tensor, " N"], value: Float[Tensor, " N"]) -> None:
        """Take mean and standard deviation per code from the training cohort.

        A code never seen keeps 0 and 1. A code of one and the same value keeps a scale of 1: dividing by the rounding
        error of its mean would make noise of it.
        """
        for number in range(len(self.centre)):
            seen = value[code == number].double()
            if len(seen):
                mean, spread = seen.mean(), seen.std(correction=0)
                self.centre[number] = mean
                self.scale[number] = spread if spread > CONSTANT * mean.abs().clamp(min=1.0) else 1.0

    def forward(
        self,
        code: Int[Tensor, "B T"],
        value: Float[Tensor, "B T"],
        age_days: Float[Tensor, "B T"],
        mask: Bool[Tensor, "B T"],
    ) -> Tokens:
        """One token a value. Standardised values are held within ±5, so that a typing error cannot dominate."""
        level = ((value - self.centre[code]) / self.scale[code]).masked_fill(~mask, 0.0).clamp(-5.0, 5.0)
        values = self.code(code) + self.value(torch.stack([level, level**2], dim=-1))
        count = code.shape[1]
        source = torch.arange(count, device=code.device).expand_as(code).masked_fill(~mask, -1)
        return Tokens(values * mask[..., None], mask, age_days[..., None], source)
