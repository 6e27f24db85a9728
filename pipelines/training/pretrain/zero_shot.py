"""Scores without any label: how much nearer a scan is to "there is X" than to "there is no X"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from data_schemas.errors import ModelError
from data_schemas.finding import findings
from data_schemas.pretraining import PretrainRecipe
from data_schemas.recipes import ModelRecipe, NoteRecipe
from fusion_models.pretraining import PairModel, prompt_scores
from fusion_models.tokens import Tokens, collate
from pipelines.cases.examples import SECTION_NUMBER, Example, Sentence
from pipelines.models.build import build_scan_encoder
from pipelines.models.note_features import encode_notes
from pipelines.models.weights import NoteModel, load_note_model, resolve_note_encoder
from pipelines.training.fitting import stack
from pipelines.training.pretrain.contrastive import SCANS_AT_ONCE, build_pair_model
from pipelines.training.pretrain.keep import PAIR, read_card

PRESENT = ("There is {}.", "{} is seen.", "{} is present.")
ABSENT = ("There is no {}.", "No {} is seen.", "No sign of {}.")


@dataclass(frozen=True)
class PairReader:
    """A kept pair model with the note encoder that its prompts are read with."""

    model: PairModel
    note_model: NoteModel
    note_recipe: NoteRecipe


def prompts_of(finding: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is said of a finding where it is there, and where it is not, by its display name (its own, else)."""
    known = findings().get(finding)
    named = known.display if known else finding.replace("-", " ")
    # An abbreviation (GGO) keeps its capitals.
    words = named if named[:2].isupper() else named[:1].lower() + named[1:]
    return tuple(_said(frame, words) for frame in PRESENT), tuple(_said(frame, words) for frame in ABSENT)


def load_pairs(folder: Path) -> PairReader:
    """The pair model of a contrastive pretraining, from where it was kept.

    Raises
    ------
    ModelError
        The folder holds no such model, or other files than its card says; or its note encoder cannot be had.
    """
    from safetensors.torch import load

    card = read_card(folder)
    if card.objective != "contrastive":
        raise ModelError(f"encoder {folder.name}: pretrained by '{card.objective}'; prompts need a contrastive one")
    recipe = ModelRecipe.model_validate(card.recipe["model"])
    pretrain = PretrainRecipe.model_validate(card.recipe["pretrain"])
    note_model = load_note_model(
        resolve_note_encoder(recipe.note.encoder, revision=recipe.note.revision),
        states=recipe.note.states,
        window=recipe.note.window,
    )
    if note_model.digest != card.recipe["note_digest"]:
        raise ModelError(f"encoder {folder.name}: its note encoder is not the one that it was pretrained with")
    encoder = build_scan_encoder(recipe, signs=1)
    model = build_pair_model(encoder, note_features=note_model.encoder.features, recipe=pretrain)
    model.load_state_dict(load((folder / PAIR).read_bytes()))
    return PairReader(model.eval(), note_model, recipe.note)


@torch.no_grad()
def zero_shot_scores(reader: PairReader, examples: Sequence[Example], names: Sequence[str]) -> Tensor:
    """Scores [N, F] between 0 and 1 for some findings; NaN where a case has no scan. They are not calibrated.

    The vectors of a finding's prompts are averaged, as CLIP averages those of its templates.
    """
    said = [prompts_of(name) for name in names]
    present, absent = (torch.stack([_prompt_vector(reader, finding[side]) for finding in said]) for side in (0, 1))
    found = torch.full((len(examples), len(names)), float("nan"))
    having = [number for number, example in enumerate(examples) if example.scan is not None]
    device = next(reader.model.parameters()).device
    for start in range(0, len(having), SCANS_AT_ONCE):
        numbers = having[start : start + SCANS_AT_ONCE]
        scans = reader.model.read_scans(*stack([examples[n] for n in numbers], device))
        found[numbers] = prompt_scores(scans, present, absent, scale=reader.model.scale).cpu()
    return found


def note_tokens(
    rows: Sequence[Sequence[Sentence]], *, keys: Sequence[str], note_model: NoteModel, recipe: NoteRecipe, **how: Any
) -> Tokens:
    """Tokens of some texts by the frozen note encoder, a row a text; ``keys`` name their places in the cache."""
    examples = [Example(key, key, None, tuple(row), ()) for key, row in zip(keys, rows, strict=True)]
    return collate([tokens for tokens, _ in encode_notes(examples, note_model=note_model, recipe=recipe, **how)])


def _prompt_vector(reader: PairReader, prompts: Sequence[str]) -> Tensor:
    device = next(reader.model.parameters()).device
    rows = [(Sentence(text, "0/0/0", SECTION_NUMBER["impression"], 0),) for text in prompts]
    tokens = note_tokens(
        rows, keys=list(prompts), note_model=reader.note_model, recipe=reader.note_recipe, device=device
    )
    return torch.nn.functional.normalize(reader.model.read_notes(tokens.to(device)).mean(dim=0), dim=-1)


def _said(frame: str, words: str) -> str:
    said = frame.format(words)
    return said[:1].upper() + said[1:]
