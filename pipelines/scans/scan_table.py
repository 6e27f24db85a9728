"""``scanote-scans.csv``: one row a NIfTI file, or a stack of pictures, with what the file itself cannot say.

NIfTI, PNG and TIFF carry no patient. Whose they are is stated in a table, never read from a name: a name is what
somebody called a file. `scanote scan-table` drafts one, for a person to read before it counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from data_schemas.errors import InputError, RefusedError
from data_schemas.picture_stack import PictureStack
from data_schemas.reasons import Reason
from data_schemas.scan import Series
from data_schemas.stated_scan import StatedScan
from pipelines.scans.look import broken
from pipelines.sources.rows import SUFFIXES, Row, read_table
from pipelines.sources.values import parse_number, parse_sex

STEM = "scanote-scans"
NAMES = tuple(f"{STEM}{suffix}" for suffix in SUFFIXES)
COLUMNS = ("file", *StatedScan.model_fields)
PLACE_COLUMNS = ("plane", "slice_mm", "row_mm", "column_mm")
RESCALE_COLUMNS = ("rescale_slope", "rescale_intercept")
# The RAS+ directions of a column step, a row step and the next slice. A minus turns the last one round.
PLANES = {
    "axial": ((-1, 0, 0), (0, -1, 0), (0, 0, 1)),
    "coronal": ((-1, 0, 0), (0, 0, -1), (0, -1, 0)),
    "sagittal": ((0, -1, 0), (0, 0, -1), (1, 0, 0)),
}


@dataclass(frozen=True)
class ScanTable:
    """What the tables of a tree state: by NIfTI file, by place of pictures; and the rows that cannot be used."""

    scans: Mapping[str, StatedScan] = field(default_factory=dict)
    stacks: Mapping[Path, PictureStack] = field(default_factory=dict)
    refused: tuple[Series, ...] = ()


def is_scan_table(path: Path) -> bool:
    """Whether a file is a table of scans, by its name."""
    return path.name.lower() in NAMES


def read_scan_tables(paths: Iterable[Path]) -> ScanTable:
    """Read tables of scans; a row that cannot be used is an entry with its reason, and the others count.

    Raises
    ------
    InputError
        A table cannot be read as a whole, or its columns are not these.
    """
    scans: dict[str, StatedScan] = {}
    stacks: dict[Path, PictureStack] = {}
    refused: list[Series] = []
    taken: set[Path] = set()
    for table_path in paths:
        folder = table_path.parent.resolve()
        for row in _rows(table_path):
            try:
                path = _file(row, folder, taken)
                taken.add(path)
                if path.name.lower().endswith((".nii", ".nii.gz")):
                    scans[str(path)] = _nifti(row)
                else:
                    stacks[path] = _pictures(row, path)
            except RefusedError as error:
                where = f"{table_path}: row {row.number}"
                refused.append(broken(where, error.reason, error.detail))
    return ScanTable(scans, stacks, tuple(refused))


def _rows(path: Path) -> Iterator[Row]:
    allowed = (*COLUMNS, *PLACE_COLUMNS, *RESCALE_COLUMNS)
    table = read_table(path, text_columns=("patient_id", "issuer", "study_uid", "accession"), expected=allowed)
    unknown = [name for name in table.columns if name not in allowed]
    absent = [name for name in ("file", "patient_id") if name not in table.columns]
    if unknown or absent:
        told = f"no column {' and '.join(absent)}" if absent else f"{len(unknown)} unknown columns"
        raise InputError(f"{path}: {told}; a table of scans has file, patient_id and of these: {', '.join(allowed)}")
    yield from table.rows


def _file(row: Row, folder: Path, taken: set[Path]) -> Path:
    if row.problem:
        raise RefusedError(Reason.UNREADABLE_ROW, row.problem)
    name = _text(row, "file")
    path = (folder / name).resolve()
    if not name or not path.is_relative_to(folder):
        raise RefusedError(Reason.UNREADABLE_ROW, "column file names nothing, or leads out of the table's folder")
    if not path.exists():
        raise RefusedError(Reason.FILE_MISSING, "column file names nothing that is in the table's folder")
    if path in taken:
        raise RefusedError(Reason.NOT_A_RECORD, "column file names what another row names too")
    return path


def _nifti(row: Row) -> StatedScan:
    stated = [name for name in (*PLACE_COLUMNS, *RESCALE_COLUMNS) if _text(row, name)]
    if stated:
        raise RefusedError(Reason.NOT_A_RECORD, f"a NIfTI file states its own {', '.join(stated)}; leave them blank")
    return _record(StatedScan, _common(row))


def _pictures(row: Row, path: Path) -> PictureStack:
    content: dict[str, Any] = {name: value for name, value in _common(row).items() if name != "body_part"}
    content |= {"files": (path.name,)} if path.is_file() else {"order": "name"}
    word = _text(row, "plane")
    axes = PLANES.get(word.removeprefix("-"))
    if axes is None:
        raise RefusedError(
            Reason.MISSING_GEOMETRY, f"pictures need a plane ({', '.join(PLANES)}; a minus for the reverse order)"
        )
    steps = [_number(row, name) for name in ("column_mm", "row_mm", "slice_mm")]
    if any(step is None or step <= 0 for step in steps):
        raise RefusedError(Reason.MISSING_GEOMETRY, "pictures need slice_mm, row_mm and column_mm above zero")
    signs = (1, 1, -1 if word.startswith("-") else 1)
    columns = [[sign * step * part for part in axis] for axis, step, sign in zip(axes, steps, signs, strict=True)]  # type: ignore[operator]
    content["affine"] = [[*(float(column[line]) for column in columns), 0.0] for line in range(3)] + [[0, 0, 0, 1.0]]
    slope, intercept = (_number(row, name) for name in RESCALE_COLUMNS)
    if slope is not None or intercept is not None:
        content["rescale"] = {"slope": 1.0 if slope is None else slope, "intercept": intercept or 0.0}
    return _record(PictureStack, content)


def _common(row: Row) -> dict[str, Any]:
    content: dict[str, Any] = {name: _text(row, name) for name in StatedScan.model_fields}
    if not content["patient_id"]:
        raise RefusedError(Reason.MISSING_PATIENT, "column patient_id is blank")
    try:
        content["sex"] = parse_sex(content["sex"])
        content["acquired"] = _moment(content["acquired"])
    except ValueError as error:
        raise RefusedError(Reason.UNREADABLE_ROW, str(error)) from None
    content["modality"] = content["modality"].upper()
    content["birth_date"] = content["birth_date"] or None
    content["age_years"] = _number(row, "age_years")
    return content


def _moment(text: str) -> datetime | None:
    """A day alone counts from its first instant: text of that day must not count as known before the scan."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError("column acquired is no ISO 8601 date (such as 2024-03-05T14:30)") from None


def _record(kind: Any, content: dict[str, Any]) -> Any:
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
        names = [str(part) for part in problem["loc"][:1]]
        told = f"column {names[0]}: {problem['msg']}" if names else problem["msg"]
        raise RefusedError(Reason.UNREADABLE_ROW, told) from None


def _number(row: Row, name: str) -> float | None:
    value = row.cells.get(name, "")
    if isinstance(value, str) and not value.strip():
        return None
    try:
        return parse_number(value)
    except ValueError:
        raise RefusedError(Reason.UNREADABLE_ROW, f"column {name} is no number") from None


def _text(row: Row, name: str) -> str:
    value = row.cells.get(name, "")
    return (value if isinstance(value, str) else str(value)).strip()
