"""Bottleneck: modalities hear of each other through a few latents alone.

The latents read all tokens and then themselves (Perceiver, Jaegle et al. 2021); the tokens read the latents (attention
bottlenecks, Nagrani et al. 2021). Cost grows with the number of tokens, not with its square.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from fusion_models.fusions.attention import Layer
from fusion_models.fusions.entrance import by_modality, entrances, side_by_side
from fusion_models.tokens import Tokens

LATENTS = 8


class BottleneckFusion(nn.Module):
    """Parameters as :class:`CrossAttentionFusion` has them; there are ``LATENTS`` latents, which know their number."""

    def __init__(
        self,
        *,
        features: Mapping[str, int],
        position_scale: Mapping[str, tuple[float, ...]],
        width: int,
        heads: int,
        layers: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.names = tuple(features)
        self.enter = entrances(features, position_scale, width)
        self.latent = nn.Parameter(torch.randn(LATENTS, width) * width**-0.5)
        self.layers = nn.ModuleList(
            nn.ModuleDict({step: Layer(width=width, heads=heads, dropout=dropout) for step in ("read", "mix", "tell")})
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Mapping[str, Tokens]) -> dict[str, Tokens]:
        """Fused tokens by modality, each with one more slot at its end: its absence token."""
        entered = {name: self.enter[name](tokens[name]) for name in self.names}
        values, place, mask = side_by_side(entered)
        latent = self.latent.expand(len(values), -1, -1)
        known, real = latent, mask.new_ones(latent.shape[:2])
        for layer in self.layers:
            latent = layer["read"](latent, values, place, mask)  # type: ignore[index]
            latent = layer["mix"](latent, latent, known, real)  # type: ignore[index]
            values = layer["tell"](values, latent, known, real)  # type: ignore[index]
        return by_modality(self.norm(values), entered)
