"""Settings: unknown keys are refused by name, and only result-affecting fields reach the diagnosis key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from data_schemas.errors import SettingsError
from data_schemas.settings import Settings, leaves, read_settings, settings_digest

LEAVES = list(leaves(Settings()))


def changed(value: Any) -> Any:
    """Another valid-looking value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value * 0.999 if isinstance(value, float) else value + 1
    if isinstance(value, str):
        return value + "x"
    return ("x",) if not value else value[:-1]


def with_leaf(tree: BaseModel, name: str, value: Any) -> Any:
    """The tree with one leaf replaced, unvalidated."""
    head, _, rest = name.partition(".")
    return tree.model_copy(update={head: with_leaf(getattr(tree, head), rest, value) if rest else value})


@pytest.mark.parametrize(("name", "value", "affects"), LEAVES, ids=[name for name, _, _ in LEAVES])
def test_a_field_changes_the_digest_exactly_if_it_is_marked(name: str, value: Any, affects: bool) -> None:
    other = with_leaf(Settings(), name, changed(value))
    assert (settings_digest(other) != settings_digest(Settings())) == affects


def test_the_rules_that_link_and_select_are_all_result_affecting() -> None:
    assert all(affects for name, _, affects in LEAVES if name.startswith(("link.", "select.")))


def test_the_rules_of_a_channel_change_the_digest() -> None:
    one, other = (
        Settings.model_validate({"select": {"channels": [{"name": "T1", "rule": {"words": [word]}}]}})
        for word in ("t1", "t1*")
    )
    assert len({settings_digest(one), settings_digest(other), settings_digest(Settings())}) == 3


def test_an_absent_key_takes_its_default(tmp_path: Path) -> None:
    path = tmp_path / "scanote.yaml"
    path.write_text("link:\n  allow_undated_text: true\n")
    assert read_settings(path) == with_leaf(Settings(), "link.allow_undated_text", True)


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    path = tmp_path / "scanote.yaml"
    path.write_text("# nothing\n")
    assert read_settings(path) == Settings()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("lnik: {}\n", "unknown settings key 'lnik'"),
        ("model:\n  fusion:\n    depth: 3\n", "unknown settings key 'model.fusion.depth'"),
        ("diagnosis:\n  chunk: 0\n", "'diagnosis.chunk'"),
        ("- a\n", "expected a mapping"),
        ("a: [\n", "cannot be read as YAML"),
        ("model: 3\n", "'model'"),
    ],
)
def test_a_bad_file_is_one_line_that_names_the_key(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "scanote.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_settings(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
