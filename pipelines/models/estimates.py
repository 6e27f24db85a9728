"""From what a model's target heads give to grades and measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from data_schemas.target import Estimate, FittedTarget
from fusion_models.targets import level_probabilities


def said_of_targets(outputs: Mapping[str, Tensor], targets: Sequence[FittedTarget]) -> dict[str, np.ndarray]:
    """By target: probabilities of the levels [N, K] of an ordinal one, or values [N] of a regression in its unit."""
    said = {}
    for target in targets:
        output = outputs[target.name].detach().double().cpu()
        if target.kind == "ordinal":
            said[target.name] = level_probabilities(output).numpy()
        else:
            said[target.name] = output[:, 0].numpy() * target.deviation + target.mean
    return said


def median_level(probabilities: np.ndarray) -> np.ndarray:
    """The median level [N]: the number of levels k of which "more than k" is likelier than not."""
    above = 1.0 - np.cumsum(probabilities, axis=1)[:, :-1]
    return (above > 0.5).sum(axis=1)


@torch.no_grad()
def estimates(outputs: Mapping[str, Tensor], targets: Sequence[FittedTarget], cases: int) -> list[tuple[Estimate, ...]]:
    """The estimates of each of so many cases; none where a model has no target."""
    said = said_of_targets(outputs, targets)
    return [tuple(_estimate(target, said[target.name][row]) for target in targets) for row in range(cases)]


def _estimate(target: FittedTarget, said: np.ndarray) -> Estimate:
    if target.kind == "ordinal":
        level = int(median_level(said[None])[0])
        return Estimate(target=target.name, kind="ordinal", probabilities=tuple(map(float, said)), level=level)
    value, margin = float(said), target.margin
    return Estimate(
        target=target.name,
        kind="regression",
        value=value,
        unit=target.unit,
        low=None if margin is None else value - margin,
        high=None if margin is None else value + margin,
        coverage=None if margin is None else target.coverage,
    )
