"""Files under folders: sorted, and never beyond the tree that was named."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from data_schemas.errors import InputError


def walk(paths: Iterable[Path | str] | Path | str) -> Iterator[Path]:
    """Every regular file under some paths, each once, in sorted order within each path.

    A symbolic link is followed only where it leads to a file of the same tree; linked folders are not entered. A path
    that is named itself may be a link.

    Raises
    ------
    InputError
        A path does not exist or a folder cannot be listed.
    """
    roots = [Path(paths)] if isinstance(paths, (str, Path)) else [Path(path) for path in paths]
    for root in roots:
        if not root.exists():
            raise InputError(f"{root}: no such file or folder; check the path")
    seen: set[Path] = set()
    for root in roots:
        for path in _files(root):
            real = path.resolve()
            if real not in seen:
                seen.add(real)
                yield path


def open_file(path: Path | str) -> int:
    """Open a regular file for reading and return its descriptor; the caller closes it.

    A pipe or a device that has taken a file's name is refused, and never waited for.

    Raises
    ------
    OSError
        It cannot be opened, or is no regular file.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "not a regular file")
    return handle


def _files(root: Path) -> Iterator[Path]:
    if not root.is_dir():
        if root.is_file():
            yield root
        return
    home = root.resolve()
    for folder, folders, names in os.walk(root, onerror=_refuse):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and path.resolve().is_relative_to(home):
                yield path


def _refuse(error: OSError) -> None:
    raise InputError(f"{error.filename}: the folder cannot be listed ({error.strerror}); grant read access") from None
