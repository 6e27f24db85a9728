from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flows.coded import StepError
from flows.retrain import retrain_flow
from pipelines.models.registry import Registered
from pipelines.review import retrain as module
from pipelines.review.retrain import Retrained
from pipelines.synthetic.write import Hospital
from pipelines.training.trained import Trained
from pipelines.workspace.paths import Workspace

pytestmark = pytest.mark.usefixtures("prefect_api")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, trained: Trained) -> list[dict[str, Any]]:
    """What the flow asks of `retrain`, whose training is proven elsewhere: it gives the session's model."""
    calls: list[dict[str, Any]] = []

    def retrain(_workspace: Workspace, **options: Any) -> Retrained:
        calls.append(options)
        registered = Registered("scanote-chest-ct", "7", trained.digest, run_id="r", ungated=True)
        return Retrained(trained=trained, registered=registered, refused=2)

    monkeypatch.setattr(module, "retrain", retrain)
    return calls


def test_the_flow_gives_the_version_of_the_challenger(
    asked: list[dict[str, Any]], bare: Callable[..., Workspace], hospital: Hospital
) -> None:
    assert hospital.splits.is_file()
    assert retrain_flow(str(bare().root)) == "7"
    assert len(asked) == 1


def test_the_splits_of_the_settings_are_kept(
    asked: list[dict[str, Any]], bare: Callable[..., Workspace], hospital: Hospital
) -> None:
    retrain_flow(str(bare().root))
    rows = [line.split(",") for line in hospital.splits.read_text().splitlines()[1:]]
    assert asked[0]["splits"] == dict(rows)


def test_without_given_splits_the_patients_are_split_by_hash(
    asked: list[dict[str, Any]], bare: Callable[..., Workspace]
) -> None:
    retrain_flow(str(bare(sources={}).root))
    assert asked[0]["splits"] is None


@pytest.mark.usefixtures("asked")
def test_the_artifact_tells_the_version_and_every_finding_in_aggregates(
    bare: Callable[..., Workspace], trained: Trained, artifact: Callable[[str], str]
) -> None:
    retrain_flow(str(bare(sources={}).root))
    found = artifact("scanote-retrain")
    assert "scanote-chest-ct version 7" in found
    for report in trained.reports:
        assert f"| {report.finding} |" in found


def test_a_cohort_that_is_too_small_fails_the_run_in_one_line(workspace: Workspace) -> None:
    with pytest.raises(StepError, match="train: InputError"):
        retrain_flow(str(workspace.root))
