"""DICOMDIR: never a list of paths to read, only one to compare with. The files themselves are found by walking."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

NAME = "DICOMDIR"
# A directory of a DVD takes a few megabytes.
MAX_BYTES = 64 * 2**20
_DEFLATED = "1.2.840.10008.1.2.1.99"
_RECORDS, _FILE_ID = 0x00041220, 0x00041500
# Components of a file ID are up to eight of these (PS3.10, 8.2); real discs use longer ones, lower case and dots.
_COMPONENT = re.compile(r"[A-Za-z0-9_\-][A-Za-z0-9_\-. ]{0,63}")


def is_dicomdir(path: Path) -> bool:
    """Whether a file is named as a DICOMDIR is."""
    return path.name.upper() in {NAME, f"{NAME}."}


def missing_files(dicomdir: Path, present: Iterable[Path]) -> tuple[int, int]:
    """Compare the files that a DICOMDIR lists with those that are there.

    A listed path is compared as text, without regard to case, and never opened: one that leads elsewhere (``..``, an
    absolute path) is without effect, and counts as missing.

    Parameters
    ----------
    dicomdir
        The file; one that cannot be read lists nothing.
    present
        Files that were found.

    Returns
    -------
    tuple
        How many of the listed files are not among those present, and how many are listed.
    """
    home = dicomdir.parent
    found = {
        path.relative_to(home).as_posix().upper().removesuffix(".") for path in present if path.is_relative_to(home)
    }
    listed = set(_listed(dicomdir))
    missing = sum(not _safe(parts) or "/".join(parts).upper().removesuffix(".") not in found for parts in listed)
    return missing, len(listed)


def _safe(parts: tuple[str, ...]) -> bool:
    return all(_COMPONENT.fullmatch(part) for part in parts)


def _listed(dicomdir: Path) -> Iterator[tuple[str, ...]]:
    for record in _records(dicomdir):
        if parts := _file_id(record):
            yield parts


def _file_id(record: Any) -> tuple[str, ...]:
    try:
        value = record[_FILE_ID].value
    except Exception:  # pydicom converts here, and a damaged or absent value raises whatever it raises
        return ()
    return (value,) if isinstance(value, str) else tuple(str(part) for part in value or ())


def _records(dicomdir: Path) -> list[Any]:
    import warnings

    import pydicom

    try:
        if dicomdir.stat().st_size > MAX_BYTES:
            return []
        # Read as any data set: pydicom's FileSet would look for the files.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            meta = pydicom.filereader.read_file_meta_info(dicomdir)
            if meta.get("TransferSyntaxUID") == _DEFLATED:
                return []
            content = pydicom.dcmread(dicomdir, specific_tags=[_RECORDS])
            return list(content[_RECORDS].value) if _RECORDS in content else []
    except Exception:  # a hostile file raises whatever it raises; it lists nothing
        return []
