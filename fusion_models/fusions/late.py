"""Late fusion: one model a modality, and per finding a weighted sum of their logits (stacking, Wolpert 1992)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as F

from fusion_models.diagnoser import Diagnoser
from fusion_models.fusions.hidden import hide_modalities
from fusion_models.fusions.reading import Reading
from fusion_models.tokens import Tokens

ALONE = 0.5


class Late(nn.Module):
    """Parameters as :class:`Diagnoser` has them, which reads each modality by itself.

    Notes
    -----
    Weights are above zero and start at 1: the average of calibrated models is the sum with equal weights. In training a
    case is read, with the chance ``ALONE``, by the model of one of its modalities, drawn at random, and else by the
    sum, which then teaches its weights, and what a modality says where it is missing. So each model learns as if it
    were the only one, which is what makes the fusion late, and all are fitted in one run. A missing modality adds what
    its model says of its absence token. The evidence of a finding is parted among the modalities that the case has by
    their weights.
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
        self.modality_dropout = modality_dropout
        self.names = tuple(features)
        self.single = nn.ModuleDict(
            {
                name: Diagnoser(
                    findings=findings,
                    features={name: features[name]},
                    position_scale={name: position_scale[name]},
                    width=width,
                    heads=heads,
                    layers=layers,
                    dropout=dropout,
                    modality_dropout=0.0,
                )
                for name in features
            }
        )
        self.weight = nn.Parameter(torch.full((findings, len(features)), 0.5413))  # softplus gives 1
        self.bias = nn.Parameter(torch.zeros(findings))

    def forward(self, tokens: Mapping[str, Tokens]) -> Reading:
        """Read a batch. ``tokens`` has exactly the modalities the model was built for."""
        seen = hide_modalities(tokens, self.modality_dropout) if self.training else tokens
        readings = [self.single[name]({name: seen[name]}) for name in self.names]
        each = torch.stack([reading.logits for reading in readings], dim=-1)
        present = torch.stack([seen[name].mask.any(dim=1) for name in self.names], dim=-1)
        weight = F.softplus(self.weight)
        taught = torch.where(present[:, None], each.detach(), each) if self.training else each
        logits = (taught * weight).sum(dim=-1) + self.bias
        if self.training:
            drawn = torch.rand(present.shape, device=each.device).masked_fill(~present, -1.0).argmax(dim=1)
            own = each.gather(2, drawn[:, None, None].expand(-1, each.shape[1], 1))[..., 0]
            alone = torch.rand(len(each), 1, device=each.device) < ALONE
            logits = torch.where(alone, own, logits)
        counted = present | ~present.any(dim=1, keepdim=True)
        part = weight * counted[:, None]
        part = part / part.sum(dim=-1, keepdim=True)
        evidence = {
            name: reading.attention[name] * part[:, :, number, None]
            for number, (name, reading) in enumerate(zip(self.names, readings, strict=True))
        }
        return Reading(logits, evidence)
