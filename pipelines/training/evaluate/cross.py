"""Repeated, stratified cross-validation by patient: the whole training run inside every fold, nothing of it outside.

The scan encoder, the standardisation, the fusion, the choice of epochs and the late fusion are all fitted on a fold's
own training and validation patients. Only the pretrained note encoder is shared; it has seen none of them.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from data_schemas.cohort import Split
from data_schemas.errors import InputError
from data_schemas.recipes import ModelRecipe
from pipelines.cases.examples import Example
from pipelines.cases.leakage.case import AuditedCase
from pipelines.models.artefact import load_model
from pipelines.training.cohort import FEWEST_TRAINING_CASES
from pipelines.training.evaluate.curves import Reading, join_readings, read_perturbed
from pipelines.training.evaluate.evaluation import Evaluation, columns, summarise, unmeasured
from pipelines.training.evaluate.folds import cross_splits, patient_labels
from pipelines.training.evaluate.held_out import reader
from pipelines.training.evaluate.scored import Scored, join_scored, scored
from pipelines.training.report import arm_of_fusion
from pipelines.training.run import train
from pipelines.training.trained import Stage, Trained, no_stage
from pipelines.workspace.cache import ArrayCache

KIND = "cross-validation"
LOUD = ("pipelines.training.cohort", "pipelines.training.fitting", "pipelines.training.targets")


def cross_validate(
    examples: Sequence[Example],
    *,
    recipe: ModelRecipe,
    folds: int = 5,
    repeats: int = 1,
    specificity: float = 0.9,
    draws: int = 1000,
    curves: bool = True,
    audited: Sequence[AuditedCase] | None = None,
    allow_leaks: Collection[str] = (),
    groups: Mapping[str, Mapping[str, str]] | None = None,
    cache: ArrayCache | None = None,
    checkpoints: Path | None = None,
    stage: Stage | None = None,
) -> Evaluation:
    """Measure a recipe on a cohort; the splits that the examples carry do not matter.

    Cross-attention is compared with late fusion and each single modality. Curves are made of the first repeat.

    Parameters
    ----------
    folds, repeats
        Each repeat cuts the patients anew and tests every one of them once: ``folds * repeats`` training runs.
    audited, allow_leaks, cache, checkpoints, stage
        As :func:`pipelines.training.run.train` has them; an interrupted fold goes on from its checkpoints.
    groups
        More subgroups, by name and study key.

    Raises
    ------
    InputError
        Too few patients or cases for so many folds, no finding with both classes in every fold, folds or repeats out
        of range.
    LeakageError
        The audit of a fold found a leak that is not allowed.
    """
    recipe, notices = check_folds(examples, recipe, folds=folds, repeats=repeats)
    seed, findings = recipe.training.seed, recipe.findings
    context = {row.example.study_key: row for row in audited or ()}
    parts: list[Scored] = []
    readings: list[list[Reading]] = []
    with (stage or no_stage)("cross-validate", folds * repeats) as report, each_warning_once():
        for number, (repeat, split) in enumerate(_runs(examples, recipe, folds=folds, repeats=repeats, seed=seed)):
            rows = [replace(row, split=split[row.patient_key]) for row in examples]
            with tempfile.TemporaryDirectory(dir=cache.root if cache else None, prefix="fold-") as work:
                trained = train(
                    rows,
                    recipe=recipe,
                    folder=Path(work) / "model",
                    audited=[replace(context[row.study_key], example=row) for row in rows] if context else None,
                    allow_leaks=allow_leaks,
                    cache=cache,
                    checkpoints=checkpoints,
                    hold_out=True,
                )
                tested = [row for row in rows if row.split == "test"]
                part = scored(tested, _in_order(trained, tested, findings), findings, stratum=number, groups=groups)
                parts.append(_in_repeat(part, repeat, repeats))
                if curves and repeat == 0:
                    read = reader(load_model(trained.folder, builder=recipe.scan.builder), findings, cache=cache)
                    readings.append(read_perturbed(tested, read, seed=seed))
            report(number + 1, folds * repeats)
    given, main = join_scored(parts), arm_of_fusion(recipe.fusion.kind)
    return summarise(
        given,
        kind=KIND,
        task=recipe.task,
        main=main,
        others=[arm for arm in given.probabilities if arm != main],
        specificity=specificity,
        draws=draws,
        seed=seed,
        about={"folds": str(folds), "repeats": str(repeats)},
        readings=join_readings(readings),
        curved=join_scored(parts[:folds]),
        notices=notices,
    )


def check_folds(
    examples: Sequence[Example], recipe: ModelRecipe, *, folds: int, repeats: int
) -> tuple[ModelRecipe, tuple[str, ...]]:
    """The recipe with the findings that can be cross-validated, and what has to be said of the others.

    A finding needs a patient of each class in every fold. Raises InputError as `cross_validate` does.
    """
    if folds < 2 or repeats < 1:
        raise InputError("cross-validation needs 2 folds or more, and 1 repeat or more")
    keys, labels = patient_labels(examples, recipe.findings)
    if len(keys) < folds:
        raise InputError(f"{len(keys)} labelled patients for {folds} folds: ingest more cases or labels")
    # A linear recipe chooses by inner folds, and fits on the validation patients too.
    kept_back = 0.0 if recipe.fusion.kind == "linear" else recipe.training.validation_share
    training = int(len(examples) * (1 - 1 / folds) * (1 - kept_back))
    if training < FEWEST_TRAINING_CASES:
        raise InputError(
            f"{len(examples)} labelled cases of {len(keys)} patients: each of {folds} folds would train on about "
            f"{training}, and training needs at least {FEWEST_TRAINING_CASES}: ingest more cases or labels"
        )
    positives, negatives = (labels == 1).sum(axis=0), (labels == 0).sum(axis=0)
    kept, notices = [], []
    for number, name in enumerate(recipe.findings):
        fewest = int(min(positives[number], negatives[number]))
        if fewest >= folds:
            kept.append(name)
        else:
            which = "with" if positives[number] <= negatives[number] else "without"
            told = f"fewer patients {which} it than folds" if fewest else f"no patient {which} it"
            notices.append(f"finding {name} is left out: {told}, and each of the {folds} folds needs one")
    if not kept:
        raise InputError(
            f"no finding has patients with and without it for each of {folds} folds: add labels, or take fewer folds"
        )
    if recipe.scan.weights is not None:
        notices.append("the scan encoder starts from weights of a file: they must not come from these patients")
    notices += unmeasured(recipe.targets)
    return recipe.model_copy(update={"findings": tuple(kept)}), tuple(notices)


def _runs(
    examples: Sequence[Example], recipe: ModelRecipe, *, folds: int, repeats: int, seed: int
) -> Iterator[tuple[int, Mapping[str, Split]]]:
    for repeat in range(repeats):
        made = cross_splits(
            examples,
            recipe.findings,
            folds=folds,
            seed=seed + repeat,
            validation_share=recipe.training.validation_share,
        )
        yield from ((repeat, split) for split in made)


def _in_order(trained: Trained, tested: Sequence[Example], findings: Sequence[str]) -> dict[str, np.ndarray]:
    """Probabilities of the fold's test cases by arm, in the order of the examples."""
    place = {key: number for number, key in enumerate(trained.test_keys)}
    order = [place[row.study_key] for row in tested]
    has = trained.card.recipe.findings
    return {arm: columns(values[order], has, findings) for arm, values in trained.probabilities.items()}


def _in_repeat(part: Scored, repeat: int, repeats: int) -> Scored:
    if repeats == 1:
        return part
    return replace(part, groups={**part.groups, "repeat": np.full(len(part), str(repeat + 1), object)})


@contextmanager
def each_warning_once() -> Iterator[None]:
    """Every fold warns of what its cohort lacks; once is enough."""
    told: set[str] = set()

    def fresh(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        new = message not in told
        told.add(message)
        return new

    loggers = [logging.getLogger(name) for name in LOUD]
    for logger in loggers:
        logger.addFilter(fresh)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(fresh)
