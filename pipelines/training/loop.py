"""One training loop for everything that is fitted: AdamW, warm-up and cosine, clipping, early stopping, exact resume.

Runs under ``accelerate``: one CPU, one GPU or several; bf16 only on a GPU that has it. Every epoch seeds itself from
(seed, epoch), so that a run resumed from its last checkpoint ends in the same weights as an unbroken one.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pipelines.workspace.files import write_atomic

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
        Folder that receives the state after each epoch and is resumed from where it holds one.
    report
        Called after each epoch with its number and metrics.

    Raises
    ------
    ValueError
        No training cases, or a loss that is not finite.
    """
    if count < 1:
        raise ValueError("there is no case to train on")
    accelerator = make_accelerator(precision)
    steps = math.ceil(count / batch_size)
    optimizer = torch.optim.AdamW(module.parameters(), lr=learning_rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _cosine(epochs * steps, warmup_share))
    best: dict[str, Tensor] = copy.deepcopy(module.state_dict())
    state = _State()
    if checkpoint is not None and (checkpoint / "state.json").is_file():
        state, best = _load(checkpoint, module, optimizer, schedule)
    trained, optimizer, schedule = accelerator.prepare(module, optimizer, schedule)
    for epoch in range(len(state.epochs), epochs):
        if epoch - state.best_epoch > patience:
            break
        torch.manual_seed(seed * 100_003 + epoch)
        trained.train()
        total = 0.0
        for index in _batches(count, batch_size, seed, epoch, accelerator):
            with accelerator.autocast():
                loss = loss_of(trained, index)
            if not torch.isfinite(loss):
                raise ValueError(f"the loss became {float(loss)} in epoch {epoch}; lower the learning rate")
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(trained.parameters(), clip_norm)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            total += float(loss.detach()) * len(index)
        trained.eval()
        held_out = validation_loss(accelerator.unwrap_model(trained))
        state.add({"loss": total * accelerator.num_processes / count, "validation_loss": held_out})
        if state.best_epoch == epoch:
            best = copy.deepcopy(accelerator.unwrap_model(trained).state_dict())
        if checkpoint is not None and accelerator.is_main_process:
            _save(checkpoint, accelerator.unwrap_model(trained), optimizer, best, state)
        if report is not None:
            report(epoch, state.epochs[-1])
    module.load_state_dict(best)
    module.eval()
    return Fitted(state.best_epoch, state.best_loss, tuple(state.epochs))


def make_accelerator(precision: str = "auto") -> Any:
    """An Accelerator in bf16 where it is asked for, or ``auto`` finds a GPU that has it; else fp32."""
    from accelerate import Accelerator

    has_it = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    if precision == "bf16" and not has_it:
        raise ValueError("precision bf16 needs a GPU that has it; set training.precision to auto or fp32")
    return Accelerator(mixed_precision="bf16" if precision != "fp32" and has_it else "no")


class _State:
    def __init__(self) -> None:
        self.epochs: list[dict[str, float]] = []
        self.best_epoch, self.best_loss = 0, math.inf

    def add(self, metrics: dict[str, float]) -> None:
        self.epochs.append(metrics)
        if metrics["validation_loss"] < self.best_loss:
            self.best_epoch, self.best_loss = len(self.epochs) - 1, metrics["validation_loss"]


def _cosine(steps: int, warmup_share: float) -> Callable[[int], float]:
    warmup = max(int(steps * warmup_share), 1)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * min((step - warmup) / max(steps - warmup, 1), 1.0)))

    return factor


def _batches(count: int, size: int, seed: int, epoch: int, accelerator: Any) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(seed * 100_003 + epoch)
    for index in torch.randperm(count, generator=generator).split(size):
        mine = index[accelerator.process_index :: accelerator.num_processes]
        yield (mine if len(mine) else index[:1]).to(accelerator.device)


def _save(folder: Path, module: nn.Module, optimizer: Any, best: dict[str, Tensor], state: _State) -> None:
    from safetensors.torch import save

    tensors = {f"module.{name}": value for name, value in module.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in best.items()}
    moments = getattr(optimizer, "optimizer", optimizer).state_dict()["state"]
    for number, slots in moments.items():
        tensors |= {f"optimizer.{number}.{slot}": value for slot, value in slots.items()}
    name = f"state-{len(state.epochs)}.safetensors"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / name, save({key: value.detach().cpu().contiguous() for key, value in tensors.items()}))
    content = {"epochs": state.epochs, "best_epoch": state.best_epoch, "best_loss": state.best_loss, "tensors": name}
    write_atomic(folder / "state.json", json.dumps(content).encode())
    for old in folder.glob("state-*.safetensors"):
        if old.name != name:
            old.unlink(missing_ok=True)


def _load(folder: Path, module: nn.Module, optimizer: Any, schedule: Any) -> tuple[_State, dict[str, Tensor]]:
    from safetensors.torch import load

    content = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    tensors = load((folder / content["tensors"]).read_bytes())
    module.load_state_dict(_part(tensors, "module."))
    given = optimizer.state_dict()
    slots = _part(tensors, "optimizer.")
    numbers = sorted({int(key.split(".")[0]) for key in slots})
    given["state"] = {
        number: {key.split(".", 1)[1]: value for key, value in slots.items() if int(key.split(".")[0]) == number}
        for number in numbers
    }
    optimizer.load_state_dict(given)
    state = _State()
    state.epochs = list(content["epochs"])
    state.best_epoch, state.best_loss = content["best_epoch"], content["best_loss"]
    done = int(max((float(value) for key, value in slots.items() if key.endswith(".step")), default=0.0))
    schedule.last_epoch = done
    for group, factor in zip(optimizer.param_groups, schedule.lr_lambdas, strict=True):
        group["lr"] = group["initial_lr"] * factor(done)
    return state, _part(tensors, "best.")


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
