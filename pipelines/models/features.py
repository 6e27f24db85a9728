"""Frozen encoders to tokens: computed once a case, cached by digest of inputs, recipe and weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from data_schemas.settings import NoteRecipe
from fusion_models.case_model import Batch
from fusion_models.scan_encoder import ScanEncoder
from fusion_models.tokens import Tokens, collate, missing
from pipelines.cases.examples import Example
from pipelines.models.weights import NoteModel
from pipelines.notes.windows import Windows, cut_windows
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.digests import json_digest

SUBWORDS_A_BATCH = 4096
SCANS_A_BATCH = 16
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Features:
    """Tokens of some cases in float32, and per case which sentence each note unit belongs to.

    Not in half precision: an encoder's last bits depend on what else is in its batch, and rounding to half would turn
    one such bit into a step of 5e-4, and scores would differ by more than 1e-5 between two runs over the same case.
    """

    batch: Batch
    sentence_of_unit: tuple[tuple[int, ...], ...]
    left_out: tuple[int, ...]


def encode(
    examples: Sequence[Example],
    *,
    scan_encoder: ScanEncoder,
    scan_digest: str,
    note_model: NoteModel,
    note_recipe: NoteRecipe,
    codes: Sequence[str],
    device: torch.device | str = "cpu",
    cache: ArrayCache | None = None,
    progress: Progress | None = None,
) -> Features:
    """Tokens of every case, in the order of ``examples``.

    Parameters
    ----------
    scan_digest
        SHA-256 of the scan encoder's weights: with the case's own digest it keys the cache.
    cache
        Scans are cached where the case has a ``scan_digest``; notes always, by their sub-words.
    progress
        Called with the number of scans that are done and the number of cases.
    """
    notes = encode_notes(examples, note_model=note_model, recipe=note_recipe, device=device, cache=cache)
    scans = encode_scans(
        examples, encoder=scan_encoder, digest=scan_digest, device=device, cache=cache, progress=progress
    )
    batch = Batch(collate(scans), collate([tokens for tokens, _ in notes]), *_observations(examples, codes))
    windows = [cut for _, cut in notes]
    return Features(batch, tuple(cut.sentence for cut in windows), tuple(cut.left_out for cut in windows))


@torch.no_grad()
def encode_scans(
    examples: Sequence[Example],
    *,
    encoder: ScanEncoder,
    digest: str,
    device: torch.device | str,
    cache: ArrayCache | None = None,
    progress: Progress | None = None,
) -> list[Tokens]:
    """Tokens of each case's scan (B = 1), in float32; a masked slot where there is no scan."""
    encoder = encoder.to(device).eval()
    rows = [missing(batch=1, features=encoder.features, coordinates=3) for _ in examples]
    wanted = []
    for number, example in enumerate(examples):
        found = cache.get_arrays(_key(digest, example)) if cache and example.scan_digest and example.scan else None
        if found:
            rows[number] = _tokens(found["values"], found["position"])
        elif example.scan is not None:
            wanted.append(number)
    for start in range(0, len(wanted), SCANS_A_BATCH):
        numbers = wanted[start : start + SCANS_A_BATCH]
        volume = np.stack([examples[n].scan.values for n in numbers])  # type: ignore[union-attr]
        affine = np.stack([examples[n].scan.affine for n in numbers])  # type: ignore[union-attr]
        volume_on, affine_on = torch.from_numpy(volume).to(device).float(), torch.from_numpy(affine).to(device).float()
        tokens = encoder(volume_on, affine_on).tokens
        for number, values, position in zip(numbers, tokens.values.float().cpu(), tokens.position.cpu(), strict=True):
            rows[number] = _tokens(values.numpy(), position.numpy())
            if cache and examples[number].scan_digest:
                arrays = {"values": values.numpy(), "position": position.numpy()}
                cache.put_arrays(_key(digest, examples[number]), arrays)
        if progress:
            progress(len(examples) - len(wanted) + min(start + SCANS_A_BATCH, len(wanted)), len(examples))
    return rows


