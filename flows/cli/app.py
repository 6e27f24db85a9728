"""``scanote``: every verb, and how errors become one line and an exit code."""

from __future__ import annotations

import sys

import typer

from data_schemas.errors import ScanoteError, ServerError
from flows.cli import (
    batch,
    cohort,
    evaluate,
    export,
    forget,
    learn,
    light,
    pretrain,
    receive,
    scan_table,
    scans,
    story,
    tune,
)

app = typer.Typer(
    name="scanote",
    help="Reads 3D scans and clinical notes together. For research use only; not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for verb in (
    story.demo,
    story.synth,
    scans.inspect,
    scans.volume,
    scan_table.scan_table,
    batch.ingest,
    receive.receive,
    cohort.cohort,
    pretrain.pretrain,
    learn.train,
    tune.tune,
    evaluate.evaluate,
    light.compile,
    batch.diagnose,
    learn.promote,
    learn.rollback,
    batch.serve,
    export.export,
    forget.forget,
    batch.settings,
):
    app.command()(verb)


def main() -> None:
    """Run a verb.

    Exit codes: 0 ran; 1 strict, and something quarantined; 2 unusable input; 3 worth a retry (a server is down, a case
    failed).
    """
    try:
        app()
    except ScanoteError as error:
        print(f"scanote: {_one_line(str(error))}", file=sys.stderr)
        sys.exit(3 if isinstance(error, ServerError) or getattr(error, "retry", False) else 2)
    except OSError as error:
        print(f"scanote: {_one_line(f'{error.strerror or error}: {error.filename or chr(45)}')}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("scanote: stopped; what was written stays, run the same command to go on", file=sys.stderr)
        sys.exit(130)


def _one_line(text: str) -> str:
    return " ".join(text.split())
