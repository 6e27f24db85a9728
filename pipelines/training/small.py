"""A training run on a small cohort: nothing held back, every figure from cross-validation, a linear reader in the end.

With a hundred cases, a test split of a quarter has an interval too wide to tell anything, and a network of a million
weights learns the cases by heart. So here every case is tested, in repeated folds of whole patients, with everything
fitted inside them; and the model is then fitted on all cases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from data_schemas.recipes import ModelRecipe
from fusion_models.case_model import Batch, CaseModel
from fusion_models.linear_diagnoser import LinearDiagnoser, pool
from pipelines.training.evaluate.folds import stratified_folds
from pipelines.training.linear import LinearScore, Vectors, fit_finding
from pipelines.training.report import SELECTED


@torch.no_grad()
def cross_validated(
    model: CaseModel,
    batch: Batch,
    labels: np.ndarray,
    patients: Sequence[str],
    *,
    recipe: ModelRecipe,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, np.ndarray]:
    """Probabilities [N, F] by arm, each case's from folds that did not hold its patient, averaged over the repeats.

    ``model`` lends its encoders, whose statistics are fitted inside each fold. Where its training cases have too few
    patients of a class of a finding, the fold's cases get the share of positives.
    """
    from scipy.special import expit

    keys, place = np.unique(np.asarray(patients), return_inverse=True)
    training = recipe.training
    folds = max(2, min(training.folds, len(keys)))
    of_patient = np.full((len(keys), labels.shape[1]), np.nan)
    for row, number in enumerate(place):
        of_patient[number] = np.fmax(of_patient[number], labels[row])
    total: dict[str, np.ndarray] = {}
    for repeat in range(training.repeats):
        fold = stratified_folds(of_patient, folds=folds, seed=training.seed + repeat)[place]
        for number in range(folds):
            train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
            fitted = fit_scores(model, batch, labels, patients, rows=train, seed=training.seed)
            vectors = vectors_of(model, batch, test)
            for column, scores in enumerate(fitted):
                for arm, score in scores.items():
                    table = total.setdefault(arm, np.zeros_like(labels))
                    table[test, column] += expit(score.logits(vectors))
            if progress:
                progress(repeat * folds + number + 1, training.repeats * folds)
    return {arm: table / training.repeats for arm, table in total.items()}


@torch.no_grad()
def fit_scores(
    model: CaseModel, batch: Batch, labels: np.ndarray, patients: Sequence[str], *, rows: np.ndarray, seed: int
) -> list[Mapping[str, LinearScore]]:
    """The scores of every finding by arm, fitted on some rows, as are the statistics of ``model``'s encoders."""
    model.fit_statistics(batch.take(torch.from_numpy(rows)))
    vectors = vectors_of(model, batch, rows)
    held = [patients[int(row)] for row in rows]
    found: list[Mapping[str, LinearScore]] = []
    for column in range(labels.shape[1]):
        fitted = fit_finding(vectors, labels[rows, column], held, seed=seed)
        found.append({**fitted.arms, SELECTED: fitted.arms[fitted.chosen]})
    return found


def probabilities_of(
    model: CaseModel, batch: Batch, fitted: Sequence[Mapping[str, LinearScore]], *, rows: np.ndarray
) -> dict[str, np.ndarray]:
    """Probabilities [N, F] by arm of some rows that the scores were not fitted on."""
    from scipy.special import expit

    vectors = vectors_of(model, batch, rows)
    return {arm: np.stack([expit(scores[arm].logits(vectors)) for scores in fitted], axis=1) for arm in fitted[0]}


@torch.no_grad()
def vectors_of(model: CaseModel, batch: Batch, rows: np.ndarray) -> dict[str, Vectors]:
    """Pooled tokens of some rows by modality, in float64."""
    tokens = model.tokens(batch.take(torch.from_numpy(rows)))
    pooled = {name: pool(part) for name, part in tokens.items()}
    return {name: Vectors(value.double().numpy(), present.numpy()) for name, (value, present) in pooled.items()}


def fill(reader: LinearDiagnoser, scores: Sequence[LinearScore]) -> None:
    """Write the score of every finding into a reader."""
    parts: dict[str, dict[str, torch.Tensor]] = {}
    for name in reader.names:
        rows = [score.parts.get(name) for score in scores]
        width = getattr(reader, f"centre_{name}").shape[-1]
        parts[name] = {
            "centre": _stack([row.centre if row else np.zeros(width) for row in rows]),
            "spread": _stack([row.spread if row else np.ones(width) for row in rows]),
            "weight": _stack([row.weight if row else np.zeros(width) for row in rows]),
            "offset": _stack([row.offset if row else 0.0 for row in rows]),
            "share": _stack([row.share if row else 0.0 for row in rows]),
        }
    reader.fill(_stack([score.bias for score in scores]), parts)


def _stack(rows: Sequence[np.ndarray | float]) -> torch.Tensor:
    return torch.from_numpy(np.stack([np.asarray(row, dtype=np.float64) for row in rows])).float()
