"""From a recipe to modules with fresh weights."""

from __future__ import annotations

from collections.abc import Sequence

from data_schemas.errors import SettingsError
from data_schemas.settings import ModelRecipe
from fusion_models.case_model import CaseModel
from fusion_models.scan_encoder import ScanEncoder


def build_scan_encoder(recipe: ModelRecipe, *, signs: int) -> ScanEncoder:
    """A scan encoder as the recipe has it, with fresh weights.

    Raises
    ------
    SettingsError
        The encoder does not have the tap.
    """
    try:
        return ScanEncoder(
            architecture=recipe.scan.encoder,
            channels=recipe.scan.inputs,
            tap=recipe.scan.tap,
            width=recipe.scan.width,
            signs=signs,
        )
    except ValueError as error:
        raise SettingsError(f"model.scan: {error}") from None


def build_case_model(
    recipe: ModelRecipe, *, modalities: Sequence[str], scan_features: int, note_features: int
) -> CaseModel:
    """The trainable part as the recipe has it, reading some modalities, with fresh weights."""
    return CaseModel(
        modalities=modalities,
        findings=len(recipe.findings),
        scan_features=scan_features,
        note_features=note_features,
        codes=len(recipe.observation_codes),
        width=recipe.fusion.width,
        heads=recipe.fusion.heads,
        layers=recipe.fusion.layers,
        dropout=recipe.fusion.dropout,
        modality_dropout=recipe.fusion.modality_dropout,
    )
