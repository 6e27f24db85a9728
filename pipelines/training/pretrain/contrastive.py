"""Scan–text contrastive pretraining: the scan encoder learns to find what was written of its study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from data_schemas.pretraining import PretrainRecipe
from data_schemas.recipes import ModelRecipe
from fusion_models.pretraining import PairModel, pair_loss, recall_at
from fusion_models.scan_encoder import ScanEncoder
from fusion_models.tokens import Tokens
from pipelines.training.fitting import stack, training_scans
from pipelines.training.loop import Fitted, Report, fit, make_accelerator
from pipelines.training.pretrain.batches import not_negatives, numbered, with_hard_negatives
from pipelines.training.pretrain.material import Pair
from pipelines.training.pretrain.shared import shared

SCANS_AT_ONCE = 16


@dataclass(frozen=True)
class Retrieval:
    """Of ``cases`` held-out scans, the share that finds its own text among all of theirs, first or among ten."""

    cases: int
    recall_at_1: float
    recall_at_10: float

    @property
    def chance(self) -> float:
        """Recall at 1 of a guess."""
        return 1 / self.cases


def build_pair_model(scan_encoder: ScanEncoder, *, note_features: int, recipe: PretrainRecipe) -> PairModel:
    """The pair model as the recipe has it, with fresh projections."""
    how = recipe.contrastive
    return PairModel(
        scan_encoder=scan_encoder,
        note_features=note_features,
        hidden=how.hidden,
        width=how.width,
        temperature=None if how.loss == "siglip" else how.temperature,
    )


def fit_pairs(
    model: PairModel,
    train: Sequence[Pair],
    train_notes: Tokens,
    validation: Sequence[Pair],
    validation_notes: Tokens,
    *,
    recipe: ModelRecipe,
    pretrain: PretrainRecipe,
    checkpoint: Path | None = None,
    report: Report | None = None,
) -> Fitted:
    """Fit scan encoder and projections; notes are tokens of the frozen encoder, a row a pair.

    A share of each batch are hard negatives (`with_hard_negatives`); what belongs to one patient, or reads the same,
    is nobody's negative. In a run of several processes each one's negatives are of its own part of the batch.

    Raises
    ------
    InputError
        There is no pair, or the loss is not finite.
    """
    how, training = pretrain.contrastive, recipe.training
    device = make_accelerator(training.precision).device
    hard = round(how.batch_size * how.hard_share)
    marks = _marks(train)
    groups = [_of_group([pair.body_part for pair in train]), _of_group([pair.description for pair in train])]
    held_out = _marks(validation)

    def loss_of(module: nn.Module, index: Tensor) -> Tensor:
        index = with_hard_negatives(index.cpu(), groups=groups, patient=marks[0], count=hard)
        volume, affine = training_scans([train[n].example for n in index.tolist()], recipe=recipe, device=device)
        pairs = module(volume, affine, train_notes.take(index).float().to(device))
        alike = not_negatives(index, patient=marks[0], text=marks[1]).to(device)
        return pair_loss(pairs, kind=how.loss, alike=alike)

    @torch.no_grad()
    def validation_loss(module: Any) -> float:
        total = 0.0
        for index in torch.arange(len(validation)).split(how.batch_size):
            volume, affine = stack([validation[n].example for n in index.tolist()], device)
            pairs = module(volume, affine, validation_notes.take(index).float().to(device))
            alike = not_negatives(index, patient=held_out[0], text=held_out[1]).to(device)
            total += float(pair_loss(pairs, kind=how.loss, alike=alike)) * len(index)
        return total / len(validation)

    return fit(
        model,
        loss_of=loss_of,
        validation_loss=validation_loss,
        count=len(train),
        batch_size=max(how.batch_size - hard, 2),
        checkpoint=checkpoint,
        report=report,
        **shared(how, pretrain, training),
    )


@torch.no_grad()
def vectors_of(model: PairModel, pairs: Sequence[Pair], notes: Tokens) -> tuple[Tensor, Tensor]:
    """Scan and note vectors [N, E] of some pairs, on the CPU; the model in eval mode."""
    device = next(model.parameters()).device
    model.eval()
    scans, texts = [], []
    for index in torch.arange(len(pairs)).split(SCANS_AT_ONCE):
        volume, affine = stack([pairs[n].example for n in index.tolist()], device)
        scans.append(model.read_scans(volume, affine).cpu())
        texts.append(model.read_notes(notes.take(index).float().to(device)).cpu())
    return torch.cat(scans), torch.cat(texts)


def retrieval(model: PairModel, pairs: Sequence[Pair], notes: Tokens) -> Retrieval:
    """How well held-out scans find their own text."""
    scans, texts = vectors_of(model, pairs, notes)
    return Retrieval(len(pairs), *(float(recall_at(scans, texts, k=k)) for k in (1, 10)))


def _marks(pairs: Sequence[Pair]) -> tuple[Tensor, Tensor]:
    return numbered([pair.example.patient_key for pair in pairs]), numbered([pair.text for pair in pairs])


def _of_group(names: Sequence[str]) -> Tensor:
    """Numbers of names; a blank one is of no group."""
    known = torch.tensor([bool(name) for name in names], dtype=torch.bool)
    return torch.where(known, numbered(names), torch.full((len(names),), -1))
