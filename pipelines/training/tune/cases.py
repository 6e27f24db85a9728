"""A whole tuning of a cohort's cases: nested cross-validation of the search, then the search that gives the recipe.

The test split has no part in either: it stays what `scanote train` measures the recipe on.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from data_schemas.cohort import Split
from data_schemas.errors import InputError, SettingsError
from data_schemas.recipes import ModelRecipe, ScanRecipe
from data_schemas.tuning import SearchRecord, Value
from pipelines.cases.examples import Example
from pipelines.cases.leakage.audit import audit, refuse_leaks
from pipelines.cases.leakage.case import AuditedCase
from pipelines.cases.value_units import units_of
from pipelines.models.build import build_scan_encoder, with_window
from pipelines.models.weights import load_note_model, resolve_note_encoder, weights_digest
from pipelines.training.adapters import check_tuning
from pipelines.training.cohort import check_cohort, check_numbers, digest_cohort
from pipelines.training.evaluate.cross import check_folds, each_warning_once
from pipelines.training.evaluate.evaluation import Evaluation
from pipelines.training.evaluate.folds import cross_splits
from pipelines.training.first_encoder import first_scan_encoder
from pipelines.training.run import deterministic
from pipelines.training.trained import Stage, no_stage
from pipelines.training.tune.nested import Clock, How, nested, parts_of, search_in
from pipelines.training.tune.space import ENCODER, first_trials, make_space, value_of, values_of, with_values
from pipelines.training.tune.study import open_storage
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.digests import json_digest

ALL, FEWEST_DRAWS = "all", 10


@dataclass(frozen=True)
class Tuned:
    """A finished tuning.

    ``searches`` are those of the outer folds, and last the one whose recipe is given. ``values`` are its settings by
    dotted name, ``before`` those that the settings had.
    """

    evaluation: Evaluation
    searches: tuple[SearchRecord, ...]
    recipe: ModelRecipe
    values: Mapping[str, Value]
    before: Mapping[str, Value]

    @property
    def reported(self) -> float:
        """Mean over the findings of the nested AUROC: what the tuning is worth on new patients."""
        return _mean([row.auroc.value for row in map(self.evaluation.of, self.evaluation.findings) if row is not None])

    @property
    def inner(self) -> float:
        """Mean over the outer folds of the AUROC that the search itself saw of its choice: too good to be reported."""
        areas = [search.best.auroc for search in self.searches[:-1]]
        return _mean([area for area in areas if area is not None])


def tune_cases(
    examples: Sequence[Example],
    *,
    recipe: ModelRecipe,
    trials: int = 30,
    folds: int = 5,
    minutes: float | None = None,
    seed: int | None = None,
    only: Sequence[str] = (),
    encoders: Sequence[str] = (),
    draws: int = 1000,
    audited: Sequence[AuditedCase] | None = None,
    allow_leaks: Collection[str] = (),
    groups: Mapping[str, Mapping[str, str]] | None = None,
    cache: ArrayCache | None = None,
    checkpoints: Path | None = None,
    store: Path | None = None,
    stage: Stage | None = None,
) -> Tuned:
    """Tune a recipe on the training and validation cases, and measure the tuning in outer folds of the same cases.

    Parameters
    ----------
    trials
        Of each search: one an outer fold, and one on all training and validation cases.
    minutes
        After which no further trial is begun; the first two of each search are run in any case.
    seed
        Of the outer folds and of the samplers; that of the training by default. Fits have the recipe's own.
    only, encoders
        As `make_space` has them.
    audited, allow_leaks, cache
        As `pipelines.training.run.train` has them.
    checkpoints
        Folder from which interrupted fits of scan encoders go on.
    store
        Folder that keeps the trials, so that an interrupted tuning goes on; without it, they are kept in memory.

    Raises
    ------
    LeakageError
        The audit of the cohort, or of a fold, found a leak that is not allowed.
    InputError
        Too few trials, folds or patients, no time, a seed below 0, or a cohort that cannot be trained on.
    SettingsError
        A setting cannot be tuned, or a scan encoder cannot be built.
    """
    stage, began = stage or no_stage, time.monotonic()
    recipe, notices = check_asked(
        recipe, trials=trials, folds=folds, minutes=minutes, seed=seed, draws=draws, only=only, encoders=encoders
    )
    check_numbers(examples)
    units_of(examples, modalities=recipe.modalities)
    with each_warning_once(), deterministic(recipe.training.deterministic):
        whole = parts_of(examples)
        final = check_cohort(whole, recipe)
        used = [row for row in examples if row.split != "test"]
        crossed, told = check_folds(used, recipe, folds=folds, repeats=1)
        note_model = load_note_model(
            resolve_note_encoder(recipe.note.encoder, revision=recipe.note.revision),
            states=recipe.note.states,
            window=recipe.note.window,
        )
        final, crossed = with_window(final, note_model.window), with_window(crossed, note_model.window)
        seed = recipe.training.seed if seed is None else seed
        splits = cross_splits(
            used, crossed.findings, folds=folds, seed=seed, validation_share=recipe.training.validation_share
        )
        if "note" in recipe.modalities:
            check_tuning(note_model.encoder.backbone, recipe.note)
        cuts = [parts_of(used, split) for split in splits]
        for parts in cuts:
            check_cohort(parts, crossed)
        started = _first_weights(recipe)
        _audit([whole, *cuts], audited, recipe=recipe, allow_leaks=allow_leaks, stage=stage)
        # The patients of the folds are not in the digests of their cases: who is whose may change, and the cut with it.
        cohorts = [digest_cohort([row for part in parts.values() for row in part]) for parts in (whole, *cuts)]
        origin = [recipe.model_dump(mode="json"), cohorts, note_model.digest, started]
        key = json_digest(["tune", *origin, folds, seed, sorted(only), sorted(encoders)])
        storage = open_storage(None if store is None else store / f"{key}.jsonl")
        how = How(
            trials=trials,
            seed=seed,
            only=tuple(only),
            encoders=tuple(encoders),
            note_model=note_model,
            storage=storage,
            clock=Clock(None if minutes is None else began + 60 * minutes),
            stage=stage,
            cache=cache,
            checkpoints=checkpoints,
        )
        evaluation, records = nested(
            cuts, recipe=crossed, how=how, draws=draws, groups=groups, notices=(*notices, *told)
        )
        last: dict[Split, list[Example]] = {"train": whole["train"], "validation": whole["validation"]}
        _, found = search_in(last, recipe=final, how=how, name=ALL, left=1)
    searches = (*records, found.record)
    space = make_space(final, only=only, encoders=encoders)
    return Tuned(
        evaluation=replace(evaluation, notices=(*evaluation.notices, *_short(searches))),
        searches=searches,
        recipe=found.chosen,
        values=values_of(found.chosen, space),
        before={name: value_of(final, name) for name in space.names},
    )


def check_asked(
    recipe: ModelRecipe,
    *,
    trials: int,
    folds: int,
    minutes: float | None,
    seed: int | None,
    draws: int,
    only: Sequence[str],
    encoders: Sequence[str],
) -> tuple[ModelRecipe, tuple[str, ...]]:
    """The recipe that is tuned, and what has to be said of it; raises as `tune_cases` does, before any case is read."""
    fewest = len(first_trials(make_space(recipe, only=only, encoders=encoders)))
    if seed is not None and seed < 0:
        raise InputError(f"the seed {seed}: it must be 0 or more")
    if trials < fewest:
        raise InputError(
            f"{trials} trials: a search needs {fewest} or more, for late fusion and the settings' recipe are the first"
        )
    if folds < 2:
        raise InputError(f"{folds} outer folds: nested cross-validation needs 2 or more")
    if minutes is not None and not minutes > 0:
        raise InputError("the minutes that a tuning may take must be more than 0")
    if draws < FEWEST_DRAWS:
        raise InputError(f"{draws} bootstrap samples: {FEWEST_DRAWS} or more give an interval")
    notices = []
    if encoders:
        if recipe.scan.weights is not None:
            raise SettingsError("model.scan.weights are those of one scan encoder; take them out to compare encoders")
        for name in encoders:
            _check_encoder(recipe, name)
        notices.append("each scan encoder is fitted once a fold, and its features are computed once and cached")
    if recipe.targets:
        notices.append("targets are left out while tuning: a recipe is chosen by the findings")
    return recipe.model_copy(update={"targets": {}}), tuple(notices)


def _check_encoder(recipe: ModelRecipe, name: str) -> None:
    try:
        ScanRecipe.model_validate(recipe.scan.model_dump() | {"encoder": name})
    except ValidationError as error:
        told = error.errors(include_input=False, include_url=False, include_context=False)[0]["msg"]
        raise SettingsError(f"the scan encoder {name[:40]!r} cannot be in the race: {told}") from None
    build_scan_encoder(with_values(recipe, {ENCODER: name}), signs=1, builder=recipe.scan.builder)


def _first_weights(recipe: ModelRecipe) -> str:
    """Digest of what the recipe's scan encoder begins from: what cannot be built or loaded is refused here."""
    return weights_digest(first_scan_encoder(recipe, signs=1))


def _audit(
    cuts: Sequence[Mapping[Split, Sequence[Example]]],
    audited: Sequence[AuditedCase] | None,
    *,
    recipe: ModelRecipe,
    allow_leaks: Collection[str],
    stage: Stage,
) -> None:
    """The cohort as train will have it, and then every outer fold."""
    context = {case.example.study_key: case for case in audited or ()}
    with stage("audit for leaks", len(cuts)) as report:
        for number, parts in enumerate(cuts):
            rows = [row for part in parts.values() for row in part]
            cases = [
                replace(context[row.study_key], example=row) if row.study_key in context else AuditedCase(row)
                for row in rows
            ]
            refuse_leaks(audit(cases, findings=recipe.findings), allow=allow_leaks)
            report(number + 1, len(cuts))


def _short(searches: Sequence[SearchRecord]) -> list[str]:
    """What the time did not allow."""
    short = [search for search in searches if len(search.trials) < search.wanted]
    if not short:
        return []
    fewest = min(len(search.trials) for search in short)
    return [
        f"the time was up: {len(short)} of {len(searches)} searches made fewer trials than asked for, down to {fewest}"
    ]


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if value == value]
    return sum(known) / len(known) if known else float("nan")
