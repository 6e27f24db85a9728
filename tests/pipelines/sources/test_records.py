from __future__ import annotations

from pathlib import Path

import pytest

from data_schemas.errors import InputError
from data_schemas.reasons import Reason
from pipelines.sources.records import read_records

HEAD = "patient_id,datetime,type,text"


def test_everything_in_folders_is_read_by_suffix(write, write_bundle, patient, document, tmp_path: Path) -> None:
    write_bundle(patient(), document("Cough"), name="in/b.json")
    write("in/n.csv", f"{HEAD}\n1,,note,Cough\n")
    write("in/texts/manifest.csv", "file,patient_id,datetime,type\na.txt,2,,\n")
    write("in/texts/a.txt", "Fever")
    observations = write("o.csv", "patient_id,age\n1,40\n")
    labels = write("l.csv", "patient_id,pneumonia\n1,1\n")
    id_map = write("m.csv", "scan_patient_id,record_patient_id\na,1\n")
    records = read_records(notes=[tmp_path / "in"], observations=[observations], labels=[labels], id_map=id_map)
    assert {note.text for note in records.notes} == {"Cough", "Fever"}
    assert len(records.notes) == 3
    assert sorted(item.code for item in records.observations) == ["age", "sex"]
    assert (len(records.labels), len(records.id_map), records.refused) == (1, 1, ())


def test_a_bundle_named_twice_is_read_once(write_bundle, patient, document) -> None:
    path = write_bundle(patient(), document())
    records = read_records(notes=[path], observations=[path])
    assert (len(records.notes), len(records.observations), records.refused) == (1, 1, ())


def test_a_record_that_stands_twice_is_kept_once(write) -> None:
    paths = [write(name, f"{HEAD}\n1,,note,Cough\n") for name in ("a.csv", "b.csv")]
    assert len(read_records(notes=paths).notes) == 1


def test_a_bundle_among_the_observations_gives_its_notes_too(write_bundle, patient, document) -> None:
    records = read_records(observations=[write_bundle(patient(), document())])
    assert (len(records.notes), len(records.observations)) == (1, 1)


def test_a_file_of_another_kind_is_refused_and_the_rest_kept(write, tmp_path: Path) -> None:
    write("in/n.csv", f"{HEAD}\n1,,note,Cough\n")
    write("in/n.docx", b"PK")
    records = read_records(notes=[tmp_path / "in"])
    assert (len(records.notes), [line.reason for line in records.refused]) == (1, [Reason.NOT_A_RECORD])


def test_text_without_a_manifest_belongs_to_nobody(write) -> None:
    records = read_records(notes=[write("007.txt", "Cough")])
    assert [line.reason for line in records.refused] == [Reason.MISSING_PATIENT]


def test_a_note_id_that_two_patients_share_is_refused_for_both(write) -> None:
    path = write("n.csv", f"{HEAD},note_id\n1,,note,a,n1\n2,,note,b,n1\n3,,note,c,n2\n")
    records = read_records(notes=[path])
    assert [note.text for note in records.notes] == ["c"]
    assert [line.reason for line in records.refused] == [Reason.AMBIGUOUS_IDENTITY] * 2


def test_a_path_that_does_not_exist_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        read_records(notes=[tmp_path / "absent"])
