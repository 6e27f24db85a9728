"""Notes changed a little: sentences left out, sections in another order, findings by another of their names.

On cached tokens, each training step anew: a dropped sentence is a dropped token, a shuffled section another section
number. On text, for copies that are encoded beside the original: synonyms too.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from functools import cache

import numpy as np
import torch

from data_schemas.finding import findings
from data_schemas.recipes import AugmentRecipe
from fusion_models.tokens import Tokens
from pipelines.cases.examples import Example, Sentence


def augment_note_tokens(tokens: Tokens, *, sentence_drop: float, section_shuffle: float) -> Tokens:
    """The tokens of a batch of notes with some left out and, of some cases, the sections renumbered.

    Draws from torch's own generator. A case keeps at least one of its tokens. ``position`` is section and sentence.
    """
    keep = torch.rand(tokens.mask.shape, device=tokens.mask.device) >= sentence_drop
    mask = tokens.mask & keep
    mask = torch.where(mask.any(dim=1, keepdim=True), mask, tokens.mask)
    position = tokens.position.clone()
    shuffled = torch.rand(len(mask), device=mask.device) < section_shuffle
    for row in shuffled.nonzero()[:, 0].tolist():
        section = position[row, :, 0]
        names = section[tokens.mask[row]].unique()
        order = names[torch.randperm(len(names), device=names.device)]
        for old, new in zip(names.tolist(), order.tolist(), strict=True):
            position[row, tokens.position[row, :, 0] == old, 0] = new
    return Tokens(tokens.values, mask, position, tokens.source)


def with_note_copies(examples: Sequence[Example], *, recipe: AugmentRecipe, seed: int) -> list[Example]:
    """The examples, each that has a note followed by ``note_copies`` of it with the note rewritten."""
    result: list[Example] = []
    for number, example in enumerate(examples):
        result.append(example)
        for copy in range(recipe.note_copies if example.sentences else 0):
            random = np.random.default_rng([seed, number, copy])
            result.append(rewritten(example, recipe=recipe, random=random))
    return result


def rewritten(example: Example, *, recipe: AugmentRecipe, random: np.random.Generator) -> Example:
    """An example with its note rewritten; its mentions follow their sentences. At least one sentence stays."""
    count = len(example.sentences)
    keep = random.random(count) >= recipe.sentence_drop
    if not keep.any():
        keep[random.integers(count)] = True
    order = np.flatnonzero(keep).tolist()
    if random.random() < recipe.section_shuffle:
        order = _sections_shuffled(example.sentences, order, random)
    place = {old: new for new, old in enumerate(order)}
    sentences = tuple(
        dataclasses.replace(row, text=_reworded(row.text, chance=recipe.synonyms, random=random))
        for row in (example.sentences[old] for old in order)
    )
    mentions = tuple(
        dataclasses.replace(item, sentence=place[item.sentence]) for item in example.mentions if item.sentence in place
    )
    return dataclasses.replace(example, sentences=sentences, mentions=mentions)


def _sections_shuffled(sentences: Sequence[Sentence], order: Sequence[int], random: np.random.Generator) -> list[int]:
    """The same sentences, section after section of one note in another order; notes stay in theirs."""
    notes: dict[str, dict[str, list[int]]] = {}
    for number in order:
        note, section, _ = sentences[number].source.split("/")
        notes.setdefault(note, {}).setdefault(section, []).append(number)
    result: list[int] = []
    for sections in notes.values():
        blocks = list(sections.values())
        for block in random.permutation(len(blocks)).tolist():
            result.extend(blocks[block])
    return result


def _reworded(text: str, *, chance: float, random: np.random.Generator) -> str:
    def other(found: re.Match[str]) -> str:
        names = _synonyms()[found.group(0).lower()]
        if random.random() >= chance:
            return found.group(0)
        chosen = names[int(random.integers(len(names)))]
        return chosen[0].upper() + chosen[1:] if found.group(0)[0].isupper() else chosen

    return _pattern().sub(other, text)


@cache
def _synonyms() -> dict[str, tuple[str, ...]]:
    """The other names of each name in lower case; a name of several findings has none."""
    named: dict[str, list[str]] = {}
    for finding in findings().values():
        for synonym in finding.synonyms:
            named.setdefault(synonym.lower(), []).append(finding.name)
    return {
        synonym.lower(): tuple(name for name in finding.synonyms if name != synonym)
        for finding in findings().values()
        for synonym in finding.synonyms
        if len(finding.synonyms) > 1 and len(named[synonym.lower()]) == 1
    }


@cache
def _pattern() -> re.Pattern[str]:
    names = sorted(_synonyms(), key=len, reverse=True)
    return re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, names)) + r")(?![\w-])", re.IGNORECASE)
