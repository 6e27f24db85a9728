"""Registered models: from an alias or a version number to an artefact on this machine, checked by its digest."""

from __future__ import annotations

import logging
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_schemas.errors import ModelError
from pipelines.models.artefact import artefact_digest, files_of
from pipelines.models.tracking import is_remote, tracking
from pipelines.workspace.files import make_private_folder
from pipelines.workspace.paths import Workspace

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION, CHALLENGER = "champion", "challenger"
DIGEST_TAG, GATE_TAG = "scanote.digest", "scanote.gate"
PASSED, UNGATED = "passed", "ungated"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Registered:
    """A version of a registered model. ``ungated``: it has not passed the gate, promoted or not."""

    name: str
    version: str
    digest: str
    run_id: str
    ungated: bool


def model_name(task: str) -> str:
    """The name that models of a task are registered under."""
    return f"scanote-{task}"


def resolve(workspace: Workspace, *, task: str, selector: str) -> Registered:
    """The version that an alias or a version number means now.

    Raises
    ------
    ModelError
        There is no such model, alias or version; the message names what there is.
    ServerError
        MLflow cannot be reached.
    """
    with tracking(workspace) as client:
        aliases, known = _known(client, task)
    if not known:
        raise ModelError(f"no model of task '{task}' yet; train one with: scanote train")
    wanted = aliases.get(selector, selector)
    for version in known:
        if version.version == wanted:
            return version
    raise ModelError(f"{model_name(task)}: no alias or version {selector[:40]!r}; {_offer(aliases, known, selector)}")


def versions(workspace: Workspace, task: str) -> tuple[Registered, ...]:
    """Every registered version of a task, the oldest first."""
    with tracking(workspace) as client:
        return _known(client, task)[1]


def aliases(workspace: Workspace, task: str) -> dict[str, str]:
    """The version that each alias of a task points at."""
    with tracking(workspace) as client:
        return _known(client, task)[0]


def set_alias(workspace: Workspace, *, task: str, alias: str, version: str) -> None:
    """Point an alias at a version."""
    with tracking(workspace) as client:
        client.set_registered_model_alias(model_name(task), alias, version)


def kept_folder(workspace: Workspace, digest: str) -> Path:
    """Where this machine keeps the artefact of a model that was trained here."""
    return workspace.artifacts / "models" / digest


def fetch(workspace: Workspace, registered: Registered) -> Path:
    """A local folder with the artefact of a version, its digest checked.

    The copy that training kept here is taken first, then that of MLflow's own store; from a server it is downloaded
    once, into the workspace's cache.

    Raises
    ------
    ModelError
        The files are gone, or are not the registered ones.
    ServerError
        The server cannot be reached.
    """
    cached = workspace.cache / "models" / registered.digest
    for folder in (kept_folder(workspace, registered.digest), cached):
        if folder.is_dir():
            if _is_intact(folder, registered.digest):
                return folder
            log.warning("model %s version %s: the copy in %s is damaged", registered.name, registered.version, folder)
    with tracking(workspace) as client:
        address = client.get_model_version_download_uri(registered.name, registered.version)
        if not is_remote(workspace):
            return _checked(_local(address), registered)
        return _download(client, address, cached, registered)


def _known(client: MlflowClient, task: str) -> tuple[dict[str, str], tuple[Registered, ...]]:
    name = model_name(task)
    models = client.search_registered_models(filter_string=f"name = '{name}'")
    if not models:
        return {}, ()
    found: list[Any] = []
    token = None
    while token is None or token:
        page = client.search_model_versions(f"name = '{name}'", page_token=token)
        found += page
        token = page.token or ""
    ordered = sorted(found, key=lambda row: int(row.version))
    return {alias: str(version) for alias, version in models[0].aliases.items()}, tuple(map(_registered, ordered))


def _registered(version: Any) -> Registered:
    return Registered(
        name=version.name,
        version=str(version.version),
        digest=version.tags.get(DIGEST_TAG, ""),
        run_id=version.run_id or "",
        ungated=version.tags.get(GATE_TAG) != PASSED,
    )


def _offer(aliases: dict[str, str], known: tuple[Registered, ...], selector: str) -> str:
    numbers = [version.version for version in known]
    there = [f"{alias} (version {version})" for alias, version in sorted(aliases.items())]
    there.append(f"version {numbers[0]}" if len(numbers) == 1 else f"versions {numbers[0]} to {numbers[-1]}")
    mend = f"; make one with: scanote promote {numbers[-1]} …" if selector == CHAMPION else ""
    return f"there are: {', '.join(there)}{mend}"


def _is_intact(folder: Path, digest: str) -> bool:
    try:
        return artefact_digest(folder) == digest
    except ModelError:
        return False


def _checked(folder: Path, registered: Registered) -> Path:
    if not _is_intact(folder, registered.digest):
        raise ModelError(
            f"{registered.name} version {registered.version}: its files are gone or not the registered ones (digest "
            "differs); restore the workspace's artifacts from their backup, or use another version"
        )
    return folder


def _local(address: str) -> Path:
    """The folder of an artefact in a store on this machine."""
    from mlflow.utils.file_utils import local_file_uri_to_path

    return Path(local_file_uri_to_path(address)) / "artifacts"


def _download(client: MlflowClient, address: str, place: Path, registered: Registered) -> Path:
    from mlflow.artifacts import download_artifacts

    make_private_folder(place.parent)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".download-") as work:
        uri = f"{address.rstrip('/')}/artifacts"
        got = Path(download_artifacts(artifact_uri=uri, dst_path=work, tracking_uri=client.tracking_uri))
        _checked(got, registered)
        whole = Path(work) / "whole"
        whole.mkdir(mode=0o700)
        for name in files_of(got):
            shutil.move(got / name, whole / name)
        shutil.rmtree(place, ignore_errors=True)
        try:
            whole.rename(place)
        except OSError:  # another process was quicker
            _checked(place, registered)
    return place
