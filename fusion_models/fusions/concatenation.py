"""Concatenation: every modality pooled to one vector, the vectors side by side, and a perceptron over them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from fusion_models.fusions.hidden import hide_modalities
from fusion_models.fusions.pooling import pooled_modalities
from fusion_models.fusions.reading import Reading
from fusion_models.tokens import Tokens


class Concatenation(nn.Module):
    """Parameters as :class:`Diagnoser` has them; ``layers`` are those of the perceptron.

    Notes
    -----
    The perceptron mixes the modalities, and no weight says which of them a finding was read from: the evidence gives
    each the same part, spread over its tokens as they were pooled, for all findings alike.
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
        mixed, hidden = width * len(features), 2 * width
        steps: list[nn.Module] = [nn.LayerNorm(mixed)]
        for step in range(layers):
            steps += [nn.Linear(mixed if step == 0 else hidden, hidden), nn.GELU(), nn.Dropout(dropout)]
        self.mix = nn.Sequential(*steps, nn.Linear(hidden if layers else mixed, findings))

    def forward(self, tokens: Mapping[str, Tokens]) -> Reading:
        """Read a batch. ``tokens`` has exactly the modalities the model was built for."""
        seen = hide_modalities(tokens, self.modality_dropout) if self.training else tokens
        pooled = {name: pool(seen[name]) for name, pool in self.pool.items()}
        logits = self.mix(torch.cat([vector for vector, _ in pooled.values()], dim=-1))
        evidence = {
            name: (share / len(pooled))[:, None].expand(-1, self.findings, -1) for name, (_, share) in pooled.items()
        }
        return Reading(logits, evidence)
