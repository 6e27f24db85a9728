"""Draft a table of scans from the names of files, by a pattern that a person gives, for a person to read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from data_schemas.errors import InputError
from data_schemas.stated_scan import StatedScan
from pipelines.scans.picture_pages import PICTURE_NAMES
from pipelines.scans.pictures import SIDECAR
from pipelines.scans.scan_table import PLACE_COLUMNS, RESCALE_COLUMNS
from pipelines.sources.folder import walk

_FIELD = re.compile(r"\{([a-z_]+)\}|\*")
# A spreadsheet takes a cell that begins like this for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def draft_scan_table(folder: Path, *, pattern: str = "", modality: str = "") -> str:
    """A CSV of every NIfTI file and every folder of pictures under a folder, one row each.

    Parameters
    ----------
    folder
        The table is meant to lie here: column ``file`` is relative to it.
    pattern
        How the columns stand in the paths, such as ``sub-{patient_id}/*_{description}.nii.gz``: ``{column}`` is what
        stands between, without a slash; ``*`` is anything without a slash. Without one, ``patient_id`` stays blank.
    modality
        Written into every row.

    Raises
    ------
    InputError
        The folder holds neither NIfTI nor pictures, the pattern names no column, or no path, or not every path, fits
        it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no folder; name the folder that holds the scans")
    home = folder.resolve()
    found = _places(home)
    if not found:
        raise InputError(f"{folder}: neither NIfTI (.nii, .nii.gz) nor PNG or TIFF pictures are there")
    rule = _rule(pattern) if pattern else None
    pictures = any(not name.lower().endswith((".nii", ".nii.gz")) for name in found)
    columns = ["file", *StatedScan.model_fields, *((*PLACE_COLUMNS, *RESCALE_COLUMNS) if pictures else ())]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    strangers = 0
    for name in found:
        match = rule.fullmatch(name) if rule else None
        strangers += rule is not None and match is None
        cells = {"file": name, "modality": modality, **(match.groupdict() if match else {})}
        if any(value.startswith(_FORMULA) for value in cells.values()):
            raise InputError(
                f"{folder}: a name would begin a cell with one of = + - @; rename it, or write its row yourself"
            )
        writer.writerow(cells)
    if strangers:
        raise InputError(
            f"{folder}: {strangers} of {len(found)} paths do not fit the pattern; "
            "it is held against the whole path below the folder"
        )
    return out.getvalue()


def _places(home: Path) -> list[str]:
    """NIfTI files, and folders of PNG or TIFF that no sidecar states, relative to ``home``."""
    found: dict[str, None] = {}
    for path in walk([home]):
        name = path.name.lower()
        if name.endswith((".nii", ".nii.gz")):
            found[path.relative_to(home).as_posix()] = None
        elif name.endswith(PICTURE_NAMES) and path.parent != home and not (path.parent / SIDECAR).exists():
            found[path.parent.relative_to(home).as_posix()] = None
    return sorted(found)


def _rule(pattern: str) -> re.Pattern[str]:
    names: Sequence[str] = [name for name in _FIELD.findall(pattern) if name]
    unknown = sorted({name for name in names if name not in StatedScan.model_fields})
    if "patient_id" not in names or unknown or len(set(names)) < len(names):
        raise InputError(
            "--pattern needs {patient_id} once, and of these at most once each: "
            + ", ".join(f"{{{name}}}" for name in StatedScan.model_fields if name != "patient_id")
        )
    at, parts = 0, []
    for match in _FIELD.finditer(pattern):
        parts.append(re.escape(pattern[at : match.start()]))
        parts.append(f"(?P<{match[1]}>[^/]+?)" if match[1] else "[^/]*")
        at = match.end()
    return re.compile("".join(parts) + re.escape(pattern[at:]))
