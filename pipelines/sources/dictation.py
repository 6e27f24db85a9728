"""Notes from recordings: whose they are, and when they were spoken, stands in the manifest, never in a file name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from data_schemas.dictation import Heard
from data_schemas.errors import RefusedError
from data_schemas.note import Note
from data_schemas.reasons import Reason
from pipelines.sources.cells import patient_of, text_of
from pipelines.sources.rows import Row
from pipelines.sources.tables import note_digest, note_of_row

SUFFIXES = (".wav", ".flac", ".mp3")
Transcriber = Callable[[Path, str], Heard]
"""From a recording and the id of its patient to its transcript."""


def dictated_note(row: Row, path: Path, *, transcribe: Transcriber | None) -> Note:
    """The note of a recording, of the patient, date and type that a row of a manifest says.

    Without an id of its own it is known by its recording: heard anew by another model, it replaces what was heard
    before.

    Raises
    ------
    RefusedError
        The row lacks a patient or has a date that cannot be read; nothing transcribes here; or the recording is
        refused.
    """
    cells = {name: value for name, value in row.cells.items() if name != "file"}
    checked = note_of_row(cells, text="(a recording)")  # a bad row is refused before anything is transcribed
    if transcribe is None:
        raise RefusedError(Reason.NOT_A_RECORD, "a recording; only scanote ingest transcribes it")
    try:
        heard = transcribe(path, patient_of(row).patient_id)
    except OSError as error:
        raise RefusedError(Reason.FILE_MISSING, f"the recording cannot be read ({type(error).__name__})") from None
    dated = str(checked.written or "")
    known_by = note_digest(checked.patient.patient_id, dated, checked.kind, heard.dictation.audio_sha256)
    return checked.model_copy(
        update={
            "note_id": text_of(row, "note_id").strip() or known_by,
            "text": heard.text,
            "dictation": heard.dictation,
        }
    )
