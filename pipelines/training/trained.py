"""What a training run gives, whatever the way it was made, and how it shows its progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from data_schemas.cohort import Split
from data_schemas.finding import entailments, exclusions, findings
from data_schemas.leakage import LeakReport
from data_schemas.recipes import ModelRecipe
from data_schemas.target import FittedTarget
from pipelines.models.adapted_notes import NOT_FOR_RELEASE
from pipelines.models.artefact import ModelCard
from pipelines.notes.concepts import reader_digest
from pipelines.training.report import FindingReport
from pipelines.training.target_report import TargetReport

NOT_AUDITED = LeakReport()
Stage = Callable[[str, int], AbstractContextManager[Callable[[int, int], None]]]


@dataclass(frozen=True)
class Trained:
    """A finished run.

    ``epochs`` holds the metrics of every epoch by part (``scan encoder`` and the arms); ``probabilities`` the test
    split's by arm [N, F], ``labels`` [N, F] with NaN where unknown, ``test_keys`` the study keys of their rows.
    ``splits`` says by study key what each case was used for: a cross-validated model was fitted on all of them.
    """

    folder: Path
    digest: str
    card: ModelCard
    reports: tuple[FindingReport, ...]
    epochs: dict[str, tuple[dict[str, float], ...]]
    probabilities: dict[str, np.ndarray]
    labels: np.ndarray
    cohort_digest: str
    counts: dict[Split, int]
    audit: LeakReport = NOT_AUDITED
    allowed_leaks: tuple[str, ...] = ()
    test_keys: tuple[str, ...] = field(default=(), repr=False)
    splits: Mapping[str, Split] = field(default_factory=dict, repr=False)
    targets: tuple[TargetReport, ...] = ()


def no_stage(_name: str, _steps: int) -> AbstractContextManager[Callable[[int, int], None]]:
    """A progress display that shows nothing."""
    return nullcontext(lambda _done, _total: None)


def card_of(
    recipe: ModelRecipe,
    *,
    signs: Sequence[str],
    note_digest: str,
    training: dict[str, object],
    targets: Sequence[FittedTarget] = (),
    units: Mapping[str, str] | None = None,
    note_adapted: str = "",
) -> ModelCard:
    """The card of a model that was fitted by this recipe, with the rules among its findings as they are now.

    ``units`` are those of the values that it was fitted on, by code; ``targets`` those that it was fitted for;
    ``note_adapted`` is the digest of the weights of a note encoder that was adapted to the cohort.
    """
    ruled = [name for name in recipe.findings if name in findings()]
    return ModelCard(
        recipe=recipe,
        signs=tuple(signs),
        note_digest=note_digest,
        note_adapted=note_adapted,
        release=NOT_FOR_RELEASE if note_adapted else "",
        concept_digest=reader_digest() if "concept" in recipe.modalities else "",
        observation_units=None if units is None else dict(units),
        entails=entailments(ruled),
        excludes=exclusions(ruled),
        targets=tuple(targets),
        training=training,
    )
