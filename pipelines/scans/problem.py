"""What a check found: a reason of the list, and a line without patient data."""

from __future__ import annotations

from typing import NamedTuple

from data_schemas.reasons import Reason


class Problem(NamedTuple):
    """One reason against a series, and the detail that tells a person what to look for."""

    reason: Reason
    detail: str
