"""The two marks of a settings field: whether its value can change a diagnosis, or not."""

from __future__ import annotations

from typing import Any

from pydantic import Field

MARK = "affects_result"


def affects(default: Any, **rules: Any) -> Any:
    """A field whose value can change a diagnosis: it is part of the diagnosis key."""
    return Field(default=default, json_schema_extra={MARK: True}, **rules)


def neutral(default: Any, **rules: Any) -> Any:
    """A field that cannot change a diagnosis: where things lie, when they run, how fast.

    The training recipe is neutral too, for its effect reaches a diagnosis only through the model's digest.
    """
    return Field(default=default, json_schema_extra={MARK: False}, **rules)
