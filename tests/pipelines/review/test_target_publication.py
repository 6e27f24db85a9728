"""What MLflow is told of targets: settings, measures and the report."""

from __future__ import annotations

import dataclasses
import json

import pytest

from data_schemas.target import TargetRecipe
from pipelines.review.publication import REPORT, publication_folder, write_publication
from pipelines.training.metrics import Interval
from pipelines.training.report import FUSION
from pipelines.training.target_report import TargetReport


def test_a_publication_holds_the_targets_of_a_run(workspace, trained):
    recipe = trained.card.recipe.model_copy(update={"targets": {"severity": TargetRecipe(kind="ordinal", levels=4)}})
    one, none = Interval(0.5, 0.25, 0.75), Interval(*[float("nan")] * 3)
    report = TargetReport("severity", "ordinal", None, 40, {FUSION: {"kappa": one, "mae": none}}, none, FUSION)
    run = dataclasses.replace(trained, targets=(report,), card=trained.card.model_copy(update={"recipe": recipe}))
    found = write_publication(workspace, run, attainable=None, synthetic=True)
    assert json.loads(found.settings["targets"])["severity"]["levels"] == 4
    told = {name: value for name, value in found.measures.items() if "severity" in name}
    assert told == pytest.approx(
        {
            "kappa/severity/cross-attention": 0.5,
            "kappa_low/severity/cross-attention": 0.25,
            "kappa_high/severity/cross-attention": 0.75,
        }
    )
    text = (publication_folder(workspace, found.publication_id) / REPORT / "report.md").read_text()
    assert "| severity: weighted kappa | 0.5 (0.25 to 0.75) |" in text
    assert (
        "## Targets"
        not in (
            publication_folder(
                workspace, write_publication(workspace, trained, attainable=None, synthetic=True).publication_id
            )
            / REPORT
            / "report.md"
        ).read_text()
    )
