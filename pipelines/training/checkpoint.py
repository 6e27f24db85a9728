"""Checkpoints of a fit: one JSON and one safetensors file, written whole; a new one is in place before the old goes."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from pipelines.workspace.digests import sha256_bytes
from pipelines.workspace.files import make_private_folder, write_atomic

log = logging.getLogger(__name__)


@dataclass
class State:
    """How far a fit has come: the metrics of its epochs, and the best of them (from 0) by validation loss.

    ``step`` counts the optimiser's steps within the epoch that is not finished yet, ``total`` sums their losses.
    """

    epochs: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    best_loss: float = math.inf
    step: int = 0
    total: float = 0.0

    def add(self, metrics: dict[str, float]) -> None:
        """Append an epoch; only a lower validation loss makes it the best one."""
        self.epochs.append(metrics)
        self.step, self.total = 0, 0.0
        if metrics["validation_loss"] < self.best_loss:
            self.best_epoch, self.best_loss = len(self.epochs) - 1, metrics["validation_loss"]


@dataclass(frozen=True)
class Held:
    """What a checkpoint holds: weights after the last step, after the best epoch and averaged, and the moments.

    ``average`` is empty, and ``average_count`` 0, where nothing is averaged (yet).
    """

    state: State
    module: dict[str, Tensor]
    best: dict[str, Tensor]
    moments: dict[int, dict[str, Tensor]]
    average: dict[str, Tensor]
    average_count: int


def save_checkpoint(
    folder: Path,
    module: nn.Module,
    optimizer: Any,
    *,
    best: Mapping[str, Tensor],
    state: State,
    average: Mapping[str, Tensor] | None = None,
    average_count: int = 0,
) -> None:
    """Write the state after a step. Killed anywhere, the folder holds the state before it or this one, whole.

    Raises
    ------
    WorkspaceError
        It cannot be written.
    """
    from safetensors.torch import save

    tensors = {f"module.{name}": value for name, value in module.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in best.items()}
    tensors |= {f"average.{name}": value for name, value in (average or {}).items()}
    moments = getattr(optimizer, "optimizer", optimizer).state_dict()["state"]
    for number, slots in moments.items():
        tensors |= {f"optimizer.{number}.{slot}": value for slot, value in slots.items() if value is not None}
    data = save({key: value.detach().cpu().contiguous() for key, value in tensors.items()})
    name = f"state-{len(state.epochs)}-{state.step}.safetensors"
    make_private_folder(folder)
    write_atomic(folder / name, data)
    content = {
        "epochs": state.epochs,
        "best_epoch": state.best_epoch,
        # Before the first epoch has ended it is infinite, which JSON does not know.
        "best_loss": state.best_loss if math.isfinite(state.best_loss) else None,
        "step": state.step,
        "total": state.total,
        "average_count": average_count,
        "tensors": name,
        "sha256": sha256_bytes(data),
    }
    write_atomic(folder / "state.json", json.dumps(content).encode())
    for old in folder.glob("state-*.safetensors"):
        if old.name != name:
            old.unlink(missing_ok=True)


def load_checkpoint(folder: Path, *, like: Mapping[str, Tensor]) -> Held | None:
    """The state that a folder holds, or None where there is none, or none that can be used (then a warning says so).

    ``like`` is the module's own state: a checkpoint of other names or shapes is not used.
    """
    if not (folder / "state.json").is_file():
        return None
    try:
        return _read(folder, like)
    except Exception as error:  # whatever damage makes JSON and safetensors raise
        log.warning("a checkpoint cannot be used (%s): this part is trained from its beginning", type(error).__name__)
        return None


def _read(folder: Path, like: Mapping[str, Tensor]) -> Held:
    from safetensors.torch import load

    content = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    data = (folder / Path(content["tensors"]).name).read_bytes()
    if sha256_bytes(data) != content["sha256"]:
        raise ValueError("digest changed")
    tensors = load(data)
    module, best = _part(tensors, "module."), _part(tensors, "best.")
    average = _part(tensors, "average.")
    if any(_shapes(part) != _shapes(like) for part in (module, best, *([average] if average else []))):
        raise ValueError("of another module")
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in _part(tensors, "optimizer.").items():
        number, slot = key.split(".", 1)
        moments.setdefault(int(number), {})[slot] = value
    best_loss = math.inf if content["best_loss"] is None else float(content["best_loss"])
    state = State(
        list(content["epochs"]), int(content["best_epoch"]), best_loss, int(content["step"]), float(content["total"])
    )
    return Held(state, module, best, dict(sorted(moments.items())), average, int(content["average_count"]))


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    return {key: value.shape for key, value in tensors.items()}


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
