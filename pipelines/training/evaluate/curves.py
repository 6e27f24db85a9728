"""Curves of AUROC against what is missing or wrong in the inputs, from few readings of a model.

A model reads every case by itself. So a curve over the share of cases that lack a modality needs two readings, of all
cases whole and of all cases without it; a point of the curve takes each case from one of the two by lot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from pipelines.cases.examples import Example
from pipelines.training.evaluate.bootstrap import bootstrap_interval, resampled
from pipelines.training.evaluate.delong import UNDEFINED
from pipelines.training.evaluate.measures import auroc_within
from pipelines.training.evaluate.perturb import (
    MODALITIES,
    has_modality,
    with_dropped_slices,
    with_image_noise,
    with_others_notes,
    with_typos,
    without_modality,
)
from pipelines.training.evaluate.scored import Scored
from pipelines.training.metrics import Interval

Read = Callable[[Sequence[Example]], np.ndarray]
SHARES = tuple(number / 10 for number in range(11))
NOISE, DROPPED, TYPOS = (0.25, 0.5, 1.0, 2.0), (0.1, 0.25, 0.5, 0.75), (0.02, 0.05, 0.1, 0.2)
IMAGE_NOISE, DROPPED_SLICES, TYPING = "image noise (SD)", "dropped slices", "typing errors a letter"
MISSING = "missing "
OTHERS_NOTE = "another patient's note"
MASKS = 25
"""How many lots the estimate of a point is the mean of."""


@dataclass(frozen=True)
class CurveRow:
    """AUROC of a finding where ``curve`` is at ``level``; a bootstrap interval over patients and over the lots."""

    finding: str
    curve: str
    level: float
    auroc: Interval = UNDEFINED


@dataclass(frozen=True)
class Reading:
    """What a model said of all cases with something done to all of them.

    ``probabilities`` [N, F]; ``concerned`` [N]: the cases that it can be done to. ``mixed``: a curve over the share of
    cases is made from it, each case by lot; else it is one point at ``level``.
    """

    curve: str
    level: float
    mixed: bool
    probabilities: np.ndarray
    concerned: np.ndarray


def read_perturbed(examples: Sequence[Example], read: Read, *, seed: int) -> list[Reading]:
    """The readings that the curves are made from, always the same ones in the same order."""
    has = {name: np.array([has_modality(example, name) for example in examples], bool) for name in MODALITIES}
    changes: list[tuple[str, float, bool, str, Callable[[], list[Example]]]] = [
        (f"{MISSING}{name}", 1.0, True, name, partial(_each, examples, without_modality, modality=name))
        for name in MODALITIES
    ]
    for curve, name, levels, make in (
        (IMAGE_NOISE, "scan", NOISE, with_image_noise),
        (DROPPED_SLICES, "scan", DROPPED, with_dropped_slices),
        (TYPING, "note", TYPOS, with_typos),
    ):
        changes += [
            (curve, level, False, name, partial(_each, examples, make, share=level, seed=seed)) for level in levels
        ]
    changes.append((OTHERS_NOTE, 1.0, True, "note", partial(with_others_notes, examples, seed=seed)))
    whole: np.ndarray | None = None
    found = []
    for curve, level, mixed, name, make_all in changes:
        if has[name].any():
            probabilities = read(make_all())
        else:
            probabilities = whole = read(examples) if whole is None else whole
        found.append(Reading(curve, level, mixed, probabilities, has[name]))
    return found


def join_readings(parts: Sequence[Sequence[Reading]]) -> list[Reading]:
    """The readings of several folds, their cases one after the other."""
    return [
        replace(
            same[0],
            probabilities=np.concatenate([reading.probabilities for reading in same]),
            concerned=np.concatenate([reading.concerned for reading in same]),
        )
        for same in zip(*parts, strict=True)
    ]


def curve_rows(given: Scored, readings: Sequence[Reading], *, main: str, draws: int, seed: int) -> tuple[CurveRow, ...]:
    """The points of all curves, from nothing done (level 0) on, for every finding with both classes.

    A curve of something that no case has is left out.
    """
    rows: list[CurveRow] = []
    for number, finding in enumerate(given.findings):
        whole = given.probabilities[main][:, number]
        known = np.flatnonzero(np.isfinite(whole) & np.isfinite(given.labels[:, number]))
        part = given.take(known)
        if len(set(part.labels[:, number].tolist())) < 2:
            continue
        for reading in readings:
            other, concerned = reading.probabilities[known, number], reading.concerned[known]
            if not concerned.any():
                continue
            levels = SHARES if reading.mixed else (reading.level,)
            if not reading.mixed and reading.curve not in {row.curve for row in rows if row.finding == finding}:
                levels = (0.0, *levels)
            for level in levels:
                chance = concerned * (level if reading.mixed else float(level > 0))
                area = _area(part, number, np.concatenate([whole[known], other]), chance, draws=draws, seed=seed)
                rows.append(CurveRow(finding, reading.curve, level, area))
    return tuple(rows)


def _area(given: Scored, number: int, scores: np.ndarray, chance: np.ndarray, *, draws: int, seed: int) -> Interval:
    """AUROC where each case takes its second score with its own chance [N]; ``scores`` [2 N], the first ones first."""
    rng = np.random.default_rng(seed)
    label, strata = np.tile(given.labels[:, number], 2), np.tile(given.strata, 2)

    def measure(weights: np.ndarray) -> np.ndarray:
        lots = rng.random(weights.shape) < chance
        return auroc_within(scores, label, strata, np.concatenate([weights * ~lots, weights * lots], axis=1))

    samples = resampled(measure, given.patients, draws=draws, seed=seed)
    if 0.0 < chance.max() < 1.0:
        samples[0] = measure(np.ones((MASKS, len(chance)))).mean()
    fewest = min(len(set(given.patients[given.labels[:, number] == value].tolist())) for value in (1, 0))
    return bootstrap_interval(samples, fewest)


def _each(examples: Sequence[Example], change: Callable[..., Example], **how: Any) -> list[Example]:
    return [change(example, **how) for example in examples]
