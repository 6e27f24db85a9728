"""Whether a compiled model says what its model says: on held-out cases, finding by finding, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from data_schemas.errors import InputError
from data_schemas.parity import Bounds, FindingParity, ParityReport, PartSpeed
from fusion_models.fusions.reading import Reading
from fusion_models.tokens import Tokens
from pipelines.cases.examples import Example
from pipelines.models.artefact import LoadedModel
from pipelines.models.features import pooled_scans
from pipelines.models.reading import CasesRead, read_cases
from pipelines.training.evaluate.bootstrap import bootstrap_interval, left_out, resampled
from pipelines.training.evaluate.measures import brier, calibration
from pipelines.training.fitting import label_matrix
from pipelines.training.metrics import Interval, auroc
from pipelines.workspace.cache import ArrayCache

MARGIN = 0.01
EXACT = 1e-3
"""The largest difference of a score in fp32: rounding alone stays a hundredfold below."""


def check_parity(
    model: LoadedModel,
    compiled: LoadedModel,
    examples: Sequence[Example],
    *,
    exact: bool,
    parts: tuple[PartSpeed, ...] = (),
    draws: int = 1000,
    seed: int = 0,
    fitted_on: int = 0,
    cache: ArrayCache | None = None,
) -> ParityReport:
    """Read labelled cases with both, and compare what they say.

    Parameters
    ----------
    examples
        Cases that neither was fitted or calibrated on.
    exact
        Whether the compiled model is in fp32: then its scores must be the same within 1e-3.
    fitted_on
        How many of the cases the model was fitted on after all. That is no harm where the scores must be the same.

    Raises
    ------
    InputError
        No case, or no finding of which both classes are known.
    """
    if not examples:
        raise InputError("no labelled case outside of the training split: parity cannot be measured; ingest more")
    one, other = (read_cases(net, examples, cache=cache) for net in (model, compiled))
    recipe = model.card.recipe
    report = compare(
        one.probabilities,
        other.probabilities,
        label_matrix(examples, recipe.findings).numpy(),
        [row.patient_key for row in examples],
        recipe.findings,
        exact=exact,
        parts=parts,
        novelty_changed=int((_novel(model, one) != _novel(compiled, other)).sum()),
        draws=draws,
        seed=seed,
        fitted_on=fitted_on,
    )
    apart = tuple(_estimates_apart(one.reading, other.reading)) if exact else ()
    return report.model_copy(update={"failed": (*report.failed, *apart)})


def _estimates_apart(one: Reading, other: Reading) -> Iterator[str]:
    """Targets whose level probabilities, or standardised value, differ by more than rounding."""
    for name, said in one.targets.items():
        pair = (said, other.targets[name]) if said.shape[1] == 1 else (said.sigmoid(), other.targets[name].sigmoid())
        largest = float((pair[1] - pair[0]).abs().max())
        if not largest <= EXACT:
            yield f"{name}: an estimate differs by {largest:.1e}, in fp32"


def compare(
    reference: np.ndarray,
    light: np.ndarray,
    labels: np.ndarray,
    patients: Sequence[str],
    findings: Sequence[str],
    *,
    exact: bool,
    parts: tuple[PartSpeed, ...] = (),
    novelty_changed: int = 0,
    draws: int = 1000,
    seed: int = 0,
    fitted_on: int = 0,
) -> ParityReport:
    """The report on probabilities [N, F] of both, and labels [N, F] with NaN where unknown.

    It passes where all scores are finite, the intervals of all differences of AUROC and Brier score lie within
    ±0.01, and, for fp32, no score differs by more than 1e-3. Each finding must hold, so no correction for their number
    is due (an intersection–union test, Berger 1982).

    Raises
    ------
    InputError
        No finding of which two patients of each class are known.
    """
    known = ~np.isnan(labels)
    owner = np.asarray(patients)
    rows = tuple(
        _finding(name, reference[:, f], light[:, f], labels[:, f], known[:, f], owner, draws=draws, seed=seed)
        for f, name in enumerate(findings)
    )
    finite = bool(np.isfinite(light).all())
    if finite and all(row.auroc_interval is None for row in rows):
        raise InputError(
            "no finding with two patients of each class outside of the training split: parity cannot be measured; "
            "ingest more labelled cases"
        )
    failed: list[str] = []
    if not finite:
        failed.append("a score is not a finite number")
    for row in rows:
        for what, bounds in (("AUROC", row.auroc_interval), ("Brier score", row.brier_interval)):
            if bounds is not None and not (bounds[0] >= -MARGIN and bounds[1] <= MARGIN):
                failed.append(
                    f"{row.finding}: {what} differs by {bounds[0]:+.4f} to {bounds[1]:+.4f}, beyond ±{MARGIN}"
                )
        if exact and not row.largest_score_difference <= EXACT:
            failed.append(f"{row.finding}: a score differs by {row.largest_score_difference:.1e}, in fp32")
    return ParityReport(
        cases=len(labels),
        patients=len(set(patients)),
        findings=rows,
        parts=parts,
        threads=torch.get_num_threads(),
        novelty_changed=novelty_changed,
        fitted_on=fitted_on,
        failed=tuple(failed),
    )


def _finding(
    name: str,
    one: np.ndarray,
    other: np.ndarray,
    label: np.ndarray,
    known: np.ndarray,
    patients: np.ndarray,
    *,
    draws: int,
    seed: int,
) -> FindingParity:
    apart = np.abs(np.nan_to_num(other, nan=np.inf) - one)
    one, other, label, patients = one[known], other[known], label[known], patients[known]
    told = FindingParity(
        finding=name,
        cases=len(label),
        positives=int((label == 1).sum()),
        largest_score_difference=float(min(apart.max(), 1.0)),
        mean_score_difference=float(min(apart.mean(), 1.0)),
    )
    fewest = min(len(np.unique(patients[label == value])) for value in (1, 0))
    if fewest < 2 or not np.isfinite(other).all():
        return told

    def interval(measure: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]) -> Interval:
        def difference(weights: np.ndarray) -> np.ndarray:
            return measure(other, label, weights) - measure(one, label, weights)

        samples = resampled(difference, patients, draws=draws, seed=seed)
        return bootstrap_interval(samples, fewest, left_out(difference, patients))

    areas, squares = interval(auroc), interval(brier)
    slopes = [calibration(score, label, patients)[0].value for score in (one, other)]
    return told.model_copy(
        update={
            "auroc_difference": _finite(areas.value),
            "auroc_interval": _bounds(areas),
            "brier_difference": _finite(squares.value),
            "brier_interval": _bounds(squares),
            "slope": (_finite(slopes[0]), _finite(slopes[1])),
        }
    )


def _novel(model: LoadedModel, read: CasesRead) -> np.ndarray:
    scan = read.features.batch.inputs.get("scan")
    if not isinstance(scan, Tokens) or not scan.mask.any():
        return np.zeros(0, bool)
    with torch.no_grad():
        distance = model.novelty.cpu()(pooled_scans(scan))
    return np.asarray(~(distance <= model.novelty.limit))


def _bounds(interval: Interval) -> Bounds | None:
    return (interval.low, interval.high) if np.isfinite(interval.value) else None


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
