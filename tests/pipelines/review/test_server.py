"""A real MLflow server on loopback: publish, promote, and fetch on a machine that never saw the training."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.models.artefact import artefact_digest
from pipelines.models.registry import fetch, kept_folder, resolve, versions
from pipelines.models.tracking import tracking
from pipelines.review.promote import promote, rollback
from pipelines.review.publish import publish
from pipelines.training.trained import Trained
from pipelines.workspace.paths import Workspace

pytestmark = pytest.mark.services
STARTS_WITHIN_S = 120


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of this module's own, which keeps the artefacts itself."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", f"{folder}/files"]
    command += ["--allowed-hosts", f"127.0.0.1:{port},localhost:{port}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"},
        )
        try:
            _wait(f"http://127.0.0.1:{port}/health", process, folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(log.read_text())


def test_a_run_is_published_promoted_and_rolled_back_on_a_server(
    server: str, workspace_on: Callable[[str], Workspace], trained: Trained, another: Callable[[int], Trained]
) -> None:
    workspace = workspace_on(server)
    first = publish(workspace, trained, synthetic=True)
    second = publish(workspace, another(2), synthetic=True)
    assert versions(workspace, "chest-ct") == (first, second)
    for version in (first, second):
        promote(workspace, task="chest-ct", selector=version.version, reviewer="Lee", reason="Read.")
    assert resolve(workspace, task="chest-ct", selector="champion") == second
    rollback(workspace, task="chest-ct", reviewer="Lee", reason="Too many alarms.")
    assert resolve(workspace, task="chest-ct", selector="champion") == first
    with tracking(workspace) as client:
        run = client.get_run(first.run_id)
        names = {item.path for item in client.list_artifacts(first.run_id, "report")}
    assert run.info.status == "FINISHED"
    assert "report/roc.png" in names


def test_another_machine_downloads_a_model_once_and_checks_it(
    server: str,
    workspace_on: Callable[[str], Workspace],
    another: Callable[[int], Trained],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace = workspace_on(server)
    registered = publish(workspace, another(3), synthetic=True)
    shutil.rmtree(kept_folder(workspace, registered.digest))
    folder = fetch(workspace, registered)
    assert folder == workspace.cache / "models" / registered.digest
    assert artefact_digest(folder) == registered.digest
    monkeypatch.setattr("pipelines.models.registry._download", None)
    assert fetch(workspace, registered) == folder


def test_a_damaged_download_is_fetched_anew(
    server: str, workspace_on: Callable[[str], Workspace], another: Callable[[int], Trained]
) -> None:
    workspace = workspace_on(server)
    registered = publish(workspace, another(4), synthetic=True)
    shutil.rmtree(kept_folder(workspace, registered.digest))
    (fetch(workspace, registered) / "novelty.safetensors").write_bytes(b"")
    assert artefact_digest(fetch(workspace, registered)) == registered.digest
