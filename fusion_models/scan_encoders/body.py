"""A body: the net of a scan encoder up to its tap, and what it asks of the volumes that it reads."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Body:
    """A net from volumes [B, C, Z, Y, X] to a grid of features [B, depth, z, y, x], laid evenly over the volume.

    ``multiple`` (Z, Y, X): a volume's sides must be multiples of it, or cells at its end would reach beyond it and
    every position be wrong.
    """

    net: nn.Module
    depth: int
    multiple: tuple[int, int, int] = (1, 1, 1)


@torch.no_grad()
def probed(net: nn.Module, shape: tuple[int, ...]) -> torch.Tensor:
    """What a fresh net gives for an empty input; no running statistics are touched, and it is left in training mode."""
    try:
        return net.eval()(torch.zeros(shape))
    finally:
        net.train()


def stages_up_to(named: Iterable[tuple[str, nn.Module]], tap: str) -> nn.Sequential:
    """The stages of a net, in order and under their own names, up to and with the tap."""
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    for name, stage in named:
        stages[name] = stage
        if name == tap:
            break
    return nn.Sequential(stages)


def check_tap(architecture: str, tap: str, known: tuple[str, ...]) -> None:
    """Raises ValueError where a net has no such tap."""
    if tap not in known:
        raise ValueError(f"{architecture} has no tap '{tap}'; known: {', '.join(known)}")
