"""The registered model in the hands of someone who knows MLflow only: another process, pickle refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from pipelines.models.artefact import FILES, LoadedModel
from pipelines.models.pyfunc_save import input_example, save_pyfunc
from pipelines.models.table import read_table
from pipelines.review.publish import publish
from pipelines.training.trained import Trained
from pipelines.workspace.paths import Workspace

USER = """
import sys, mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/scanote-chest-ct@challenger")
table = pd.read_json(sys.stdin, orient="split", dtype={"scan": str, "note": str, "sex": str})
print("ANSWER", model.predict(table).to_json(orient="split", double_precision=15))
"""


@pytest.fixture(scope="module")
def saved(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pyfunc") / "model"
    recipe = trained.card.recipe
    save_pyfunc(place, artefact=trained.folder, digest=trained.digest, recipe=recipe, model_id="m-1", run_id="r")
    return place


def test_an_mlflow_user_gets_our_probabilities_with_pickle_refused(
    workspace: Workspace, trained: Trained, loaded: LoadedModel, tmp_path: Path
) -> None:
    publish(workspace, trained, synthetic=True)
    table = pd.DataFrame(
        [
            {"scan": "", "note": "History: Cough and fever.", "age": 63.5, "weight": 71.5, "sex": "F"},
            {"scan": "", "note": "", "age": 40.0, "weight": 90.0, "sex": "M"},
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", USER, workspace.mlflow_url],
        input=table.to_json(orient="split"),
        env=os.environ | {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if line.startswith("ANSWER ")]
    answer = json.loads(line.removeprefix("ANSWER "))
    ours = read_table(loaded, table)
    assert answer["columns"] == list(ours.columns)
    np.testing.assert_allclose(answer["data"], ours, atol=1e-5)


def test_the_saved_model_holds_the_artefact_byte_for_byte_and_no_pickle(saved: Path, trained: Trained) -> None:
    assert {path.name for path in (saved / "artifacts").iterdir()} == set(FILES)
    assert all((saved / "artifacts" / name).read_bytes() == (trained.folder / name).read_bytes() for name in FILES)
    assert not [path for path in saved.rglob("*") if path.suffix in {".pkl", ".pickle", ".pth", ".pt", ".joblib"}]


def test_the_signature_names_what_is_taken_and_what_is_given(saved: Path, trained: Trained) -> None:
    signature = yaml.safe_load((saved / "MLmodel").read_text())["signature"]
    taken = {row["name"]: (row["type"], row["required"]) for row in json.loads(signature["inputs"])}
    assert taken == {
        "scan": ("string", True),
        "note": ("string", True),
        "age": ("double", False),
        "sex": ("string", False),
        "weight": ("double", False),
    }
    assert [row["name"] for row in json.loads(signature["outputs"])] == list(trained.card.recipe.findings)


def test_the_input_example_can_be_read_by_the_model(loaded: LoadedModel) -> None:
    given = read_table(loaded, input_example(loaded.card.recipe))
    assert given.shape == (1, len(loaded.card.recipe.findings))
