"""Bottleneck: modalities hear of each other through a few latents alone.

The latents read all tokens and then themselves (Perceiver, Jaegle et al. 2021); the tokens read the latents (attention
bottlenecks, Nagrani et al. 2021). Cost grows with the number of tokens, not with its square.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from fusion_models.fusions.attention import Layer
from fusion_models.fusions.entrance import Entrance
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
        self.enter = nn.ModuleDict({name: Entrance(features[name], position_scale[name], width) for name in features})
        self.latent = nn.Parameter(torch.randn(LATENTS, width) * width**-0.5)
        self.layers = nn.ModuleList(
            nn.ModuleDict({step: Layer(width=width, heads=heads, dropout=dropout) for step in ("read", "mix", "tell")})
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Mapping[str, Tokens]) -> dict[str, Tokens]:
        """Fused tokens by modality, each with one more slot at its end: its absence token."""
        entered = [(name, *self.enter[name](tokens[name])) for name in self.names]
        values = torch.cat([part.values for _, part, _ in entered], dim=1)
        place = torch.cat([where for *_, where in entered], dim=1)
        mask = torch.cat([part.mask for _, part, _ in entered], dim=1)
        latent = self.latent.expand(len(values), -1, -1)
        known, real = latent, mask.new_ones(latent.shape[:2])
        for layer in self.layers:
            latent = layer["read"](latent, values, place, mask)  # type: ignore[index]
            latent = layer["mix"](latent, latent, known, real)  # type: ignore[index]
            values = layer["tell"](values, latent, known, real)  # type: ignore[index]
        fused = self.norm(values).split([part.values.shape[1] for _, part, _ in entered], dim=1)
        return {
            name: Tokens(own, part.mask, part.position, part.source)
            for (name, part, _), own in zip(entered, fused, strict=True)
        }
