from __future__ import annotations

import json

import pytest

from data_schemas.diagnosis import Diagnosis
from data_schemas.errors import WorkspaceError
from pipelines.delivery.jsonl import write_results


def test_every_line_is_one_diagnosis_that_reads_back_equal(tmp_path, diagnosis):
    path = tmp_path / "results.jsonl"
    made = [diagnosis(study_key="b" * 32), diagnosis(study_key="a" * 32)]
    write_results(path, made)
    read = [Diagnosis.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert sorted(read, key=lambda item: item.study_key, reverse=True) == made


def test_lines_are_sorted_by_study_and_then_by_key(tmp_path, diagnosis):
    path = tmp_path / "results.jsonl"
    write_results(path, [diagnosis(study_key=study, key=key) for study, key in ["b1", "a2", "a1"]])
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(row["study_key"], row["key"]) for row in rows] == [("a", "1"), ("a", "2"), ("b", "1")]


def test_the_bytes_do_not_depend_on_the_order_of_the_diagnoses(tmp_path, diagnosis):
    made = [diagnosis(study_key=key * 32) for key in "abc"]
    write_results(tmp_path / "one", made)
    write_results(tmp_path / "two", made[::-1])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_no_diagnosis_gives_an_empty_file(tmp_path):
    write_results(tmp_path / "results.jsonl", [])
    assert (tmp_path / "results.jsonl").read_bytes() == b""


def test_line_breaks_within_a_field_do_not_break_the_line(tmp_path, diagnosis):
    write_results(tmp_path / "results.jsonl", [diagnosis(history=("one\ntwo\r\n",))])
    assert (tmp_path / "results.jsonl").read_bytes().count(b"\n") == 1


def test_a_missing_folder_is_one_clear_line(tmp_path, diagnosis):
    with pytest.raises(WorkspaceError, match="cannot be written"):
        write_results(tmp_path / "none" / "results.jsonl", [diagnosis()])
