"""Folds for cross-validation: whole patients, stratified by all findings at once, repeated.

Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011, ECML PKDD): the rarest label first, each of its
patients into the fold that wants most of it. A known negative is a label of its own here: labels have blanks, and a
fold needs both classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from data_schemas.cohort import Split
from pipelines.cases.examples import Example


def stratified_folds(labels: np.ndarray, *, folds: int, seed: int) -> np.ndarray:
    """The fold [P] of every patient.

    Parameters
    ----------
    labels
        [P, F]: 1, 0, or NaN where unknown.

    Raises
    ------
    ValueError
        Fewer than two folds, or fewer patients than folds.
    """
    patients = len(labels)
    if folds < 2 or patients < folds:
        raise ValueError(f"{patients} patients cannot be cut into {folds} folds")
    rng = np.random.default_rng(seed)
    has = np.concatenate([labels == 1, labels == 0], axis=1)
    wanted = np.full(folds, patients / folds)
    wanted_of = np.outer(has.sum(axis=0) / folds, np.ones(folds))
    place = np.full(patients, -1)

    def put(patient: int, fold: int) -> None:
        place[patient] = fold
        wanted[fold] -= 1
        wanted_of[has[patient], fold] -= 1

    while (left := place < 0).any():
        counts = has[left].sum(axis=0)
        if not counts.any():
            for patient in rng.permutation(np.flatnonzero(left)):
                put(int(patient), _choose(wanted, wanted, rng))
            break
        rarest = int(np.argmin(np.where(counts > 0, counts, patients + 1)))
        for patient in rng.permutation(np.flatnonzero(left & has[:, rarest])):
            put(int(patient), _choose(wanted_of[rarest], wanted, rng))
    return place


def patient_labels(examples: Sequence[Example], findings: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """The patients in order of their keys, and their labels [P, F]: 1 where any of their cases has the finding,
    0 where the known ones have not, NaN where none is known.
    """
    keys = sorted({example.patient_key for example in examples})
    number = {key: index for index, key in enumerate(keys)}
    labels = np.full((len(keys), len(findings)), np.nan)
    for example in examples:
        for column, name in enumerate(findings):
            if (value := example.labels.get(name)) in (0, 1):
                row = number[example.patient_key]
                labels[row, column] = np.fmax(labels[row, column], value)
    return keys, labels


def cross_splits(
    examples: Sequence[Example],
    findings: Sequence[str],
    *,
    folds: int,
    seed: int,
    validation_share: float,
) -> list[Mapping[str, Split]]:
    """One split of all patients a fold: the fold is the test split, and part of the others validates.

    Every patient is tested once. The validation split is stratified as the folds are, and takes nothing from the test
    split: epochs are chosen without it.
    """
    keys, labels = patient_labels(examples, findings)
    place = stratified_folds(labels, folds=folds, seed=seed)
    made: list[Mapping[str, Split]] = []
    for fold in range(folds):
        rest = np.flatnonzero(place != fold)
        parts = min(max(2, round(1 / validation_share)), len(rest))
        inner = stratified_folds(labels[rest], folds=parts, seed=seed + 1000 * (fold + 1))
        split: dict[str, Split] = dict.fromkeys((keys[n] for n in np.flatnonzero(place == fold)), "test")
        split |= {keys[n]: "validation" if part == 0 else "train" for n, part in zip(rest, inner, strict=True)}
        made.append(split)
    return made


def _choose(first: np.ndarray, second: np.ndarray, rng: np.random.Generator) -> int:
    """The fold that wants most of the label; then the one that wants most patients; then any."""
    best = np.flatnonzero(first >= first.max() - 1e-9)
    best = best[second[best] >= second[best].max() - 1e-9]
    return int(rng.choice(best))
