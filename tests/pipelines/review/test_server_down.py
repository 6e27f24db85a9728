"""MLflow is dead, slow to come back, or dies in the middle: the model is kept and told later, once."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from data_schemas.errors import ServerError
from pipelines.models.artefact import artefact_digest
from pipelines.models.registry import aliases, kept_folder, versions
from pipelines.models.tracking import tracking
from pipelines.review.publish import publish, replay_publish
from pipelines.training.trained import Trained
from pipelines.workspace.paths import Workspace, open_workspace
from pipelines.workspace.spool import Spool


@pytest.fixture
def revive() -> Callable[[Workspace], Workspace]:
    """The same workspace with a store of its own again, as if its server had come back."""

    def make(workspace: Workspace) -> Workspace:
        (workspace.root / "scanote.yaml").write_text("")
        return open_workspace(workspace.root)

    return make


@pytest.fixture
def dead(workspace_on: Callable[[str], Workspace], closed_port: int) -> Workspace:
    return workspace_on(f"http://127.0.0.1:{closed_port}")


def test_a_dead_server_costs_seconds_and_the_message_says_that_the_model_is_kept(
    dead: Workspace, trained: Trained
) -> None:
    started = time.monotonic()
    with pytest.raises(ServerError, match="The model is kept") as told:
        publish(dead, trained, synthetic=True)
    assert time.monotonic() - started < 30
    assert "\n" not in str(told.value)
    assert artefact_digest(kept_folder(dead, trained.digest)) == trained.digest
    assert Spool(dead.spool).waiting() == 1


def test_what_could_not_be_told_is_told_once_when_the_server_is_back(
    dead: Workspace, trained: Trained, revive: Callable[[Workspace], Workspace]
) -> None:
    with pytest.raises(ServerError):
        publish(dead, trained, synthetic=True)
    back = revive(dead)
    assert replay_publish(back).delivered == 1
    assert replay_publish(back).delivered == 0
    [version] = versions(back, "chest-ct")
    assert version.digest == trained.digest


def test_the_run_has_the_time_of_its_training_not_of_its_telling(
    dead: Workspace, trained: Trained, revive: Callable[[Workspace], Workspace]
) -> None:
    with pytest.raises(ServerError):
        publish(dead, trained, synthetic=True)
    known = time.time() * 1000
    back = revive(dead)
    replay_publish(back)
    [version] = versions(back, "chest-ct")
    with tracking(back) as client:
        assert client.get_run(version.run_id).info.start_time < known


def test_the_next_run_tells_the_older_one_first(
    dead: Workspace,
    trained: Trained,
    another: Callable[[int], Trained],
    revive: Callable[[Workspace], Workspace],
) -> None:
    with pytest.raises(ServerError):
        publish(dead, trained, synthetic=True)
    back = revive(dead)
    newer = publish(back, another(2), synthetic=True)
    assert [version.digest for version in versions(back, "chest-ct")] == [trained.digest, newer.digest]
    assert aliases(back, "chest-ct") == {"challenger": newer.version}


WRITES = [
    "create_run",
    "log_batch",
    "log_inputs",
    "log_artifacts",
    "create_logged_model",
    "log_model_artifacts",
    "finalize_logged_model",
    "create_registered_model",
    "set_terminated",
    "create_model_version",
    "set_logged_model_tags",
    "set_registered_model_alias",
]


@pytest.mark.parametrize("call", WRITES)
def test_wherever_the_server_dies_the_next_telling_ends_with_one_version(
    workspace: Workspace, trained: Trained, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    import mlflow
    from mlflow.exceptions import MlflowException

    def dies(*_: object, **__: object) -> None:
        raise MlflowException("gone")

    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, call, dies)
        with pytest.raises(ServerError, match="The model is kept"):
            publish(workspace, trained, synthetic=True)
    registered = publish(workspace, trained, synthetic=True)
    assert [version.version for version in versions(workspace, "chest-ct")] == [registered.version] == ["1"]
    assert aliases(workspace, "chest-ct") == {"challenger": "1"}
    with tracking(workspace) as client:
        experiment = client.get_experiment_by_name("scanote-chest-ct")
        statuses = [run.info.status for run in client.search_runs([experiment.experiment_id])]
    assert statuses.count("FINISHED") == 1
    assert "RUNNING" not in statuses


def test_a_lost_artefact_is_not_told(
    dead: Workspace, trained: Trained, revive: Callable[[Workspace], Workspace]
) -> None:
    with pytest.raises(ServerError):
        publish(dead, trained, synthetic=True)
    (kept_folder(dead, trained.digest) / "novelty.safetensors").unlink()
    back = revive(dead)
    assert replay_publish(back).failed == 1
    assert versions(back, "chest-ct") == ()
