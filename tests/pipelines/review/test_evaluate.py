"""What `evaluate` measures is what `train` would make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from data_schemas.recipes import ModelRecipe
from pipelines.cases.ingest import ingest
from pipelines.cases.labelled import load_cohort
from pipelines.review.evaluate import evaluate_recipe
from pipelines.synthetic.write import write_hospital
from pipelines.workspace.paths import create_workspace


class ReachedError(Exception):
    """Cross-validation has begun."""


def test_the_recipe_that_training_would_plan_is_cross_validated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hospital = write_hospital(tmp_path / "hospital", patients=4, seed=4)
    workspace = create_workspace(tmp_path / "workspace")
    ingest(workspace, scans=[hospital.scans], notes=[hospital.records], labels=[hospital.labels])
    asked: list[ModelRecipe] = []

    def begun(_examples: object, *, recipe: ModelRecipe, **_: Any) -> None:
        asked.append(recipe)
        raise ReachedError

    monkeypatch.setattr("pipelines.review.evaluate.cross_validate", begun)
    with pytest.raises(ReachedError):
        evaluate_recipe(workspace)
    assert asked == [load_cohort(workspace).plan.recipe]
    assert asked[0].fusion.kind == "linear"
