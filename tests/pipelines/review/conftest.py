"""A published run that tests may read, and a port where nobody listens."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.models.registry import Registered
from pipelines.models.tracking import tracking
from pipelines.review.publish import publish
from pipelines.training.trained import Trained
from pipelines.workspace.paths import Workspace, open_workspace

ATTAINABLE = {"pleural-effusion": {"scan": 0.96, "note": 0.5, "both": 0.97}}


@dataclass(frozen=True)
class Published:
    """A run in MLflow as a reader sees it; one for all tests, so nobody changes it."""

    workspace: Workspace
    registered: Registered
    run: Any
    report: Path


@pytest.fixture(scope="session")
def published(empty_workspace: Path, trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Published:
    root = tmp_path_factory.mktemp("published") / "workspace"
    shutil.copytree(empty_workspace, root)
    workspace = open_workspace(root)
    registered = publish(workspace, trained, attainable=ATTAINABLE, synthetic=True)
    with tracking(workspace) as client:
        run = client.get_run(registered.run_id)
    [report] = (workspace.artifacts / "mlflow").rglob("report")
    return Published(workspace, registered, run, report)


@pytest.fixture(scope="session")
def three_versions(
    empty_workspace: Path, another: Callable[[int], Trained], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    root = tmp_path_factory.mktemp("three") / "workspace"
    shutil.copytree(empty_workspace, root)
    for number in (1, 2, 3):
        publish(open_workspace(root), another(number), synthetic=True)
    return root


@pytest.fixture
def versions(three_versions: Path, tmp_path: Path) -> Workspace:
    """A workspace of one's own with three versions and no champion; MLflow's files are those of the template."""
    shutil.copytree(three_versions, tmp_path / "workspace")
    return open_workspace(tmp_path / "workspace")


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return int(closed.getsockname()[1])
