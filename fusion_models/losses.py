"""Losses for labels that may be unknown, rare or uncertain; and one that brings the modalities of a case together.

Labels are [B, F]: 0, 1, a value between (a soft label), or NaN where unknown. Every loss is the mean over the known
labels, and a batch without any gives 0 with a gradient of 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

Loss = Callable[[Tensor, Tensor], Tensor]


def masked_bce(
    logits: Float[Tensor, "B F"], labels: Float[Tensor, "B F"], weight: Float[Tensor, " F"] | None = None
) -> Float[Tensor, ""]:
    """Mean binary cross-entropy over the known labels.

    ``weight`` multiplies the positives of each finding.
    """
    target = labels.nan_to_num()
    loss = F.binary_cross_entropy_with_logits(logits, target, pos_weight=weight, reduction="none")
    return _mean(loss, labels)


def masked_focal(
    logits: Float[Tensor, "B F"],
    labels: Float[Tensor, "B F"],
    weight: Float[Tensor, " F"] | None = None,
    *,
    gamma: float = 2.0,
) -> Float[Tensor, ""]:
    """Focal loss (Lin et al. 2017): cross-entropy times the ``gamma``-th power of how far off the score is.

    For soft labels the distance |label - p| takes the place of 1 - p_t (Li et al. 2020, quality focal loss), which is
    the same for 0 and 1. ``gamma`` = 0 is `masked_bce`.
    """
    target = labels.nan_to_num()
    loss = F.binary_cross_entropy_with_logits(logits, target, pos_weight=weight, reduction="none")
    return _mean(_power((target - logits.sigmoid()).abs(), gamma) * loss, labels)


def masked_asymmetric(
    logits: Float[Tensor, "B F"],
    labels: Float[Tensor, "B F"],
    weight: Float[Tensor, " F"] | None = None,
    *,
    gamma_positive: float = 0.0,
    gamma_negative: float = 4.0,
    margin: float = 0.05,
) -> Float[Tensor, ""]:
    """Asymmetric loss (Ridnik et al. 2021): easy negatives count less than easy positives.

    Of a negative, the probability is first lowered by ``margin``: one scored below it costs nothing at all. A soft
    label is a positive of its own weight and a negative of the rest.
    """
    target = labels.nan_to_num()
    chance = logits.sigmoid()
    shifted = (chance - margin).clamp(min=0.0)
    positive = -F.logsigmoid(logits) * _power(1 - chance, gamma_positive)
    negative = -torch.log1p(-shifted.clamp(max=1 - 1e-6)) * _power(shifted, gamma_negative)
    if weight is not None:
        positive = positive * weight
    return _mean(target * positive + (1 - target) * negative, labels)


def make_loss(
    kind: str,
    *,
    weight: Float[Tensor, " F"] | None = None,
    focal_gamma: float = 2.0,
    gamma_negative: float = 4.0,
    margin: float = 0.05,
) -> Loss:
    """The loss of a name (``bce``, ``focal``, ``asymmetric``) as a function of logits and labels.

    Raises
    ------
    ValueError
        There is no such loss.
    """
    losses: dict[str, Loss] = {
        "bce": lambda logits, labels: masked_bce(logits, labels, weight),
        "focal": lambda logits, labels: masked_focal(logits, labels, weight, gamma=focal_gamma),
        "asymmetric": lambda logits, labels: masked_asymmetric(
            logits, labels, weight, gamma_negative=gamma_negative, margin=margin
        ),
    }
    if kind not in losses:
        raise ValueError(f"unknown loss '{kind}'; known: {', '.join(losses)}")
    return losses[kind]


def positive_weight(labels: Float[Tensor, "N F"], *, at_most: float = 20.0) -> Float[Tensor, " F"]:
    """Negatives over positives of each finding, between 1/at_most and at_most; 1 where a class is absent."""
    positive, negative = _counts(labels)
    return _bounded(negative / positive.clamp(min=1), positive, negative, at_most)


def effective_weight(
    labels: Float[Tensor, "N F"], *, beta: float = 0.999, at_most: float = 20.0
) -> Float[Tensor, " F"]:
    """Class-balanced weight of the positives by the effective number of cases (Cui et al. 2019), within bounds.

    The effective number of n cases is (1 - beta^n) / (1 - beta): the hundredth case of a class tells less than the
    second. ``beta`` towards 1 gives `positive_weight`, ``beta`` = 0 gives 1.
    """
    positive, negative = _counts(labels)
    # expm1 keeps what 1 - beta^n would lose in float32.
    effective = [torch.expm1(count * float(torch.log(torch.tensor(beta)))) for count in (negative, positive)]
    return _bounded(effective[0] / torch.where(positive > 0, effective[1], 1.0), positive, negative, at_most)


def alignment(
    vectors: Mapping[str, Float[Tensor, "B D"]],
    present: Mapping[str, Bool[Tensor, " B"]],
    *,
    temperature: float = 0.1,
) -> Float[Tensor, ""]:
    """Symmetric InfoNCE (van den Oord 2018; Radford 2021) between the modalities' vectors, averaged over their pairs.

    Only cases that have both modalities of a pair count, each as the others' negative; a pair with fewer than two such
    cases tells nothing, and a batch without any pair gives 0.
    """
    terms = []
    for one, other in combinations(vectors, 2):
        both = present[one] & present[other]
        if int(both.sum()) < 2:
            continue
        left, right = (F.normalize(vectors[name][both].float(), dim=-1) for name in (one, other))
        score = left @ right.T / temperature
        target = torch.arange(len(score), device=score.device)
        terms.append((F.cross_entropy(score, target) + F.cross_entropy(score.T, target)) / 2)
    if not terms:
        return sum((part.sum() * 0.0 for part in vectors.values()), torch.zeros(()))
    return torch.stack(terms).mean()


def masked_ordinal(logits: Float[Tensor, "B F K"], grades: Float[Tensor, "B F"]) -> Float[Tensor, ""]:
    """CORAL (Cao et al. 2020): cross-entropy of "more than grade k" for each of K steps; grades 0 to K, NaN unknown."""
    steps = torch.arange(logits.shape[-1], device=logits.device)
    target = (grades.nan_to_num()[..., None] > steps).to(logits.dtype)
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(dim=-1)
    return _mean(loss, grades)


def masked_huber(
    values: Float[Tensor, "B F"], targets: Float[Tensor, "B F"], *, delta: float = 1.0
) -> Float[Tensor, ""]:
    """Huber loss of standardised measurements: squared up to ``delta``, linear beyond; NaN is unknown."""
    return _mean(F.huber_loss(values, targets.nan_to_num(), delta=delta, reduction="none"), targets)


def _mean(loss: Tensor, labels: Tensor) -> Tensor:
    known = ~labels.isnan()
    return (loss * known).sum() / known.sum().clamp(min=1)


def _power(base: Tensor, exponent: float) -> Tensor:
    """0 ** 0 is 1, and no gradient becomes NaN at 0."""
    return torch.ones_like(base) if exponent == 0 else base.clamp(min=1e-8) ** exponent


def _counts(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Positives and negatives of each finding; of soft labels, those nearer to 1 or to 0."""
    return (labels > 0.5).sum(dim=0).float(), (labels < 0.5).sum(dim=0).float()


def _bounded(ratio: Tensor, positive: Tensor, negative: Tensor, at_most: float) -> Tensor:
    both = (positive > 0) & (negative > 0)
    return torch.where(both, ratio, torch.ones_like(ratio)).clamp(1 / at_most, at_most)
