"""Fit the scan encoder on its signs, and the heads on cached tokens."""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from data_schemas.errors import InputError
from data_schemas.recipes import ModelRecipe, TrainingRecipe
from fusion_models.alignment import alignment_of, entered
from fusion_models.case_model import Batch, CaseModel
from fusion_models.diagnoser import Reading
from fusion_models.losses import Loss, effective_weight, make_loss, masked_bce, positive_weight
from fusion_models.scan_encoder import ScanEncoder
from fusion_models.targets import target_loss
from fusion_models.tokens import Tokens
from pipelines.cases.examples import Example
from pipelines.training.augment_notes import augment_note_tokens
from pipelines.training.augment_scans import augment_scans
from pipelines.training.head_first import CASES_AT_MOST, fit_sign_head
from pipelines.training.loop import Fitted, Report, fit, make_accelerator

CASES_A_BATCH = 256
log = logging.getLogger(__name__)


def label_matrix(examples: Sequence[Example], names: Sequence[str]) -> Tensor:
    """Labels [N, F]: 1, 0, or NaN where unknown or uncertain."""
    rows = [[_known(example.labels.get(name)) for name in names] for example in examples]
    return torch.tensor(rows, dtype=torch.float32).reshape(len(examples), len(names))


def training_labels(examples: Sequence[Example], names: Sequence[str], *, training: TrainingRecipe) -> Tensor:
    """Labels [N, F] to learn from: as `label_matrix`, with uncertain ones (-1) as the recipe has them.

    ``zeros``, ``ones`` and ``ignore`` are U-Zeros, U-Ones and U-Ignore of Irvin et al. 2019; ``soft`` draws each from
    ``uncertain_band``, once (label smoothing of uncertain labels, Pham et al. 2021). What is measured on stays unknown.
    """
    labels = label_matrix(examples, names)
    if training.uncertain == "ignore":
        return labels
    low, high = {"zeros": (0.0, 0.0), "ones": (1.0, 1.0), "soft": training.uncertain_band}[training.uncertain]
    drawn = torch.rand(labels.shape, generator=torch.Generator().manual_seed(training.seed)) * (high - low) + low
    rows = [[example.labels.get(name) == -1 for name in names] for example in examples]
    return torch.where(torch.tensor(rows, dtype=torch.bool).reshape(labels.shape), drawn, labels)


def usable(labels: Tensor, names: Sequence[str]) -> tuple[str, ...]:
    """The names that have both classes."""
    both = ((labels == 1).any(dim=0) & (labels == 0).any(dim=0)).tolist()
    return tuple(name for name, ok in zip(names, both, strict=True) if ok)


def choose_signs(examples: Sequence[Example], recipe: ModelRecipe) -> tuple[str, ...]:
    """What the scan encoder learns on its own: the labelled scan signs, or the findings where none is labelled.

    Only cases with a scan count, unless there is none.

    Raises
    ------
    InputError
        No sign and no finding has both classes.
    """
    examples = [example for example in examples if example.scan is not None] or examples
    signs = usable(label_matrix(examples, recipe.scan_signs), recipe.scan_signs)
    if not signs:
        log.warning("no scan sign has labels of both kinds; the scan encoder learns the findings themselves")
        signs = usable(label_matrix(examples, recipe.findings), recipe.findings)
    if not signs:
        raise InputError(
            "no scan sign and no finding has both positive and negative training cases among those with a scan; "
            "add labels, or check their columns"
        )
    return signs


def with_signs(examples: Sequence[Example], signs: Sequence[str]) -> list[Example]:
    """The cases that the scan encoder can learn from: with a scan, and a known label of at least one sign."""
    known = (~label_matrix(examples, signs).isnan()).any(dim=1).tolist()
    return [example for example, ok in zip(examples, known, strict=True) if ok and example.scan is not None]


