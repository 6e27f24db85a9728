"""Tokens that a frozen encoder gave: standardised after the training cohort, and where asked told from their centre."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fusion_models.tokens import Tokens

FARTHEST = 10.0  # standard deviations


class GivenTokens(nn.Module):
    """The encoder of a modality whose tokens are computed beforehand.

    Parameters
    ----------
    features
        Width D of the tokens.
    position_scale
        Length of one unit of each position coordinate.
    centred
        Positions are taken from the middle of the case's own tokens: where a scanner put its origin says nothing.

    Notes
    -----
    ``centre`` and ``spread`` (per feature) are set by ``fit`` and saved with the weights.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, *, features: int, position_scale: tuple[float, ...], centred: bool = False) -> None:
        super().__init__()
        self.features, self.position_scale, self.centred = features, position_scale, centred
        self.register_buffer("centre", torch.zeros(features))
        self.register_buffer("spread", torch.ones(features))

    def fit(self, tokens: Tokens) -> None:
        """Take mean and standard deviation of each feature over the real tokens of the training cohort.

        A deviation below a hundredth of the mean is held there: dividing by less would magnify an encoder's rounding,
        which differs from batch to batch, into scores that differ.
        """
        real = tokens.values[tokens.mask].float()
        if len(real) > 1:
            mean = real.mean(dim=0)
            self.centre.copy_(mean)
            self.spread.copy_(torch.maximum(real.std(dim=0), mean.abs() / 100).clamp(min=1e-4))

    def forward(self, tokens: Tokens) -> Tokens:
        """The tokens in float32; features are held within ±10 deviations."""
        level = (tokens.values.float().masked_fill(~tokens.mask[..., None], 0.0) - self.centre) / self.spread
        position = _centred(tokens) if self.centred else tokens.position
        return Tokens(level.clamp(-FARTHEST, FARTHEST), tokens.mask, position, tokens.source)


def _centred(tokens: Tokens) -> Tensor:
    hidden = ~tokens.mask[..., None]
    count = tokens.mask.sum(dim=1)[:, None, None].clamp(min=1)
    centre = tokens.position.masked_fill(hidden, 0.0).sum(dim=1, keepdim=True) / count
    return (tokens.position - centre).masked_fill(hidden, 0.0)
