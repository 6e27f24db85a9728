"""What of a note encoder may learn: small matrices beside its attention, its last layers, or all of it."""

from __future__ import annotations

import importlib.util
import re
import warnings

from torch import nn

from data_schemas.errors import ModelError, SettingsError
from data_schemas.recipes import NoteRecipe

# The query and value projections, as Hu et al. 2021 found best, under the names that nets give them.
ATTENTION = (("query", "value"), ("q_proj", "v_proj"), ("q_lin", "v_lin"), ("Wqkv",))


def check_tuning(backbone: nn.Module, recipe: NoteRecipe) -> None:
    """Say before anything is fitted that a note encoder cannot be tuned as the recipe has it.

    Raises
    ------
    SettingsError
        It has fewer layers, or no attention that LoRA knows, or one that is narrower than LoRA's rank.
    ModelError
        The library for LoRA is not installed.
    """
    if recipe.tuning == "partial":
        _last_layers(backbone, recipe.layers)
    if recipe.tuning == "lora":
        if importlib.util.find_spec("peft") is None:
            raise ModelError("model.note.tuning: lora needs peft, which is not installed; pip install peft")
        _attention(backbone)
        wide = int(backbone.config.hidden_size)  # type: ignore[union-attr, arg-type]
        if recipe.lora_rank > wide:
            raise SettingsError(f"model.note.lora_rank: {recipe.lora_rank}; the note encoder is {wide} wide; lower it")


def refuse_linear(recipe: NoteRecipe) -> None:
    """Raises SettingsError where the linear fusion of a small cohort is to tune its note encoder."""
    if recipe.tuning != "frozen":
        raise SettingsError(
            f"model.note.tuning: {recipe.tuning}, and the linear fusion of small cohorts reads a frozen note encoder; "
            "set it to frozen, or name another model.fusion.kind"
        )


def made_tunable(backbone: nn.Module, recipe: NoteRecipe) -> nn.Module:
    """The backbone, in which only what the recipe tunes takes gradients; wrapped for LoRA. Changed in place.

    Raises as `check_tuning` does. The matrices of LoRA begin from torch's generator.
    """
    check_tuning(backbone, recipe)
    backbone.requires_grad_(recipe.tuning == "full")
    if recipe.tuning == "partial":
        for layer in _last_layers(backbone, recipe.layers):
            layer.requires_grad_(True)
    if recipe.tuning == "lora":
        from peft import LoraConfig, get_peft_model

        how = LoraConfig(
            r=recipe.lora_rank, lora_alpha=2 * recipe.lora_rank, lora_dropout=0.0, target_modules=_attention(backbone)
        )
        with warnings.catch_warnings():
            # peft 0.21 asks transformers 5 under the name of before.
            warnings.filterwarnings("ignore", ".*is_gradient_checkpointing.*", FutureWarning)
            wrapped: nn.Module = get_peft_model(backbone, how)
        return wrapped
    return backbone


def merged(backbone: nn.Module) -> nn.Module:
    """The plain backbone again, what was learned beside its weights added to them; nothing takes gradients."""
    plain: nn.Module = backbone.merge_and_unload() if hasattr(backbone, "merge_and_unload") else backbone  # type: ignore[operator]
    return plain.requires_grad_(False).eval()


def _last_layers(backbone: nn.Module, count: int) -> list[nn.Module]:
    layers = int(backbone.config.num_hidden_layers)  # type: ignore[union-attr, arg-type]
    if count > layers:
        raise SettingsError(f"model.note.layers: {count}; the note encoder has {layers}; tuning: full takes all of it")
    for part in backbone.modules():
        if isinstance(part, nn.ModuleList) and len(part) == layers:
            return list(part)[-count:]
    raise SettingsError("model.note.tuning: partial does not know this encoder's layers; take lora or full")


def _attention(backbone: nn.Module) -> str:
    """A pattern for the names of its query and value projections."""
    names = [name for name, part in backbone.named_modules() if isinstance(part, nn.Linear)]
    for targets in ATTENTION:
        if all(any(name.split(".")[-1] == target for name in names) for target in targets):
            return rf".*\.({'|'.join(map(re.escape, targets))})"
    raise SettingsError("model.note.tuning: lora does not know this encoder's attention; take partial or full")
