"""A workspace is created once, private, and refused with one clear line where it cannot be used."""

from __future__ import annotations

import json
import re
import shutil
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from data_schemas.errors import SettingsError, WorkspaceError
from data_schemas.settings import Settings, read_settings
from pipelines.workspace.database import write
from pipelines.workspace.paths import Workspace, create_workspace, default_settings_text, open_workspace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return create_workspace(tmp_path / "ws").root


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_created_workspace_opens_with_default_settings(root: Path) -> None:
    assert open_workspace(root) == Workspace(root=root, settings=Settings())


def test_folders_and_files_are_for_their_owner_alone(root: Path) -> None:
    assert mode(root) == 0o700
    assert {path.name: mode(path) for path in root.iterdir() if mode(path) & 0o077} == {}
    assert mode(root / "key") == 0o600


def test_every_named_path_lies_inside_and_exists(root: Path) -> None:
    workspace = open_workspace(root)
    for path in (workspace.artifacts, workspace.cache, workspace.pages, workspace.spool, workspace.results):
        assert path.is_dir()
        assert path.parent == root


def test_creating_again_changes_nothing(root: Path) -> None:
    before = {path.name: path.read_bytes() for path in root.iterdir() if path.is_file()}
    create_workspace(root)
    assert {path.name: path.read_bytes() for path in root.iterdir() if path.is_file()} == before


def test_two_workspaces_have_different_keys(tmp_path: Path) -> None:
    assert create_workspace(tmp_path / "a").key != create_workspace(tmp_path / "b").key


def test_many_creators_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: create_workspace(tmp_path / "ws").key, range(8)))
    assert len(set(made)) == 1


@pytest.mark.parametrize("lost", ["workspace.json", "scanote.yaml", "scanote.db", "key", "pages"])
def test_an_interrupted_creation_is_completed(root: Path, lost: str) -> None:
    (root / "workspace.json").unlink()
    path = root / lost
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    (root / ".key-abc.tmp").write_bytes(b"")
    create_workspace(root)
    assert open_workspace(root).settings == Settings()


def test_the_commented_defaults_are_the_defaults(tmp_path: Path) -> None:
    rows = [row for row in default_settings_text().splitlines() if not row.startswith("##")]
    assert all(row.startswith("# ") for row in rows)
    path = tmp_path / "scanote.yaml"
    path.write_text("\n".join(row.removeprefix("# ") for row in rows), encoding="utf-8")
    assert read_settings(path) == Settings()


def test_given_settings_are_kept_as_they_were_written(tmp_path: Path) -> None:
    given = "# mine\ndiagnosis:\n  attempts: 5\n"
    workspace = create_workspace(tmp_path / "ws", given)
    assert workspace.settings.diagnosis.attempts == 5
    assert (workspace.root / "scanote.yaml").read_text() == given


def test_given_settings_that_are_wrong_create_nothing(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match=rf"^{re.escape(str(tmp_path))}/ws/scanote.yaml: unknown settings key 'colour'"
    ):
        create_workspace(tmp_path / "ws", "colour: 1\n")
    assert not (tmp_path / "ws").exists()


def test_given_settings_never_overwrite_others(root: Path) -> None:
    with pytest.raises(WorkspaceError, match="holds other settings"):
        create_workspace(root, "diagnosis: {attempts: 5}\n")


def test_a_folder_with_other_things_is_refused_and_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "thesis.txt").write_text("")
    with pytest.raises(WorkspaceError, match="no workspace; name a new folder"):
        create_workspace(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    assert mode(tmp_path) == 0o755


def test_servers_in_the_settings_take_the_place_of_the_embedded_ones(tmp_path: Path) -> None:
    settings = Settings.model_validate({"servers": {"database_url": "postgresql://h/d", "mlflow_url": "http://h"}})
    workspace = Workspace(root=tmp_path, settings=settings)
    assert (workspace.database_url, workspace.mlflow_url) == ("postgresql://h/d", "http://h")
    embedded = Workspace(root=tmp_path, settings=Settings())
    assert embedded.database_url == f"sqlite:///{tmp_path}/scanote.db"
    assert embedded.mlflow_url == f"sqlite:///{tmp_path}/mlflow.db"


def test_the_key_is_in_no_repr(root: Path) -> None:
    workspace = open_workspace(root)
    assert repr(workspace.key) not in repr(workspace)
    assert workspace.key.hex() not in repr(workspace)


def other_format(root: Path) -> None:
    (root / "workspace.json").write_text(json.dumps({"format": 2, "written_by": "9.9"}))


def damaged_json(root: Path) -> None:
    (root / "workspace.json").write_text("{")


def json_of_another_kind(root: Path) -> None:
    (root / "workspace.json").write_text("[]")


def missing_key(root: Path) -> None:
    (root / "key").unlink()


def short_key(root: Path) -> None:
    (root / "key").write_bytes(b"x")


def missing_database(root: Path) -> None:
    (root / "scanote.db").unlink()


def empty_database(root: Path) -> None:
    (root / "scanote.db").write_bytes(b"")


def not_a_database(root: Path) -> None:
    (root / "scanote.db").write_bytes(b"Lorem ipsum " * 1000)


def unknown_revision(root: Path) -> None:
    statement = text("UPDATE alembic_version SET version_num = '9999'")
    with open_workspace(root).database() as engine:
        write(engine, lambda connection: connection.execute(statement))


UNUSABLE = [
    (other_format, "written by another version of scanote (9.9, format 2"),
    (damaged_json, "damaged"),
    (json_of_another_kind, "damaged"),
    (missing_key, "key cannot be read"),
    (short_key, "key is damaged (1 bytes, not 32)"),
    (missing_database, "the database is missing"),
    (not_a_database, "the database cannot be used"),
    (unknown_revision, "written by another version of scanote (revision '9999'"),
]


@pytest.mark.parametrize("use", [open_workspace, create_workspace])
@pytest.mark.parametrize(("harm", "message"), UNUSABLE, ids=lambda item: getattr(item, "__name__", ""))
def test_an_unusable_workspace_is_one_clear_line(
    root: Path, harm: Callable[[Path], None], message: str, use: Callable[[Path], object]
) -> None:
    harm(root)
    with pytest.raises(WorkspaceError, match=re.escape(message)) as caught:
        use(root)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_an_empty_database_is_not_taken_for_a_ledger(root: Path) -> None:
    empty_database(root)
    with pytest.raises(WorkspaceError, match="holds no tables; restore it"):
        open_workspace(root)


def test_a_lost_key_is_never_replaced(root: Path) -> None:
    missing_key(root)
    with pytest.raises(WorkspaceError):
        create_workspace(root)
    assert not (root / "key").exists()


def test_a_missing_workspace_says_how_to_create_one(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="no workspace here; create one with: scanote ingest --workspace"):
        open_workspace(tmp_path / "nowhere")


def test_a_workspace_that_others_can_read_is_said_aloud(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    root.chmod(0o755)
    open_workspace(root)
    assert "chmod 700" in caplog.text


def test_a_moved_workspace_still_opens(root: Path, tmp_path: Path) -> None:
    shutil.move(root, tmp_path / "moved")
    assert open_workspace(tmp_path / "moved").root == tmp_path / "moved"
