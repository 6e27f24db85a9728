"""From an alias or a number to an artefact on this machine, and what is said where there is none."""

from __future__ import annotations

import logging
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from data_schemas.errors import ModelError, ServerError
from pipelines.models.artefact import artefact_digest
from pipelines.models.registry import Registered, aliases, fetch, kept_folder, resolve, set_alias, versions
from pipelines.models.tracking import tracking
from pipelines.review.publish import publish
from pipelines.training.trained import Trained
from pipelines.workspace.paths import Workspace, open_workspace


@pytest.fixture
def registered(workspace: Workspace, trained: Trained) -> Registered:
    return publish(workspace, trained, synthetic=True)


@pytest.fixture(scope="module")
def published(empty_workspace: Path, trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with one version that tests may read and nobody changes."""
    root = tmp_path_factory.mktemp("registry") / "workspace"
    shutil.copytree(empty_workspace, root)
    publish(open_workspace(root), trained, synthetic=True)
    return open_workspace(root)


def mlflow_copy(workspace: Workspace) -> Path:
    [card] = (workspace.artifacts / "mlflow").rglob("model.json")
    return card.parent


def damage(folder: Path) -> None:
    path = folder / "case_model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_a_version_is_found_by_its_alias_and_by_its_number(published: Workspace, trained: Trained) -> None:
    by_alias = resolve(published, task="chest-ct", selector="challenger")
    assert by_alias == resolve(published, task="chest-ct", selector="1")
    assert (by_alias.version, by_alias.digest) == ("1", trained.digest)


def test_an_alias_follows_where_it_is_set(
    workspace: Workspace, registered: Registered, another: Callable[[int], Trained]
) -> None:
    publish(workspace, another(2), synthetic=True)
    set_alias(workspace, task="chest-ct", alias="champion", version="1")
    assert aliases(workspace, "chest-ct") == {"champion": "1", "challenger": "2"}
    assert resolve(workspace, task="chest-ct", selector="champion").digest == registered.digest


def test_versions_are_listed_oldest_first(
    workspace: Workspace, registered: Registered, another: Callable[[int], Trained]
) -> None:
    second = publish(workspace, another(2), synthetic=True)
    assert versions(workspace, "chest-ct") == (registered, second)


def test_without_any_model_the_message_says_how_to_train_one(workspace: Workspace) -> None:
    with pytest.raises(ModelError, match=r"^no model of task 'chest-ct' yet; train one with: scanote train$"):
        resolve(workspace, task="chest-ct", selector="champion")


def test_a_missing_alias_is_answered_with_what_there_is(published: Workspace) -> None:
    with pytest.raises(ModelError) as told:
        resolve(published, task="chest-ct", selector="champion")
    assert str(told.value) == (
        "scanote-chest-ct: no alias or version 'champion'; there are: challenger (version 1), version 1; "
        "make one with: scanote promote 1 …"
    )


@pytest.mark.parametrize("selector", ["2", "01", "-1", "", "x' OR '1'='1", "Challenger"])
def test_a_selector_that_means_nothing_is_one_clear_line(published: Workspace, selector: str) -> None:
    with pytest.raises(ModelError, match="no alias or version") as told:
        resolve(published, task="chest-ct", selector=selector)
    assert "\n" not in str(told.value)


def test_the_kept_copy_is_taken_without_asking_mlflow(workspace: Workspace, registered: Registered) -> None:
    (workspace.root / "mlflow.db").unlink()
    assert fetch(workspace, registered) == kept_folder(workspace, registered.digest)


def test_where_the_kept_copy_is_gone_that_of_mlflow_is_taken(workspace: Workspace, registered: Registered) -> None:
    shutil.rmtree(kept_folder(workspace, registered.digest))
    folder = fetch(workspace, registered)
    assert folder == mlflow_copy(workspace)
    assert artefact_digest(folder) == registered.digest


def test_a_damaged_copy_is_said_aloud_and_passed_over(
    workspace: Workspace, registered: Registered, caplog: pytest.LogCaptureFixture
) -> None:
    damage(kept_folder(workspace, registered.digest))
    with caplog.at_level(logging.WARNING):
        folder = fetch(workspace, registered)
    assert artefact_digest(folder) == registered.digest
    assert "damaged" in caplog.text


def test_a_version_whose_files_were_changed_everywhere_is_refused(workspace: Workspace, registered: Registered) -> None:
    damage(kept_folder(workspace, registered.digest))
    damage(mlflow_copy(workspace))
    with pytest.raises(ModelError, match="digest differs"):
        fetch(workspace, registered)


def test_a_version_whose_files_are_gone_is_refused(workspace: Workspace, registered: Registered) -> None:
    shutil.rmtree(workspace.artifacts)
    with pytest.raises(ModelError, match="its files are gone"):
        fetch(workspace, registered)


def test_a_workspace_that_was_moved_still_finds_its_models(
    workspace: Workspace, registered: Registered, tmp_path: Path
) -> None:
    shutil.move(workspace.root, tmp_path / "elsewhere")
    moved = open_workspace(tmp_path / "elsewhere")
    found = resolve(moved, task="chest-ct", selector="challenger")
    assert artefact_digest(fetch(moved, found)) == registered.digest


def test_a_version_has_not_passed_the_gate_until_its_tag_says_so(workspace: Workspace, registered: Registered) -> None:
    assert registered.ungated
    with tracking(workspace) as client:
        client.set_model_version_tag(registered.name, registered.version, "scanote.gate", "passed")
    assert not resolve(workspace, task="chest-ct", selector="1").ungated


def test_a_dead_server_is_one_line_without_its_address(workspace_on: Callable[[str], Workspace]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    workspace = workspace_on(f"http://user:secret@127.0.0.1:{port}")
    with pytest.raises(ServerError) as told:
        resolve(workspace, task="chest-ct", selector="champion")
    assert "secret" not in str(told.value)
    assert "\n" not in str(told.value)
    assert told.value.__cause__ is None


def test_a_damaged_store_is_one_line(workspace: Workspace) -> None:
    (workspace.root / "mlflow.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(ServerError, match=r"^MLflow store mlflow\.db: ") as told:
        resolve(workspace, task="chest-ct", selector="champion")
    assert "\n" not in str(told.value)
