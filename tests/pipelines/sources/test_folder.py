from __future__ import annotations

import os
from pathlib import Path

import pytest

from data_schemas.errors import InputError
from pipelines.sources.folder import open_file, walk


def test_files_come_sorted_and_each_once(tmp_path: Path) -> None:
    for name in ("b/2", "b/1", "a/9", "c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)

    found = [path.relative_to(tmp_path).as_posix() for path in walk([tmp_path, tmp_path / "b"])]

    assert found == ["c", "a/9", "b/1", "b/2"]


def test_a_named_file_is_itself(tmp_path: Path) -> None:
    file = tmp_path / "one"
    file.write_text("1")

    assert list(walk(file)) == [file]


def test_a_link_out_of_the_tree_is_not_followed(tmp_path: Path) -> None:
    outside, tree = tmp_path / "outside", tmp_path / "tree"
    (outside / "deep").mkdir(parents=True)
    (outside / "secret").write_text("s")
    tree.mkdir()
    (tree / "file-link").symlink_to(outside / "secret")
    (tree / "folder-link").symlink_to(outside)

    assert list(walk(tree)) == []


def test_a_link_within_the_tree_is_the_file_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "loop").symlink_to(tmp_path)

    assert list(walk(tmp_path)) == [tmp_path / "a"]


def test_a_path_that_does_not_exist_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: no such file or folder; check the path$"):
        list(walk([tmp_path / "nowhere"]))


def test_only_a_regular_file_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(OSError, match="not a regular file"):
        open_file(tmp_path / "pipe")
