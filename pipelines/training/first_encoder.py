"""The scan encoder that a fit begins from."""

from __future__ import annotations

from pathlib import Path

import torch

from data_schemas.recipes import ModelRecipe
from fusion_models.scan_encoder import ScanEncoder
from pipelines.models.build import build_scan_encoder
from pipelines.models.weights import load_scan_weights


def first_scan_encoder(recipe: ModelRecipe, *, signs: int) -> ScanEncoder:
    """An encoder of the user's own recipe: fresh weights of its seed, or a body from the file that it names.

    Raises
    ------
    SettingsError, ModelError
        It cannot be built, or its weights cannot be had, as the recipe has it.
    """
    torch.manual_seed(recipe.training.seed)
    encoder = build_scan_encoder(recipe, signs=signs, builder=recipe.scan.builder)
    if recipe.scan.weights is not None:
        load_scan_weights(encoder, Path(recipe.scan.weights))
    return encoder
