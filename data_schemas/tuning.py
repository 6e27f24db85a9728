"""What a tuning leaves behind: every trial, the finalists, and which recipe was chosen. Aggregates only."""

from __future__ import annotations

import math
from typing import Literal

from data_schemas.base import Record

TrialState = Literal["complete", "pruned", "diverged"]
Value = str | int | float


class TriedRecipe(Record):
    """One trial of a search.

    ``fixed`` says which of the fixed first trials it is: ``late`` (late fusion with the settings' own values) or
    ``settings`` (the settings' own recipe). ``loss`` is the validation loss of the best epoch, ``auroc`` the mean AUROC
    over the findings on the same validation cases; None where the trial was broken off (``pruned``), or its loss was
    not finite (``diverged``).
    """

    number: int
    state: TrialState
    fixed: Literal["", "late", "settings"] = ""
    parameters: dict[str, Value]
    epochs: int
    loss: float | None = None
    auroc: float | None = None


class Finalist(Record):
    """One of the best trials, fitted again with other seeds: ``losses`` on the validation cases, one a seed.

    A loss is None where it was not finite.
    """

    trial: int
    losses: tuple[float | None, ...]

    @property
    def mean(self) -> float:
        """By which the finalists are told apart; infinite where a loss was not finite."""
        known = [loss for loss in self.losses if loss is not None]
        return sum(known) / len(known) if len(known) == len(self.losses) else math.inf


class SearchRecord(Record):
    """One search: on the training and validation part of an outer fold, or on ``all`` that may be used.

    ``wanted`` trials were asked for; fewer are there where the time was up.
    """

    name: str
    wanted: int
    trials: tuple[TriedRecipe, ...]
    finalists: tuple[Finalist, ...]
    chosen: int

    def trial(self, number: int) -> TriedRecipe:
        """A trial by its number."""
        return self.trials[number]

    @property
    def best(self) -> TriedRecipe:
        """The trial whose recipe was chosen."""
        return self.trials[self.chosen]
