"""Targets: what is predicted beside the findings, a grade (ordinal) or a measurement (regression)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from data_schemas.base import Record
from data_schemas.marks import neutral

TargetKind = Literal["ordinal", "regression"]
FEWEST_LEVELS, MOST_LEVELS = 3, 20
LARGEST = 1e12
"""Size of a measurement beyond which it is a slip: its square would drown all others."""


class TargetRecipe(Record):
    """One target as the settings name it: ``levels`` of an ordinal one (0 to N-1), ``unit`` of a regression.

    ``weight`` is that of its loss beside the loss of all findings together.
    """

    kind: TargetKind = neutral(...)
    levels: int | None = neutral(None, ge=FEWEST_LEVELS, le=MOST_LEVELS)
    unit: str | None = neutral(None, min_length=1, max_length=40)
    weight: float = neutral(1.0, gt=0.0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _says_what_its_kind_needs(self) -> TargetRecipe:
        if self.kind == "ordinal" and (self.levels is None or self.unit is not None):
            raise ValueError("an ordinal target needs levels, their number, and has no unit")
        if self.kind == "regression" and (self.unit is None or self.levels is not None):
            raise ValueError("a regression target needs its unit ('1' where it has none), and has no levels")
        return self

    def holds(self, value: float) -> bool:
        """Whether a value can be one of this target's."""
        if self.levels is None:
            return abs(value) <= LARGEST
        return value.is_integer() and 0 <= value < self.levels

    @property
    def values(self) -> str:
        """What its values are, in words."""
        return f"numbers up to {LARGEST:g}" if self.levels is None else f"whole numbers from 0 to {self.levels - 1}"


class FittedTarget(Record):
    """One target of a trained model, with what its estimates need.

    ``mean`` and ``deviation`` are those of a regression's training cases, in its unit; 0 and 1 of an ordinal target.
    ``margin`` is half the width of the interval around a regression's estimate, in its unit, which held so large a
    share (``coverage``) of the validation cases; None where they were too few.
    """

    name: str
    kind: TargetKind
    levels: int | None = None
    unit: str | None = None
    mean: float = 0.0
    deviation: float = Field(default=1.0, gt=0.0)
    margin: float | None = None
    coverage: float = 0.9


class Estimate(Record):
    """What a model makes of one target.

    Ordinal: ``probabilities`` of the levels from 0 on, which sum to 1, and ``level``, their median. Regression:
    ``value`` in ``unit``, and, where the model has one, the interval from ``low`` to ``high`` that is meant to hold the
    truth in a share ``coverage`` of cases like those it was set on.
    """

    target: str
    kind: TargetKind
    probabilities: tuple[float, ...] = ()
    level: int | None = None
    value: float | None = None
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    coverage: float | None = None
