"""Gated fusion: a sum of the modalities' vectors, weighed anew for each case and finding (GMU, Arevalo et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from fusion_models.fusions.hidden import hide_modalities
from fusion_models.fusions.pooling import pooled_modalities
from fusion_models.fusions.reading import Reading
from fusion_models.tokens import Tokens


class Gated(nn.Module):
    """Parameters as :class:`Diagnoser` has them; ``layers`` plays no part.

    The gates of a finding sum to 1 over the modalities, and are the modalities' parts in its evidence.
    """

    def __init__(
        self,
        *,
        findings: int,
        features: Mapping[str, int],
        position_scale: Mapping[str, tuple[float, ...]],
        width: int,
        heads: int,
        layers: int,
        dropout: float,
        modality_dropout: float,
    ) -> None:
        super().__init__()
        self.modality_dropout, self.findings = modality_dropout, findings
        self.pool = pooled_modalities(features=features, position_scale=position_scale, width=width, heads=heads)
        self.turn = nn.ModuleDict(
            {name: nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.Tanh()) for name in features}
        )
        mixed = width * len(features)
        self.gate = nn.Sequential(
            nn.LayerNorm(mixed), nn.Linear(mixed, width), nn.GELU(), nn.Linear(width, findings * len(features))
        )
        self.drop = nn.Dropout(dropout)
        self.first = nn.Parameter(torch.randn(findings, width, width) * width**-0.5)
        self.second = nn.Parameter(torch.randn(findings, width) * width**-0.5)
        self.bias = nn.Parameter(torch.zeros(findings))

    def forward(self, tokens: Mapping[str, Tokens]) -> Reading:
        """Read a batch. ``tokens`` has exactly the modalities the model was built for."""
        seen = hide_modalities(tokens, self.modality_dropout) if self.training else tokens
        pooled = {name: pool(seen[name]) for name, pool in self.pool.items()}
        gate = self.gate(torch.cat([vector for vector, _ in pooled.values()], dim=-1))
        gate = gate.unflatten(-1, (self.findings, -1)).softmax(dim=-1)
        turned = torch.stack([self.turn[name](vector) for name, (vector, _) in pooled.items()], dim=1)
        mixed = self.drop(torch.einsum("bfm,bmw->bfw", gate, turned))
        hidden = torch.relu(torch.einsum("bfw,fwv->bfv", mixed, self.first))
        logits = (hidden * self.second).sum(dim=-1) + self.bias
        evidence = {
            name: gate[:, :, number, None] * share[:, None] for number, (name, (_, share)) in enumerate(pooled.items())
        }
        return Reading(logits, evidence)
