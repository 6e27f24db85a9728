"""One training loop for everything that is fitted: warm-up, clipping, averages, early stopping, exact resume.

Runs under ``accelerate``: one CPU, one GPU or several; bf16 only on a GPU that has it. Every step seeds itself from
(seed, epoch, step), so that a run resumed from its last checkpoint ends in the same weights as an unbroken one.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from data_schemas.errors import InputError, SettingsError
from pipelines.training.averaging import averaged, make_average
from pipelines.training.checkpoint import State, load_checkpoint, save_checkpoint
from pipelines.training.optimisers import make_optimizer, make_scheduler, restore
from pipelines.training.schedules import make_schedule
from pipelines.workspace.digests import json_digest

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
    optimizer: str = "adamw",
    momentum: float = 0.9,
    rates: Mapping[str, float] | None = None,
    schedule: str = "cosine",
    drop_share: float = 1 / 3,
    drop_factor: float = 0.1,
    accumulate: int = 1,
    averaging: str = "none",
    average_decay: float = 0.99,
    checkpoint: Path | None = None,
    checkpoint_steps: int = 0,
    checkpoint_seconds: float = 60.0,
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
    optimizer, momentum, rates
        As `make_optimizer` has them.
    schedule, warmup_share, drop_share, drop_factor
        As `make_schedule` has them.
    accumulate
        Batches whose gradients make one step: as one batch so many times as large, in the memory of one.
    averaging, average_decay
        As `make_average` has them. What is averaged is what is validated and kept.
    checkpoint
        Folder that receives the state after each epoch, and within one after every ``checkpoint_steps`` steps (0: by
        time only) or ``checkpoint_seconds``, and is resumed from where it holds one. However often the fit is broken
        off, it ends in the same weights. A state that cannot be read is said aloud, and the fit starts at the
        beginning.
    report
        Called after each epoch with its number and metrics.

    Raises
    ------
    InputError
        No training cases, or a loss that is not finite.
    SettingsError
        There is no such optimiser, schedule or average; or bf16 where no GPU has it.
    """
    if count < 1:
        raise InputError("there is no case to train on")
    accelerator = make_accelerator(precision)
    steps = len(_parts(count, batch_size * accumulate))
    stepper = make_optimizer(
        module, optimizer, learning_rate=learning_rate, weight_decay=weight_decay, momentum=momentum, rates=rates
    )
    factor = make_schedule(
        schedule, steps=epochs * steps, warmup_share=warmup_share, drop_share=drop_share, drop_factor=drop_factor
    )
    scheduler = make_scheduler(stepper, factor)
    average = make_average(averaging, decay=average_decay, epochs=epochs)
    best: dict[str, Tensor] = copy.deepcopy(module.state_dict())
    state = State()
    held = None if checkpoint is None else load_checkpoint(checkpoint, like=best)
    if held is not None:
        state, best = held.state, held.best
        average.weights, average.count = held.average, held.average_count
        module.load_state_dict(held.module)
        restore(stepper, scheduler, held.moments, step=len(state.epochs) * steps + state.step)
    # The schedule stays outside: accelerate would step it once a process, though all processes share one batch here.
    trained, prepared = accelerator.prepare(module, stepper)
    bare = accelerator.unwrap_model(trained)
    if average.weights:
        average.weights = {name: part.to(accelerator.device) for name, part in average.weights.items()}
    saved = time.monotonic()

    def save() -> None:
        nonlocal saved
        if checkpoint is not None and accelerator.is_main_process:
            save_checkpoint(
                checkpoint, bare, prepared, best=best, state=state, average=average.weights, average_count=average.count
            )
            saved = time.monotonic()

    for epoch in range(len(state.epochs), epochs):
        if epoch - state.best_epoch > patience:
            break
        trained.train()
        for step, group in enumerate(_groups(count, batch_size, accumulate, seed, epoch)):
            if step < state.step:
                continue
            torch.manual_seed(_seed(seed, epoch, step, accelerator.process_index))
            state.total += _gradients(trained, group, loss_of, accelerator, epoch)
            accelerator.clip_grad_norm_(trained.parameters(), clip_norm)
            prepared.step()
            scheduler.step()
            prepared.zero_grad()
            average.after_step(bare)
            state.step = step + 1
            wanted = checkpoint_steps and state.step % checkpoint_steps == 0
            if wanted or time.monotonic() - saved > checkpoint_seconds:
                save()
        trained.eval()
        _share_buffers(bare, accelerator)
        average.after_epoch(bare, epoch)
        with averaged(bare, average):
            held_out = _agreed(validation_loss(bare), accelerator)
            _check_finite(held_out, epoch, "validation loss")
            state.add({"loss": state.total / count, "validation_loss": held_out})
            if state.best_epoch == epoch:
                best = copy.deepcopy(bare.state_dict())
        save()
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
    from accelerate import Accelerator, DistributedDataParallelKwargs

    has_it = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    if precision == "bf16" and not has_it:
        raise SettingsError("model.training.precision: bf16 needs a GPU that has it; set it to auto or fp32")
    # A part that a batch does not use (a modality that none of its cases has) must not stop several processes.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    return Accelerator(mixed_precision="bf16" if precision != "fp32" and has_it else "no", kwargs_handlers=[unused])


