"""Observation encoder: each dated value is one token, made of its code and its standardised value."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from fusion_models.tokens import Tokens, take_rows

# A spread below this share of the mean is rounding.
CONSTANT = 1e-6


@dataclass(frozen=True)
class Values:
    """The dated values of a batch of cases: number of the code, value, age in days; ``mask``: a value stands there."""

    code: Int[Tensor, "B T"]
    value: Float[Tensor, "B T"]
    age_days: Float[Tensor, "B T"]
    mask: Bool[Tensor, "B T"]

    def __len__(self) -> int:
        """Number of cases."""
        return len(self.mask)

    def take(self, index: Int[Tensor, " N"]) -> Values:
        """The cases at ``index``, with padding that none of them needs cut off."""
        return Values(*take_rows(self.mask, index, (self.code, self.value, self.age_days, self.mask)))

    def to(self, device: torch.device | str) -> Values:
        """The same values on a device."""
        return Values(*(part.to(device) for part in (self.code, self.value, self.age_days, self.mask)))


class ObservationEncoder(nn.Module):
    """Values in, tokens out.

    Parameters
    ----------
    codes
        Number of known codes.
    features
        Width D of the tokens.
    position_scale
        Days of one unit of position.

    Notes
    -----
    ``centre`` and ``scale`` (per code) standardise values; ``fit`` sets them from the training cohort, and they are
    saved with the weights.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, *, codes: int, features: int, position_scale: tuple[float, ...] = (30.0,)) -> None:
        super().__init__()
        self.features, self.position_scale = features, position_scale
        self.code = nn.Embedding(codes, features)
        self.value = nn.Linear(2, features)
        self.register_buffer("centre", torch.zeros(codes))
        self.register_buffer("scale", torch.ones(codes))

    def fit(self, values: Values) -> None:
        """Take mean and standard deviation per code from the training cohort."""
        centre, scale = code_statistics(values, codes=len(self.centre))
        self.centre.copy_(centre)
        self.scale.copy_(scale)

    def forward(self, values: Values) -> Tokens:
        """One token a value. Standardised values are held within ±5, so that a typing error cannot dominate."""
        code, mask = values.code, values.mask
        level = ((values.value - self.centre[code]) / self.scale[code]).masked_fill(~mask, 0.0).clamp(-5.0, 5.0)
        made = self.code(code) + self.value(torch.stack([level, level**2], dim=-1))
        source = torch.arange(code.shape[1], device=code.device).expand_as(code).masked_fill(~mask, -1)
        return Tokens(made * mask[..., None], mask, values.age_days[..., None], source)


def code_statistics(values: Values, *, codes: int) -> tuple[Float[Tensor, " C"], Float[Tensor, " C"]]:
    """Mean and standard deviation of each code's values.

    A code never seen keeps 0 and 1. A code of one and the same value keeps a deviation of 1: dividing by the rounding
    error of its mean would make noise of it.
    """
    centre, scale = torch.zeros(codes), torch.ones(codes)
    code, value = values.code[values.mask], values.value[values.mask]
    for number in range(codes):
        seen = value[code == number].double()
        if len(seen):
            mean, spread = seen.mean(), seen.std(correction=0)
            centre[number] = mean
            scale[number] = spread if spread > CONSTANT * mean.abs().clamp(min=1.0) else 1.0
    return centre, scale
