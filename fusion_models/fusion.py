"""Bidirectional cross-attention: every modality asks all the others, layer by layer.

Built on ``scaled_dot_product_attention`` with a key mask; dropout is off in eval. A missing modality is its learned
absence token (mask true), so no row is ever fully masked and no zero poses as data.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from fusion_models.tokens import Tokens

OCTAVES = 4


class Attention(nn.Module):
    """Multi-head attention (Vaswani 2017) with a key mask."""

    def __init__(self, *, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is not a multiple of {heads} heads")
        self.heads, self.dropout = heads, dropout
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(
        self, x: Float[Tensor, "B T D"], context: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"]
    ) -> Float[Tensor, "B T D"]:
        """Let ``x`` ask ``context``; where ``mask`` is False nothing is read."""
        query = self._split(self.query(x))
        key, value = (self._split(part) for part in self.key_value(context).chunk(2, dim=-1))
        dropout = self.dropout if self.training else 0.0
        read = F.scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None, None, :], dropout_p=dropout)
        return self.out(read.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Layer(nn.Module):
    """Pre-norm attention to a context, and a feed-forward block."""

    def __init__(self, *, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm_x, self.norm_context, self.norm_out = (nn.LayerNorm(width) for _ in range(3))
        self.attention = Attention(width=width, heads=heads, dropout=dropout)
        self.feed = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )
        self.drop = nn.Dropout(dropout)

    def forward(
        self, x: Float[Tensor, "B T D"], context: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"]
    ) -> Float[Tensor, "B T D"]:
        """One step of the residual stream."""
        x = x + self.drop(self.attention(self.norm_x(x), self.norm_context(context), mask))
        return x + self.drop(self.feed(self.norm_out(x)))


class CrossAttentionFusion(nn.Module):
    """Projects each modality to one width and lets the modalities ask each other.

    Parameters
    ----------
    features
        Features D of each modality, by name; the order of the names is the order of the output.
    position_scale
        Per modality, the length of one unit of each position coordinate (100 mm for scans, say), so that positions
        reach the Fourier features within about ±4.
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
        self.enter = nn.ModuleDict({name: Entrance(features[name], position_scale[name], width) for name in features})
        self.layers = nn.ModuleList(
            nn.ModuleDict({name: Layer(width=width, heads=heads, dropout=dropout) for name in features})
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Mapping[str, Tokens]) -> dict[str, Tokens]:
        """Fused tokens by modality, each with one more slot at its end: its absence token.

        Where a modality stands alone it attends to itself.
        """
        state = {name: self.enter[name](tokens[name]) for name in self.names}
        for layer in self.layers:
            state = {name: self._ask(layer[name], name, state) for name in self.names}  # type: ignore[index]
        return {
            name: Tokens(self.norm(part.values), part.mask, part.position, part.source) for name, part in state.items()
        }

    def _ask(self, layer: nn.Module, name: str, state: dict[str, Tokens]) -> Tokens:
        own = state[name]
        others = [part for other, part in state.items() if other != name] or [own]
        context = torch.cat([part.values for part in others], dim=1)
        mask = torch.cat([part.mask for part in others], dim=1)
        return Tokens(layer(own.values, context, mask), own.mask, own.position, own.source)


class Entrance(nn.Module):
    """Projects one modality, adds Fourier features of its positions, and appends its absence token."""

    scale: Tensor

    def __init__(self, features: int, scale: tuple[float, ...], width: int) -> None:
        super().__init__()
        self.project = nn.Sequential(nn.LayerNorm(features), nn.Linear(features, width))
        self.place = nn.Linear(len(scale) * (2 * OCTAVES + 1), width)
        self.absence = nn.Parameter(torch.randn(width) * 0.02)
        self.register_buffer("scale", torch.tensor(scale), persistent=False)

    def forward(self, tokens: Tokens) -> Tokens:
        """Tokens [B, T + 1, width]; the last slot is real exactly where the case has no other token."""
        batch = len(tokens.values)
        values = self.project(tokens.values) + self.place(fourier(tokens.position / self.scale))
        absent = ~tokens.mask.any(dim=1, keepdim=True)
        return Tokens(
            values=torch.cat([values, self.absence.expand(batch, 1, -1)], dim=1),
            mask=torch.cat([tokens.mask, absent], dim=1),
            position=F.pad(tokens.position, (0, 0, 0, 1)),
            source=F.pad(tokens.source, (0, 1), value=-1),
        )


def fourier(position: Float[Tensor, "B T P"]) -> Float[Tensor, "B T Q"]:
    """Position itself, and its sine and cosine at ``OCTAVES`` doubling frequencies from a period of 8 units."""
    frequency = 2.0 ** torch.arange(OCTAVES, device=position.device) * (torch.pi / 4)
    angle = (position[..., None] * frequency).flatten(-2)
    return torch.cat([position, angle.sin(), angle.cos()], dim=-1)
