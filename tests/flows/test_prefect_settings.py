from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.prefect_settings import prefect_environment, use_prefect
from pipelines.workspace.paths import Workspace, create_workspace

SHOW = """
import json, sys
from flows.prefect_settings import use_prefect
from pipelines.workspace.paths import open_workspace
use_prefect(open_workspace(sys.argv[1]))
from prefect.settings import get_current_settings
import flows.diagnose, flows.ingest, flows.retrain
found = get_current_settings()
print(json.dumps({
    "home": str(found.home), "url": found.api.url, "level": found.logging.level,
    "database": found.server.database.connection_url.get_secret_value(),
    "analytics": found.server.analytics_enabled, "ephemeral": found.server.ephemeral.enabled,
    "startup": found.server.ephemeral.startup_timeout_seconds,
    "heavy": sorted({"torch", "monai", "mlflow", "transformers"} & set(sys.modules)),
}))
"""


def prefect_as_seen(workspace: Workspace, **environment: str) -> dict[str, object]:
    told = subprocess.run(
        [sys.executable, "-c", SHOW, str(workspace.root)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found: dict[str, object] = json.loads(told.stdout)
    return found


def test_prefect_lives_in_the_workspace_and_reports_to_nobody(bare: Callable[..., Workspace]) -> None:
    workspace = bare()
    found = prefect_as_seen(workspace, PREFECT_API_URL="http://another.example/api")
    assert found == {
        "home": str(workspace.prefect),
        "url": None,
        "level": "WARNING",
        "database": f"sqlite+aiosqlite:///{workspace.prefect}/prefect.db",
        "analytics": False,
        "ephemeral": True,
        "startup": 120,
        "heavy": [],
    }


def test_the_server_of_the_settings_is_the_one_that_is_told(bare: Callable[..., Workspace]) -> None:
    workspace = bare(servers={"prefect_url": "http://127.0.0.1:4299/api"})
    assert prefect_as_seen(workspace)["url"] == "http://127.0.0.1:4299/api"


def test_more_is_logged_where_asked_for(bare: Callable[..., Workspace]) -> None:
    assert prefect_environment(bare(), verbose=True)["PREFECT_LOGGING_LEVEL"] == "INFO"


def test_settings_that_come_too_late_are_refused(bare: Callable[..., Workspace]) -> None:
    import prefect  # noqa: F401 (imported under the settings of the tests)

    with pytest.raises(RuntimeError, match="before"):
        use_prefect(bare())


def test_a_workspace_with_the_home_of_prefect_can_be_completed(tmp_path: Path) -> None:
    root = create_workspace(tmp_path / "workspace").root
    (root / "workspace.json").unlink()
    assert create_workspace(root).prefect.is_dir()
