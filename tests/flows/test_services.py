"""A real Prefect server on loopback, and `scanote serve` as a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipelines.synthetic.write import Hospital
from pipelines.workspace import ledger
from pipelines.workspace.paths import Workspace

PATIENTS = 6
EVERY_MINUTE = {"ingest": None, "diagnose": "* * * * *", "retrain": None}
SERVE = "import sys; from flows.serve import serve; serve(sys.argv[1])"
DIAGNOSE = (
    "import sys; from flows.prefect_settings import use_prefect; "
    "from pipelines.workspace.paths import open_workspace; use_prefect(open_workspace(sys.argv[1])); "
    "from flows.diagnose import diagnose_flow; diagnose_flow(sys.argv[1])"
)
pytestmark = pytest.mark.services


@contextmanager
def running(command: list[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, which is ended whole."""
    with (
        log.open("wb") as stream,
        subprocess.Popen(
            command,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end, then make the whole group."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=20)


def until(what: str, look: Callable[[], Any], *, seconds: float, log: Path) -> Any:
    """The first answer that is true; fails, showing the end of a log, when the time is over."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if found := look():
            return found
        time.sleep(0.5)
    pytest.fail(f"no {what} within {seconds:.0f} s\n{log.read_text(errors='replace')[-3000:]}")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The API's URL of a Prefect server, and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url, log = f"http://127.0.0.1:{port}/api", tmp_path / "server.log"
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with running(command, log, PREFECT_HOME=str(tmp_path / "server")) as process:
        until("Prefect server", lambda: answers(url), seconds=120, log=log)
        yield url, process


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def read(url: str, kind: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = httpx.post(f"{url}/{kind}/filter", json={}, timeout=20).json()
    return rows


@pytest.fixture
def connected(
    champion: Callable[..., Workspace], hospital: Hospital, server: tuple[str, subprocess.Popen[bytes]]
) -> Workspace:
    """A workspace with a champion and the hospital's cases that tells the server; one case a chunk."""
    from pipelines.cases.ingest import ingest

    made = champion(servers={"prefect_url": server[0]}, schedules=EVERY_MINUTE, diagnosis={"chunk": 1, "device": "cpu"})
    ingest(made, scans=[hospital.scans], notes=[hospital.records])
    return made


def decided(workspace: Workspace) -> dict[str, str]:
    with workspace.database() as engine:
        return {item.key: item.lane.value for item in ledger.diagnoses(engine, current_only=False)}


def test_a_served_schedule_diagnoses_on_a_real_server(
    connected: Workspace,
    server: tuple[str, subprocess.Popen[bytes]],
    tmp_path: Path,
    canaries: Callable[[Workspace], set[str]],
    text_of: Callable[[Path], str],
) -> None:
    url, log = server[0], tmp_path / "serve.log"
    with running([sys.executable, "-c", SERVE, str(connected.root)], log) as process:

        def finished() -> list[dict[str, Any]]:
            return [run for run in read(url, "flow_runs") if run["state_type"] in ("COMPLETED", "FAILED", "CRASHED")]

        first = until("finished run", finished, seconds=180, log=log)[0]
        assert first["state_type"] == "COMPLETED", log.read_text()[-3000:]
        assert first["auto_scheduled"] is True
        assert process.poll() is None
        names = {row["name"]: row["paused"] for row in read(url, "deployments")}
        assert names == {"ingest": False, "diagnose": False, "retrain": False}
    assert len(decided(connected)) == PATIENTS
    [artifact] = [row for row in read(url, "artifacts") if row["key"] == "scanote-diagnose"][:1]
    assert "| diagnosed |  | 6 |" in artifact["data"]
    assert all(row["paused"] for row in read(url, "deployments"))
    found = text_of(tmp_path / "server" / "prefect.db") + log.read_text(errors="replace")
    assert str(connected.root) in found
    assert [canary for canary in canaries(connected) if canary in found] == []


def test_a_server_that_dies_in_the_middle_costs_no_case(
    connected: Workspace, server: tuple[str, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    log = tmp_path / "flow.log"
    command = [sys.executable, "-c", DIAGNOSE, str(connected.root)]
    quick = {"PREFECT_CLIENT_MAX_RETRIES": "0"}
    with running(command, log, **quick) as process:
        until("first diagnosis", lambda: decided(connected), seconds=120, log=log)
        os.killpg(server[1].pid, signal.SIGKILL)
        process.wait(timeout=120)
    before = decided(connected)
    assert set(before.values()) == {"review"}
    settings = (connected.root / "scanote.yaml").read_text()
    (connected.root / "scanote.yaml").write_text(settings.replace(server[0], "null"))
    with running(command, log) as process:
        assert process.wait(timeout=240) == 0, log.read_text(errors="replace")[-3000:]
    after = decided(connected)
    assert len(after) == PATIENTS
    assert before.items() <= after.items()
