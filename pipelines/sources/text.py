"""Notes from a folder of text files with a manifest: whose they are stands in the manifest, never in a file name."""

from __future__ import annotations

from pathlib import Path

from data_schemas.errors import InputError, RefusedError
from data_schemas.note import Note
from data_schemas.reasons import Reason
from pipelines.sources.cells import TEXT_COLUMNS, check_columns, each_row, text_of
from pipelines.sources.outcome import Records, Refused
from pipelines.sources.rows import Row, read_table, read_text
from pipelines.sources.tables import NOTE_EXTRAS, note_of_row

MANIFEST = "manifest.csv"
COLUMNS = ("file", "patient_id", "datetime", "type")


def read_text_notes(manifest: Path) -> Records:
    """Notes of the text files that a manifest (``file, patient_id, datetime, type[, note_id, …]``) names.

    ``file`` is relative to the manifest's folder and must stay inside it. A file that is missing, not UTF-8 or empty
    is refused with its row; the rest are read. A text file in the folder that no row names is refused as
    *missing-patient*.

    Raises
    ------
    InputError
        The manifest cannot be read, or its columns are not these.
    """
    table = read_table(manifest, text_columns=TEXT_COLUMNS)
    check_columns(table, required=COLUMNS, allowed=NOTE_EXTRAS)
    folder = manifest.parent.resolve()
    named: set[Path] = set()
    notes, refused = each_row(table, lambda row: [_note(row, folder, named)])
    strays = sorted(path for path in folder.rglob("*.txt") if path.resolve() not in named)
    unnamed = tuple(
        Refused(str(path), Reason.MISSING_PATIENT, f"not named in {MANIFEST}; add a row that says whose it is")
        for path in strays
        if _folder_of_manifest(path) == folder
    )
    return Records(notes=notes, refused=refused + unnamed)


def _folder_of_manifest(path: Path) -> Path | None:
    """The nearest folder above a file that has a manifest."""
    return next((folder for folder in path.parents if (folder / MANIFEST).exists()), None)


def _note(row: Row, folder: Path, named: set[Path]) -> Note:
    path = (folder / text_of(row, "file").strip()).resolve()
    named.add(path)
    if not path.is_relative_to(folder):
        raise RefusedError(Reason.UNREADABLE_ROW, "column file leads out of the manifest's folder")
    if not path.is_file():
        raise RefusedError(Reason.FILE_MISSING, "column file names no file in the manifest's folder")
    try:
        text = read_text(path)
    except InputError:
        raise RefusedError(Reason.NOT_A_RECORD, "the text file is not UTF-8; convert it (iconv -t utf-8)") from None
    cells = {name: value for name, value in row.cells.items() if name != "file"}
    return note_of_row(cells, text=text)
