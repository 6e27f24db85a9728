"""The targets of a training run: which can be learned, their values as the heads take them, and how they are measured.

Late fusion of a target is the mean of what the single modalities say of it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from data_schemas.cohort import Split
from data_schemas.errors import InputError
from data_schemas.recipes import ModelRecipe
from data_schemas.target import FittedTarget, TargetRecipe
from fusion_models.case_model import Batch, CaseModel
from pipelines.cases.examples import Example
from pipelines.models.estimates import said_of_targets
from pipelines.training.fitting import predict
from pipelines.training.report import LATE
from pipelines.training.target_report import TargetReport, conformal_margin, report_targets

FEWEST_KNOWN = 10
log = logging.getLogger(__name__)


def with_learnable_targets(parts: Mapping[Split, Sequence[Example]], recipe: ModelRecipe) -> ModelRecipe:
    """The recipe with only those targets that the training split can teach; what is left out or lacking is logged.

    Raises
    ------
    InputError
        A target has values that it cannot hold, or has the name of an observation that the model reads.
    """
    kept = {}
    for name, target in recipe.targets.items():
        if name in recipe.observation_codes:
            raise InputError(
                f"target {name} is one of model.observation_codes too: the model would read its own answer; take it "
                "out of observation_codes, or rename the target and its column"
            )
        known = {split: [row.targets[name] for row in rows if name in row.targets] for split, rows in parts.items()}
        odd = sum(not target.holds(value) for values in known.values() for value in values)
        if odd:
            raise InputError(
                f"target {name}: the values of {odd} labelled cases are not {target.values}; mend model.targets, or "
                "the column, and ingest the labels again"
            )
        # Values may differ by less than their squares can show.
        if len(known["train"]) < FEWEST_KNOWN or len(set(known["train"])) < 2 or not np.std(known["train"]) > 0:
            log.warning(
                "target %s is left out: it needs %s training cases with a value, and two different ones; was its "
                "column ingested after model.targets named it?",
                name,
                FEWEST_KNOWN,
            )
            continue
        for split, told in (("validation", "its epoch is chosen by the others"), ("test", "nothing is measured of it")):
            if not known[split]:  # type: ignore[index]
                log.warning("target %s: no value among the %s cases; %s", name, split, told)
        kept[name] = target
    return recipe.model_copy(update={"targets": kept})


def fit_targets(train: Sequence[Example], targets: Mapping[str, TargetRecipe]) -> tuple[FittedTarget, ...]:
    """The targets with mean and standard deviation of the training cases' values, where they are regressions."""
    values = target_values(train, list(targets))
    return tuple(
        FittedTarget(
            name=name,
            kind=target.kind,
            levels=target.levels,
            unit=target.unit,
            mean=float(np.nanmean(column)) if target.kind == "regression" else 0.0,
            deviation=float(np.nanstd(column)) if target.kind == "regression" else 1.0,
        )
        for (name, target), column in zip(targets.items(), values.T, strict=True)
    )


def target_values(examples: Sequence[Example], names: Sequence[str]) -> np.ndarray:
    """Values [N, T], NaN where unknown."""
    rows = [[row.targets.get(name, np.nan) for name in names] for row in examples]
    return np.array(rows, np.float64).reshape(len(examples), len(names))


def scaled_targets(examples: Sequence[Example], targets: Sequence[FittedTarget]) -> Tensor:
    """Grades as they are, and measurements standardised [N, T]; NaN where unknown."""
    values = target_values(examples, [target.name for target in targets])
    mean, deviation = (np.array([getattr(row, name) for row in targets]) for name in ("mean", "deviation"))
    return torch.from_numpy((values - mean) / deviation).float()


def measure_targets(
    models: Mapping[str, CaseModel],
    batches: Mapping[Split, Batch],
    parts: Mapping[Split, Sequence[Example]],
    targets: Sequence[FittedTarget],
    *,
    main: str,
    singles: Sequence[str],
    draws: int,
    seed: int,
) -> tuple[tuple[FittedTarget, ...], tuple[TargetReport, ...]]:
    """The targets with the margins of the main arm, from the validation split, and every arm's measures on test."""
    if not targets:
        return (), ()
    names = [target.name for target in targets]
    held_out = said_of_targets(predict(models[main], batches["validation"])[1], targets)
    residuals = {
        name: held_out[name] - column
        for name, column, target in zip(names, target_values(parts["validation"], names).T, targets, strict=True)
        if target.kind == "regression"
    }
    fitted = tuple(_with_margin(target, residuals.get(target.name)) for target in targets)
    said = {arm: said_of_targets(predict(model, batches["test"])[1], fitted) for arm, model in models.items()}
    late = {name: np.mean([said[arm][name] for arm in singles], axis=0) for name in names}
    ordered = {arm: said[arm] for arm in singles} | {LATE: late} | {arm: said[arm] for arm in models}
    reports = report_targets(
        ordered,
        target_values(parts["test"], names),
        [row.patient_key for row in parts["test"]],
        fitted,
        draws=draws,
        seed=seed,
        main=main,
    )
    return fitted, reports


def _with_margin(target: FittedTarget, residuals: np.ndarray | None) -> FittedTarget:
    if residuals is None:
        return target
    margin = conformal_margin(residuals[~np.isnan(residuals)], coverage=target.coverage)
    return target.model_copy(update={"margin": margin})
