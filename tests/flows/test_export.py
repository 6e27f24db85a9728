"""``scanote export``: what it writes, prints and refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from pydicom import dcmread

from flows.cli.app import main
from pipelines.synthetic.write import Hospital, write_hospital
from pipelines.workspace.paths import create_workspace


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    return write_hospital(tmp_path_factory.mktemp("export") / "hospital", patients=2, seed=11)


def scanote(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["scanote", *map(str, arguments)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_export_releases_the_catalogue(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], hospital: Hospital, tmp_path: Path
) -> None:
    assert scanote(monkeypatch, "ingest", "-w", tmp_path / "w", "--scans", hospital.scans) == 0
    capsys.readouterr()
    assert scanote(monkeypatch, "export", "-w", tmp_path / "w", "--release", tmp_path / "out", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["patients"], told["scans"], told["refused"]) == (2, 2, {})
    assert told["profile"] == ["113100", "113107", "113108"]
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == told["files"]


def test_export_releases_the_notes_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], hospital: Hospital, tmp_path: Path
) -> None:
    given = ("--scans", hospital.scans, "--notes", hospital.records)
    assert scanote(monkeypatch, "ingest", "-w", tmp_path / "w", *given) == 0
    capsys.readouterr()
    assert scanote(monkeypatch, "export", "-w", tmp_path / "w", "--release", tmp_path / "with") == 0
    assert "notes: 2 of 2 patients" in capsys.readouterr().out
    assert len((tmp_path / "with" / "notes.jsonl").read_text().splitlines()) == 2
    assert scanote(monkeypatch, "export", "-w", tmp_path / "w", "--release", tmp_path / "without", "--no-notes") == 0
    assert not (tmp_path / "without" / "notes.jsonl").exists()


def test_export_of_paths_can_remove_dates_and_characteristics(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], hospital: Hospital, tmp_path: Path
) -> None:
    create_workspace(tmp_path / "w")
    options = ("--dates-removed", "--no-patient-characteristics")
    paths = (hospital.scans, "-w", tmp_path / "w", "--release", tmp_path / "out")
    assert scanote(monkeypatch, "export", *paths, *options) == 0
    assert "not claimed" in capsys.readouterr().out
    ds = dcmread(next((tmp_path / "out").rglob("*.dcm")))
    assert (ds.StudyDate, ds.PatientSex) == ("", "")


def test_export_of_an_empty_catalogue_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    create_workspace(tmp_path / "w")
    assert scanote(monkeypatch, "export", "-w", tmp_path / "w", "--release", tmp_path / "out") == 2
    assert "nothing to release" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