@torch.no_grad()
def encode_notes(
    examples: Sequence[Example],
    *,
    note_model: NoteModel,
    recipe: NoteRecipe,
    device: torch.device | str,
    cache: ArrayCache | None = None,
) -> list[tuple[Tokens, Windows]]:
    """Tokens of each case's text (B = 1), in float32, with its windows; sorted by length under a sub-word budget."""
    cuts = [
        cut_windows(
            [sentence.text for sentence in example.sentences],
            tokenizer=note_model.tokenizer,
            window=recipe.window,
            stride=recipe.stride,
            windows_at_most=recipe.windows_at_most,
            unit=recipe.unit,
        )
        for example in examples
    ]
    states = [torch.zeros(len(cut.sentence), note_model.encoder.features, dtype=torch.float32) for cut in cuts]
    keys = [json_digest(["note tokens", note_model.digest, list(recipe.states), cut.ids, cut.unit]) for cut in cuts]
    wanted = []
    for number, cut in enumerate(cuts):
        found = cache.get_arrays(keys[number]) if cache and cut.ids else None
        if found:
            states[number] = torch.from_numpy(found["values"])
        elif cut.ids:
            wanted.append(number)
    encoder, padding = note_model.encoder.to(device).eval(), note_model.tokenizer.pad_token_id or 0
    for numbers in _by_length(wanted, [sum(map(len, cut.ids)) for cut in cuts]):
        for number, values in zip(numbers, _run(encoder, [cuts[n] for n in numbers], padding, device), strict=True):
            states[number] = values.clone()
            if cache:
                cache.put_arrays(keys[number], {"values": values.numpy()})
    return [
        (_note_tokens(example, cut, values), cut) for example, cut, values in zip(examples, cuts, states, strict=True)
    ]


def pooled_scans(batch: Batch) -> Tensor:
    """Mean token [N, D] of every case that has a scan, in float32."""
    tokens = batch.scan.float()
    present = tokens.mask.any(dim=1)
    weight = tokens.mask[present].float()[..., None]
    return (tokens.values[present] * weight).sum(dim=1) / weight.sum(dim=1)


def _run(encoder: torch.nn.Module, cuts: Sequence[Windows], padding: int, device: torch.device | str) -> list[Tensor]:
    longest = max(len(row) for cut in cuts for row in cut.ids)
    ids, unit, offset = [], [], 0
    for cut in cuts:
        for row, units in zip(cut.ids, cut.unit, strict=True):
            gap = longest - len(row)
            ids.append([*row, *([padding] * gap)])
            unit.append([*(number + offset if number >= 0 else -1 for number in units), *([-1] * gap)])
        offset += len(cut.sentence)
    lengths = torch.tensor([len(row) for cut in cuts for row in cut.ids])
    mask = (torch.arange(longest)[None, :] < lengths[:, None]).long()
    given = (torch.tensor(ids).to(device), mask.to(device), torch.tensor(unit).to(device))
    values = encoder(*given, offset).float().cpu()
    return list(values.split([len(cut.sentence) for cut in cuts]))


def _by_length(numbers: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
    batches: list[list[int]] = []
    for number in sorted(numbers, key=lambda number: lengths[number]):
        if batches and (len(batches[-1]) + 1) * lengths[number] <= SUBWORDS_A_BATCH:
            batches[-1].append(number)
        else:
            batches.append([number])
    return batches


def _note_tokens(example: Example, cut: Windows, values: Tensor) -> Tokens:
    if not len(values):
        return missing(batch=1, features=values.shape[1], coordinates=2)
    place = [(example.sentences[n].section, example.sentences[n].number) for n in cut.sentence]
    return _tokens(values.numpy(), np.array(place, np.float32))


def _tokens(values: np.ndarray, position: np.ndarray) -> Tokens:
    count = len(values)
    return Tokens(
        values=torch.from_numpy(values)[None],
        mask=torch.ones(1, count, dtype=torch.bool),
        position=torch.from_numpy(position)[None].float(),
        source=torch.arange(count)[None],
    )


def _observations(examples: Sequence[Example], codes: Sequence[str]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    number = {code: index for index, code in enumerate(codes)}
    rows = [[value for value in example.values if value.code in number] for example in examples]
    longest = max([1, *map(len, rows)])
    shape = (len(examples), longest)
    code, known = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.bool)
    value, age = torch.zeros(shape), torch.zeros(shape)
    for i, row in enumerate(rows):
        for j, item in enumerate(row):
            code[i, j], value[i, j], age[i, j], known[i, j] = number[item.code], item.value, item.age_days, True
    return code, value, age, known


def _key(digest: str, example: Example) -> str:
    return json_digest(["scan tokens", digest, example.scan_digest])
