"""Where tokens enter a fusion: one width for all modalities, their positions added, and a token for what is absent.

A missing modality is its learned absence token (mask true), so no row is ever fully masked and no zero poses as data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from fusion_models.tokens import Tokens

OCTAVES = 4
# Positions beyond so many units (a value years old, a very long note) count as this far: they would drown the features.
FARTHEST = 16.0


class Entrance(nn.Module):
    """Projects one modality, adds Fourier features of its positions, and appends its absence token."""

    scale: Tensor

    def __init__(self, features: int, scale: tuple[float, ...], width: int) -> None:
        super().__init__()
        self.project = nn.Sequential(nn.Linear(features, width), nn.LayerNorm(width))
        self.place = nn.Linear(len(scale) * (2 * OCTAVES + 1), width)
        self.absence = nn.Parameter(torch.randn(width) * 0.02)
        self.register_buffer("scale", torch.tensor(scale))

    def forward(self, tokens: Tokens) -> tuple[Tokens, Float[Tensor, "B T D"]]:
        """Tokens [B, T + 1, width] and their places; the last slot is real exactly where the case has no other.

        Whatever stands in masked slots, NaN too, is put out of reach: a weight of 0 times NaN would be NaN.
        """
        batch = len(tokens.values)
        hidden = ~tokens.mask[..., None]
        position = (tokens.position.masked_fill(hidden, 0.0) / self.scale).clamp(-FARTHEST, FARTHEST)
        place = self.place(fourier(position))
        absent = ~tokens.mask.any(dim=1, keepdim=True)
        values = tokens.values.masked_fill(hidden, 0.0)
        entered = Tokens(
            values=torch.cat([self.project(values) + place, self.absence.expand(batch, 1, -1)], dim=1),
            mask=torch.cat([tokens.mask, absent], dim=1),
            position=F.pad(tokens.position, (0, 0, 0, 1)),
            source=F.pad(tokens.source, (0, 1), value=-1),
        )
        return entered, F.pad(place, (0, 0, 0, 1))


def entrances(
    features: Mapping[str, int], position_scale: Mapping[str, tuple[float, ...]], width: int
) -> nn.ModuleDict:
    """One entrance a modality, by name and in its order."""
    return nn.ModuleDict({name: Entrance(features[name], position_scale[name], width) for name in features})


def side_by_side(entered: Mapping[str, tuple[Tokens, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    """Values and places [B, T, width] and the mask [B, T] of all modalities' tokens in one sequence."""
    parts = entered.values()
    return (
        torch.cat([part.values for part, _ in parts], dim=1),
        torch.cat([place for _, place in parts], dim=1),
        torch.cat([part.mask for part, _ in parts], dim=1),
    )


def by_modality(values: Float[Tensor, "B T D"], entered: Mapping[str, tuple[Tokens, Tensor]]) -> dict[str, Tokens]:
    """Such a sequence of values as the tokens that it was made of."""
    own = values.split([part.values.shape[1] for part, _ in entered.values()], dim=1)
    return {name: replace(part, values=new) for (name, (part, _)), new in zip(entered.items(), own, strict=True)}


def fourier(position: Float[Tensor, "B T P"]) -> Float[Tensor, "B T Q"]:
    """Position itself, and its sine and cosine at ``OCTAVES`` doubling frequencies from a period of 8 units."""
    frequency = 2.0 ** torch.arange(OCTAVES, device=position.device) * (torch.pi / 4)
    angle = (position[..., None] * frequency).flatten(-2)
    return torch.cat([position, angle.sin(), angle.cos()], dim=-1)
