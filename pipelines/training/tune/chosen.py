"""The chosen recipe as settings: YAML to paste, or written into the workspace's own file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from data_schemas.errors import SettingsError
from data_schemas.settings import Settings, read_settings
from data_schemas.tuning import Value
from pipelines.workspace.files import write_atomic
from pipelines.workspace.paths import Workspace

SETTINGS, BEFORE = "scanote.yaml", "scanote.yaml.before-tuning"
HEAD = "# Chosen by scanote tune.\n"


def section(values: Mapping[str, Value]) -> dict[str, Any]:
    """The ``model:`` section of settings given by dotted name."""
    parts: dict[str, dict[str, Value]] = {}
    for name, value in values.items():
        part, key = name.split(".")
        parts.setdefault(part, {})[key] = value
    return {"model": parts}


def section_text(values: Mapping[str, Value]) -> str:
    """The same as YAML."""
    return HEAD + yaml.safe_dump(section(values), sort_keys=False)


def write_chosen(workspace: Workspace, values: Mapping[str, Value]) -> Path | None:
    """Write the settings into the workspace's ``scanote.yaml``, and return where the old file was kept, if it was.

    A file that has no ``model:`` section keeps its comments, and the section stands at its end. Of one that has, or
    that nothing can follow (``{…}``), the tuned keys are replaced and its comments go: it is kept beside the new one.

    Raises
    ------
    SettingsError
        The file cannot be read, or would not hold together with what was chosen; then it stays as it is.
    WorkspaceError
        It cannot be written.
    """
    path = workspace.root / SETTINGS
    read_settings(path)
    text = path.read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text) or {}
    merged = _merged(content, section(values))
    try:
        Settings.model_validate(merged)
    except ValidationError as error:
        told = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(map(str, told["loc"]))
        raise SettingsError(
            f"{path}: '{where}' does not go with the chosen recipe ({told['msg']}); paste the section by hand"
        ) from None
    longer = f"{text.rstrip()}\n{section_text(values)}".lstrip()
    if "model" not in content and _reads_as(longer, merged):
        write_atomic(path, longer.encode())
        return None
    kept = path.with_name(BEFORE)
    write_atomic(kept, text.encode())
    write_atomic(path, yaml.safe_dump(merged, sort_keys=False, allow_unicode=True).encode())
    return kept


def _reads_as(text: str, content: Mapping[str, Any]) -> bool:
    try:
        return bool(yaml.safe_load(text) == content)
    except yaml.YAMLError:
        return False


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(old)
    for name, value in new.items():
        held = found.get(name)
        found[name] = _merged(held or {}, value) if isinstance(value, dict) and isinstance(held or {}, dict) else value
    return found
