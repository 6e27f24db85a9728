"""A file written atomically is whole or absent, whatever fails or dies in between."""

from __future__ import annotations

import errno
import os
import signal
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from data_schemas.errors import WorkspaceError
from pipelines.workspace.files import make_private_folder, write_atomic, write_folder, write_new

DIE_BEFORE_REPLACE = """
import os, signal, sys
from pathlib import Path
from pipelines.workspace.files import write_atomic
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
write_atomic(Path(sys.argv[1]), b"new")
"""


def test_a_written_file_holds_the_bytes_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_write_replaces_the_first(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")
    write_atomic(path, b"new")
    assert [item.read_bytes() for item in tmp_path.iterdir()] == [b"new"]


def test_a_process_killed_before_the_move_leaves_the_old_bytes(tmp_path: Path, child) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")
    assert child(path, code=DIE_BEFORE_REPLACE).wait(30) == -signal.SIGKILL
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("step", ["fsync", "replace", "fdopen"])
def test_a_step_that_fails_leaves_the_old_bytes_and_no_litter(tmp_path: Path, monkeypatch, step: str) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(WorkspaceError, match="No space left on device"):
        write_atomic(path, b"new")
    monkeypatch.undo()
    assert [item.read_bytes() for item in tmp_path.iterdir()] == [b"old"]


def test_a_missing_folder_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="cannot be written"):
        write_atomic(tmp_path / "missing" / "file", b"")


def test_write_new_never_replaces(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert write_new(path, b"first")
    assert not write_new(path, b"second")
    assert [item.read_bytes() for item in tmp_path.iterdir()] == [b"first"]


def test_of_many_writers_at_once_one_writes_the_new_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with ThreadPoolExecutor(8) as pool:
        wrote = list(pool.map(lambda number: write_new(path, bytes([number])), range(32)))
    assert wrote.count(True) == 1
    assert path.read_bytes() == bytes([wrote.index(True)])


def test_a_private_folder_has_mode_0700_even_if_it_was_open(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir(mode=0o755)
    make_private_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="cannot be made"):
        make_private_folder(tmp_path / "file")


def test_a_folder_that_is_written_replaces_the_older_one_whole(tmp_path: Path) -> None:
    place = tmp_path / "parent" / "report"
    write_folder(place, lambda made: (made / "old").write_text("old"))
    write_folder(place, lambda made: (made / "new").write_text("new"))
    assert [path.name for path in place.iterdir()] == ["new"]
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert [path.name for path in place.parent.iterdir()] == ["report"]


def test_a_folder_whose_writing_fails_leaves_the_older_one(tmp_path: Path) -> None:
    place = tmp_path / "report"
    write_folder(place, lambda made: (made / "old").write_text("old"))

    def fails(made: Path) -> None:
        (made / "half").write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_folder(place, fails)
    assert [path.name for path in tmp_path.rglob("*")] == ["report", "old"]
