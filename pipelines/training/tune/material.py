"""What a search works on: the tokens of one cut of the patients, from a scan encoder that was fitted on that cut alone.

The scan encoder learns its signs from the training part, and is then frozen: every case is encoded once an encoder, and
a trial fits fusion heads on the cached tokens, in seconds. A search sees `Inner`, which has no test case in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from data_schemas.cohort import Split
from data_schemas.recipes import ModelRecipe
from fusion_models.case_model import Batch, CaseModel
from pipelines.cases.examples import Example
from pipelines.models.artefact import ModelCard
from pipelines.models.build import build_case_model
from pipelines.models.features import encode
from pipelines.models.reading import coherent
from pipelines.models.weights import NoteModel, weights_digest
from pipelines.training.augment_notes import with_note_copies
from pipelines.training.cohort import digest_cohort
from pipelines.training.first_encoder import first_scan_encoder
from pipelines.training.fitting import (
    choose_signs,
    fit_case_model,
    fit_scan_encoder,
    label_matrix,
    predict_logits,
    training_labels,
    with_signs,
)
from pipelines.training.loop import Fitted, Report, make_accelerator
from pipelines.training.note_tuning import tune_note_encoder
from pipelines.training.trained import Stage, card_of
from pipelines.training.tune.space import ENCODER, with_values
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.digests import json_digest


@dataclass(frozen=True)
class Inner:
    """The training and validation part of a cut, as one scan encoder has them. Labels [N, F] are NaN where unknown."""

    train: Batch
    train_labels: Tensor
    validation: Batch
    validation_labels: Tensor
    scan_features: int
    note_features: int

    def fit(self, recipe: ModelRecipe, *, report: Report | None = None) -> tuple[CaseModel, Fitted]:
        """A model of the recipe, fitted as `scanote train` would fit it."""
        torch.manual_seed(recipe.training.seed)
        model = build_case_model(
            recipe,
            modalities=recipe.modalities,
            scan_features=self.scan_features,
            note_features=self.note_features,
        )
        fitted = fit_case_model(
            model,
            self.train,
            self.train_labels,
            self.validation,
            self.validation_labels,
            recipe=recipe,
            report=report,
        )
        return model, fitted


@dataclass(frozen=True)
class Prepared:
    """A cut by scan encoder: what a search sees, the test cases' tokens beside it, and the card of its models."""

    inner: Mapping[str, Inner]
    test: Mapping[str, Batch]
    card: ModelCard

    def predict(self, recipe: ModelRecipe) -> np.ndarray:
        """Probabilities [N, F] of the test cases by the recipe, fitted on the training part; coherent by the rules."""
        from scipy.special import expit

        model, _ = self.inner[recipe.scan.encoder].fit(recipe)
        logits = predict_logits(model, self.test[recipe.scan.encoder]).double().numpy()
        return coherent(expit(logits), self.card)


def prepare(
    parts: Mapping[Split, Sequence[Example]],
    *,
    recipe: ModelRecipe,
    encoders: Sequence[str],
    note_model: NoteModel,
    cache: ArrayCache | None,
    checkpoints: Path | None,
    stage: Stage,
    name: str,
) -> Prepared:
    """Fit each scan encoder on the training part of a cut, and encode every part with it.

    A note encoder that the recipe adapts is adapted on the training part too.

    Parameters
    ----------
    parts
        The cut; without a ``test`` part nothing can be predicted.
    recipe
        With the findings that the training part can teach, and the window of the note encoder.
    encoders
        Names of scan encoders: the recipe's own, and those in the race beside it.
    checkpoints
        Folder from which an interrupted fit of a scan encoder goes on.
    name
        Of the cut, for the progress display.
    """
    signs = choose_signs(parts["train"], recipe) if "scan" in recipe.modalities else ()
    copies = with_note_copies(parts["train"], recipe=recipe.training.augment, seed=recipe.training.seed)
    read: dict[Split, Sequence[Example]] = {**parts, "train": copies}
    cohort = digest_cohort([row for split in ("train", "validation") for row in parts[split]])

    def kept(*origin: str) -> Path | None:
        """Where the checkpoints of an encoder lie."""
        return checkpoints and checkpoints / json_digest(["tune", recipe.model_dump(mode="json"), cohort, *origin])

    given_notes = note_model.digest
    if "note" in recipe.modalities and recipe.note.tuning != "frozen":
        with stage(f"{name}: note encoder", recipe.note.tuning_epochs) as report:
            note_model, _ = tune_note_encoder(
                note_model,
                parts["train"],
                parts["validation"],
                recipe=recipe,
                checkpoint=kept("note-encoder", given_notes),
                report=_told(report, recipe.note.tuning_epochs),
            )
    inner: dict[str, Inner] = {}
    test: dict[str, Batch] = {}
    for encoder in encoders:
        own = with_values(recipe, {ENCODER: encoder})
        told = name if len(encoders) == 1 else f"{name}, {encoder}"
        scan_encoder = first_scan_encoder(own, signs=len(signs))
        if signs and with_signs(parts["train"], signs):
            with stage(f"{told}: scan encoder", own.training.scan_epochs) as report:
                fit_scan_encoder(
                    scan_encoder,
                    parts["train"],
                    parts["validation"],
                    signs=signs,
                    recipe=own,
                    checkpoint=kept("scan-encoder", encoder, weights_digest(scan_encoder)),
                    report=_told(report, own.training.scan_epochs),
                )
        digest = weights_digest(scan_encoder)
        batches: dict[Split, Batch] = {}
        for split, rows in read.items():
            if not rows:
                continue
            with stage(f"{told}: encode {split}", len(rows)) as report:
                batches[split] = encode(
                    rows,
                    scan_encoder=scan_encoder,
                    scan_digest=digest,
                    note_model=note_model,
                    note_recipe=own.note,
                    codes=own.observation_codes,
                    modalities=own.modalities,
                    mentions_at_most=own.concept.at_most,
                    device=make_accelerator(own.training.precision).device,
                    cache=cache,
                    progress=report,
                ).batch
        inner[encoder] = Inner(
            train=batches["train"],
            train_labels=training_labels(copies, own.findings, training=own.training),
            validation=batches["validation"],
            validation_labels=label_matrix(parts["validation"], own.findings),
            scan_features=scan_encoder.features,
            note_features=note_model.encoder.features,
        )
        if "test" in batches:
            test[encoder] = batches["test"]
    card = card_of(recipe, signs=signs, note_digest=given_notes, training={})
    return Prepared(inner, test, card)


def _told(report: Callable[[int, int], None], epochs: int) -> Report:
    return lambda epoch, _: report(epoch + 1, epochs)
