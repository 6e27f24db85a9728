"""Files that are whole or absent: written beside their place, synced, then moved there in one step."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from data_schemas.errors import WorkspaceError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def write_atomic(path: Path, data: bytes | memoryview) -> None:
    """Write a file of mode 0600 so that a reader, or a crash at any point, sees the old bytes or the new ones.

    The folder must exist. Bytes and folder entry are synced to the disk before this returns.

    Raises
    ------
    WorkspaceError
        The file cannot be written (disk full, no permission, folder missing): one line that says which.
    """
    _place(path, data, os.replace)


def write_new(path: Path, data: bytes) -> bool:
    """Write a file as `write_atomic` does, unless it exists; say whether it was written. One of several callers wins.

    Raises
    ------
    WorkspaceError
        The file cannot be written.
    """
    try:
        _place(path, data, os.link)
    except FileExistsError:
        return False
    return True


def make_private_folder(path: Path) -> Path:
    """Make a folder of mode 0700, with its parents; one that exists is set to that mode.

    Raises
    ------
    WorkspaceError
        It cannot be made, or something else has that name.
    """
    try:
        path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        path.chmod(PRIVATE_FOLDER)
    except OSError as error:
        raise WorkspaceError(f"{path}: the folder cannot be made ({error.strerror}); choose another place") from None
    return path


def write_folder(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a folder of mode 0700 beside its place, then put it there; an older one goes.

    Its parent is made. What ``write`` raises leaves the older folder as it was.
    """
    parent = make_private_folder(path.parent)
    with tempfile.TemporaryDirectory(dir=parent, prefix=f".{path.name}-") as work:
        made = make_private_folder(Path(work) / path.name)
        write(made)
        shutil.rmtree(path, ignore_errors=True)
        made.rename(path)


def sync_path(path: Path) -> None:
    """Sync a file's bytes, or a folder's entries, to the disk, so that they are still there after a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _place(path: Path, data: bytes | memoryview, move: Callable[[str, Path], None]) -> None:
    """Write to a temporary neighbour (mkstemp makes it 0600), sync, move; the neighbour never outlives a failure."""
    name = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:64]}-", suffix=".tmp")
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        move(name, path)
        sync_path(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise WorkspaceError(f"{path}: cannot be written ({error.strerror}); mend that and retry") from None
    finally:
        if name is not None:
            Path(name).unlink(missing_ok=True)
