"""A run with each fusion: its arm has its name, and its artefact reads as it did when it was measured."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from data_schemas.recipes import FusionRecipe
from pipelines.models.artefact import load_model
from pipelines.models.reading import read_cases
from pipelines.review.table import report_table
from pipelines.training.cohort import digest_example
from pipelines.training.report import LATE, NOTE, OBSERVATION, arm_of_fusion
from pipelines.training.run import train
from pipelines.workspace.cache import ArrayCache


@pytest.mark.parametrize("kind", ["gated"])
def test_a_run_with_another_fusion_names_its_arm_and_leaves_a_model_that_reads_the_same(
    examples, recipe, kind, tmp_path
):
    changes = {
        "modalities": ("note", "observation"),
        "fusion": FusionRecipe(kind=kind, width=16, heads=2, layers=1),
        "training": recipe.training.model_copy(update={"epochs": 1, "bootstrap": 10}),
    }
    rows = [dataclasses.replace(row, scan=None) for row in examples]
    cache = ArrayCache(tmp_path / "cache")
    found = train(rows, recipe=recipe.model_copy(update=changes), folder=tmp_path / "model", cache=cache)
    assert list(found.probabilities) == [NOTE, OBSERVATION, LATE, kind]
    assert {report.model for report in found.reports} == {kind} == {arm_of_fusion(kind)}
    assert all(kind in row.auroc for row in report_table(found.reports))
    model = load_model(found.folder, expected_digest=found.digest)
    test = sorted((row for row in rows if row.split == "test"), key=digest_example)
    assert np.allclose(read_cases(model, test).probabilities, found.probabilities[kind], atol=1e-5)


def test_the_linear_fusion_is_the_selected_one():
    assert arm_of_fusion("linear") == "selected fusion"
