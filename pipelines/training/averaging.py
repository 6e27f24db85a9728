"""Averages of the weights along a fit: they are what is validated, kept and used, and smooth what single steps jump.

``ema`` is an exponential moving average over the optimiser's steps (Polyak 1992; the decay rises from 0.1, as
TensorFlow's does, so that the first random weights are soon forgotten); ``swa`` the plain mean over the ends of the
last epochs (Izmailov 2018). Running statistics of batch norm are averaged with the weights; counters are copied.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from data_schemas.errors import SettingsError

KINDS = ("none", "ema", "swa")


@dataclass
class Average:
    """What has been averaged so far: weights by name, empty before the first, and how often they were updated."""

    kind: str = "none"
    decay: float = 0.99
    start_epoch: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)
    count: int = 0

    def after_step(self, module: nn.Module) -> None:
        """Tell it that the optimiser has stepped."""
        if self.kind == "ema":
            self._move(module, 1 - min(self.decay, (1 + self.count) / (10 + self.count)))

    def after_epoch(self, module: nn.Module, epoch: int) -> None:
        """Tell it that an epoch (from 0) has ended."""
        if self.kind == "swa" and epoch >= self.start_epoch:
            self._move(module, 1 / (self.count + 1))

    @torch.no_grad()
    def _move(self, module: nn.Module, share: float) -> None:
        new = module.state_dict()
        if not self.weights:
            self.weights = copy.deepcopy(dict(new))
        for name, held in self.weights.items():
            if held.is_floating_point():
                held.lerp_(new[name], share)
            else:
                held.copy_(new[name])
        self.count += 1


def make_average(kind: str, *, decay: float, epochs: int, swa_share: float = 0.25) -> Average:
    """An average of a kind for a fit of so many epochs; ``swa`` begins with the last ``swa_share`` of them.

    Raises
    ------
    SettingsError
        There is no such kind.
    """
    if kind not in KINDS:
        raise SettingsError(f"model.training.averaging: there is no '{kind}'; known: {', '.join(KINDS)}")
    return Average(kind, decay, math.floor(epochs * (1 - swa_share)))


@contextmanager
def averaged(module: nn.Module, average: Average) -> Iterator[None]:
    """Inside, the module has its averaged weights (its own where there are none yet)."""
    if not average.weights:
        yield
        return
    own = copy.deepcopy(module.state_dict())
    module.load_state_dict(average.weights)
    try:
        yield
    finally:
        module.load_state_dict(own)
