"""``receive``: take what a PACS or a scanner sends."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data_schemas.errors import ScanoteError
from flows.cli.shared import DEFAULT_WORKSPACE, WorkspaceOption, tell

if TYPE_CHECKING:
    from pipelines.workspace.paths import Workspace


def receive(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default: the settings' (127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port; default: the settings' (11112).")] = None,
    aet: Annotated[str | None, typer.Option(help="Our AE title; default: the settings' (SCANOTE).")] = None,
    caller: Annotated[list[str] | None, typer.Option(help="AE title that may send; repeat for more.")] = None,
    quiet: Annotated[float | None, typer.Option(help="Seconds without news after which a study is complete.")] = None,
    ingest: Annotated[bool, typer.Option("--ingest", help="Read complete studies into the catalogue.")] = False,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
) -> None:
    """Receive studies (DICOM C-STORE) into the workspace until stopped."""
    from pipelines.sources.cstore import receiving, watch
    from pipelines.workspace.paths import create_workspace

    given = create_workspace(workspace)
    rules = given.settings.sources.receiver
    stop = threading.Event()
    with receiving(
        given.incoming,
        key=given.key,
        host=host or rules.host,
        port=rules.port if port is None else port,
        aet=aet or rules.aet,
        callers=caller or rules.callers,
    ) as receiver:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        tell(f"receiving on {host or rules.host}:{receiver.port} as {aet or rules.aet}; stop with Ctrl-C")
        watch(
            receiver,
            stop,
            quiet_s=rules.quiet_seconds if quiet is None else quiet,
            on_ready=lambda batches: _ready(given, batches, ingest=ingest),
        )
    waiting = f"; {receiver.inbox.waiting()} studies were still arriving and stay" if receiver.inbox.waiting() else ""
    tell(f"stopped: {receiver.received} instances received, {receiver.refused} refused{waiting}")


def _ready(workspace: Workspace, batches: tuple[Path, ...], *, ingest: bool) -> None:
    """Tell of complete studies, and read them where that was asked for; what goes wrong there ends no reception."""
    instances = sum(len(list(batch.iterdir())) for batch in batches)
    tell(f"{len(batches)} studies complete, {instances} instances")
    if not ingest:
        return
    from flows.cli.batch import ingest_summary
    from pipelines.cases.ingest import ingest as run

    try:
        # A study's earlier batches belong to it: a series may have come in two.
        done = run(workspace, scans=sorted({batch.parent for batch in batches}))
    except ScanoteError as error:
        tell(f"not ingested: {error}; they stay: scanote ingest --scans {workspace.incoming}/received")
        return
    summary: dict[str, Any] = ingest_summary(done)
    counts = summary["series"]
    tell(
        f"ingested: series {counts['accepted']} accepted, {counts['quarantined']} quarantined {counts['reasons'] or ''}"
    )
