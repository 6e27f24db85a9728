"""Bulk exports: NDJSON, packed or not, in any order."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from data_schemas.reasons import Reason
from pipelines.sources import bulk
from pipelines.sources.bulk import is_export
from pipelines.sources.fhir import read_fhir
from pipelines.sources.records import read_records


def ndjson(*resources: Any) -> str:
    return "".join(f"{item if isinstance(item, str) else json.dumps(item)}\n" for item in resources)


@pytest.fixture
def export(write, patient, document, observation) -> Path:
    write("export/DocumentReference.000.ndjson", ndjson(document("One.", id="d1"), document("Two.", id="d2")))
    write("export/Observation.ndjson", ndjson(observation()))
    return write("export/Patient.ndjson", ndjson(patient())).parent


def test_references_lead_across_the_files_of_an_export(export: Path) -> None:
    records = read_records(notes=[export])
    assert sorted(note.text for note in records.notes) == ["One.", "Two."]
    assert sorted(item.code for item in records.observations) == ["sex", "weight"]
    assert not records.refused


def test_an_export_is_read_once_wherever_it_is_named(export: Path) -> None:
    records = read_records(notes=[export], observations=[export / "Observation.ndjson"])
    assert len(records.observations) == 2


def test_exports_of_two_folders_do_not_know_each_other(write, patient, document) -> None:
    write("a/Patient.ndjson", ndjson(patient()))
    write("b/Patient.ndjson", ndjson(patient(identifier=[{"value": "other"}])))
    folder = write("b/DocumentReference.ndjson", ndjson(document())).parent.parent
    (note,) = read_records(notes=[folder]).notes
    assert note.patient.patient_id == "other"


def test_a_table_of_json_lines_stays_a_table(write, export: Path) -> None:
    row = {"patient_id": "007", "datetime": "2024-03-05T10:00", "type": "note", "text": "Cough."}
    table = write("export/table.ndjson", ndjson(row))
    assert not is_export(table)
    assert "Cough." in [note.text for note in read_records(notes=[export]).notes]


def test_a_broken_line_is_one_refused_line(write, patient, document) -> None:
    lines = [
        document("One.", id="d1"),
        '{"resourceType": "DocumentReference", "id": SECRET',
        '{"resourceType": "Observation", "id": "SECRET", "id": "x"}',
        '{"resourceType": "Observation", "note": [{"text": "SECRET\\u0000"}]}',
        '{"resourceType": "Observation", "valueInteger": 1e999}',
        "[" * 100_000,
        '{"patient_id": "SECRET"}',
        "",
        document("Two.", id="d2"),
    ]
    folder = write("e/DocumentReference.ndjson", ndjson(*lines)).parent
    write("e/Patient.ndjson", ndjson(patient()))
    records = read_records(notes=[folder])
    assert sorted(note.text for note in records.notes) == ["One.", "Two."]
    assert [line.where.rpartition(" ")[2] for line in records.refused] == ["2", "3", "4", "5", "6", "7"]
    assert {line.reason for line in records.refused} == {Reason.NOT_A_RECORD}
    assert "SECRET" not in repr(records.refused)


def test_a_line_in_another_encoding_is_one_refused_line(write, patient, document) -> None:
    good = ndjson(document("Müde.", id="d1")).encode()
    write("e/D.ndjson", b"\xef\xbb\xbf" + good + json.dumps(document(id="d2"), ensure_ascii=False).encode("utf-16"))
    folder = write("e/Patient.ndjson", ndjson(patient())).parent
    records = read_records(notes=[folder])
    assert [note.text for note in records.notes] == ["Müde."]
    assert records.refused


def test_packed_files_are_read_with_their_binaries(write, patient, document) -> None:
    attached = [{"attachment": {"contentType": "text/plain", "url": "Binary/b1"}}]
    binaries = [{"resourceType": "Binary", "id": f"b{number}", "contentType": "text/plain"} for number in range(3)]
    binaries[1]["data"] = "Q291Z2gu"
    write("e/Binary.ndjson.gz", gzip.compress(ndjson(*binaries).encode()))
    write("e/DocumentReference.ndjson.gz", gzip.compress(ndjson(document(content=attached)).encode()))
    folder = write("e/Patient.ndjson.gz", gzip.compress(ndjson(patient()).encode())).parent
    records = read_records(notes=[folder])
    assert [note.text for note in records.notes] == ["Cough."]
    assert not records.refused


def test_a_packed_file_that_is_cut_gives_what_is_whole(write, patient, document) -> None:
    whole = gzip.compress(ndjson(patient(), *(document(f"{n}" * 50, id=f"d{n}") for n in range(200))).encode(), 1)
    records = read_fhir([write("e/all.ndjson.gz", whole[: len(whole) // 2])])
    assert 0 < len(records.notes) < 200
    assert records.refused[-1].reason is Reason.TRUNCATED


def test_a_gzip_bomb_is_refused(write, patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "FREE_BYTES", 10_000)
    path = write("e/bomb.ndjson.gz", gzip.compress(ndjson(patient()).encode() + (b" " * 9_999 + b"\n") * 1_000))
    records = read_fhir([path])
    assert records.refused[-1].reason is Reason.TOO_LARGE
    assert len(records.observations) == 1


def test_a_line_without_an_end_is_passed_over(write, patient, document, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "LONGEST_LINE", 2_000)
    path = write("e/all.ndjson", ndjson(patient(), document("x" * 9_000, id="d1"), document("Two.", id="d2")))
    records = read_fhir([path])
    assert [note.text for note in records.notes] == ["Two."]
    assert [(line.reason, line.where.endswith("line 2")) for line in records.refused] == [(Reason.TOO_LARGE, True)]


@pytest.mark.parametrize(("name", "is_one"), [("Patient.ndjson", True), ("notes.ndjson", False)])
def test_an_empty_file_is_an_export_by_its_name_alone(write, name: str, is_one: bool) -> None:
    assert is_export(write(name, "")) is is_one


def test_a_manifest_is_no_bundle_and_its_counts_are_held_to(write, export: Path) -> None:
    output = [{"type": "DocumentReference", "url": "x", "count": 3}, {"type": "Patient", "url": "y", "count": 1}]
    write("export/manifest.json", json.dumps({"transactionTime": "2024-03-05T00:00:00Z", "output": output}))
    (line,) = read_records(notes=[export]).refused
    assert (line.reason, "lists 3 DocumentReference, 2 are here" in line.detail) == (Reason.FILE_MISSING, True)


def test_absolute_references_are_those_of_the_manifests_server(write, patient, document) -> None:
    subjects = ["https://ehr.example/fhir/Patient/p1", "https://other.example/fhir/Patient/p1"]
    write("e/D.ndjson", ndjson(*(document(id=f"d{n}", subject={"reference": url}) for n, url in enumerate(subjects))))
    write("e/Patient.ndjson", ndjson(patient()))
    request = "https://ehr.example/fhir/Group/g1/$export?_type=Patient"
    folder = write("e/manifest.json", json.dumps({"transactionTime": "", "request": request, "output": []})).parent
    records = read_records(notes=[folder])
    assert len(records.notes) == 1
    assert [line.reason for line in records.refused] == [Reason.MISSING_PATIENT]


def test_what_the_server_deleted_is_withdrawn(write, export: Path) -> None:
    deleted = {"resourceType": "Bundle", "type": "transaction"}
    deleted["entry"] = [{"request": {"method": "DELETE", "url": "DocumentReference/d1"}}]
    write("export/deleted.ndjson", ndjson(deleted))
    records = read_records(notes=[export])
    assert [note.text for note in records.notes] == ["Two."]
    assert [line.reason for line in records.refused] == [Reason.WITHDRAWN]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_versions_the_later_counts_in_any_order(write, patient, document, order) -> None:
    versions = [document(f"v{n}", meta={"lastUpdated": f"2024-03-0{n + 1}T00:00:00+01:00"}) for n in range(2)]
    path = write("e/all.ndjson", ndjson(patient(), *(versions[n] for n in order)))
    assert [note.text for note in read_fhir([path]).notes] == ["v1"]


def test_a_large_export_is_not_held_as_text(write, patient, document) -> None:
    """Beyond what is kept of it (here nothing), reading takes the memory of a line, not of the file."""
    others = [document("x" * 100_000, id=f"d{n}", status="entered-in-error") for n in range(200)]
    path = write("e/all.ndjson", ndjson(patient(), *others))
    read_fhir([path])
    tracemalloc.start()
    read_fhir([path])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.stat().st_size > 20e6
    assert peak < 5e6
