"""The observation encoder of the linear reader: every code has its own place in the vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fusion_models.observation_encoder import Values, code_statistics
from fusion_models.tokens import Tokens

FARTHEST = 5.0  # standard deviations, so that a typing error cannot dominate


class ValueVector(nn.Module):
    """Values in, tokens out: the standardised value in its code's place, and a 1 in a second place: it is known.

    Tokens are multiplied by the number of the case's values, so that their mean is the vector of the case.

    Parameters
    ----------
    codes
        Number of known codes.
    position_scale
        Days of one unit of position.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, *, codes: int, position_scale: tuple[float, ...] = (30.0,)) -> None:
        super().__init__()
        self.codes, self.features, self.position_scale = codes, 2 * codes, position_scale
        self.register_buffer("centre", torch.zeros(codes))
        self.register_buffer("scale", torch.ones(codes))

    def fit(self, values: Values) -> None:
        """Take mean and standard deviation per code from the training cohort, as the observation encoder does."""
        centre, scale = code_statistics(values, codes=self.codes)
        self.centre.copy_(centre)
        self.scale.copy_(scale)

    def forward(self, values: Values) -> Tokens:
        """One token a value."""
        code, mask = values.code, values.mask
        level = ((values.value - self.centre[code]) / self.scale[code]).masked_fill(~mask, 0.0)
        place = F.one_hot(code, self.codes).float() * (mask * mask.sum(dim=1, keepdim=True))[..., None]
        made = torch.cat([place * level.clamp(-FARTHEST, FARTHEST)[..., None], place], dim=-1)
        source = torch.arange(code.shape[1], device=code.device).expand_as(code).masked_fill(~mask, -1)
        return Tokens(made, mask, values.age_days[..., None], source)
