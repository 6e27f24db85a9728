"""An evaluation: what was measured on whom, as tables. It holds aggregates only, and no count under ten patients."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.training.evaluate.compare import DifferenceRow, difference_rows
from pipelines.training.evaluate.curves import CurveRow, Reading, curve_rows
from pipelines.training.evaluate.scored import Scored
from pipelines.training.evaluate.table import ALL, FEWEST, MeasureRow, measure_rows

CURVE_DRAWS = 200
"""Bootstrap samples of a curve's points at most: there are many points."""


@dataclass(frozen=True)
class Evaluation:
    """``kind``: cross-validation, held-out test or external test. ``about`` says how, for the report and MLflow.

    ``main`` is the arm that subgroups, curves and comparisons are about. ``notices`` are what a reader has to know:
    each one line.
    """

    kind: str
    task: str
    main: str
    arms: tuple[str, ...]
    findings: tuple[str, ...]
    specificity: float
    about: Mapping[str, str]
    rows: tuple[MeasureRow, ...]
    differences: tuple[DifferenceRow, ...]
    curves: tuple[CurveRow, ...]
    notices: tuple[str, ...]

    def of(self, finding: str, arm: str | None = None) -> MeasureRow | None:
        """The row of a finding and arm (the main one by default) on all cases."""
        wanted = (finding, arm or self.main, ALL)
        return next((row for row in self.rows if (row.finding, row.arm, row.group) == wanted), None)


def summarise(
    given: Scored,
    *,
    kind: str,
    task: str,
    main: str,
    others: Sequence[str],
    specificity: float,
    draws: int,
    seed: int,
    about: Mapping[str, str],
    readings: Sequence[Reading] = (),
    curved: Scored | None = None,
    notices: Sequence[str] = (),
) -> Evaluation:
    """Make all tables from the scored cases.

    Parameters
    ----------
    others
        The arms that the main one is compared with.
    readings, curved
        The perturbed readings, and the scored cases that they were made of (default: all of them).
    """
    rows = measure_rows(given, main=main, specificity=specificity, draws=draws, seed=seed)
    patients, studies = len(set(given.patients.tolist())), len(set(given.studies.tolist()))
    told = {
        "patients": _told(patients),
        "cases": _told(studies) if patients >= FEWEST else f"under {FEWEST}",
        "specificity": f"{specificity:g}",
        "bootstrap samples": str(draws),
        "seed": str(seed),
    }
    return Evaluation(
        kind=kind,
        task=task,
        main=main,
        arms=tuple(given.probabilities),
        findings=given.findings,
        specificity=specificity,
        about={**about, **told},
        rows=rows,
        differences=difference_rows(given, main=main, others=others, draws=draws, seed=seed),
        curves=curve_rows(curved or given, readings, main=main, draws=min(draws, CURVE_DRAWS), seed=seed),
        notices=(*notices, *_notices(given, rows, readings)),
    )


def _notices(given: Scored, rows: Sequence[MeasureRow], readings: Sequence[Reading]) -> list[str]:
    found = []
    for number, finding in enumerate(given.findings):
        labels = given.labels[:, number]
        people = {value: len(set(given.patients[labels == value].tolist())) for value in (1, 0)}
        if not max(people.values()):
            found.append(f"finding {finding}: no case has a known label; nothing is measured")
        elif not min(people.values()):
            lacking = "positive" if not people[1] else "negative"
            found.append(f"finding {finding}: no {lacking} case; nothing is measured")
        elif min(people.values()) < FEWEST:
            found.append(
                f"finding {finding}: under {FEWEST} patients of a class; its counts are withheld, and its intervals "
                "are rough"
            )
    if len(set(given.patients.tolist())) < 2 * FEWEST:
        found.append(f"fewer than {2 * FEWEST} patients: the intervals say how little such a cohort can tell")
    absent = {reading.curve for reading in readings if not reading.concerned.any()}
    if absent:
        found.append(f"left out, as no case has what they change: {', '.join(sorted(absent))}")
    return found


def _told(count: int) -> str:
    return str(count) if count >= FEWEST else f"under {FEWEST}"


def shared_findings(names: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The findings of the first model that every other one has too."""
    return tuple(name for name in names[0] if all(name in other for other in names[1:]))


def unmeasured(targets: Collection[str]) -> list[str]:
    """That the targets of a recipe or model are not evaluated, where it has any."""
    told = "the tables are of the findings; scanote train measures targets on its test split"
    return [f"not measured here: {', '.join(sorted(targets))} ({told})"] if targets else []


def columns(probabilities: np.ndarray, has: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """Columns [N, F] of the wanted findings; NaN where a model does not have one."""
    made = np.full((len(probabilities), len(wanted)), np.nan)
    for number, name in enumerate(wanted):
        if name in has:
            made[:, number] = probabilities[:, list(has).index(name)]
    return made
