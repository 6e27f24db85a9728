"""The way to MLflow: one client with explicit addresses, quiet, quick to give up, its errors told in one line."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from data_schemas.errors import ServerError
from pipelines.workspace.digests import sha256_bytes
from pipelines.workspace.paths import Workspace

if TYPE_CHECKING:
    from mlflow import MlflowClient

# What a user has set stays. Without these MLflow phones home, and asks a dead server for four minutes a call.
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
}
# They tell every table that they make and every example that they look at.
LOUD = ("alembic", "mlflow.store.db.utils", "mlflow.pyfunc")


def prepare_mlflow() -> None:
    """Set MLflow up for this process: to be called before each first import of it."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import mlflow  # noqa: F401 (its import sets the levels that are changed here)

    for name in LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)


@contextmanager
def tracking(workspace: Workspace) -> Iterator[MlflowClient]:
    """A client of the workspace's MLflow server, or of its own store, for the length of a ``with`` block.

    Raises
    ------
    ServerError
        Something in the block found the server unreachable, or was refused by it.
    """
    prepare_mlflow()
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield MlflowClient(tracking_uri=workspace.mlflow_url, registry_uri=workspace.mlflow_url)
    except MlflowException as error:
        raise ServerError(f"{_place(workspace)}: {_why(error.error_code)}; mend that, then retry") from None
    except (RequestException, SQLAlchemyError) as error:
        raise ServerError(
            f"{_place(workspace)}: cannot be used now ({type(error).__name__}); mend that, then retry"
        ) from None


def experiment_id(client: MlflowClient, workspace: Workspace, name: str) -> str:
    """The id of an experiment, which is made where it is not there yet; without a server its files lie with us."""
    from mlflow.exceptions import MlflowException

    place = None if is_remote(workspace) else (workspace.artifacts / "mlflow" / name).as_uri()
    for _ in range(3):
        found = client.get_experiment_by_name(name)
        if found is not None and place not in (None, found.artifact_location):
            # The workspace was copied or moved: the old experiment would write into the old place.
            name = f"{name}-{sha256_bytes(str(place).encode())[:8]}"
            found = client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        try:
            return str(client.create_experiment(name, artifact_location=place))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
    raise ServerError(f"{_place(workspace)}: the experiment {name} was deleted; restore it there")


def is_remote(workspace: Workspace) -> bool:
    """Whether a server keeps the artefacts."""
    return workspace.mlflow_url.startswith(("http://", "https://"))


def _place(workspace: Workspace) -> str:
    """What is named in messages: never the address itself, which may hold a password."""
    return "MLflow server (servers.mlflow_url)" if workspace.settings.servers.mlflow_url else "MLflow store mlflow.db"


def _why(code: str) -> str:
    if code == "INTERNAL_ERROR":
        return "cannot be reached, or failed"
    return f"refused a request ({code})"
