"""Concept encoder: each mention of a finding is one token, made of the finding, what is said of it, and its side."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from fusion_models.tokens import Tokens, take_rows


@dataclass(frozen=True)
class Mentions:
    """The mentions of a batch of cases by number: finding, assertion, side; ``place``: section and sentence."""

    finding: Int[Tensor, "B T"]
    assertion: Int[Tensor, "B T"]
    side: Int[Tensor, "B T"]
    place: Float[Tensor, "B T 2"]
    mask: Bool[Tensor, "B T"]

    def __len__(self) -> int:
        """Number of cases."""
        return len(self.mask)

    def take(self, index: Int[Tensor, " N"]) -> Mentions:
        """The cases at ``index``, with padding that none of them needs cut off."""
        return Mentions(*take_rows(self.mask, index, self._parts()))

    def to(self, device: torch.device | str) -> Mentions:
        """The same mentions on a device."""
        return Mentions(*(part.to(device) for part in self._parts()))

    def _parts(self) -> tuple[Tensor, ...]:
        return self.finding, self.assertion, self.side, self.place, self.mask


class ConceptEncoder(nn.Module):
    """Mentions in, tokens out; a token is the sum of three embeddings.

    Parameters
    ----------
    findings, assertions, sides
        How many of each there are.
    features
        Width D of the tokens.
    position_scale
        Sections and sentences of one unit of position.

    Notes
    -----
    A finding's embedding starts at zero: one that training never saw says no more than that *something* is present,
    negated or of a side, instead of noise.
    """

    def __init__(
        self,
        *,
        findings: int,
        assertions: int,
        sides: int,
        features: int,
        position_scale: tuple[float, ...] = (4.0, 4.0),
    ) -> None:
        super().__init__()
        self.features, self.position_scale = features, position_scale
        self.finding = nn.Embedding(findings, features)
        self.assertion = nn.Embedding(assertions, features)
        self.side = nn.Embedding(sides, features)
        nn.init.zeros_(self.finding.weight)

    def fit(self, mentions: Mentions) -> None:
        """Nothing is taken from the training cohort beforehand."""

    def forward(self, mentions: Mentions) -> Tokens:
        """One token a mention; its source is its number among those of the case."""
        mask = mentions.mask
        made = self.finding(mentions.finding) + self.assertion(mentions.assertion) + self.side(mentions.side)
        source = torch.arange(mask.shape[1], device=mask.device).expand_as(mask).masked_fill(~mask, -1)
        return Tokens(made * mask[..., None], mask, mentions.place, source)
