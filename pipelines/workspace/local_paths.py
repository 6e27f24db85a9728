"""Weights that the settings name relative to the workspace, such as those of encoders that were pretrained in it."""

from __future__ import annotations

from pathlib import Path

from data_schemas.recipes import ModelRecipe


def with_local_paths(recipe: ModelRecipe, root: Path) -> ModelRecipe:
    """The recipe with ``scan.weights`` and ``note.encoder`` as absolute paths where they lie in the workspace.

    Any other value stays as it is: an absolute path, one relative to the working directory, ``packaged``, a hub id.
    """
    weights, encoder = recipe.scan.weights, recipe.note.encoder
    if weights is not None and not Path(weights).is_absolute() and (root / weights).is_file():
        scan = recipe.scan.model_copy(update={"weights": str(root / weights)})
        recipe = recipe.model_copy(update={"scan": scan})
    if not Path(encoder).is_absolute() and (root / encoder / "config.json").is_file():
        note = recipe.note.model_copy(update={"encoder": str(root / encoder)})
        recipe = recipe.model_copy(update={"note": note})
    return recipe