def fit_scan_encoder(
    encoder: ScanEncoder,
    train: Sequence[Example],
    validation: Sequence[Example],
    *,
    signs: Sequence[str],
    recipe: ModelRecipe,
    taught: Callable[[Sequence[Example], Tensor], Tensor] | None = None,
    pretrained: bool | None = None,
    checkpoint: Path | None = None,
    report: Report | None = None,
) -> Fitted:
    """Fit a scan encoder to tell its signs; cases without a scan or a known sign are left out.

    Where that leaves nothing to validate on, the loss on up to 64 training cases chooses the epoch, and a warning says
    so. ``taught`` makes soft labels of the training cases' labels, as a teacher has them. Of a ``pretrained`` encoder
    (by default: of a recipe that names ``scan.weights``) the head is fitted first (`fit_sign_head`), then the whole
    with ``pretrained_rate`` on its body; where no epoch of that is better on the validation cases than the head alone,
    the body stays as it was, and the best epoch is -1.

    Raises
    ------
    InputError
        Nothing is left to train on, or the loss is not finite.
    """
    train, validation = with_signs(train, signs), with_signs(validation, signs)
    if not validation:
        log.warning("no validation case has a scan and a labelled sign; training cases choose the scan encoder's epoch")
        validation = train[:64]
    training = recipe.training
    pretrained = recipe.scan.weights is not None if pretrained is None else pretrained
    labels, held_out = training_labels(train, signs, training=training), label_matrix(validation, signs)
    if taught is not None:
        labels = taught(train, labels)
    device = make_accelerator(training.precision).device
    loss_on_signs = _loss(training, None)
    encoder.checkpointing = training.gradient_checkpointing

    def loss_of(module: nn.Module, index: Tensor) -> Tensor:
        volume, affine = training_scans([train[n] for n in index.tolist()], recipe=recipe, device=device)
        return loss_on_signs(module(volume, affine).sign_logits, labels[index.cpu()].to(device))

    @torch.no_grad()
    def validation_loss(module: nn.Module) -> float:
        logits = []
        for start in range(0, len(validation), training.scan_batch_size):
            volume, affine = stack(validation[start : start + training.scan_batch_size], device)
            logits.append(module(volume, affine).sign_logits.cpu())
        return float(masked_bce(torch.cat(logits), held_out))

    head_alone, before = math.inf, None
    if pretrained:
        few, held = train[:CASES_AT_MOST], validation[:CASES_AT_MOST]
        read, held_read = (_cells(encoder.to(device), rows, training.scan_batch_size) for rows in (few, held))
        fit_sign_head(encoder.sign_head, read, labels[: len(few)], held_read, held_out[: len(held)], loss=loss_on_signs)
        head_alone, before = validation_loss(encoder), copy.deepcopy(encoder.state_dict())
    fitted = fit(
        encoder,
        loss_of=loss_of,
        validation_loss=validation_loss,
        count=len(train),
        epochs=training.scan_epochs,
        patience=training.patience,
        batch_size=training.scan_batch_size,
        learning_rate=training.scan_learning_rate,
        rates={"body.": training.encoder_rate * (training.pretrained_rate if pretrained else 1.0)},
        checkpoint=checkpoint,
        report=report,
        **shared_by_fits(training),
    )
    if before is None or fitted.best_loss < head_alone:
        return fitted
    encoder.load_state_dict(before)
    return replace(fitted, best_epoch=-1, best_loss=head_alone)


@torch.no_grad()
def _cells(encoder: ScanEncoder, examples: Sequence[Example], batch_size: int) -> Tensor:
    """Tokens [N, T, D] before the head, of cases with a scan, on the CPU; leaves the encoder in eval mode."""
    encoder.eval()
    device, depth = next(encoder.parameters()).device, encoder.sign_head.in_features
    parts = [examples[start : start + batch_size] for start in range(0, len(examples), batch_size)]
    return torch.cat([encoder(*stack(part, device)).tokens.values[..., :depth].float().cpu() for part in parts])


def stack(examples: Sequence[Example], device: torch.device | str) -> tuple[Tensor, Tensor]:
    """Volumes [B, C, Z, Y, X] and affines [B, 4, 4] of the cases that have a scan, in float32 on a device."""
    scans = [example.scan for example in examples if example.scan is not None]
    volume = torch.from_numpy(np.stack([scan.values for scan in scans]))
    affine = torch.from_numpy(np.stack([scan.affine for scan in scans]))
    return volume.to(device).float(), affine.to(device).float()


def training_scans(
    examples: Sequence[Example], *, recipe: ModelRecipe, device: torch.device | str
) -> tuple[Tensor, Tensor]:
    """As `stack`, changed a little each time where the recipe asks for it."""
    volume, affine = stack(examples, device)
    augment = recipe.training.augment
    return augment_scans(volume, affine, recipe=augment, scan=recipe.scan) if augment.scans else (volume, affine)


