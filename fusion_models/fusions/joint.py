"""Joint transformer: the tokens of all modalities in one sequence that attends to itself (UNITER, Chen et al. 2020)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from fusion_models.fusions.attention import Layer
from fusion_models.fusions.entrance import Entrance
from fusion_models.tokens import Tokens


class JointFusion(nn.Module):
    """Parameters as :class:`CrossAttentionFusion` has them. A learned vector tells the modalities apart."""

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
        self.kind = nn.ParameterDict({name: nn.Parameter(torch.randn(width) * 0.02) for name in features})
        self.layers = nn.ModuleList(Layer(width=width, heads=heads, dropout=dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Mapping[str, Tokens]) -> dict[str, Tokens]:
        """Fused tokens by modality, each with one more slot at its end: its absence token."""
        entered = [(name, *self.enter[name](tokens[name])) for name in self.names]
        values = torch.cat([part.values + self.kind[name] for name, part, _ in entered], dim=1)
        place = torch.cat([where for *_, where in entered], dim=1)
        mask = torch.cat([part.mask for _, part, _ in entered], dim=1)
        for layer in self.layers:
            values = layer(values, values, place, mask)
        fused = self.norm(values).split([part.values.shape[1] for _, part, _ in entered], dim=1)
        return {
            name: Tokens(own, part.mask, part.position, part.source)
            for (name, part, _), own in zip(entered, fused, strict=True)
        }
