"""Serving: the flows as scheduled deployments on a Prefect server, run by this process on this machine."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from data_schemas.errors import SettingsError
from data_schemas.settings import ScheduleSettings
from flows.prefect_settings import use_prefect
from pipelines.workspace.paths import Workspace, open_workspace

if TYPE_CHECKING:
    from prefect import Flow
    from prefect.deployments.runner import RunnerDeployment
    from prefect.runner import Runner

ANSWER_SECONDS = 10.0


@dataclass(frozen=True)
class Deployment:
    """A flow as it is deployed: `prefect.yaml` says the same. ``cron`` is None where it runs on demand only."""

    name: str
    module: str
    function: str
    description: str
    cron: str | None


def deployments(schedules: ScheduleSettings) -> tuple[Deployment, ...]:
    """The deployments under some schedules."""
    return tuple(
        Deployment(name, f"flows.{name}", f"{name}_flow", description, getattr(schedules, name))
        for name, description in (
            ("ingest", "Reads the sources of the settings into the catalogue"),
            ("diagnose", "Diagnoses what has no diagnosis by the champion yet, and writes the worklist"),
            ("retrain", "Trains a challenger on the catalogue's labelled cases"),
        )
    )


def serve(workspace: Path | str, *, verbose: bool = False) -> None:
    """Register the deployments on the settings' Prefect server and run them, until this process is ended.

    A run that is due while the last one of its kind still goes is cancelled: it would find the same work. Schedules
    are paused when this process ends in order, and go on when it is started again.

    Raises
    ------
    SettingsError
        No server is set, none answers or it refuses the deployments, or a schedule is no cron expression. One line.
    """
    opened = open_workspace(workspace)
    url = opened.settings.servers.prefect_url
    if not url:
        raise SettingsError(
            f"{opened.root}/scanote.yaml: 'servers.prefect_url' is not set; start a server (prefect server start) and "
            "set it, e.g. http://127.0.0.1:4200/api"
        )
    use_prefect(opened, verbose=verbose)
    registered = runner_deployments(opened)
    check_server(url)
    _run(registered)


def runner_deployments(workspace: Workspace) -> list[RunnerDeployment]:
    """The deployments of a workspace, ready to be applied to a server.

    Raises
    ------
    SettingsError
        A schedule is no cron expression.
    """
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.deployments.runner import RunnerDeployment
    from prefect.types.entrypoint import EntrypointType

    return [
        RunnerDeployment.from_flow(
            _flow(item),
            name=item.name,
            description=item.description,
            parameters={"workspace": str(workspace.root)},
            # Both are said even where they are empty: what is left out keeps its last value on the server.
            schedules=_schedules(workspace, item),
            paused=False,
            concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        for item in deployments(workspace.settings.schedules)
    ]


def _run(registered: list[RunnerDeployment]) -> None:
    """Register, and run what is due, until SIGINT or SIGTERM."""
    import httpx
    from prefect.exceptions import PrefectException
    from prefect.runner import Runner

    runner = Runner(pause_on_shutdown=True)
    try:
        for item in registered:
            runner.add_deployment(item)
    except (PrefectException, httpx.HTTPError, RuntimeError) as error:
        raise SettingsError(
            f"'servers.prefect_url': the server refused the deployments ({type(error).__name__}); look into its log, "
            "and set PREFECT_API_AUTH_STRING where it asks for a password"
        ) from None
    with suppress(KeyboardInterrupt):
        asyncio.run(_until_ended(runner))


async def _until_ended(runner: Runner) -> None:
    """Prefect's own way out on SIGTERM (3.8.8) pauses nothing: it is given the one of Ctrl-C."""
    work = asyncio.ensure_future(runner.start())
    await asyncio.sleep(0)  # by then the runner has set its handler, which is replaced
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
    with suppress(asyncio.CancelledError):
        await work


def _flow(item: Deployment) -> Flow[..., Any]:
    from importlib import import_module

    found: Flow[..., Any] = getattr(import_module(item.module), item.function)
    return found


def _schedules(workspace: Workspace, item: Deployment) -> list[Any]:
    from prefect.client.schemas.schedules import CronSchedule

    if item.cron is None:
        return []
    try:
        return [CronSchedule(cron=item.cron)]
    except ValueError:
        raise SettingsError(
            f"{workspace.root}/scanote.yaml: 'schedules.{item.name}': not a cron expression; give five fields, "
            "e.g. '0 * * * *'"
        ) from None


def check_server(url: str) -> None:
    """Raise SettingsError, in one line, where no Prefect server answers at a URL."""
    import httpx

    try:
        answer = httpx.get(f"{url.rstrip('/')}/health", timeout=ANSWER_SECONDS)
        found = answer.status_code
        if found == httpx.codes.OK and answer.json() is True:
            return
        problem = f"answers with status {found}, which is not Prefect's health check"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        problem = f"does not answer ({type(error).__name__})"
    raise SettingsError(
        f"'servers.prefect_url': {_without_credentials(url)} {problem}; start the server, or correct the URL "
        "(it ends in /api)"
    )


def _without_credentials(url: str) -> str:
    """The URL without user and password, for a message."""
    try:
        parts = urlsplit(url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    except ValueError:
        return "the URL"
