"""Notes from a folder of text files with a manifest: whose they are stands in the manifest, never in a file name."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from data_schemas.errors import RefusedError
from data_schemas.note import Note
from data_schemas.reasons import Reason, Remark
from pipelines.sources.cells import TEXT_COLUMNS, check_columns, each_row, text_of
from pipelines.sources.dictation import SUFFIXES as RECORDINGS
from pipelines.sources.dictation import Transcriber, dictated_note
from pipelines.sources.encodings import LARGEST, decode, mojibake
from pipelines.sources.outcome import Noticed, Records, Refused
from pipelines.sources.rows import Row, read_table
from pipelines.sources.tables import NOTE_EXTRAS, note_of_row

MANIFEST = "manifest.csv"
COLUMNS = ("file", "patient_id", "datetime", "type")


def read_text_notes(manifest: Path, *, encoding: str | None = None, transcribe: Transcriber | None = None) -> Records:
    """Notes of the texts and recordings that a manifest (``file, patient_id, datetime, type[, note_id, …]``) names.

    ``file`` is relative to the manifest's folder and must stay inside it. A file that is missing, empty, or in no known
    encoding is refused with its row; the rest are read, and how, where they are not UTF-8, is noticed. ``encoding`` is
    that of files which are not UTF-8; ``transcribe`` makes the text of recordings. A file in the folder that no
    row names is refused as *missing-patient*.

    Raises
    ------
    InputError
        The manifest cannot be read, or its columns are not these.
    """
    table = read_table(manifest, text_columns=TEXT_COLUMNS, expected=(*COLUMNS, *NOTE_EXTRAS), encoding=encoding)
    check_columns(table, required=COLUMNS, allowed=NOTE_EXTRAS)
    folder = manifest.parent.resolve()
    named: set[Path] = set()
    told: Counter[tuple[Remark, str]] = Counter()
    notes, refused = each_row(table, lambda row: [_note(row, folder, named, encoding, told, transcribe)])
    ours = (path for path in folder.rglob("*") if path.suffix.lower() in (".txt", *RECORDINGS))
    strays = sorted(path for path in ours if path.resolve() not in named)
    unnamed = tuple(
        Refused(str(path), Reason.MISSING_PATIENT, f"not named in {MANIFEST}; add a row that says whose it is")
        for path in strays
        if _folder_of_manifest(path) == folder
    )
    noticed = tuple(Noticed(str(manifest), remark, f"{count} files {what}") for (remark, what), count in told.items())
    return Records(notes=notes, refused=refused + unnamed, noticed=table.noticed + noticed)


def _folder_of_manifest(path: Path) -> Path | None:
    """The nearest folder above a file that has a manifest."""
    return next((folder for folder in path.parents if (folder / MANIFEST).exists()), None)


def _note(
    row: Row,
    folder: Path,
    named: set[Path],
    encoding: str | None,
    told: Counter[tuple[Remark, str]],
    transcribe: Transcriber | None,
) -> Note:
    path = (folder / text_of(row, "file").strip()).resolve()
    named.add(path)
    if not path.is_relative_to(folder):
        raise RefusedError(Reason.UNREADABLE_ROW, "column file leads out of the manifest's folder")
    if not path.is_file():
        raise RefusedError(Reason.FILE_MISSING, "column file names no file in the manifest's folder")
    if path.suffix.lower() in RECORDINGS:
        return dictated_note(row, path, transcribe=transcribe)
    try:
        data = path.read_bytes() if path.stat().st_size <= LARGEST else None
    except OSError as error:
        raise RefusedError(Reason.FILE_MISSING, f"the text file cannot be read ({type(error).__name__})") from None
    if data is None:
        raise RefusedError(Reason.TOO_LARGE, f"the text file is larger than {LARGEST // 2**30} GiB; split it")
    decoded = decode(data, encoding=encoding)
    cells = {name: value for name, value in row.cells.items() if name != "file"}
    note = note_of_row(cells, text=decoded.text.replace("\0", " "))
    if decoded.told:
        told[Remark.ENCODING_CHOSEN, decoded.told] += 1
    if mojibake(decoded.text):
        told[Remark.MOJIBAKE_SUSPECTED, "look like UTF-8 that was read as Latin-1"] += 1
    if "\0" in decoded.text:
        told[Remark.NULLS_BLANKED, "held null characters"] += 1
    return note
