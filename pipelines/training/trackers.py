"""TensorBoard and Weights & Biases, if asked: every epoch's metrics, through accelerate's trackers.

They get names of parts and numbers, never a case, a label or the settings. MLflow has the same numbers without asking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data_schemas.errors import SettingsError

Track = Callable[[str, int, Mapping[str, float]], None]
PACKAGES = {"tensorboard": "tensorboard", "wandb": "wandb"}


@contextmanager
def open_trackers(names: Sequence[Any], *, folder: Path) -> Iterator[Track]:
    """Gives a function that takes a part of the run, its epoch (from 0) and its metrics.

    Parameters
    ----------
    names
        ``tensorboard``, ``wandb``, or trackers as accelerate has them (``GeneralTracker``); none: nothing is told.
    folder
        Receives what they write.

    Raises
    ------
    SettingsError
        A tracker is not installed.
    """
    check_trackers(names)
    if not names:
        yield lambda _part, _epoch, _metrics: None
        return
    from accelerate import Accelerator

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    accelerator = Accelerator(log_with=list(names), project_dir=str(folder))
    accelerator.init_trackers("scanote")
    told = 0

    def track(part: str, epoch: int, metrics: Mapping[str, float]) -> None:
        # One count over all parts: W&B drops what comes with a step that it has seen.
        nonlocal told
        key = part.replace(" ", "-")
        accelerator.log({f"{key}/epoch": epoch, **{f"{key}/{name}": v for name, v in metrics.items()}}, step=told)
        told += 1

    try:
        yield track
    finally:
        accelerator.end_training()


def check_trackers(names: Sequence[Any]) -> None:
    """Say in one line which tracker is asked for and not installed."""
    import importlib.util

    for name in names:
        package = PACKAGES.get(name) if isinstance(name, str) else None
        if package and importlib.util.find_spec(package) is None:
            raise SettingsError(
                f"model.training.trackers: {name} is not installed; pip install {package}, or take it out"
            )
