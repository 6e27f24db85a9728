"""What comes from other systems: under neutral names, and where it is ready, whole.

``ready/<study>/<series or nothing>/<batch>/<instance>.dcm``: study, series and instance are keyed digests, a batch is
what came together. A batch is collected elsewhere and moved to its place in one step; later instances of a series make
another batch beside it, so that nothing that was indexed is ever moved or changed.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data_schemas.errors import ServerError, WorkspaceError
from pipelines.workspace.files import make_private_folder, sync_path
from pipelines.workspace.identity import keyed_digest, normalise_id, study_key

ENDING = ".dcm"
FETCHED, RECEIVED = READY = ("dicomweb", "received")
# What is not whole yet: half-fetched series by the beginnings of their names, received studies that may grow.
FETCHING, RECEIVING = "dicomweb-partial", "received-arriving"


def arrived(incoming: Path) -> tuple[Path, ...]:
    """The folders of what was fetched and received for a workspace, those that hold anything."""
    return tuple(folder for folder in (incoming / name for name in READY) if any(folder.rglob(f"*{ENDING}")))


def study_name(key: bytes, study_uid: str) -> str:
    """The name of a study's folder: its key in this workspace, 32 hex characters."""
    return study_key(key, study_uid) if normalise_id(study_uid) else keyed_digest(key, "study", "")


def series_name(key: bytes, series_uid: str) -> str:
    """The name of a series's folder, 32 hex characters."""
    return keyed_digest(key, "arrived-series", normalise_id(series_uid))


def instance_name(key: bytes, sop_uid: str, content: str = "") -> str:
    """The name of an instance's file. With a digest of its ``content``, other bytes under one UID have another name."""
    return keyed_digest(key, "arrived-instance", normalise_id(sop_uid), content) + ENDING


def instances_in(folder: Path) -> set[str]:
    """The names of all instances under a folder, of whatever batch."""
    return {path.name for path in folder.rglob(f"*{ENDING}")} if folder.is_dir() else set()


def publish(batch: Path, home: Path) -> Path:
    """Move a folder of complete instances into ``home`` in one step, and return where it is now.

    Raises
    ------
    WorkspaceError
        It cannot be moved.
    """
    names = "\n".join(sorted(path.name for path in batch.iterdir()))
    place = make_private_folder(home) / hashlib.sha256(names.encode()).hexdigest()[:32]
    try:
        sync_path(batch)
        batch.rename(place)
        sync_path(home)
    except OSError as error:
        raise WorkspaceError(f"{place}: cannot be written ({error.strerror}); mend that and retry") from None
    return place


@contextmanager
def only_one(lock: Path, what: str) -> Iterator[None]:
    """Hold a lock file for the length of a ``with`` block; the system lets go of it however the process ends.

    Raises
    ------
    ServerError
        Another process holds it; ``what`` it does is told.
    """
    make_private_folder(lock.parent)
    with lock.open("a") as stream:
        lock.chmod(0o600)
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ServerError(f"another process {what} for this workspace; retry when it has ended") from None
        yield
