"""Each modality as one vector: its tokens weighed by learned questions (attention-based pooling, Ilse et al. 2018)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fusion_models.fusions.entrance import Entrance
from fusion_models.tokens import Tokens


class PooledModality(nn.Module):
    """Projects one modality's tokens and pools them by ``heads`` questions; a missing one is its absence token."""

    def __init__(self, *, features: int, position_scale: tuple[float, ...], width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is not a multiple of {heads} heads")
        self.heads = heads
        self.enter = Entrance(features, position_scale, width)
        self.question = nn.Parameter(torch.randn(heads, width // heads) * (width // heads) ** -0.5)
        self.key_value = nn.Linear(width, 2 * width)

    def forward(self, tokens: Tokens) -> tuple[Float[Tensor, "B W"], Float[Tensor, "B S"]]:
        """The vector, and the share of each token in it (the mean over the questions); the last slot is absence."""
        entered, _ = self.enter(tokens)
        key, value = (x.unflatten(-1, (self.heads, -1)) for x in self.key_value(entered.values).chunk(2, dim=-1))
        score = torch.einsum("hd,bthd->bht", self.question, key)
        share = score.masked_fill(~entered.mask[:, None], -torch.inf).softmax(dim=-1)
        return torch.einsum("bht,bthd->bhd", share, value).flatten(1), share.mean(dim=1)


def pooled_modalities(
    *, features: Mapping[str, int], position_scale: Mapping[str, tuple[float, ...]], width: int, heads: int
) -> nn.ModuleDict:
    """One pooling a modality, by name."""
    return nn.ModuleDict(
        {
            name: PooledModality(features=features[name], position_scale=position_scale[name], width=width, heads=heads)
            for name in features
        }
    )