def _check_finite(value: float, epoch: int, what: str) -> None:
    if not math.isfinite(value):
        raise InputError(f"the {what} became {value} in epoch {epoch}; lower the learning rate")


def _gradients(trained: nn.Module, group: Sequence[Tensor], loss_of: LossOf, accelerator: Any, epoch: int) -> float:
    """Gradients of the mean loss over the cases of a step, in parts; gives the sum of the cases' losses.

    Each process takes its share of each part, and each share counts by its number of cases, so that the gradients,
    which are averaged over the processes, are those of one process.
    """
    cases, total = sum(map(len, group)), 0.0
    for number, index in enumerate(group):
        mine = index[accelerator.process_index :: accelerator.num_processes]
        weight = len(mine) * accelerator.num_processes / cases
        apart = number < len(group) - 1  # processes exchange gradients once a step
        with accelerator.no_sync(trained) if apart else nullcontext():
            with accelerator.autocast():
                loss = loss_of(trained, (mine if len(mine) else index[:1]).to(accelerator.device))
            value = float(loss.detach())
            _check_finite(value, epoch, "loss")
            accelerator.backward(loss * weight)
        total += value * len(mine) * accelerator.num_processes
    return total


def _share_buffers(module: nn.Module, accelerator: Any) -> None:
    """Batch norm has seen other cases in each process; the first one's statistics hold for all."""
    if accelerator.num_processes > 1:
        from accelerate.utils import broadcast

        for buffer in module.buffers():
            buffer.copy_(broadcast(buffer.clone()))


def _agreed(value: float, accelerator: Any) -> float:
    """The first process's value: all must stop at the same epoch."""
    if accelerator.num_processes == 1:
        return value
    from accelerate.utils import broadcast

    return float(broadcast(torch.tensor(value, dtype=torch.float32, device=accelerator.device)))


def _seed(*numbers: int) -> int:
    """One seed for the randomness of each step, so that a fit can go on from any: 8 bytes of a digest."""
    return int.from_bytes(bytes.fromhex(json_digest(list(numbers))[:16]), "big")


def _groups(count: int, size: int, accumulate: int, seed: int, epoch: int) -> Iterator[list[Tensor]]:
    """An epoch's cases in an order of its own, by optimiser step and by batch within it."""
    generator = torch.Generator().manual_seed(seed * 100_003 + epoch)
    for group in torch.randperm(count, generator=generator).split(_parts(count, size * accumulate)):
        yield list(group.split(_parts(len(group), size)))


def _parts(count: int, size: int) -> list[int]:
    """Sizes of the batches of an epoch. A last batch of one joins the one before: batch norm cannot learn from one."""
    parts = [min(size, count - start) for start in range(0, count, size)]
    if len(parts) > 1 and parts[-1] == 1 < size:
        parts = [*parts[:-2], parts[-2] + 1]
    return parts
