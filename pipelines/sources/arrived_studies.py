"""What came in from other systems, study by study: removed when its patient is forgotten."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

from data_schemas.errors import WorkspaceError
from pipelines.sources.arrivals import FETCHING, READY, RECEIVING


def folders_of(incoming: Path, studies: Collection[str]) -> tuple[Path, ...]:
    """The folders that hold something of some studies (by name, which is their key), half-fetched ones as well."""
    found = [incoming / place / study for place in (*READY, RECEIVING) for study in studies]
    for study in studies:
        found += (incoming / FETCHING).glob(f"{study[:16]}*") if study else []
    return tuple(sorted(path for path in found if path.is_dir()))


def files_in(folders: Iterable[Path]) -> tuple[Path, ...]:
    """Every file under some folders."""
    return tuple(sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()))


def held_in(incoming: Path, paths: Iterable[str]) -> tuple[Path, ...]:
    """Those of some files that lie among what came in, or was unpacked: they are the workspace's own copies."""
    return tuple(sorted({path for raw in paths if (path := Path(raw)).is_relative_to(incoming) and path.is_file()}))


def remove(folders: Iterable[Path], files: Iterable[Path]) -> None:
    """Remove folders with all that is in them, and single files; what is gone already is no error.

    The folder that an archive was unpacked into stays, be it empty: it tells that the archive was unpacked.

    Raises
    ------
    WorkspaceError
        Something cannot be removed.
    """
    try:
        for path in files:
            path.unlink(missing_ok=True)
        for folder in folders:
            if folder.is_dir():
                shutil.rmtree(folder)
    except OSError as error:
        raise WorkspaceError(f"what came in cannot be removed ({error.strerror}); mend that and retry") from None