def fit_case_model(
    model: CaseModel,
    train: Batch,
    train_labels: Tensor,
    validation: Batch,
    validation_labels: Tensor,
    *,
    recipe: ModelRecipe,
    train_targets: Tensor | None = None,
    validation_targets: Tensor | None = None,
    checkpoint: Path | None = None,
    report: Report | None = None,
) -> Fitted:
    """Fit the trainable part on cached tokens; labels [N, F] are NaN where unknown, or soft.

    The epoch is chosen by the loss that is trained, without what only training has (augmentation, alignment).
    ``train_targets`` and ``validation_targets`` [N, T] are needed where the model has heads of targets: grades, or
    standardised measurements, NaN where unknown. Their weighted losses are added to that of the findings.

    Raises
    ------
    InputError
        There is no case to train on, or the loss is not finite.
    """
    training = recipe.training
    device = make_accelerator(training.precision).device
    weight = class_weight(training, train_labels) if training.class_weights else None
    loss_on, loss_on_cpu = _loss(training, None if weight is None else weight.to(device)), _loss(training, weight)
    with torch.no_grad():
        model.fit_statistics(train)
    weights = {name: target.weight for name, target in recipe.targets.items()}
    if model.targets is not None:
        if train_targets is None or validation_targets is None:
            raise ValueError("a model with targets is fitted on their values too")
        model.targets.begin(train_targets)

    def loss_of(module: nn.Module, index: Tensor) -> Tensor:
        labels = train_labels[index.cpu()].to(device)
        batch = _augmented(train.take(index.cpu()), training).to(device)
        if not training.alignment_weight:
            return of_reading(module(batch), labels, index)
        with entered(module) as tokens:
            loss = of_reading(module(batch), labels, index)
        aligned = alignment_of(tokens, temperature=training.alignment_temperature)
        return loss + training.alignment_weight * aligned.to(device)

    def of_reading(reading: Reading, labels: Tensor, index: Tensor) -> Tensor:
        loss = loss_on(reading.logits, labels)
        if train_targets is None or not reading.targets:
            return loss
        return loss + target_loss(reading.targets, train_targets[index.cpu()].to(device), weights=weights)

    def validation_loss(module: nn.Module) -> float:
        logits, outputs = predict(module, validation)
        loss = loss_on_cpu(logits, validation_labels)
        if validation_targets is not None and outputs:
            loss = loss + target_loss(outputs, validation_targets, weights=weights)
        return float(loss)

    return fit(
        model,
        loss_of=loss_of,
        validation_loss=validation_loss,
        count=len(train),
        epochs=training.epochs,
        patience=training.patience,
        batch_size=training.batch_size,
        learning_rate=training.learning_rate,
        rates={"encoders.": training.encoder_rate},
        checkpoint=checkpoint,
        report=report,
        **shared_by_fits(training),
    )


def predict_logits(model: nn.Module, batch: Batch) -> Tensor:
    """Logits [N, F] of all cases of a batch, in parts, on the model's device; float32 on the CPU."""
    return predict(model, batch)[0]


@torch.no_grad()
def predict(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    """As `predict_logits`, and by target what its head says [N, K]."""
    device = next(model.parameters()).device
    parts = torch.arange(len(batch)).split(CASES_A_BATCH)
    read: list[Reading] = [model(batch.take(index).to(device)) for index in parts]
    outputs = {name: torch.cat([part.targets[name].float().cpu() for part in read]) for name in read[0].targets}
    return torch.cat([part.logits.float().cpu() for part in read]), outputs


def _loss(training: TrainingRecipe, weight: Tensor | None) -> Loss:
    return make_loss(
        training.loss,
        weight=weight,
        focal_gamma=training.focal_gamma,
        gamma_negative=training.asymmetric_gamma,
        margin=training.asymmetric_margin,
    )


def class_weight(training: TrainingRecipe, labels: Tensor) -> Tensor:
    """Weight of each finding's positives [F] as the recipe has it, from labels [N, F]."""
    if training.class_weighting == "effective":
        return effective_weight(labels, beta=training.effective_beta)
    return positive_weight(labels)


def _augmented(batch: Batch, training: TrainingRecipe) -> Batch:
    notes = batch.inputs.get("note")
    if not training.augment.notes or not isinstance(notes, Tokens):
        return batch
    changed = augment_note_tokens(
        notes,
        sentence_drop=training.augment.sentence_drop,
        section_shuffle=training.augment.section_shuffle,
    )
    return batch.with_inputs("note", changed)


def shared_by_fits(training: TrainingRecipe) -> dict[str, Any]:
    """What all fits of a recipe share, as `fit` takes it."""
    return {
        "weight_decay": training.weight_decay,
        "warmup_share": training.warmup_share,
        "clip_norm": training.clip_norm,
        "seed": training.seed,
        "precision": training.precision,
        "optimizer": training.optimizer,
        "momentum": training.momentum,
        "schedule": training.schedule,
        "drop_share": training.drop_share,
        "drop_factor": training.drop_factor,
        "accumulate": training.accumulate,
        "averaging": training.averaging,
        "average_decay": training.average_decay,
        "checkpoint_steps": training.checkpoint_steps,
        "checkpoint_seconds": training.checkpoint_seconds,
    }


def _known(value: int | None) -> float:
    return float(value) if value in (0, 1) else float("nan")
