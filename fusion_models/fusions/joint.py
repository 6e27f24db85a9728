"""Joint transformer: the tokens of all modalities in one sequence that attends to itself (UNITER, Chen et al. 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import nn

from fusion_models.fusions.attention import Layer
from fusion_models.fusions.entrance import by_modality, entrances, side_by_side
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
        self.enter = entrances(features, position_scale, width)
        self.kind = nn.ParameterDict({name: nn.Parameter(torch.randn(width) * 0.02) for name in features})
        self.layers = nn.ModuleList(Layer(width=width, heads=heads, dropout=dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Mapping[str, Tokens]) -> dict[str, Tokens]:
        """Fused tokens by modality, each with one more slot at its end: its absence token."""
        entered = {}
        for name in self.names:
            part, where = self.enter[name](tokens[name])
            entered[name] = replace(part, values=part.values + self.kind[name]), where
        values, place, mask = side_by_side(entered)
        for layer in self.layers:
            values = layer(values, values, place, mask)
        return by_modality(self.norm(values), entered)
