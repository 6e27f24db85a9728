from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from data_schemas.errors import SettingsError
from data_schemas.settings import ScheduleSettings
from flows.serve import deployments, runner_deployments, serve
from pipelines.workspace.paths import Workspace

ROOT = Path(__file__).parents[2]


def written() -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]}


def test_prefect_yaml_names_the_same_deployments_with_the_default_schedules() -> None:
    served = {item.name: item for item in deployments(ScheduleSettings())}
    assert written().keys() == served.keys()
    for name, item in written().items():
        assert item["entrypoint"] == f"{served[name].module.replace('.', '/')}.py:{served[name].function}"
        assert item["description"] == served[name].description
        assert [row["cron"] for row in item["schedules"]] == [served[name].cron][: served[name].cron is not None]


def test_prefect_yaml_limits_runs_as_serve_does(bare: Callable[..., Workspace]) -> None:
    for item in runner_deployments(bare()):
        limit = written()[item.name]["concurrency_limit"]
        assert limit == {
            "limit": item.concurrency_limit,
            "collision_strategy": item.concurrency_options.collision_strategy.value,
        }


def test_the_parameters_of_prefect_yaml_are_the_flows_own(bare: Callable[..., Workspace]) -> None:
    for item in runner_deployments(bare()):
        assert written()[item.name]["parameters"].keys() == item.parameters.keys() == {"workspace"}


def test_entrypoints_of_prefect_yaml_load_as_flows() -> None:
    from prefect.flows import load_flow_from_entrypoint

    for item in written().values():
        assert load_flow_from_entrypoint(str(ROOT / item["entrypoint"])).name == f"scanote-{item['name']}"


def test_a_flow_without_a_schedule_is_served_unscheduled(bare: Callable[..., Workspace]) -> None:
    found = {item.name: item.schedules for item in runner_deployments(bare(schedules={"ingest": None}))}
    assert (found["ingest"], found["retrain"]) == ([], [])
    assert [row.schedule.cron for row in found["diagnose"]] == ["15 * * * *"]


def test_serving_without_a_server_says_which_setting_is_missing(bare: Callable[..., Workspace]) -> None:
    with pytest.raises(SettingsError, match=r"servers\.prefect_url' is not set; start a server") as caught:
        serve(bare().root)
    assert "\n" not in str(caught.value)


@pytest.fixture
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave Prefect's settings of this process as they are."""
    monkeypatch.setattr("flows.serve.use_prefect", lambda *_args, **_options: None)


@pytest.mark.usefixtures("_settled")
def test_a_server_that_does_not_answer_is_one_clear_line(bare: Callable[..., Workspace], unused_url: str) -> None:
    with_password = unused_url.replace("http://", "http://user:secret@")
    with pytest.raises(SettingsError, match="does not answer") as caught:
        serve(bare(servers={"prefect_url": with_password}).root)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("_settled")
def test_a_server_that_is_not_prefect_is_refused(bare: Callable[..., Workspace], other_server: str) -> None:
    with pytest.raises(SettingsError, match="status 404"):
        serve(bare(servers={"prefect_url": other_server}).root)


@pytest.mark.usefixtures("_settled")
@pytest.mark.parametrize("cron", ["every hour", "61 * * * *", ""])
def test_a_schedule_that_is_no_cron_expression_is_named(bare: Callable[..., Workspace], cron: str) -> None:
    with pytest.raises(SettingsError, match=r"schedules\.ingest': not a cron expression"):
        runner_deployments(bare(schedules={"ingest": cron}))


@pytest.mark.usefixtures("prefect_api")
def test_serving_again_resumes_and_drops_what_the_settings_dropped(bare: Callable[..., Workspace]) -> None:
    from prefect.client.orchestration import get_client

    workspace = bare()
    first, *_ = runner_deployments(workspace)
    deployment_id = first.apply()
    with get_client(sync_client=True) as client:
        assert len(client.read_deployment(deployment_id).schedules) == 1
        client.pause_deployment(deployment_id)
        text = yaml.safe_load((workspace.root / "scanote.yaml").read_text()) | {"schedules": {"ingest": None}}
        (workspace.root / "scanote.yaml").write_text(yaml.safe_dump(text))
        again, *_ = runner_deployments(bare_again(workspace))
        assert again.apply() == deployment_id
        found = client.read_deployment(deployment_id)
    assert (found.paused, found.schedules) == (False, [])


def bare_again(workspace: Workspace) -> Workspace:
    from pipelines.workspace.paths import open_workspace

    return open_workspace(workspace.root)


@pytest.fixture
def unused_url() -> str:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/api"


@pytest.fixture
def other_server() -> Iterator[str]:
    """A web server that knows no page."""

    class Nothing(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Nothing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api"
    server.shutdown()
    thread.join()
    server.server_close()
