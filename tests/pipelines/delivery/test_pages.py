from __future__ import annotations

import pytest

from pipelines.delivery.pages import page_name, retire
from pipelines.workspace.identity import study_key


def test_a_page_is_named_by_the_first_sixteen_characters_of_the_key():
    assert page_name("0123456789abcdef" * 2) == "0123456789abcdef.html"


def test_the_key_of_a_workspace_names_a_page():
    assert len(page_name(study_key(bytes(32), "1.2.3"))) == 21


@pytest.mark.parametrize(
    "key", ["../../../etc/passwd", "0123456789abcde", "0123456789ABCDEF", "MRN-778899-000000", "", "0" * 16 + "\n"]
)
def test_what_is_no_digest_names_no_page(key):
    with pytest.raises(ValueError, match="study key"):
        page_name(key)


def test_pages_of_studies_that_are_not_kept_are_removed(tmp_path):
    for name in ("a" * 16, "b" * 16):
        (tmp_path / f"{name}.html").touch()
    assert retire(tmp_path, {"a" * 32}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a" * 16 + ".html"]


def test_only_case_pages_are_ever_removed(tmp_path):
    names = {"index.html", "notes.html", "a" * 17 + ".html", "a" * 16 + ".txt"}
    for name in names:
        (tmp_path / name).touch()
    assert retire(tmp_path, set()) == 0
    assert {path.name for path in tmp_path.iterdir()} == names


def test_a_folder_that_does_not_exist_holds_no_pages(tmp_path):
    assert retire(tmp_path / "none", set()) == 0
