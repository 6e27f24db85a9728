"""What stands in MLflow after a run was published, and what must never stand there."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data_schemas.errors import ModelError
from data_schemas.settings import leaves
from pipelines.models.artefact import artefact_digest
from pipelines.models.registry import aliases, fetch, kept_folder, resolve, versions
from pipelines.models.tracking import tracking
from pipelines.review.publication import keep_artefact, write_publication
from pipelines.review.publish import publish, replay_publish
from pipelines.review.table import ARMS
from pipelines.review.telling import tell
from pipelines.training.trained import Trained
from pipelines.workspace.paths import Workspace


def test_the_run_is_registered_as_challenger_by_its_digest(published: Any, trained: Trained) -> None:
    found = resolve(published.workspace, task="chest-ct", selector="challenger")
    assert found == published.registered
    assert (found.name, found.version, found.digest) == ("scanote-chest-ct", "1", trained.digest)
    assert artefact_digest(fetch(published.workspace, found)) == trained.digest


def test_every_setting_of_the_recipe_is_a_parameter(published: Any, trained: Trained) -> None:
    params = published.run.data.params
    assert set(params) == {name for name, _, _ in leaves(trained.card.recipe)}
    assert (params["training.epochs"], params["scan.shape"]) == ("2", "[16, 16, 16]")


def test_tags_tell_version_digests_and_that_the_cases_are_made_up(published: Any, trained: Trained) -> None:
    tags = published.run.data.tags
    assert (tags["scanote.digest"], tags["scanote.cohort"]) == (trained.digest, trained.cohort_digest)
    assert (tags["scanote.synthetic"], tags["scanote.version"]) == ("yes", "0.1.0")
    assert "no claim about patients" in tags["scanote.release"]


def test_a_model_of_real_patients_is_marked_not_for_release(workspace: Workspace, trained: Trained) -> None:
    registered = publish(workspace, trained, synthetic=False)
    with tracking(workspace) as client:
        version = client.get_model_version(registered.name, registered.version)
    assert version.tags["scanote.release"].startswith("not for release")
    assert version.tags["scanote.synthetic"] == "no"


def test_every_measure_stands_with_its_interval(published: Any, trained: Trained) -> None:
    metrics = published.run.data.metrics
    for report in trained.reports:
        for arm in ARMS:
            name = f"{report.finding}/{arm.replace(' ', '-')}"
            for measure, interval in (("auroc", report.auroc[arm]), ("auprc", report.auprc[arm])):
                told = [metrics[f"{measure}{end}/{name}"] for end in ("", "_low", "_high")]
                np.testing.assert_allclose(told, [interval.value, interval.low, interval.high])
    assert metrics["auroc_attainable/pleural-effusion"] == 0.97


def test_every_epoch_of_every_part_is_a_step(published: Any, trained: Trained) -> None:
    with tracking(published.workspace) as client:
        for part, epochs in trained.epochs.items():
            history = client.get_metric_history(published.registered.run_id, f"{part.replace(' ', '-')}/loss")
            assert [point.value for point in sorted(history, key=lambda point: point.step)] == [
                epoch["loss"] for epoch in epochs
            ]


def test_an_epoch_and_part_costs_one_call(
    workspace: Workspace, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    calls = []
    whole = mlflow.MlflowClient.log_batch

    def counted(self: object, run_id: str, **given: object) -> object:
        calls.append(given)
        return whole(self, run_id, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(mlflow.MlflowClient, "log_batch", counted)
    publish(workspace, trained, synthetic=True)
    epochs = sum(len(epochs) for epochs in trained.epochs.values())
    assert len(calls) == epochs + 2  # and one for the settings, one for all measures


def test_the_cohort_is_logged_as_digest_and_counts(published: Any, trained: Trained) -> None:
    [entry] = published.run.inputs.dataset_inputs
    assert trained.cohort_digest.startswith(entry.dataset.digest)
    assert json.loads(entry.dataset.source)["cohort"] == trained.cohort_digest
    assert json.loads(entry.dataset.profile) == {"cases": {"train": 48, "validation": 16, "test": 40}}


def test_counts_below_ten_do_not_leave_the_workspace(workspace: Workspace, trained: Trained) -> None:
    counts = trained.counts | {"validation": 9}
    registered = publish(workspace, dataclasses.replace(trained, counts=counts), synthetic=True)
    with tracking(workspace) as client:
        [entry] = client.get_run(registered.run_id).inputs.dataset_inputs
    assert json.loads(entry.dataset.profile)["cases"]["validation"] is None


def test_a_measure_that_is_undefined_is_left_out(workspace: Workspace, trained: Trained) -> None:
    nothing = dataclasses.replace(trained.reports[0].over_late, value=math.nan, low=math.nan, high=math.nan)
    first = dataclasses.replace(trained.reports[0], over_late=nothing)
    given = dataclasses.replace(trained, reports=(first, *trained.reports[1:]))
    registered = publish(workspace, given, synthetic=True)
    with tracking(workspace) as client:
        metrics = client.get_run(registered.run_id).data.metrics
    assert f"auroc_over_late/{first.finding}" not in metrics
    assert f"auroc_over_single/{first.finding}" in metrics


def test_report_and_plots_lie_with_the_run(published: Any) -> None:
    names = {path.name for path in published.report.iterdir()}
    plots = {"roc.png", "roc.svg", "reliability.png", "reliability.svg"}
    assert names == {"report.md", "report.parquet", "leakage.md", "leakage.json"} | plots
    table = pd.read_parquet(published.report / "report.parquet")
    assert len(table) == 3 * len(ARMS)


def test_the_run_and_the_model_are_linked_and_finished(published: Any) -> None:
    assert published.run.info.status == "FINISHED"
    [output] = published.run.outputs.model_outputs
    with tracking(published.workspace) as client:
        model = client.get_logged_model(output.model_id)
    assert str(model.status) == "READY"
    assert json.loads(model.tags["mlflow.modelVersions"]) == [{"name": "scanote-chest-ct", "version": "1"}]
    assert "auroc/heart-failure/cross-attention" in {metric.key for metric in model.metrics}


def test_publishing_the_same_run_again_adds_nothing(workspace: Workspace, trained: Trained) -> None:
    first, second = (publish(workspace, trained, synthetic=True) for _ in range(2))
    assert first == second
    assert len(versions(workspace, "chest-ct")) == 1
    assert replay_publish(workspace).delivered == 0


def test_two_that_tell_the_same_run_at_once_register_it_once(workspace: Workspace, trained: Trained) -> None:
    keep_artefact(workspace, trained.folder, trained.digest)
    publication = write_publication(workspace, trained, attainable=None, synthetic=True)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: tell(workspace, publication), range(2))
    assert first == second
    assert len(versions(workspace, "chest-ct")) == 1


def test_an_older_run_told_again_does_not_take_challenger_back(
    workspace: Workspace, trained: Trained, another: Callable[[int], Trained]
) -> None:
    publish(workspace, trained, synthetic=True)
    publish(workspace, another(2), synthetic=True)
    publish(workspace, trained, synthetic=True)
    assert aliases(workspace, "chest-ct") == {"challenger": "2"}


def test_the_model_is_there_when_the_folder_it_was_trained_in_is_gone(
    workspace: Workspace, another: Callable[[int], Trained]
) -> None:
    import shutil

    given = another(1)
    registered = publish(workspace, given, synthetic=True)
    shutil.rmtree(given.folder)
    assert artefact_digest(fetch(workspace, registered)) == given.digest


def test_an_artefact_that_changed_after_training_is_not_published(
    workspace: Workspace, another: Callable[[int], Trained]
) -> None:
    given = another(1)
    (given.folder / "novelty.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="changed after training"):
        publish(workspace, given, synthetic=True)
    assert not kept_folder(workspace, given.digest).exists()
    assert versions(workspace, "chest-ct") == ()


def test_nothing_of_any_patient_is_in_mlflow_or_its_files(published: Any, canary: str, examples: tuple) -> None:
    assert any(canary in sentence.text for example in examples for sentence in example.sentences)
    keys = [example.patient_key.encode() for example in examples]
    told = [path for place in ("artifacts", "spool", "mlflow.db") for path in _files(published.workspace.root / place)]
    assert len(told) > 10
    for path in told:
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content += pd.read_parquet(path).to_csv().encode()
        assert canary.encode() not in content, path
        assert not any(key in content for key in keys), path


def test_nothing_lies_outside_of_the_workspace(
    workspace: Workspace, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    publish(workspace, trained, synthetic=True)
    assert list((tmp_path / "here").iterdir()) == []


def test_publishing_prints_nothing(workspace: Workspace, trained: Trained, capfd: pytest.CaptureFixture[str]) -> None:
    publish(workspace, trained, synthetic=True)
    assert capfd.readouterr() == ("", "")


def _files(place: Path) -> list[Path]:
    return [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
