"""Masked language modelling on the hospital's own notes: a general note encoder learns their words."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from data_schemas.errors import ModelError, SettingsError
from data_schemas.pretraining import PretrainRecipe
from data_schemas.recipes import ModelRecipe
from fusion_models.masked_words import hide_words
from pipelines.models.weights import load_transformer, most_sub_words, quiet_loading
from pipelines.notes.sections import split_sections
from pipelines.notes.windows import cut_windows
from pipelines.training.loop import Fitted, Report, fit, make_accelerator
from pipelines.training.pretrain.shared import shared

WINDOWS_A_NOTE = 256
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LanguageModel:
    """A masked language model with its tokenizer; ``fresh_head`` where its folder had no head of its own."""

    model: Any
    tokenizer: Any
    fresh_head: bool


def load_language_model(folder: Path, *, seed: int, window: int | None = None) -> LanguageModel:
    """Load an encoder with its masked-language head; where it has none, a fresh one is tied to its word embeddings.

    Raises
    ------
    ModelError
        The folder holds no encoder of a kind that can be trained so, a weight of the encoder itself is missing, or its
        tokenizer is not the encoder's or has no mask.
    SettingsError
        It reads fewer sub-words at once than ``window``.
    """
    from transformers import AutoModelForMaskedLM

    torch.manual_seed(seed)
    model, tokenizer, missing = load_transformer(folder, AutoModelForMaskedLM, to_be="as a masked language model")
    body = {f"{model.base_model_prefix}.{name}" for name, _ in model.base_model.named_parameters()}
    absent = sorted(key for key in missing if key in body)
    if absent:
        raise ModelError(f"note encoder {folder}: {len(absent)} weights are missing, the first is {absent[0]}")
    if tokenizer.mask_token_id is None:
        raise ModelError(f"note encoder {folder}: its tokenizer has no mask; give a BERT-like one")
    longest = most_sub_words(model.config, tokenizer)
    if window is not None and longest is not None and window > longest:
        raise SettingsError(f"pretrain.text.window: {window}; {folder} reads at most {longest} sub-words at once")
    fresh = any(key not in body for key in missing)
    if fresh:
        log.warning(
            "the note encoder has no masked-language head: a fresh one is trained, tied to its word embeddings; "
            "give it more text and epochs than a head that was trained before"
        )
    return LanguageModel(model, tokenizer, fresh)


def windows_of(texts: Sequence[str], tokenizer: Any, *, window: int) -> list[tuple[int, ...]]:
    """All text as windows of at most ``window`` sub-words; none holds parts of two notes."""
    found: list[tuple[int, ...]] = []
    for text in texts:
        sentences = [sentence for section in split_sections(text) for sentence in section.sentences]
        cut = cut_windows(
            sentences, tokenizer=tokenizer, window=window, stride=0, windows_at_most=WINDOWS_A_NOTE, unit="sentence"
        )
        found += cut.ids
    return found


class _Words(nn.Module):
    """The model as `fit` calls it: the loss of some windows. Weights that are tied stand in its state once."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        first: dict[int, str] = {}
        self.tied = {
            name: first[id(parameter)]
            for name, parameter in self.named_parameters(remove_duplicate=False)
            if first.setdefault(id(parameter), name) != name
        }
        self.register_state_dict_post_hook(self._without_tied)
        self.register_load_state_dict_pre_hook(self._with_tied)

    def forward(self, ids: Tensor, attention: Tensor, labels: Tensor) -> Tensor:
        loss: Tensor = self.model(input_ids=ids, attention_mask=attention, labels=labels).loss
        return loss

    @staticmethod
    def _without_tied(module: _Words, state: dict[str, Tensor], prefix: str, _metadata: object) -> None:
        for name in module.tied:
            state.pop(f"{prefix}{name}", None)

    @staticmethod
    def _with_tied(module: _Words, state: dict[str, Tensor], prefix: str, *_rest: object) -> None:
        for name, source in module.tied.items():
            if f"{prefix}{source}" in state:
                state[f"{prefix}{name}"] = state[f"{prefix}{source}"]


def fit_words(
    language: LanguageModel,
    train: Sequence[tuple[int, ...]],
    validation: Sequence[tuple[int, ...]],
    *,
    recipe: ModelRecipe,
    pretrain: PretrainRecipe,
    checkpoint: Path | None = None,
    report: Report | None = None,
) -> Fitted:
    """Fit a masked language model on windows of sub-words, in place.

    The same sub-words of the validation windows are hidden after every epoch.

    Raises
    ------
    InputError
        There is no window, or the loss is not finite.
    """
    how, training = pretrain.text, recipe.training
    device = make_accelerator(training.precision).device
    padding = language.tokenizer.pad_token_id or 0
    special = torch.tensor(sorted(language.tokenizer.all_special_ids))

    def hidden(rows: Sequence[tuple[int, ...]]) -> tuple[Tensor, Tensor, Tensor]:
        longest = max(map(len, rows))
        ids = torch.tensor([[*row, *([padding] * (longest - len(row)))] for row in rows])
        real = torch.arange(longest)[None] < torch.tensor([len(row) for row in rows])[:, None]
        asked = hide_words(
            ids,
            real & ~torch.isin(ids, special),
            share=how.hidden_share,
            mask_id=language.tokenizer.mask_token_id,
            vocabulary=len(language.tokenizer),
        )
        return asked.ids.to(device), real.long().to(device), asked.labels.to(device)

    def loss_of(module: nn.Module, index: Tensor) -> Tensor:
        loss: Tensor = module(*hidden([train[n] for n in index.tolist()]))
        return loss

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        starts = range(0, len(validation), how.batch_size)
        held_out = [hidden(validation[start : start + how.batch_size]) for start in starts]

    @torch.no_grad()
    def validation_loss(module: nn.Module) -> float:
        asked = [int((labels >= 0).sum()) for _, _, labels in held_out]
        total = sum(float(module(*batch)) * count for batch, count in zip(held_out, asked, strict=True))
        return total / sum(asked)

    return fit(
        _Words(language.model),
        loss_of=loss_of,
        validation_loss=validation_loss,
        count=len(train),
        batch_size=how.batch_size,
        checkpoint=checkpoint,
        report=report,
        **shared(how, pretrain, training),
    )


def save_language_model(language: LanguageModel, folder: Path) -> None:
    """Write encoder, head and tokenizer as safetensors and JSON, as a note encoder's folder has them."""
    with quiet_loading():
        language.model.to("cpu").save_pretrained(folder, safe_serialization=True)
        language.tokenizer.save_pretrained(folder)
