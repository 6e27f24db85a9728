"""The one base of every schema: frozen, closed, and silent about its values when it fails."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A frozen pydantic model that refuses unknown fields.

    ``hide_input_in_errors`` keeps patient data out of exception texts: a validation error names the field and the
    rule, never the value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
