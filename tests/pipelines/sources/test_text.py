from __future__ import annotations

from datetime import datetime

import pytest

from data_schemas.errors import InputError
from data_schemas.reasons import Reason, Remark
from pipelines.sources.text import read_text_notes

HEAD = "file,patient_id,datetime,type\n"


def test_a_text_file_belongs_to_the_patient_of_its_row(write) -> None:
    write("notes/00999.txt", "\ufeffCough\nsince May.")
    (note,) = read_text_notes(write("notes/manifest.csv", HEAD + "00999.txt,007,2024-03-05T10:00,Clinic\n")).notes
    assert (note.patient.patient_id, note.kind, note.text) == ("007", "clinic", "Cough\nsince May.")
    assert note.written == datetime(2024, 3, 5, 10)


def test_a_file_that_no_row_names_belongs_to_nobody(write) -> None:
    write("notes/007.txt", "Cough")
    records = read_text_notes(write("notes/manifest.csv", HEAD))
    assert not records.notes
    assert [line.reason for line in records.refused] == [Reason.MISSING_PATIENT]


def test_a_file_in_a_folder_with_its_own_manifest_is_not_listed_twice(write) -> None:
    write("notes/inner/deep/a.txt", "Cough")
    write("notes/inner/manifest.csv", HEAD + "deep/a.txt,1,,\n")
    assert read_text_notes(write("notes/manifest.csv", HEAD)).refused == ()


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("absent.txt", Reason.FILE_MISSING),
        ("../outside.txt", Reason.UNREADABLE_ROW),
        ("link.txt", Reason.UNREADABLE_ROW),
        ("french.txt", Reason.AMBIGUOUS_ENCODING),
        ("empty.txt", Reason.UNREADABLE_ROW),
        ("", Reason.FILE_MISSING),
    ],
)
def test_a_row_whose_file_cannot_be_used_is_refused_and_the_rest_kept(
    write, tmp_path, file: str, reason: Reason
) -> None:
    outside = write("outside.txt", "SECRET")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "link.txt").symlink_to(outside)
    for name, content in (("french.txt", b"fi\xe8vre"), ("empty.txt", b""), ("good.txt", b"Cough")):
        write(f"notes/{name}", content)
    records = read_text_notes(write("notes/manifest.csv", HEAD + f"{file},1,,\ngood.txt,2,,\n"))
    assert [note.text for note in records.notes] == ["Cough"]
    assert [line.reason for line in records.refused if "data row 1" in line.where] == [reason]


def test_an_absolute_path_leads_nowhere(write) -> None:
    outside = write("outside.txt", "SECRET")
    records = read_text_notes(write("notes/manifest.csv", HEAD + f"{outside},1,,\n"))
    assert [line.reason for line in records.refused] == [Reason.UNREADABLE_ROW]


def test_a_manifest_with_other_columns_is_refused(write) -> None:
    with pytest.raises(InputError, match="column patient_id, datetime, type is missing"):
        read_text_notes(write("notes/manifest.csv", "file\n1.txt\n"))


def test_files_that_are_not_utf8_are_read_where_that_is_beyond_doubt_and_counted(write) -> None:
    for number in range(3):
        write(f"notes/{number}.txt", "Müdigkeit".encode("cp1252") if number else "Müdigkeit")
    rows = "".join(f"{number}.txt,1,,\n" for number in range(3))
    records = read_text_notes(write("notes/manifest.csv", HEAD + rows))
    assert {note.text for note in records.notes} == {"Müdigkeit"}
    assert [(line.remark, line.detail) for line in records.noticed] == [
        (Remark.ENCODING_CHOSEN, "2 files read as cp1252")
    ]


def test_the_named_encoding_is_that_of_files_which_are_not_utf8(write) -> None:
    write("notes/a.txt", "fièvre".encode("cp1252"))
    write("notes/b.txt", "fièvre")
    records = read_text_notes(write("notes/manifest.csv", HEAD + "a.txt,1,,\nb.txt,1,,\n"), encoding="cp1252")
    assert [note.text for note in records.notes] == ["fièvre", "fièvre"]
