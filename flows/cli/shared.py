"""What the verbs share: options, progress on a terminal, logs on stderr."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path
from typing import Annotated, Any

import typer

WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", "-w", envvar="SCANOTE_WORKSPACE", help="Folder of settings, catalogue, ledger.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]
StrictOption = Annotated[bool, typer.Option("--strict", help="Exit with 1 if anything was quarantined.")]
DEFAULT_WORKSPACE = Path("scanote-workspace")


def quiet_libraries() -> None:
    """Keep libraries from phoning home, from printing bars of their own, and from spinning on a shared machine.

    Waiting threads of OpenMP spin by default; where another process wants the cores, a training step then took
    several times as long. It is set before torch is imported, and only where the user has not set it.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="scanote: %(message)s")
    for name in ("mlflow", "alembic", "prefect", "transformers"):
        logging.getLogger(name).setLevel(logging.ERROR)


@contextmanager
def stage(name: str, steps: int) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal; elsewhere one line when the stage ends."""
    began = time.monotonic()
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task(name, total=steps)

            def report(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

            yield report
            bar.update(task, completed=bar.tasks[0].total or steps)
    else:
        yield lambda _done, _total: None
        print(f"  {name:<28} {time.monotonic() - began:6.1f} s", file=sys.stderr, flush=True)


def actor() -> str:
    """Who runs this, for the audit log; their number where the machine has no name for it, as in many containers."""
    try:
        return getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def print_json(content: Any) -> None:
    """One JSON document on stdout."""
    import json

    print(json.dumps(content, indent=2, ensure_ascii=False))


def tell(line: str) -> None:
    """One line on stderr."""
    print(line, file=sys.stderr, flush=True)
