"""The table of a training run: per finding, every arm's AUROC and AUPRC with intervals, and paired differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from data_schemas.recipes import FusionRecipe
from pipelines.training.metrics import Interval, auroc, average_precision, interval, patient_weights

FUSION, LATE, SELECTED = "cross-attention", "late fusion", "selected fusion"
# The arms of the other fusions; each is named by its word in the settings.
OTHER_FUSIONS: tuple[str, ...] = tuple(
    kind for kind in get_args(FusionRecipe.model_fields["kind"].annotation) if kind not in (FUSION, "linear")
)
SCAN, NOTE, OBSERVATION = SINGLES = ("scan only", "note only", "observations only")
CONCEPT, RADIOMICS, WORDS = "concepts only", "radiomics only", "words only"
# The single-modality arm of each modality that a recipe may name.
ARM_OF = {
    "scan": SCAN,
    "radiomics": RADIOMICS,
    "note": NOTE,
    "words": WORDS,
    "observation": OBSERVATION,
    "concept": CONCEPT,
}


def arm_of_fusion(kind: str) -> str:
    """The arm of the model whose fusion has this word in the settings."""
    return SELECTED if kind == "linear" else kind


@dataclass(frozen=True)
class FindingReport:
    """One finding on the test split.

    ``auroc`` and ``auprc`` by arm; ``over_late`` and ``over_single`` are paired AUROC differences of the model
    over late fusion and over the better single modality (the better one by its own estimate). ``model`` is the arm that
    is registered.
    """

    finding: str
    cases: int
    positives: int
    auroc: Mapping[str, Interval]
    auprc: Mapping[str, Interval]
    over_late: Interval
    over_single: Interval
    model: str = FUSION


def report_findings(
    probabilities: Mapping[str, np.ndarray],
    labels: np.ndarray,
    patients: Sequence[str],
    findings: Sequence[str],
    *,
    draws: int,
    seed: int,
    main: str = FUSION,
) -> tuple[FindingReport, ...]:
    """Measure every arm on the same bootstrap samples of patients.

    ``probabilities`` holds one array [N, F] an arm, ``main`` being that of the model; ``labels`` [N, F] is NaN where
    unknown.
    """
    reports = []
    for number, finding in enumerate(findings):
        known = ~np.isnan(labels[:, number])
        weights = patient_weights([p for p, ok in zip(patients, known, strict=True) if ok], draws=draws, seed=seed)
        label = labels[known, number]
        scores = {arm: rows[known, number] for arm, rows in probabilities.items()}
        area = {arm: auroc(score, label, weights) for arm, score in scores.items()}
        singles = [arm for arm in ARM_OF.values() if arm in area]
        single = max(singles, key=lambda arm: np.nan_to_num(area[arm][0]))
        reports.append(
            FindingReport(
                finding=finding,
                cases=int(known.sum()),
                positives=int((label == 1).sum()),
                auroc={arm: interval(samples) for arm, samples in area.items()},
                auprc={arm: interval(average_precision(score, label, weights)) for arm, score in scores.items()},
                over_late=interval(area[main] - area[LATE]),
                over_single=interval(area[main] - area[single]),
                model=main,
            )
        )
    return tuple(reports)
