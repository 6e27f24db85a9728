"""Notes, labels and the id map from tables (CSV, JSON Lines, Parquet), as the design's *Tables in* has them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import cast, get_args

from data_schemas.cohort import IdMapping, Label, LabelValue, Split
from data_schemas.errors import InputError, RefusedError
from data_schemas.finding import findings
from data_schemas.note import Note
from data_schemas.reasons import Reason
from pipelines.sources.cells import (
    ID_COLUMNS,
    KEY_COLUMNS,
    TEXT_COLUMNS,
    check_columns,
    check_key,
    each_row,
    patient_of,
    read_cell,
    text_of,
)
from pipelines.sources.outcome import Records
from pipelines.sources.rows import Row, read_table
from pipelines.sources.values import parse_kind, parse_moment, parse_number
from pipelines.workspace.identity import normalise_id

NOTE_COLUMNS = ("patient_id", "datetime", "type", "text")
NOTE_EXTRAS = ("note_id", "encounter_id", "study_uid")
LABEL_VALUES = {float(value): value for value in LabelValue}


def read_notes(path: Path) -> Records:
    """Notes of a table with the columns ``patient_id, datetime, type, text[, note_id, encounter_id, study_uid]``.

    A blank date leaves the note undated; a blank type is ``note``; an absent note id becomes a digest of the note.

    Raises
    ------
    InputError
        The file cannot be read as a table, or its columns are not these.
    """
    table = read_table(path, text_columns=TEXT_COLUMNS)
    check_columns(table, required=NOTE_COLUMNS, allowed=NOTE_EXTRAS)
    notes, refused = each_row(table, lambda row: [note_of_row(row.cells, text=text_of(row, "text"))])
    return Records(notes=notes, refused=refused)


def read_labels(path: Path, *, known: Collection[str] | None = None) -> Records:
    """Labels of a table keyed by ``patient_id`` or ``study_uid``, then one column a finding with 1, 0, -1 or blank.

    ``known`` are the findings that may be columns (default: all of ``findings.yaml``).

    Raises
    ------
    InputError
        The file cannot be read as a table, or a column is no known finding; the message names both.
    """
    allowed = tuple(findings() if known is None else known)
    table = read_table(path, text_columns=TEXT_COLUMNS)
    check_columns(
        table, required=(), allowed=(*KEY_COLUMNS, *allowed), hint=f"the known findings are {', '.join(allowed)}"
    )
    check_key(table)
    columns = [name for name in table.columns if name not in KEY_COLUMNS]
    labels, refused = each_row(table, lambda row: _label_row(row, columns))
    return Records(labels=labels, refused=refused)


def read_id_map(path: Path) -> Records:
    """The id map: ``scan_patient_id, record_patient_id``.

    Raises
    ------
    InputError
        The file cannot be read as a table, or its columns are not these.
    """
    table = read_table(path, text_columns=TEXT_COLUMNS)
    check_columns(table, required=ID_COLUMNS, allowed=())
    rows, refused = each_row(table, _mapping_row)
    return Records(id_map=rows, refused=refused)


def note_of_row(cells: dict[str, object], *, text: str) -> Note:
    """A note from the cells of a row and its text.

    Raises
    ------
    RefusedError
        No patient, no text, or a date that cannot be read.
    """
    row = Row(0, cells)
    patient = patient_of(row)
    written = read_cell(row, "datetime", parse_moment)
    kind = parse_kind(text_of(row, "type"))
    if not text.strip():
        raise RefusedError(Reason.UNREADABLE_ROW, "no text")
    return Note(
        note_id=text_of(row, "note_id").strip() or note_digest(patient.patient_id, str(written or ""), kind, text),
        patient=patient,
        written=written,
        kind=kind,
        text=text,
        encounter_id=text_of(row, "encounter_id").strip(),
        study_uid=text_of(row, "study_uid").strip(),
    )


def note_digest(*parts: str) -> str:
    """SHA-256 over the parts of a note that make it what it is: its id where the source gives none."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def _label_row(row: Row, columns: list[str]) -> list[Label]:
    study_uid = text_of(row, "study_uid").strip()
    patient = patient_of(row, needed=not study_uid)
    found = []
    for column in columns:
        value = row.cells.get(column, "")
        if isinstance(value, str) and not value.strip():
            continue
        number = read_cell(row, column, parse_number)
        if number not in LABEL_VALUES:
            raise RefusedError(Reason.UNREADABLE_ROW, f"column {column}: a label is 1, 0, -1 or blank")
        label = LABEL_VALUES[number]
        found.append(Label(patient_id=patient.patient_id, study_uid=study_uid, finding=column, value=label))
    return found


def _mapping_row(row: Row) -> list[IdMapping]:
    scan, record = (text_of(row, column) for column in ID_COLUMNS)
    if not normalise_id(scan) or not normalise_id(record):
        raise RefusedError(Reason.UNREADABLE_ROW, "one of the two ids is blank")
    return [IdMapping(scan_patient_id=scan, record_patient_id=record)]


def read_splits(path: Path) -> dict[str, Split]:
    """Given splits: ``patient_id, split``, where split is train, validation or test; the id as the scans have it.

    Raises
    ------
    InputError
        The file cannot be read as a table, its columns are not these, a split is another word, or a patient stands
        in two splits.
    """
    table = read_table(path, text_columns=("patient_id", "split"))
    check_columns(table, required=("patient_id", "split"), allowed=())
    splits: dict[str, Split] = {}
    for row in table.rows:
        patient, word = str(row.cells.get("patient_id", "")).strip(), str(row.cells.get("split", "")).strip()
        if row.problem or not patient or word not in get_args(Split):
            raise InputError(f"{path}: row {row.number} needs a patient_id and a split of {', '.join(get_args(Split))}")
        if splits.setdefault(patient, cast(Split, word)) != word:
            raise InputError(f"{path}: row {row.number} puts a patient into a second split; name each patient once")
    return splits
