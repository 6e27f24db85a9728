"""Retraining is audited first: a leak stops it, unless it is allowed by name; the audit goes with the run."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from data_schemas.errors import InputError, LeakageError
from data_schemas.recipes import ModelRecipe
from pipelines.cases.examples import Example
from pipelines.cases.ingest import ingest
from pipelines.models.tracking import tracking
from pipelines.review.publish import publish
from pipelines.review.retrain import retrain
from pipelines.synthetic.truth import Dials, Leaks
from pipelines.synthetic.write import write_hospital
from pipelines.training.run import train
from pipelines.training.trained import Trained
from pipelines.workspace.paths import Workspace, create_workspace


class ReachedError(Exception):
    """Fitting has begun."""


@pytest.fixture
def no_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    def begun(*_given: object, **_options: object) -> None:
        raise ReachedError

    monkeypatch.setattr("pipelines.training.run.fit_scan_encoder", begun)


@pytest.fixture
def copied(examples: Sequence[Example]) -> list[Example]:
    """The examples with a training patient's note and scan in the test split, under another key."""
    first = next(row for row in examples if row.split == "train")
    return [*examples, dataclasses.replace(first, study_key="copy", patient_key="copy", split="test")]


@pytest.mark.usefixtures("no_fit")
def test_a_leak_stops_training_before_anything_is_fitted(
    copied: list[Example], recipe: ModelRecipe, tmp_path: Path
) -> None:
    with pytest.raises(LeakageError, match="duplicate-text, duplicate-volume"):
        train(copied, recipe=recipe, folder=tmp_path / "model")
    with pytest.raises(LeakageError, match=r"audit: duplicate-volume;"):
        train(copied, recipe=recipe, folder=tmp_path / "model", allow_leaks=["duplicate-text"])
    with pytest.raises(ReachedError):
        train(copied, recipe=recipe, folder=tmp_path / "model", allow_leaks=["duplicate-text", "duplicate-volume"])


@pytest.mark.usefixtures("no_fit")
def test_the_synthetic_examples_of_the_demo_have_no_leak(
    examples: Sequence[Example], recipe: ModelRecipe, tmp_path: Path
) -> None:
    with pytest.raises(ReachedError):
        train(examples, recipe=recipe, folder=tmp_path / "model")


def test_audited_cases_that_are_not_those_to_train_on_are_refused(
    examples: Sequence[Example], recipe: ModelRecipe, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="not the cases to train on"):
        train(examples, recipe=recipe, folder=tmp_path / "model", audited=[])


@pytest.mark.usefixtures("no_fit")
def test_a_person_registered_twice_stops_retraining_of_the_catalogues_cases(
    examples: Sequence[Example], recipe: ModelRecipe, tmp_path: Path
) -> None:
    """Only the catalogue tells it: the tensors and texts of the two are different."""
    dials = Dials(leaks=Leaks(same_patient=0.4))
    hospital = write_hospital(tmp_path / "hospital", patients=12, seed=4, dials=dials)
    settings = json.dumps({"model": recipe.model_dump(mode="json")})
    workspace = create_workspace(tmp_path / "workspace", settings)
    ingest(workspace, scans=[hospital.scans], notes=[hospital.records], labels=[hospital.labels])
    rows = [line.split(",") for line in hospital.splits.read_text().splitlines()[1:]]
    given = {"extra": examples, "splits": dict(rows)}
    with pytest.raises(LeakageError, match=r"audit: same-patient;"):
        retrain(workspace, **given)
    with pytest.raises(ReachedError):
        retrain(workspace, **given, allow_leaks=["same-patient"])
    with pytest.raises(InputError, match="no leak is called twins"):
        retrain(workspace, **given, allow_leaks=["twins"])


def test_the_audit_goes_to_mlflow_as_aggregates(workspace: Workspace, trained: Trained, copied: list[Example]) -> None:
    from pipelines.cases.leakage.audit import audit
    from pipelines.cases.leakage.case import AuditedCase

    report = audit([AuditedCase(row) for row in copied], findings=trained.card.recipe.findings)
    leaky = dataclasses.replace(trained, audit=report, allowed_leaks=report.found)
    registered = publish(workspace, leaky, synthetic=True)
    with tracking(workspace) as client:
        run = client.get_run(registered.run_id)
    assert run.data.tags["scanote.leaks"] == "duplicate-text (allowed), duplicate-volume (allowed)"
    [folder] = (workspace.artifacts / "mlflow").rglob("report")
    told = json.loads((folder / "leakage.json").read_text())
    assert {row["kind"]: row["status"] for row in told["checks"]}["duplicate-volume"] == "allowed"
    assert all(row["count"] is None for row in told["leaks"])
    text = (folder / "leakage.json").read_text() + (folder / "leakage.md").read_text()
    assert not [row.study_key for row in copied if row.study_key in text and row.study_key != "copy"]


def test_a_run_without_a_leak_says_so(trained: Trained) -> None:
    assert trained.audit.found == trained.allowed_leaks == ()
    assert [check.kind for check in trained.audit.checks if not check.skipped] == [
        "same-patient",
        "duplicate-text",
        "duplicate-volume",
        "label-words",
    ]
