"""Notes, labels and the id map from tables (CSV, JSON Lines, Parquet), as the design's *Tables in* has them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import cast, get_args

from data_schemas.cohort import IdMapping, Split
from data_schemas.errors import InputError, RefusedError
from data_schemas.note import Note
from data_schemas.reasons import Reason
from pipelines.sources.cells import (
    ID_COLUMNS,
    TEXT_COLUMNS,
    check_columns,
    each_row,
    patient_of,
    read_cell,
    text_of,
)
from pipelines.sources.outcome import Records
from pipelines.sources.rows import Row, read_table
from pipelines.sources.values import parse_kind, parse_moment
from pipelines.workspace.identity import normalise_id

NOTE_COLUMNS = ("patient_id", "datetime", "type", "text")
NOTE_EXTRAS = ("note_id", "encounter_id", "study_uid", "accession")


def read_notes(path: Path, *, encoding: str | None = None) -> Records:
    """Notes of a table: ``patient_id, datetime, type, text[, note_id, encounter_id, study_uid, accession]``.

    A blank date leaves the note undated; a blank type is ``note``; an absent note id becomes a digest of the note.
    ``encoding`` is that of a table which is not UTF-8.

    Raises
    ------
    InputError
        The file cannot be read as a table, or its columns are not these.
    """
    columns = (*NOTE_COLUMNS, *NOTE_EXTRAS)
    table = read_table(path, text_columns=TEXT_COLUMNS, expected=columns, encoding=encoding)
    check_columns(table, required=NOTE_COLUMNS, allowed=NOTE_EXTRAS)
    notes, refused = each_row(table, lambda row: [note_of_row(row.cells, text=text_of(row, "text"))])
    return Records(notes=notes, refused=refused, noticed=table.noticed)


def read_id_map(path: Path, *, encoding: str | None = None) -> Records:
    """The id map: ``scan_patient_id, record_patient_id``.

    Raises
    ------
    InputError
        The file cannot be read as a table, or its columns are not these.
    """
    table = read_table(path, text_columns=TEXT_COLUMNS, expected=ID_COLUMNS, encoding=encoding)
    check_columns(table, required=ID_COLUMNS, allowed=())
    rows, refused = each_row(table, _mapping_row)
    return Records(id_map=rows, refused=refused, noticed=table.noticed)


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
        accession=text_of(row, "accession").strip(),
    )


def note_digest(*parts: str) -> str:
    """SHA-256 over the parts of a note that make it what it is: its id where the source gives none."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


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
    table = read_table(path, text_columns=("patient_id", "split"), expected=("patient_id", "split"))
    check_columns(table, required=("patient_id", "split"), allowed=())
    splits: dict[str, Split] = {}
    for row in table.rows:
        patient, word = str(row.cells.get("patient_id", "")).strip(), str(row.cells.get("split", "")).strip()
        if row.problem or not patient or word not in get_args(Split):
            raise InputError(f"{path}: row {row.number} needs a patient_id and a split of {', '.join(get_args(Split))}")
        if splits.setdefault(patient, cast(Split, word)) != word:
            raise InputError(f"{path}: row {row.number} puts a patient into a second split; name each patient once")
    return splits
