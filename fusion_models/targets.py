"""Heads of the targets beside those of the findings: ordinal grades, and measurements.

A fusion is built for as many questions as there are findings and targets together; `TargetHeads` parts what it gives.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from fusion_models.fusions.reading import Reading
from fusion_models.losses import masked_huber, masked_ordinal

LEAST_STEP = 0.05
"""Smallest distance between two cut points where they begin, in logits."""


class TargetHeads(nn.Module):
    """Parts a reading into the logits of the findings and what is said of each target.

    Parameters
    ----------
    levels
        By target, in the order of the last questions of the fusion: the number K of levels of an ordinal one, or None
        for a regression.

    Notes
    -----
    An ordinal target has one score, and K - 1 cut points on it that are kept in order, which makes "more than level k"
    never likelier than "more than level k - 1" (cumulative link model, McCullagh 1980; CORAL, Cao et al. 2020, where
    one weight vector and a bias a step do the same). A regression's score is its standardised value.
    """

    def __init__(self, levels: Mapping[str, int | None]) -> None:
        super().__init__()
        self.levels = dict(levels)
        # The bias of the first step, then the distances to the next ones before softplus.
        self.cut = nn.ParameterList(_raw(torch.linspace(1.0, -1.0, count - 1)) for count in levels.values() if count)

    def forward(self, reading: Reading) -> Reading:
        """The findings' logits and shares alone, and by target [B, K - 1] logits of "more than level k", or [B, 1]."""
        findings = reading.logits.shape[1] - len(self.levels)
        cuts = iter(self.cut)
        scores = reading.logits[:, findings:].split(1, dim=1)
        outputs = {
            name: score if count is None else score + _biases(next(cuts))
            for (name, count), score in zip(self.levels.items(), scores, strict=True)
        }
        shares = {name: share[:, :findings] for name, share in reading.attention.items()}
        return Reading(reading.logits[:, :findings], shares, outputs)

    @torch.no_grad()
    def begin(self, labels: Float[Tensor, "N T"]) -> None:
        """Set the cut points where a score of 0 has the training cases' share of each level; NaN is unknown."""
        cuts = iter(self.cut)
        for column, count in zip(labels.unbind(dim=1), self.levels.values(), strict=True):
            if count is not None:
                known = column[~column.isnan()]
                above = (known[:, None] > torch.arange(count - 1, device=known.device)).sum(dim=0)
                share = (above + 0.5) / (len(known) + 1)
                next(cuts).copy_(_raw(share.logit()))


def target_loss(
    outputs: Mapping[str, Tensor], labels: Float[Tensor, "B T"], *, weights: Mapping[str, float]
) -> Float[Tensor, ""]:
    """Weighted sum of the targets' losses; ``labels`` are grades, or standardised values, NaN where unknown.

    Ordinal: CORAL's cross-entropy, the mean over its steps, so that many levels weigh no more than a few. Regression:
    the Huber loss. Each is a mean over the known labels of the batch, and 0 with a gradient of 0 without any.
    """
    total = labels.new_zeros(())
    for (name, said), label in zip(outputs.items(), labels.split(1, dim=1), strict=True):
        steps = said.shape[1]
        # A regression has one value, an ordinal target two steps or more.
        loss = masked_huber(said, label) if steps == 1 else masked_ordinal(said[:, None], label) / steps
        total = total + weights[name] * loss
    return total


def level_probabilities(steps: Float[Tensor, "N K1"]) -> Float[Tensor, "N K"]:
    """Probability of each level, from the logits of "more than level k": differences of neighbouring steps."""
    above = torch.sigmoid(steps)
    ones, zeros = torch.ones_like(above[:, :1]), torch.zeros_like(above[:, :1])
    above = torch.cat([ones, above, zeros], dim=1)
    return (above[:, :-1] - above[:, 1:]).clamp(min=0.0)


def _biases(raw: Float[Tensor, " K1"]) -> Float[Tensor, " K1"]:
    return torch.cat([raw[:1], raw[:1] - F.softplus(raw[1:]).cumsum(dim=0)])


def _raw(biases: Float[Tensor, " K1"]) -> Float[Tensor, " K1"]:
    """What `_biases` makes these of; neighbours that are too near each other are moved apart."""
    gaps = (biases[:-1] - biases[1:]).clamp(min=LEAST_STEP)
    return torch.cat([biases[:1], gaps.expm1().log()])
