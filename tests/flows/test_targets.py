"""Targets from a labels table to the case page, by the command line alone."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from data_schemas.recipes import ModelRecipe
from pipelines.models.tracking import tracking
from pipelines.synthetic.write import Hospital, write_hospital
from pipelines.workspace.paths import create_workspace

TARGETS = {
    "severity": {"kind": "ordinal", "levels": 4},
    "ejection-fraction": {"kind": "regression", "unit": "%", "weight": 0.5},
}


def graded(hospital: Hospital, path: Path) -> Path:
    """The hospital's labels with a grade (some unknown, one out of range) and a measurement."""
    with hospital.labels.open() as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        count = sum(row[name] == "1" for name in ("pleural-effusion", "heart-failure"))
        row["severity"] = "" if number % 7 == 0 else str(count + number % 2)
        row["Ejection Fraction"] = str(60 - 10 * count + number % 5)
    rows[1]["severity"] = "9"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.slow
def test_grades_and_measurements_go_from_the_table_to_the_page(
    scanote: Callable[..., Any], recipe: ModelRecipe, tmp_path: Path
) -> None:
    hospital = write_hospital(tmp_path / "hospital", patients=70, seed=3)
    model = recipe.model_dump(mode="json") | {"targets": TARGETS}
    settings = {"model": model, "diagnosis": {"device": "cpu"}}
    workspace = create_workspace(tmp_path / "workspace", yaml.safe_dump(settings))
    labels = graded(hospital, tmp_path / "labels.csv")
    place = ("-w", workspace.root)

    done = scanote(
        "ingest", "--scans", hospital.scans, "--notes", hospital.records, "--labels", labels, *place, "--json"
    )
    assert done.code == 0
    assert "column severity: 1 row does not hold whole numbers from 0 to 3" in done.err
    assert json.loads(done.out)["records"]["labels"]["added"] == 70 * 11 + 70 - 11 + 70

    done = scanote("train", *place, "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)["targets"]
    assert set(told["severity"]) == {"kind", "unit", "cases", "kappa", "mae", "covered"}
    assert set(told["ejection-fraction"]) == {"kind", "unit", "cases", "mae", "r2", "pearson", "covered"}
    assert set(told["severity"]["kappa"]) >= {"scan only", "note only", "late fusion", "cross-attention"}
    with tracking(workspace) as client:
        [run] = client.search_runs([row.experiment_id for row in client.search_experiments()])
    assert json.loads(run.data.params["targets"])["severity"]["levels"] == 4
    assert "mae/ejection-fraction/cross-attention" in run.data.metrics

    assert scanote("promote", "challenger", "--reviewer", "R", "--reason", "first", *place).code == 0
    done = scanote("diagnose", *place, "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert told["diagnosed"] == 70
    first = json.loads(Path(told["results"]).read_text().splitlines()[0])
    fraction, severity = first["estimates"]
    assert (fraction["target"], fraction["unit"], severity["target"]) == ("ejection-fraction", "%", "severity")
    assert sum(severity["probabilities"]) == pytest.approx(1.0)
    page = next(path for path in workspace.pages.glob("*.html") if path.name != "index.html").read_text()
    assert "ejection-fraction" in page
    assert json.loads(scanote("diagnose", *place, "--json").out)["known"] == 70

    done = scanote("evaluate", "champion", *place, "--draws", "20", "--no-curves", "--json")
    assert done.code == 0, done.err
    assert any(line.startswith("not measured here: ejection-fraction, sev") for line in json.loads(done.out)["notices"])
    done = scanote("compile", "champion", "--draws", "20", *place)
    assert done.code == 0, done.err
