"""The recipe of a smaller model: that of its teacher, but for what is to be smaller."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from data_schemas.errors import SettingsError
from data_schemas.recipes import ModelRecipe

# What a student may have of its own. The rest says which cases are read, and how: the same as its teacher's.
OWN: Mapping[str, tuple[str, ...] | None] = {
    "scan": ("encoder", "tap", "width", "slab", "shortcut", "weights"),
    "note": (
        "encoder",
        "revision",
        "window",
        "stride",
        "states",
        "tuning",
        "lora_rank",
        "layers",
        "tuning_rate",
        "tuning_epochs",
        "tuning_batch_size",
    ),
    "fusion": None,
    "training": None,
}


def read_changes(path: Path) -> dict[str, Any]:
    """What a student's file says.

    Raises
    ------
    SettingsError
        It cannot be read, or is no YAML mapping.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path}: cannot be read as YAML ({type(error).__name__}); mend it") from None
    if not isinstance(content, dict) or not content:
        raise SettingsError(f"{path}: say what shall be smaller, such as 'scan: {{width: 0.25}}'")
    return content


def student_recipe(teacher: ModelRecipe, changes: Mapping[str, Any]) -> ModelRecipe:
    """The teacher's recipe with some of its parts changed.

    First weights of a scan encoder are not the teacher's: they would not fit another net.

    Raises
    ------
    SettingsError
        The teacher or the student is linear, a key is none that a student may have of its own, or a value is out of
        range. One line, naming the key.
    """
    if teacher.fusion.kind == "linear":
        raise SettingsError(
            "a linear model has nothing but its encoders to make smaller: compile it, without --distill"
        )
    tree = teacher.model_dump()
    tree["scan"]["weights"] = None
    for part, values in changes.items():
        if part not in OWN:
            raise SettingsError(f"student: '{part}' is not to be changed; of its own are: {', '.join(OWN)}")
        if not isinstance(values, Mapping):
            raise SettingsError(f"student: '{part}' holds no keys; say what of it shall change, or leave it out")
        allowed = OWN[part]
        for name, value in values.items():
            if allowed is not None and name not in allowed:
                raise SettingsError(
                    f"student: '{part}.{name}' is its teacher's; of its own in '{part}' are: {', '.join(allowed)}"
                )
            tree[part][name] = value
    if tree["scan"]["encoder"] != "own":
        tree["scan"]["builder"] = None
    try:
        recipe = ModelRecipe(**tree)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        raise SettingsError(f"student: '{'.'.join(map(str, problem['loc']))}': {problem['msg']}") from None
    if recipe.fusion.kind == "linear":
        raise SettingsError("student: 'fusion.kind': linear learns from labels alone; train such a model by itself")
    return recipe
