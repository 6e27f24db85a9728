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
# Positions beyond so many units (a value years old, a very long note) count as this far: they would drown the features.
FARTHEST = 16.0


class Attention(nn.Module):
    """Multi-head attention (Vaswani 2017) with a key mask."""

    def __init__(self, *, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is not a multiple of {heads} heads")
        self.heads, self.dropout = heads, dropout
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.place_key = nn.Linear(width, width, bias=False)
        self.out = nn.Linear(width, width)

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        context: Float[Tensor, "B S D"],
        place: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "B S"],
    ) -> Float[Tensor, "B T D"]:
        """Let ``x`` ask ``context``, whose tokens lie at ``place``; where ``mask`` is False nothing is read."""
        query = self._split(self.query(x))
        key, value = (self._split(part) for part in self.key_value(context).chunk(2, dim=-1))
        key = key + self._split(self.place_key(place))
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
        self,
        x: Float[Tensor, "B T D"],
        context: Float[Tensor, "B S D"],
        place: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "B S"],
    ) -> Float[Tensor, "B T D"]:
        """One step of the residual stream."""
        x = x + self.drop(self.attention(self.norm_x(x), self.norm_context(context), place, mask))
        return x + self.drop(self.feed(self.norm_out(x)))


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


class Entrance(nn.Module):
    """Standardises and projects one modality, adds Fourier features of its positions, and appends its absence token."""

    scale: Tensor
    centre: Tensor
    spread: Tensor

    def __init__(self, features: int, scale: tuple[float, ...], width: int) -> None:
        super().__init__()
        self.project = nn.Sequential(nn.Linear(features, width), nn.LayerNorm(width))
        self.place = nn.Linear(len(scale) * (2 * OCTAVES + 1), width)
        self.absence = nn.Parameter(torch.randn(width) * 0.02)
        self.register_buffer("scale", torch.tensor(scale))
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

    def forward(self, tokens: Tokens) -> tuple[Tokens, Float[Tensor, "B T D"]]:
        """Tokens [B, T + 1, width] and their places; the last slot is real exactly where the case has no other.

        Whatever stands in masked slots, NaN too, is put out of reach: a weight of 0 times NaN would be NaN.
        """
        batch = len(tokens.values)
        hidden = ~tokens.mask[..., None]
        position = (tokens.position.masked_fill(hidden, 0.0) / self.scale).clamp(-FARTHEST, FARTHEST)
        place = self.place(fourier(position))
        absent = ~tokens.mask.any(dim=1, keepdim=True)
        level = ((tokens.values.masked_fill(hidden, 0.0) - self.centre) / self.spread).clamp(-10.0, 10.0)
        entered = Tokens(
            values=torch.cat([self.project(level) + place, self.absence.expand(batch, 1, -1)], dim=1),
            mask=torch.cat([tokens.mask, absent], dim=1),
            position=F.pad(tokens.position, (0, 0, 0, 1)),
            source=F.pad(tokens.source, (0, 1), value=-1),
        )
        return entered, F.pad(place, (0, 0, 0, 1))


def fourier(position: Float[Tensor, "B T P"]) -> Float[Tensor, "B T Q"]:
    """Position itself, and its sine and cosine at ``OCTAVES`` doubling frequencies from a period of 8 units."""
    frequency = 2.0 ** torch.arange(OCTAVES, device=position.device) * (torch.pi / 4)
    angle = (position[..., None] * frequency).flatten(-2)
    return torch.cat([position, angle.sin(), angle.cos()], dim=-1)
