"""The head that reads fused tokens: one learned question a finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn

from fusion_models.fusions.cross_attention import CrossAttentionFusion
from fusion_models.fusions.hidden import hide_modalities
from fusion_models.fusions.reading import Reading
from fusion_models.tokens import Tokens

__all__ = ["Diagnoser", "Reading"]


class Diagnoser(nn.Module):
    """Fusion and heads.

    Parameters
    ----------
    findings
        Number of findings F.
    features, position_scale, width, heads, layers, dropout
        As :class:`CrossAttentionFusion` has them.
    modality_dropout
        Chance that a present modality of a training case is hidden; a case never loses all it has.
    fuse
        Makes what fuses the tokens, from the parameters that :class:`CrossAttentionFusion` has.
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
        fuse: Callable[..., nn.Module] = CrossAttentionFusion,
    ) -> None:
        super().__init__()
        self.fusion = fuse(
            features=features, position_scale=position_scale, width=width, heads=heads, layers=layers, dropout=dropout
        )
        self.modality_dropout = modality_dropout
        self.heads = heads
        self.question = nn.Parameter(torch.randn(findings, width) * width**-0.5)
        self.key_value = nn.Linear(width, 2 * width)
        self.hidden = nn.Sequential(nn.LayerNorm(width), nn.Dropout(dropout))
        self.first = nn.Parameter(torch.randn(findings, width, width) * width**-0.5)
        self.second = nn.Parameter(torch.randn(findings, width) * width**-0.5)
        self.bias = nn.Parameter(torch.zeros(findings))

    def forward(self, tokens: Mapping[str, Tokens]) -> Reading:
        """Read a batch. ``tokens`` has exactly the modalities the model was built for.

        Raises
        ------
        KeyError
            A modality is absent from ``tokens``; hand in masked tokens instead.
        """
        fused = self.fusion(self._drop(tokens) if self.training else tokens)
        values = torch.cat([part.values for part in fused.values()], dim=1)
        mask = torch.cat([part.mask for part in fused.values()], dim=1)
        key, value = (part.unflatten(-1, (self.heads, -1)) for part in self.key_value(values).chunk(2, dim=-1))
        question = self.question.unflatten(-1, (self.heads, -1))
        score = torch.einsum("fhd,bthd->bfht", question, key) * key.shape[-1] ** -0.5
        share = score.masked_fill(~mask[:, None, None, :], -torch.inf).softmax(dim=-1)
        pooled = torch.einsum("bfht,bthd->bfhd", share, value).flatten(2)
        hidden = torch.relu(torch.einsum("bfd,fde->bfe", self.hidden(pooled), self.first))
        logits = (hidden * self.second).sum(dim=-1) + self.bias
        lengths = [part.values.shape[1] for part in fused.values()]
        parts = share.mean(dim=2).split(lengths, dim=-1)
        return Reading(logits, dict(zip(fused, parts, strict=True)))

    def _drop(self, tokens: Mapping[str, Tokens]) -> dict[str, Tokens]:
        return hide_modalities(tokens, self.modality_dropout)
