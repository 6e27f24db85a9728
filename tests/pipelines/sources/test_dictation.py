"""Notes from recordings: patient, date and type stand in the manifest."""

from __future__ import annotations

from pathlib import Path

import pytest

from data_schemas.dictation import Dictation, Heard
from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.sources.records import read_records
from pipelines.sources.text import read_text_notes

HEAD = "file,patient_id,datetime,type\n"


def spoken(path: Path, patient_id: str, *, text: str = "No mass.", recipe: str = "one") -> Heard:
    """What a speech model would give."""
    told = Dictation(audio_sha256=path.read_bytes().hex(), recipe=recipe, seconds=1.0, sentences=1)
    return Heard(text=f"{text} Of {patient_id}.", dictation=told)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.wav").write_bytes(b"one")
    (tmp_path / "manifest.csv").write_text(HEAD + "a.wav,007,2025-03-01T10:00,dictation\n")
    return tmp_path


def test_a_recording_becomes_a_note_of_its_row(folder: Path) -> None:
    (note,) = read_text_notes(folder / "manifest.csv", transcribe=spoken).notes
    assert (note.patient.patient_id, note.kind, note.text) == ("007", "dictation", "No mass. Of 007.")
    assert note.written is not None
    assert note.dictation is not None


def test_text_and_recordings_may_stand_side_by_side(folder: Path) -> None:
    (folder / "b.txt").write_text("Cough.")
    (folder / "manifest.csv").write_text(HEAD + "a.wav,007,2025-03-01,note\nb.txt,008,2025-03-01,note\n")
    records = read_records(notes=[folder], transcribe=spoken)
    assert [note.dictation is not None for note in records.notes] == [True, False]
    assert not records.refused


def test_heard_anew_it_replaces_what_was_heard_before(folder: Path) -> None:
    def other(path: Path, patient_id: str) -> Heard:
        return spoken(path, patient_id, text="A mass.", recipe="two")

    one, two = (read_text_notes(folder / "manifest.csv", transcribe=how).notes[0] for how in (spoken, other))
    assert one.note_id == two.note_id
    assert one.text != two.text


def test_a_recording_that_no_row_names_is_refused(folder: Path) -> None:
    (folder / "manifest.csv").write_text(HEAD)
    (line,) = read_records(notes=[folder], transcribe=spoken).refused
    assert line.reason is Reason.MISSING_PATIENT


def test_a_recording_without_a_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(b"one")
    (line,) = read_records(notes=[tmp_path], transcribe=spoken).refused
    assert line.reason is Reason.MISSING_PATIENT


def test_a_row_without_a_patient_is_refused_before_it_is_heard(folder: Path) -> None:
    (folder / "manifest.csv").write_text(HEAD + "a.wav,,2025-03-01,note\n")

    def never(path: Path, patient_id: str) -> Heard:
        raise AssertionError

    (line,) = read_records(notes=[folder], transcribe=never).refused
    assert line.reason is Reason.MISSING_PATIENT


def test_a_recording_that_is_refused_costs_its_row_alone(folder: Path) -> None:
    (folder / "b.wav").write_bytes(b"two")
    (folder / "manifest.csv").write_text(HEAD + "a.wav,007,2025-03-01,note\nb.wav,008,2025-03-01,note\n")

    def silent(path: Path, patient_id: str) -> Heard:
        if path.name == "a.wav":
            raise RefusedError(Reason.NO_SPEECH, "no speech was found")
        return spoken(path, patient_id)

    records = read_records(notes=[folder], transcribe=silent)
    assert [line.reason for line in records.refused] == [Reason.NO_SPEECH]
    assert [note.patient.patient_id for note in records.notes] == ["008"]
