"""``inspect`` says which scan of a study is taken, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import generate_uid

from flows.cli.app import main
from pipelines.synthetic.write import write_hospital

Inspect = Callable[..., str]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """One synthetic study with a second series: its lower half, derived."""
    hospital = write_hospital(tmp_path / "hospital", patients=1, seed=3)
    series = generate_uid()
    slices = [pydicom.dcmread(path) for path in hospital.scans.rglob("*.dcm")]
    slices.sort(key=lambda slice_: float(slice_.ImagePositionPatient[2]))
    for number, slice_ in enumerate(slices[:20]):
        slice_.SeriesInstanceUID, slice_.SOPInstanceUID = series, generate_uid()
        slice_.file_meta.MediaStorageSOPInstanceUID = slice_.SOPInstanceUID
        slice_.ImageType = ["DERIVED", "PRIMARY", "AXIAL"]
        slice_.SeriesDescription = "CANARY"
        (hospital.scans / "second").mkdir(exist_ok=True)
        slice_.save_as(hospital.scans / "second" / f"{number}.dcm")
    return hospital.scans


@pytest.fixture
def inspect(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Inspect:
    def run(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["scanote", "inspect", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        assert not stop.value.code
        return capsys.readouterr().out

    return run


def ranked(told: str) -> list[tuple[int, int, bool]]:
    scans = [scan for series in json.loads(told)["series"] for scan in series["scans"]]
    return sorted((scan["rank"], scan["score"], scan["eligible"]) for scan in scans)


def test_a_study_of_several_scans_is_explained_one_line_a_scan(study: Path, inspect: Inspect) -> None:
    lines = inspect(study).splitlines()
    start = lines.index("a study of 2 scans; the first is taken")

    assert lines[start + 1].startswith("  1. score +3")
    assert lines[start + 2].startswith("  2. score +1")
    assert "preferred original failed" in lines[start + 2]
    assert "CANARY" not in "\n".join(lines[start:])


def test_json_has_the_rank_of_each_scan_beside_the_documented_keys(study: Path, inspect: Inspect) -> None:
    told = inspect(study, "--json")
    [first] = [s for series in json.loads(told)["series"] for s in series["scans"] if s["rank"] == 1]

    assert ranked(told) == [(1, 3, True), (2, 1, True)]
    assert first["of"] == 2
    assert {"shape", "spacing_mm", "affine", "remarks"} <= first.keys()
    assert {"rule": "original", "required": False, "verdict": "passed"} in first["why"]


def test_the_rules_of_a_workspace_rank(study: Path, inspect: Inspect, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "scanote.yaml").write_text("select: {require: {slices: [1, 25]}, prefer: {original: false}}")

    assert ranked(inspect(study, "--json", "-w", workspace)) == [(1, 1, True), (2, -1, False)]
    assert "not taken: required slices failed" in inspect(study, "-w", workspace)


def test_a_single_scan_needs_no_explanation(inspect: Inspect, tmp_path: Path) -> None:
    hospital = write_hospital(tmp_path / "hospital", patients=1, seed=3)

    assert "is taken" not in inspect(hospital.scans)
    assert ranked(inspect(hospital.scans, "--json")) == [(1, 3, True)]


def test_a_workspace_that_is_not_there_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["scanote", "inspect", str(tmp_path), "--workspace", str(tmp_path / "none")])

    with pytest.raises(SystemExit) as left:
        main()

    assert left.value.code == 2
    assert "no workspace here" in capsys.readouterr().err
