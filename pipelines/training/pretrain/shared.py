"""What the fits of all objectives share."""

from __future__ import annotations

from typing import Any

from data_schemas.pretraining import ContrastiveRecipe, PretrainRecipe, TextRecipe, VolumeRecipe
from data_schemas.recipes import TrainingRecipe


def shared(
    how: ContrastiveRecipe | TextRecipe | VolumeRecipe, pretrain: PretrainRecipe, training: TrainingRecipe
) -> dict[str, Any]:
    """As `fit` takes it: an objective's own settings, those of pretraining, seed and precision of training."""
    return {
        "epochs": how.epochs,
        "learning_rate": how.learning_rate,
        "patience": pretrain.patience,
        "weight_decay": pretrain.weight_decay,
        "warmup_share": pretrain.warmup_share,
        "clip_norm": pretrain.clip_norm,
        "seed": training.seed,
        "precision": training.precision,
    }
