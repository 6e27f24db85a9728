"""Prefect's own settings for a workspace: set before Prefect is imported, for it reads them then."""

from __future__ import annotations

import os
import sys

from pipelines.workspace.paths import Workspace

STARTUP_SECONDS = 120  # the ephemeral API was seen to take over 20 s, Prefect's default


def prefect_environment(workspace: Workspace, *, verbose: bool = False) -> dict[str, str]:
    """The environment variables that Prefect runs under for a workspace.

    Nothing is reported to anyone; what Prefect stores, it stores in the workspace; the API is the server of the
    settings, and where there is none, the ephemeral one of this process.
    """
    variables = {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_HOME": str(workspace.prefect),
        "PREFECT_LOGGING_LEVEL": "INFO" if verbose else "WARNING",
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "true",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(STARTUP_SECONDS),
    }
    if workspace.settings.servers.prefect_url:
        variables["PREFECT_API_URL"] = workspace.settings.servers.prefect_url
    return variables


def use_prefect(workspace: Workspace, *, verbose: bool = False) -> None:
    """Set Prefect up for a workspace; call it before the first import of a flow.

    An API URL of the caller's environment is dropped: the workspace's settings alone say which server hears of it.
    Credentials (``PREFECT_API_AUTH_STRING``) stay as they are.

    Raises
    ------
    RuntimeError
        Prefect was imported before, under other settings.
    """
    variables = prefect_environment(workspace, verbose=verbose)
    known = {name: os.environ.get(name) for name in ("PREFECT_HOME", "PREFECT_API_URL")}
    if "prefect" in sys.modules and known != {name: variables.get(name) for name in known}:
        raise RuntimeError("Prefect was imported before flows.prefect_settings.use_prefect(workspace) was called")
    os.environ.pop("PREFECT_API_URL", None)
    os.environ.update(variables)
