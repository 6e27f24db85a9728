"""One training loop for everything that is fitted: AdamW, warm-up and cosine, clipping, early stopping, exact resume.

Runs under ``accelerate``: one CPU, one GPU or several; bf16 only on a GPU that has it. Every epoch seeds itself from
(seed, epoch), so that a run resumed from its last checkpoint ends in the same weights as an unbroken one.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from data_schemas.errors import InputError, SettingsError
from pipelines.training.checkpoint import State, load_checkpoint, save_checkpoint

LossOf = Callable[[nn.Module, Tensor], Tensor]
Report = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class Fitted:
    """What a fit left behind: the best epoch (from 0), its validation loss, and every epoch's metrics."""

    best_epoch: int
    best_loss: float
    epochs: tuple[dict[str, float], ...]


def fit(
    module: nn.Module,
    *,
    loss_of: LossOf,
    validation_loss: Callable[[nn.Module], float],
    count: int,
    epochs: int,
    patience: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    warmup_share: float,
    clip_norm: float,
    seed: int,
    precision: str = "auto",
    checkpoint: Path | None = None,
    report: Report | None = None,
) -> Fitted:
    """Fit a module in place and leave it at its best epoch, in eval mode.

    Parameters
    ----------
    loss_of
        Gives the loss of the module on the training cases at an index tensor (on the module's device).
    validation_loss
        Gives the loss on held-out cases; lower is better; the module is in eval mode.
    count
        Number of training cases.
    patience
        Epochs without a better validation loss after which to stop.
    checkpoint
        Folder that receives the state after each epoch and is resumed from where it holds one. A state that cannot be
        read is said aloud, and the fit starts at the beginning; it ends in the same weights.
    report
        Called after each epoch with its number and metrics.

    Raises
    ------
    InputError
        No training cases, or a loss that is not finite.
    """
    if count < 1:
        raise InputError("there is no case to train on")
    accelerator = make_accelerator(precision)
    steps = len(_parts(count, batch_size))
    optimizer = torch.optim.AdamW(module.parameters(), lr=learning_rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _cosine(epochs * steps, warmup_share))
    best: dict[str, Tensor] = copy.deepcopy(module.state_dict())
    state = State()
    held = None if checkpoint is None else load_checkpoint(checkpoint, like=best)
    if held is not None:
        state, best = held.state, held.best
        module.load_state_dict(held.module)
        _restore(optimizer, schedule, held.moments, step=len(state.epochs) * steps)
    # The schedule stays outside: accelerate would step it once a process, though all processes share one batch here.
    trained, optimizer = accelerator.prepare(module, optimizer)
    for epoch in range(len(state.epochs), epochs):
        if epoch - state.best_epoch > patience:
            break
        torch.manual_seed(seed * 100_003 + epoch)
        trained.train()
        total = 0.0
        for index in _batches(count, batch_size, seed, epoch, accelerator):
            with accelerator.autocast():
                loss = loss_of(trained, index)
            _check_finite(float(loss.detach()), epoch, "loss")
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(trained.parameters(), clip_norm)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            total += float(loss.detach()) * len(index)
        trained.eval()
        held_out = validation_loss(accelerator.unwrap_model(trained))
        _check_finite(held_out, epoch, "validation loss")
        state.add({"loss": total * accelerator.num_processes / count, "validation_loss": held_out})
        if state.best_epoch == epoch:
            best = copy.deepcopy(accelerator.unwrap_model(trained).state_dict())
        if checkpoint is not None and accelerator.is_main_process:
            save_checkpoint(checkpoint, accelerator.unwrap_model(trained), optimizer, best=best, state=state)
        if report is not None:
            report(epoch, state.epochs[-1])
    # Without the wrapper that casts to bf16: what was trained is measured as it will be used.
    accelerator.unwrap_model(trained, keep_fp32_wrapper=False)
    module.load_state_dict(best)
    module.eval()
    return Fitted(state.best_epoch, state.best_loss, tuple(state.epochs))


def make_accelerator(precision: str = "auto") -> Any:
    """An Accelerator in bf16 where it is asked for, or ``auto`` finds a GPU that has it; else fp32.

    Raises
    ------
    SettingsError
        bf16 was asked for and there is no GPU that has it: on a CPU without it, it is 26 times slower.
    """
    from accelerate import Accelerator

    has_it = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    if precision == "bf16" and not has_it:
        raise SettingsError("model.training.precision: bf16 needs a GPU that has it; set it to auto or fp32")
    return Accelerator(mixed_precision="bf16" if precision != "fp32" and has_it else "no")


def _check_finite(value: float, epoch: int, what: str) -> None:
    if not math.isfinite(value):
        raise InputError(f"the {what} became {value} in epoch {epoch}; lower the learning rate")


def _cosine(steps: int, warmup_share: float) -> Callable[[int], float]:
    warmup = max(int(steps * warmup_share), 1)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * min((step - warmup) / max(steps - warmup, 1), 1.0)))

    return factor


def _batches(count: int, size: int, seed: int, epoch: int, accelerator: Any) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(seed * 100_003 + epoch)
    for index in torch.randperm(count, generator=generator).split(_parts(count, size)):
        mine = index[accelerator.process_index :: accelerator.num_processes]
        yield (mine if len(mine) else index[:1]).to(accelerator.device)


def _parts(count: int, size: int) -> list[int]:
    """Sizes of the batches of an epoch. A last batch of one joins the one before: batch norm cannot learn from one."""
    parts = [min(size, count - start) for start in range(0, count, size)]
    if len(parts) > 1 and parts[-1] == 1 < size:
        parts = [*parts[:-2], parts[-2] + 1]
    return parts


def _restore(optimizer: Any, schedule: Any, moments: dict[int, dict[str, Tensor]], *, step: int) -> None:
    optimizer.load_state_dict(optimizer.state_dict() | {"state": moments})
    schedule.last_epoch = step
    for group, factor in zip(optimizer.param_groups, schedule.lr_lambdas, strict=True):
        group["lr"] = group["initial_lr"] * factor(step)
