"""Cells of a table row: reading them, and turning what cannot be read into a line that names row and column."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

from data_schemas.errors import InputError, RefusedError
from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts
from pipelines.sources.outcome import Refused
from pipelines.sources.rows import Row, Table
from pipelines.workspace.identity import normalise_id

T = TypeVar("T")

KEY_COLUMNS = ("patient_id", "study_uid")
ID_COLUMNS = ("scan_patient_id", "record_patient_id")
TEXT_COLUMNS = (*KEY_COLUMNS, *ID_COLUMNS, "note_id", "encounter_id", "accession", "code")


def each_row(table: Table, read: Callable[[Row], Iterable[T]]) -> tuple[tuple[T, ...], tuple[Refused, ...]]:
    """What ``read`` makes of every row, and a line for each row that it refuses."""
    found: list[T] = []
    refused = []
    for row in table.rows:
        if row.problem:
            refused.append(Refused(f"{table.path}: data row {row.number}", Reason.UNREADABLE_ROW, row.problem))
            continue
        try:
            found += read(row)
        except RefusedError as error:
            refused.append(Refused(f"{table.path}: data row {row.number}", error.reason, error.detail))
    return tuple(found), tuple(refused)


def check_columns(table: Table, *, required: Collection[str], allowed: Collection[str], hint: str = "") -> None:
    """Refuse a table (``InputError``) that lacks a required column or holds one that is not allowed."""
    missing = [name for name in required if name not in table.columns]
    unknown = [name or "(blank)" for name in table.columns if name not in {*required, *allowed}]
    if unknown and not set(table.columns) & {*required, *allowed}:
        # They are not repeated: without a header the first row stands here, with its patient and note.
        names = ", ".join([*required, *allowed])
        raise InputError(f"{table.path}: it names no known column; the columns are {names}")
    if unknown:
        known = hint or f"the columns are {', '.join([*required, *allowed])}"
        raise InputError(f"{table.path}: unknown column {', '.join(unknown)}; {known}")
    if missing:
        raise InputError(f"{table.path}: column {', '.join(missing)} is missing; add it (cells may be blank)")


def check_key(table: Table) -> None:
    """Refuse a table (``InputError``) whose rows say neither patient nor study."""
    if not set(KEY_COLUMNS) & set(table.columns):
        raise InputError(f"{table.path}: needs a column patient_id or study_uid to say whose the rows are")


def patient_of(row: Row, *, needed: bool = True) -> PatientFacts:
    """The patient of a row, the id as written; ``RefusedError`` (missing-patient) where a needed id is blank."""
    patient_id = text_of(row, "patient_id")
    if needed and not normalise_id(patient_id):
        raise RefusedError(Reason.MISSING_PATIENT, "no patient_id")
    return PatientFacts(patient_id=patient_id)


def text_of(row: Row, column: str) -> str:
    """The text of a cell; ``RefusedError`` where it is no text."""
    value = row.cells.get(column, "")
    if not isinstance(value, str):
        raise RefusedError(Reason.UNREADABLE_ROW, f"column {column} must be text (a number loses leading zeros)")
    return value


def read_cell(row: Row, column: str, parse: Callable[[object], T]) -> T:
    """A cell read by ``parse``; its ``ValueError`` becomes a ``RefusedError`` that names the column."""
    try:
        return parse(row.cells.get(column, ""))
    except ValueError as error:
        raise RefusedError(Reason.UNREADABLE_ROW, f"column {column}: {error}") from None
