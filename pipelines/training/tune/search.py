"""One search: trials on the training and validation part of a cut, and the finalists among them. No test case is seen.

The best trials, and the best one of late fusion, are fitted again with other seeds; the lowest mean validation loss is
chosen, for the best of many trials owes part of its place to the luck of its seed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from data_schemas.errors import InputError
from data_schemas.recipes import ModelRecipe
from data_schemas.tuning import Finalist, SearchRecord, TriedRecipe
from fusion_models.case_model import CaseModel
from pipelines.training.fitting import predict_logits
from pipelines.training.metrics import auroc
from pipelines.training.tune.material import Inner
from pipelines.training.tune.space import LATE, Space, first_trials, suggested, values_of
from pipelines.training.tune.study import ask, finished, open_study

if TYPE_CHECKING:
    import optuna

FINALISTS, SEEDS = 3, 3
AUROC, DIVERGED, FIXED = "auroc", "diverged", "fixed"


@dataclass(frozen=True)
class Found:
    """A finished search: its record, the chosen recipe, and the best one of late fusion."""

    record: SearchRecord
    chosen: ModelRecipe
    late: ModelRecipe


def search(
    inner: Mapping[str, Inner],
    space: Space,
    *,
    storage: optuna.storages.BaseStorage,
    name: str,
    trials: int,
    seed: int,
    seconds: float | None = None,
    report: Callable[[int, int], None] | None = None,
) -> Found:
    """Try so many recipes, or as many as the time allows, and choose one.

    The first trials are fixed: late fusion with the settings' own values, and the settings' own recipe. They are run
    whatever the time, and are never broken off.

    Parameters
    ----------
    inner
        The cut by scan encoder.
    storage, name
        Where the trials are kept, and under which name: those that ended are not repeated.
    seed
        Of the sampler.
    seconds
        After which no new trial is begun.

    Raises
    ------
    InputError
        The loss of one of the first trials is not finite.
    """
    study = open_study(storage, name, epochs=space.base.training.epochs)
    fixed = list(first_trials(space).items())
    end = None if seconds is None else time.monotonic() + seconds
    while (ended := len(finished(study, at_most=trials))) < trials:
        if end is not None and time.monotonic() > end and ended >= len(fixed):
            break
        told, parameters = fixed[ended] if ended < len(fixed) else ("", None)
        _try(ask(study, ended=ended, seed=seed, fixed=parameters), inner, space, study=study, fixed=told)
        if report:
            report(ended + 1, trials)
    rows = finished(study, at_most=trials)
    recipes = [suggested(row, space) for row in rows]
    tried = [_record(row, number, recipes[number], space) for number, row in enumerate(rows)]
    whole = sorted((row for row in tried if row.loss is not None), key=lambda row: (row.loss, row.number))
    late = next(row for row in whole if recipes[row.number].fusion.kind == LATE)
    finalists = [
        Finalist(trial=row.number, losses=_losses(study, inner, row, recipes[row.number]))
        for row in (*whole[:FINALISTS], *(() if late in whole[:FINALISTS] else (late,)))
    ]
    best = min(finalists, key=lambda row: (row.mean, row.trial))
    lates = [row for row in finalists if recipes[row.trial].fusion.kind == LATE]
    best_late = min(lates, key=lambda row: (row.mean, row.trial))
    record = SearchRecord(name=name, wanted=trials, trials=tuple(tried), finalists=tuple(finalists), chosen=best.trial)
    return Found(record, chosen=recipes[best.trial], late=recipes[best_late.trial])


def mean_auroc(model: CaseModel, inner: Inner) -> float | None:
    """The mean over the findings of the AUROC on the validation part; None where none has both classes there."""
    scores = predict_logits(model, inner.validation).numpy()
    labels = inner.validation_labels.numpy()
    areas = []
    for column in range(labels.shape[1]):
        known = (labels[:, column] == 0) | (labels[:, column] == 1)
        areas.append(auroc(scores[known, column], labels[known, column], np.ones((1, int(known.sum()))))[0])
    defined = [float(area) for area in areas if np.isfinite(area)]
    return float(np.mean(defined)) if defined else None


def _try(trial: optuna.Trial, inner: Mapping[str, Inner], space: Space, *, study: optuna.Study, fixed: str) -> None:
    """Run one trial, and tell the study how it ended; a loss that is not finite ends all but the fixed ones."""
    import optuna

    trial.set_user_attr(FIXED, fixed)
    recipe = suggested(trial, space)
    cut = inner[recipe.scan.encoder]

    def report(epoch: int, metrics: dict[str, float]) -> None:
        trial.report(metrics["validation_loss"], epoch)
        if not fixed and trial.should_prune():
            raise optuna.TrialPruned

    try:
        model, fitted = cut.fit(recipe, report=report)
    except optuna.TrialPruned:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    except InputError:
        if fixed:
            raise
        trial.set_user_attr(DIVERGED, True)
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    else:
        trial.set_user_attr(AUROC, mean_auroc(model, cut))
        study.tell(trial, fitted.best_loss)


def _losses(
    study: optuna.Study, inner: Mapping[str, Inner], row: TriedRecipe, recipe: ModelRecipe
) -> tuple[float | None, ...]:
    """The validation losses of a trial's recipe with its own seed and with others; each is fitted once, ever."""
    if row.loss is None:
        raise ValueError("only a whole trial can be a finalist")
    losses: list[float | None] = [row.loss]
    for more in range(1, SEEDS):
        key = f"finalist {row.number}, seed {more}"
        if key not in study.user_attrs:
            training = recipe.training.model_copy(update={"seed": recipe.training.seed + more})
            study.set_user_attr(
                key, _loss(inner[recipe.scan.encoder], recipe.model_copy(update={"training": training}))
            )
        losses.append(study.user_attrs[key])
    return tuple(losses)


def _loss(cut: Inner, recipe: ModelRecipe) -> float | None:
    """The validation loss of a recipe; None where it is not finite."""
    try:
        return cut.fit(recipe)[1].best_loss
    except InputError:
        return None


def _record(row: optuna.trial.FrozenTrial, number: int, recipe: ModelRecipe, space: Space) -> TriedRecipe:
    whole = row.value if row.state.name == "COMPLETE" else None
    held: dict[str, Any] = row.user_attrs
    return TriedRecipe(
        number=number,
        state="complete" if whole is not None else "diverged" if held.get(DIVERGED) else "pruned",
        fixed=held.get(FIXED, ""),
        parameters=values_of(recipe, space),
        epochs=len(row.intermediate_values),
        loss=whole,
        auroc=held.get(AUROC) if whole is not None else None,
    )
