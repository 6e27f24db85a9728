"""Nested cross-validation by patient: what a whole tuning is worth, measured on patients that no search has seen.

In each outer fold the scan encoder is fitted, the cases are encoded, and the recipe is searched for, on the fold's own
training and validation patients. What was chosen is then measured on the fold's test patients, beside the settings'
own recipe and late fusion, fitted on the same patients. The best figure of a search itself is too good: it is the best
of many on the same few validation cases (Cawley and Talbot 2010, JMLR 11; Varma and Simon 2006, BMC Bioinformatics 7).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data_schemas.cohort import Split
from data_schemas.recipes import ModelRecipe
from data_schemas.tuning import SearchRecord
from pipelines.cases.examples import Example
from pipelines.models.weights import NoteModel
from pipelines.training.cohort import SPLITS, check_cohort, digest_example
from pipelines.training.evaluate.evaluation import Evaluation, columns, summarise
from pipelines.training.evaluate.scored import Scored, join_scored, scored
from pipelines.training.trained import Stage
from pipelines.training.tune.material import Prepared, prepare
from pipelines.training.tune.search import Found, search
from pipelines.training.tune.space import KIND, LATE, make_space, with_values
from pipelines.workspace.cache import ArrayCache

if TYPE_CHECKING:
    import optuna

KIND_OF_REPORT = "nested cross-validation of tuning"
TUNED, UNTUNED, LATE_UNTUNED, LATE_TUNED = "tuned", "untuned", "untuned late", "tuned late"


@dataclass(frozen=True)
class Clock:
    """The time that is left, shared out evenly among the searches that are still to come; without an end, no limit."""

    end: float | None = None

    def share(self, searches: int) -> float | None:
        """Seconds for the next one of so many searches."""
        return None if self.end is None else max(0.0, self.end - time.monotonic()) / searches


@dataclass(frozen=True)
class How:
    """What all searches of a tuning share."""

    trials: int
    seed: int
    only: tuple[str, ...]
    encoders: tuple[str, ...]
    note_model: NoteModel
    storage: optuna.storages.BaseStorage
    clock: Clock
    stage: Stage
    cache: ArrayCache | None = None
    checkpoints: Path | None = None


def parts_of(rows: Sequence[Example], split: Mapping[str, Split] | None = None) -> dict[Split, list[Example]]:
    """The examples by split, their own or that of their patient, in an order that is theirs alone."""
    given = [row if split is None else replace(row, split=split[row.patient_key]) for row in rows]
    given.sort(key=digest_example)
    return {name: [row for row in given if row.split == name] for name in SPLITS}


def nested(
    cuts: Sequence[Mapping[Split, Sequence[Example]]],
    *,
    recipe: ModelRecipe,
    how: How,
    draws: int,
    groups: Mapping[str, Mapping[str, str]] | None = None,
    notices: Sequence[str] = (),
) -> tuple[Evaluation, tuple[SearchRecord, ...]]:
    """Search in every outer fold, and measure what was chosen on its test patients.

    Parameters
    ----------
    cuts
        The outer folds, as `parts_of` gives them; each patient is in the test part of one.
    recipe
        The settings' own, with the findings that every fold can measure.
    groups
        More subgroups, by name and study key.
    """
    scored_parts: list[Scored] = []
    records: list[SearchRecord] = []
    for number, parts in enumerate(cuts):
        own = check_cohort(parts, recipe)
        name = f"fold {number + 1}"
        # One search is still to come after the last fold: that on all cases.
        prepared, found = search_in(parts, recipe=own, how=how, name=name, left=len(cuts) - number + 1)
        tables = predictions(prepared, found, own)
        known = {arm: columns(table, own.findings, recipe.findings) for arm, table in tables.items()}
        scored_parts.append(scored(parts["test"], known, recipe.findings, stratum=number, groups=groups))
        records.append(found.record)
    evaluation = summarise(
        join_scored(scored_parts),
        kind=KIND_OF_REPORT,
        task=recipe.task,
        main=TUNED,
        others=(UNTUNED, LATE_UNTUNED, LATE_TUNED),
        specificity=0.9,
        draws=draws,
        seed=how.seed,
        about={"outer folds": str(len(cuts)), "trials a search": str(how.trials)},
        notices=notices,
    )
    return evaluation, tuple(records)


def search_in(
    parts: Mapping[Split, Sequence[Example]], *, recipe: ModelRecipe, how: How, name: str, left: int
) -> tuple[Prepared, Found]:
    """Fit the scan encoders on a cut, encode it, and search on its training and validation part.

    ``left`` is how many searches share the time that is left, this one included.
    """
    space = make_space(recipe, only=how.only, encoders=how.encoders)
    prepared = prepare(
        parts,
        recipe=recipe,
        encoders=tuple(dict.fromkeys((recipe.scan.encoder, *how.encoders))),
        note_model=how.note_model,
        cache=how.cache,
        checkpoints=how.checkpoints,
        stage=how.stage,
        name=name,
    )
    with how.stage(f"{name}: search", how.trials) as report:
        found = search(
            prepared.inner,
            space,
            storage=how.storage,
            name=name,
            trials=how.trials,
            seed=how.seed,
            seconds=how.clock.share(left),
            report=report,
        )
    return prepared, found


def predictions(prepared: Prepared, found: Found, recipe: ModelRecipe) -> dict[str, np.ndarray]:
    """Probabilities [N, F] of the test cases by arm; arms of the same recipe are fitted once."""
    arms = {
        TUNED: found.chosen,
        UNTUNED: recipe,
        LATE_UNTUNED: with_values(recipe, {KIND: LATE}),
        LATE_TUNED: found.late,
    }
    fitted: dict[str, np.ndarray] = {}
    for chosen in arms.values():
        key = chosen.model_dump_json()
        if key not in fitted:
            fitted[key] = prepared.predict(chosen)
    return {arm: fitted[chosen.model_dump_json()] for arm, chosen in arms.items()}
