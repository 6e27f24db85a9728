"""A pruned net learns to give the features that it gave before: then what reads them needs no change.

The loss is the squared difference at the tap over the features' variance (FitNets, Romero et al. 2015, at the last
layer), on the scans of the training split. No label is looked at. Batch norm keeps the statistics that it had: those of
a few scans of one step are not what the features were made with.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from data_schemas.errors import InputError
from data_schemas.recipes import TrainingRecipe
from pipelines.cases.examples import Example
from pipelines.training.fitting import shared_by_fits, stack
from pipelines.training.loop import Fitted, Report, fit, make_accelerator

LOOKED_AT = 16
# Of the learning rate that the encoder was trained with: the net is nearly there.
RATE = 0.5


class Steady(nn.Module):
    """A net that learns in eval mode."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def train(self, mode: bool = True) -> Steady:
        """Never in training mode, whatever is asked."""
        return super().train(False)

    def forward(self, volume: Tensor) -> Tensor:
        """What the net gives."""
        return torch.as_tensor(self.net(volume))


def heal(
    body: nn.Module,
    teacher: nn.Module,
    train: Sequence[Example],
    *,
    training: TrainingRecipe,
    epochs: int,
    report: Report | None = None,
) -> Fitted:
    """Fit a pruned body in place to the features of the whole one, which stays; every eighth scan chooses the epoch.

    Where no epoch is better than what was there before, it is left as it was, in eval mode.

    Raises
    ------
    InputError
        No case has a scan.
    """
    having = [row for row in train if row.scan is not None]
    if not having:
        raise InputError("no training case has a scan, and a pruned encoder learns from them; leave pruning out")
    held_out = having[::8][:LOOKED_AT]
    chosen = {row.study_key for row in held_out} if len(having) > len(held_out) else set()
    learned = [row for row in having if row.study_key not in chosen]
    device = make_accelerator(training.precision).device
    teacher = copy.deepcopy(teacher).to(device).eval()

    @torch.no_grad()
    def told(rows: Sequence[Example]) -> tuple[Tensor, Tensor]:
        volume, _ = stack(rows, device)
        return volume, teacher(volume)

    spread = float(told(held_out)[1].var())

    def loss_of(module: nn.Module, index: Tensor) -> Tensor:
        volume, aim = told([learned[n] for n in index.tolist()])
        return _apart(module(volume), aim, spread)

    @torch.no_grad()
    def validation_loss(module: nn.Module) -> float:
        parts = [told(held_out[start : start + 8]) for start in range(0, len(held_out), 8)]
        return float(sum(_apart(module(volume), aim, spread) * len(volume) for volume, aim in parts)) / len(held_out)

    before = copy.deepcopy(body.state_dict())
    unhealed = validation_loss(body.to(device).eval())
    fitted = fit(
        Steady(body),
        loss_of=loss_of,
        validation_loss=validation_loss,
        count=len(learned),
        epochs=epochs,
        patience=epochs,
        batch_size=training.scan_batch_size,
        learning_rate=training.scan_learning_rate * RATE,
        report=report,
        **(shared_by_fits(training) | {"weight_decay": 0.0}),
    )
    if not fitted.best_loss < unhealed:
        body.load_state_dict(before)
    return fitted


def _apart(grid: Tensor, aim: Tensor, spread: float) -> Tensor:
    return ((grid - aim) ** 2).mean() / max(spread, 1e-12)
