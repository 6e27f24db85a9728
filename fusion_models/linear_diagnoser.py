"""The reader for small cohorts: each modality pooled to one vector, one penalised linear score, and their fusion.

Two fusions share these weights' shape. *Late*: the modalities' scores are weighed by how well they told the truth on
cases they were not fitted on (stacking, Wolpert 1992), with weights of zero or above. *Joint*: one score over
all vectors, which is late fusion with every weight 1 and the vectors fitted together.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from fusion_models.diagnoser import Reading
from fusion_models.tokens import Tokens

FARTHEST = 5.0  # standard deviations of a pooled feature; beyond lies what training never saw


class LinearDiagnoser(nn.Module):
    """Pooled tokens in, logits out.

    Parameters
    ----------
    findings
        Number of findings F.
    features
        Width D of each modality's tokens, by name.

    Notes
    -----
    All is set by ``fill``, nothing by gradient. A missing modality adds nothing, where a vector of zeros would add its
    distance from the mean.
    """

    bias: Tensor

    def __init__(self, *, findings: int, features: Mapping[str, int]) -> None:
        super().__init__()
        self.names = tuple(features)
        for name, width in features.items():
            self.register_buffer(f"centre_{name}", torch.zeros(findings, width))
            self.register_buffer(f"spread_{name}", torch.ones(findings, width))
            self.register_buffer(f"weight_{name}", torch.zeros(findings, width))
            self.register_buffer(f"offset_{name}", torch.zeros(findings))
            self.register_buffer(f"share_{name}", torch.zeros(findings))
        self.register_buffer("bias", torch.zeros(findings))

    def fill(self, bias: Float[Tensor, " F"], parts: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Take what was fitted, of each modality its centre, spread, weight, offset and share."""
        self.bias.copy_(bias)
        for name in self.names:
            for part, value in parts[name].items():
                getattr(self, f"{part}_{name}").copy_(value)

    def forward(self, tokens: Mapping[str, Tokens]) -> Reading:
        """Logits, and by modality the share of each token in what moved the score, as `Reading` has it.

        A token's part of a score is exact where nothing was clamped: pooling is a sum, and the score is linear in it.
        """
        logits = self.bias.expand(len(next(iter(tokens.values()))), -1)
        moved: dict[str, Tensor] = {}
        for name in self.names:
            part = tokens[name]
            vector, present = pool(part)
            level = self._level(name, vector)
            score = (level * self._of("weight", name)).sum(dim=2) + self._of("offset", name)
            share = self._of("share", name)
            logits = logits + share * score * present[:, None]
            moved[name] = self._moved(name, part) * share[None, :, None]
        return Reading(logits, _shares(moved, tokens))

    def _level(self, name: str, vector: Float[Tensor, "B D"]) -> Float[Tensor, "B F D"]:
        level = (vector[:, None] - self._of("centre", name)) / self._of("spread", name)
        return level.clamp(-FARTHEST, FARTHEST)

    def _moved(self, name: str, part: Tokens) -> Float[Tensor, "B F T"]:
        """How far each token moves the modality's score from a mean case's; the last slot, its absence, does not."""
        count = part.mask.sum(dim=1).clamp(min=1)[:, None, None]
        slope = self._of("weight", name) / self._of("spread", name)
        base = (slope * self._of("centre", name)).sum(dim=1)
        moved = torch.einsum("btd,fd->bft", part.values.float(), slope) - base[None, :, None]
        moved = (moved / count).masked_fill(~part.mask[:, None], 0.0)
        return F.pad(moved, (0, 1))

    def _of(self, part: str, name: str) -> Tensor:
        return getattr(self, f"{part}_{name}")


def pool(tokens: Tokens) -> tuple[Float[Tensor, "B D"], Bool[Tensor, " B"]]:
    """The mean of each case's tokens (zeros where it has none), and whether it has any."""
    count = tokens.mask.sum(dim=1)
    total = (tokens.values.float() * tokens.mask[..., None]).sum(dim=1)
    return total / count.clamp(min=1)[:, None], count > 0


def _shares(moved: Mapping[str, Tensor], tokens: Mapping[str, Tokens]) -> dict[str, Tensor]:
    """Absolute parts as shares that sum to 1 for each finding; where nothing moved, even over what the case has.

    What it does not have counts there as its absence, as other fusions have it; padding never does.
    """
    joined = torch.cat([part.abs() for part in moved.values()], dim=2)
    masks = [tokens[name].mask for name in moved]
    real = torch.cat([slots for mask in masks for slots in (mask, ~mask.any(dim=1, keepdim=True))], dim=1)[:, None]
    total = joined.sum(dim=2, keepdim=True)
    parts = torch.where(total > 0, joined / total.clamp(min=1e-12), real / real.sum(dim=2, keepdim=True))
    return dict(zip(moved, parts.split([part.shape[2] for part in moved.values()], dim=2), strict=True))
