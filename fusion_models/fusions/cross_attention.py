"""Bidirectional cross-attention: every modality asks all the others, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fusion_models.fusions.attention import Layer
from fusion_models.fusions.entrance import entrances
from fusion_models.tokens import Tokens


class CrossAttentionFusion(nn.Module):
    """Projects each modality to one width and lets the modalities ask each other.

    Parameters
    ----------
    features
        Features D of each modality, by name; the order of the names is the order of the output.
    position_scale
        Per modality, the length of one unit of each position coordinate (60 mm for scans, say), so that positions
        reach the Fourier features within about ±4; beyond ±16 they are held there.
    width, heads, layers, dropout
        The shape of the net.
    """

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
        self.layers = nn.ModuleList(
            nn.ModuleDict({name: Layer(width=width, heads=heads, dropout=dropout) for name in features})
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Mapping[str, Tokens]) -> dict[str, Tokens]:
        """Fused tokens by modality, each with one more slot at its end: its absence token.

        Where a modality stands alone it attends to itself.
        """
        entered = {name: self.enter[name](tokens[name]) for name in self.names}
        state = {name: part for name, (part, _) in entered.items()}
        place = {name: part for name, (_, part) in entered.items()}
        for layer in self.layers:
            state = {name: self._ask(layer[name], name, state, place) for name in self.names}  # type: ignore[index]
        return {
            name: Tokens(self.norm(part.values), part.mask, part.position, part.source) for name, part in state.items()
        }

    def _ask(self, layer: nn.Module, name: str, state: dict[str, Tokens], place: dict[str, Tensor]) -> Tokens:
        own = state[name]
        others = [other for other in self.names if other != name] or [name]
        context = torch.cat([state[other].values for other in others], dim=1)
        where = torch.cat([place[other] for other in others], dim=1)
        mask = torch.cat([state[other].mask for other in others], dim=1)
        return Tokens(layer(own.values, context, where, mask), own.mask, own.position, own.source)
