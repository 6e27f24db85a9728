"""Notes to tokens by the frozen encoder: whole records in windows, read under a budget of sub-words, and cached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from data_schemas.recipes import NoteRecipe
from fusion_models.note_encoder import NoteEncoder
from fusion_models.tokens import Tokens, missing, of_one_case
from pipelines.cases.examples import Example
from pipelines.models.weights import NoteModel
from pipelines.notes.windows import Windows, cut_windows
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.digests import json_digest

# Sub-words that the encoder reads at once, padding included: what bounds its memory, however long a record is.
SUBWORDS_A_BATCH = 4096
MOST_PADDING = 0.2


@torch.no_grad()
def encode_notes(
    examples: Sequence[Example],
    *,
    note_model: NoteModel,
    recipe: NoteRecipe,
    device: torch.device | str,
    cache: ArrayCache | None = None,
) -> list[tuple[Tokens, Windows]]:
    """Tokens of each case's text (B = 1), in float32, with its windows."""
    cuts = [windows_of_case(example, note_model=note_model, recipe=recipe) for example in examples]
    states = [torch.zeros(len(cut.sentence), note_model.encoder.features) for cut in cuts]
    keys = [json_digest(["note tokens", note_model.digest, list(recipe.states), cut.ids, cut.unit]) for cut in cuts]
    wanted = []
    for number, cut in enumerate(cuts):
        found = cache.of(examples[number].study_key).get_arrays(keys[number]) if cache and cut.ids else None
        if found:
            states[number] = torch.from_numpy(found["values"])
        elif cut.ids:
            wanted.append(number)
    encoder, padding = note_model.encoder.to(device).eval(), note_model.tokenizer.pad_token_id or 0
    for place, values in _read([cuts[number] for number in wanted], encoder, padding=padding, device=device):
        states[wanted[place]] = values
        if cache:
            own = cache.of(examples[wanted[place]].study_key)
            own.put_arrays(keys[wanted[place]], {"values": values.numpy()})
    return [
        (_note_tokens(example, cut, values), cut) for example, cut, values in zip(examples, cuts, states, strict=True)
    ]


def windows_of_case(example: Example, *, note_model: NoteModel, recipe: NoteRecipe) -> Windows:
    """A case's text as the encoder reads it."""
    return cut_windows(
        [sentence.text for sentence in example.sentences],
        tokenizer=note_model.tokenizer,
        window=recipe.window or note_model.window,
        stride=recipe.stride,
        windows_at_most=recipe.windows_at_most,
        unit=recipe.unit,
    )


def batches_of(lengths: Sequence[int], *, budget: int) -> list[list[int]]:
    """Which windows are read together: sorted by length, each batch padded to its longest within the budget.

    A window that is longer than the budget stands alone. No more than a fifth of a batch is padding.
    """
    batches: list[list[int]] = []
    real = 0
    for number in sorted(range(len(lengths)), key=lambda number: lengths[number]):
        padded = (len(batches[-1]) + 1) * lengths[number] if batches else 0
        if batches and padded <= min(budget, (real + lengths[number]) / (1 - MOST_PADDING)):
            batches[-1].append(number)
            real += lengths[number]
        else:
            batches.append([number])
            real = lengths[number]
    return batches


def _read(
    cuts: Sequence[Windows], encoder: NoteEncoder, *, padding: int, device: torch.device | str
) -> Iterator[tuple[int, Tensor]]:
    """The mean state of every unit of each record, as soon as all of its windows are read."""
    windows = [(record, number) for record, cut in enumerate(cuts) for number in range(len(cut.ids))]
    total = [torch.zeros(len(cut.sentence), encoder.features) for cut in cuts]
    count = [torch.zeros(len(cut.sentence)) for cut in cuts]
    open_windows = [len(cut.ids) for cut in cuts]
    lengths = [len(cuts[record].ids[number]) for record, number in windows]
    for batch in batches_of(lengths, budget=SUBWORDS_A_BATCH):
        chosen = [windows[place] for place in batch]
        sums, counts, spans = _sums([(cuts[r].ids[n], cuts[r].unit[n]) for r, n in chosen], encoder, padding, device)
        offset = 0
        for (record, _), (first, units) in zip(chosen, spans, strict=True):
            total[record][first : first + units] += sums[offset : offset + units]
            count[record][first : first + units] += counts[offset : offset + units]
            offset += units
            open_windows[record] -= 1
            if not open_windows[record]:
                yield record, total[record] / count[record].clamp(min=1.0)[:, None]


def _sums(
    windows: Sequence[tuple[tuple[int, ...], tuple[int, ...]]],
    encoder: NoteEncoder,
    padding: int,
    device: torch.device | str,
) -> tuple[Tensor, Tensor, list[tuple[int, int]]]:
    """Sums and counts of the windows' units, window after window, and each window's first unit and number of units."""
    longest = max(len(row) for row, _ in windows)
    ids, unit, spans, offset = [], [], [], 0
    for row, units in windows:
        gap = longest - len(row)
        first, last = units[1], units[-2]
        ids.append([*row, *([padding] * gap)])
        unit.append([*(number - first + offset if number >= 0 else -1 for number in units), *([-1] * gap)])
        spans.append((first, last - first + 1))
        offset += last - first + 1
    lengths = torch.tensor([len(row) for row, _ in windows])
    mask = (torch.arange(longest)[None, :] < lengths[:, None]).long()
    given = (torch.tensor(ids).to(device), mask.to(device), torch.tensor(unit).to(device))
    sums, counts = encoder.sums(*given, offset)
    return sums.cpu(), counts.cpu(), spans


def _note_tokens(example: Example, cut: Windows, values: Tensor) -> Tokens:
    if not len(values):
        return missing(batch=1, features=values.shape[1], coordinates=2)
    place = [(example.sentences[n].section, example.sentences[n].number) for n in cut.sentence]
    return of_one_case(values, torch.tensor(place, dtype=torch.float32))
