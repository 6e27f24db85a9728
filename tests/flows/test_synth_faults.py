"""``scanote synth --fault``: planted where asked, listed in the truth, and one clear line where it cannot be."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from flows.cli.app import main


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["scanote", *map(str, arguments)])
    try:
        code = main()
    except SystemExit as end:
        code = end.code
    return int(code or 0)


def test_faults_are_planted_and_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "hospital"
    faults = ("--fault", "missing-slices=1", "--fault", "tilt-corrected=1", "--fault", "missing-slices=1")
    assert run(monkeypatch, "synth", out, "--patients", 4, *faults) == 0
    told = [fault["told_by"] for fault in json.loads((out / "truth.json").read_text())["faults"]]
    assert sorted(told) == [["missing-slices"], ["missing-slices"], ["tilt-corrected"]]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("missing-slices", "--fault missing-slices: expected REASON=COUNT"),
        ("missing-slices=many", "--fault missing-slices=many: expected REASON=COUNT"),
        ("no-such-code=1", "no-such-code: no fault that can be planted"),
        ("missing-slices=9", "9 faults in 3 patients"),
    ],
)
def test_a_fault_that_cannot_be_planted_is_refused_before_anything_is_written(
    fault: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "hospital"
    assert run(monkeypatch, "synth", out, "--patients", 3, "--fault", fault) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()
