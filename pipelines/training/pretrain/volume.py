"""Self-supervised pretraining of the scan encoder on volumes alone: hidden blocks are told from what is left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from data_schemas.pretraining import PretrainRecipe
from data_schemas.recipes import ModelRecipe
from fusion_models.masked_volume import MaskedVolume, hidden_blocks
from pipelines.cases.examples import Example
from pipelines.training.fitting import stack, training_scans
from pipelines.training.loop import Fitted, Report, fit, make_accelerator
from pipelines.training.pretrain.shared import shared


def fit_volumes(
    model: MaskedVolume,
    train: Sequence[Example],
    validation: Sequence[Example],
    *,
    recipe: ModelRecipe,
    pretrain: PretrainRecipe,
    checkpoint: Path | None = None,
    report: Report | None = None,
) -> Fitted:
    """Fit the scan encoder to tell hidden blocks of scans; all examples must have one.

    The same blocks of the validation scans are hidden after every epoch.

    Raises
    ------
    InputError
        There is no scan, or the loss is not finite.
    """
    how, training = pretrain.volume, recipe.training
    device = make_accelerator(training.precision).device
    shape = recipe.scan.shape

    def loss_of(module: nn.Module, index: Tensor) -> Tensor:
        volume, _ = training_scans([train[n] for n in index.tolist()], recipe=recipe, device=device)
        hidden = hidden_blocks(len(index), shape, block=how.block, share=how.hidden_share, device=device)
        return module(volume, hidden)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        held_out = hidden_blocks(len(validation), shape, block=how.block, share=how.hidden_share)

    @torch.no_grad()
    def validation_loss(module: nn.Module) -> float:
        total = 0.0
        for index in torch.arange(len(validation)).split(how.batch_size):
            volume, _ = stack([validation[n] for n in index.tolist()], device)
            total += float(module(volume, held_out[index].to(device))) * len(index)
        return total / len(validation)

    return fit(
        model,
        loss_of=loss_of,
        validation_loss=validation_loss,
        count=len(train),
        batch_size=how.batch_size,
        checkpoint=checkpoint,
        report=report,
        **shared(how, pretrain, training),
    )
