"""Optimisers by name, with a learning rate of its own for named parts of a module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from data_schemas.errors import SettingsError
from pipelines.training.schedules import Factor


def make_optimizer(
    module: nn.Module,
    kind: str,
    *,
    learning_rate: float,
    weight_decay: float,
    momentum: float = 0.9,
    rates: Mapping[str, float] | None = None,
) -> torch.optim.Optimizer:
    """``adamw`` (decoupled decay), ``adam`` (decay as an L2 penalty) or ``sgd`` (with momentum) over a module.

    Parameters
    ----------
    rates
        Factor on the learning rate by the beginning of a parameter's name (``body.``), the longest that fits; 0 holds
        those parameters fast, without decay. The others have the factor 1.

    Raises
    ------
    SettingsError
        There is no such optimiser.
    """
    makers: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
        "adamw": lambda groups: torch.optim.AdamW(groups, lr=learning_rate, weight_decay=weight_decay),
        "adam": lambda groups: torch.optim.Adam(groups, lr=learning_rate, weight_decay=weight_decay),
        "sgd": lambda groups: torch.optim.SGD(groups, lr=learning_rate, momentum=momentum, weight_decay=weight_decay),
    }
    if kind not in makers:
        raise SettingsError(f"model.training.optimizer: there is no '{kind}'; known: {', '.join(makers)}")
    grouped: dict[float, list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        grouped.setdefault(_factor(name, rates or {}), []).append(parameter)
    return makers[kind](
        [{"params": part, "lr": learning_rate * factor} for factor, part in sorted(grouped.items(), reverse=True)]
    )


def make_scheduler(optimizer: torch.optim.Optimizer, factor: Factor) -> torch.optim.lr_scheduler.LambdaLR:
    """All groups follow one factor, each from its own rate."""
    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def restore(optimizer: Any, scheduler: Any, moments: Mapping[int, Mapping[str, Tensor]], *, step: int) -> None:
    """Put an optimiser and its schedule where they stood after ``step`` steps."""
    optimizer.load_state_dict(optimizer.state_dict() | {"state": dict(moments)})
    scheduler.last_epoch = step
    for group, factor in zip(optimizer.param_groups, scheduler.lr_lambdas, strict=True):
        group["lr"] = group["initial_lr"] * factor(step)


def _factor(name: str, rates: Mapping[str, float]) -> float:
    fitting = [prefix for prefix in rates if name.startswith(prefix)]
    return rates[max(fitting, key=len)] if fitting else 1.0
