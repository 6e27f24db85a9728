"""A light model's own calibration: its logits brought back to what its model says, finding by finding.

Rounding to 8 bits shifts and stretches an encoder's features a little, and all cases the same way: the order of the
scores stays, and their level moves. Per finding, a slope and an intercept undo that. They are fitted as Platt (1999)
does, with the model's own probabilities in the place of labels, so that no label of any case is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from fusion_models.fusions.reading import Reading
from fusion_models.tokens import Tokens
from pipelines.cases.examples import Example
from pipelines.models.artefact import LoadedModel
from pipelines.models.compile.compiled import with_part
from pipelines.models.reading import read_cases
from pipelines.workspace.cache import ArrayCache

MATCHED_CASES = 256
# The slope is drawn to 1 and the intercept to 0 by this many cases' worth: few cases change little.
PENALTY = 0.5
# Below this the order of the cases would be lost, or turned.
LEAST_SLOPE = 0.1

Line = tuple[float, float]


class Matched(nn.Module):
    """A reader whose first F logits, the findings', are moved: times ``slope`` [F], plus ``intercept`` [F]."""

    slope: Tensor
    intercept: Tensor

    def __init__(self, reader: nn.Module, lines: Sequence[Line]) -> None:
        super().__init__()
        self.reader = reader
        self.register_buffer("slope", torch.tensor([slope for slope, _ in lines]))
        self.register_buffer("intercept", torch.tensor([intercept for _, intercept in lines]))

    def forward(self, tokens: Mapping[str, Tokens]) -> Reading:
        """As the reader does; the evidence is the same."""
        reading: Reading = self.reader(tokens)
        findings, others = reading.logits[:, : len(self.slope)], reading.logits[:, len(self.slope) :]
        return reading._replace(logits=torch.cat([findings * self.slope + self.intercept, others], dim=1))


def with_calibration(model: LoadedModel, calibration: Mapping[str, Line]) -> LoadedModel:
    """The model with the logits of its findings moved by a slope and an intercept each; without any, the same model."""
    if not calibration:
        return model
    lines = [calibration.get(name, (1.0, 0.0)) for name in model.card.recipe.findings]
    reader = Matched(model.case_model.diagnoser, lines)
    return replace(model, case_model=with_part(model.case_model, "diagnoser", reader))


def own_calibration(
    model: LoadedModel,
    compiled: LoadedModel,
    examples: Sequence[Example],
    *,
    at_most: int = MATCHED_CASES,
    cache: ArrayCache | None = None,
) -> tuple[dict[str, Line], int]:
    """Slope and intercept by finding, and on how many cases they were fitted.

    Parameters
    ----------
    compiled
        The model with its graphs, not yet calibrated.
    examples
        Cases that parity is not measured on; of many, so many are taken, spread evenly.
    """
    chosen = np.unique(np.linspace(0, len(examples) - 1, min(at_most, len(examples))).round().astype(int))
    if not len(chosen):
        return {}, 0
    rows = [examples[number] for number in chosen]
    reference, light = (
        read_cases(net, rows, cache=cache).reading.logits.double().cpu().numpy() for net in (model, compiled)
    )
    return dict(zip(model.card.recipe.findings, match_logits(light, reference), strict=True)), len(rows)


def match_logits(light: np.ndarray, reference: np.ndarray) -> list[Line]:
    """Slope and intercept of each finding that bring logits [N, F] of a light model to those of its model.

    The cross-entropy between the model's probabilities and the light one's is made least, with a small penalty on
    what differs from slope 1 and intercept 0. The slope stays above 0, so that the order of the cases is kept. A
    finding whose logits are not all finite is left as it is.
    """
    return [_line(*pair) for pair in zip(light.T, reference.T, strict=True)]


def _line(light: np.ndarray, reference: np.ndarray) -> Line:
    from scipy.optimize import minimize
    from scipy.special import expit

    if not len(light) or not (np.isfinite(light).all() and np.isfinite(reference).all()):
        return 1.0, 0.0
    target = expit(reference)

    def loss(free: np.ndarray) -> tuple[float, np.ndarray]:
        logits = free[0] * light + free[1]
        wrong, away = expit(logits) - target, free - (1.0, 0.0)
        value = np.sum(np.logaddexp(0.0, logits) - target * logits) + PENALTY / 2 * np.sum(away**2)
        return float(value), np.array([wrong @ light, wrong.sum()]) + PENALTY * away

    bounds = [(LEAST_SLOPE, None), (None, None)]
    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds)
    return float(found.x[0]), float(found.x[1])
