"""Cases to what the trainable part reads: tokens of the frozen encoders, and values and mentions by number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from data_schemas.finding import findings
from data_schemas.recipes import ConceptRecipe, ModelRecipe, NoteRecipe
from fusion_models.case_model import Batch, CaseModel
from fusion_models.concept_encoder import Mentions
from fusion_models.observation_encoder import Values
from fusion_models.scan_encoder import ScanEncoder
from fusion_models.tokens import Inputs, Tokens, collate
from pipelines.cases.examples import Example
from pipelines.cases.mentions import ASSERTIONS, SIDES
from pipelines.models.note_features import encode_notes
from pipelines.models.radiomics_features import encode_radiomics
from pipelines.models.scan_features import Progress, encode_scans
from pipelines.models.weights import NoteModel
from pipelines.models.word_features import encode_words
from pipelines.workspace.cache import ArrayCache

DEFAULT = ModelRecipe().modalities


@dataclass(frozen=True)
class Features:
    """What some cases are to the trainable part, by modality, and where it comes from.

    Tokens are in float32, not in half precision: an encoder's last bits depend on what else is in its batch, and
    rounding to half would turn one such bit into a step of 5e-4, and scores would differ by more than 1e-5 between two
    runs over the same case.

    ``sentence_of_unit`` tells per case which sentence each note unit belongs to, ``left_out`` how many sub-words were
    not read, ``mentions_left_out`` how many mentions: the first ones of the example.
    """

    batch: Batch
    sentence_of_unit: tuple[tuple[int, ...], ...]
    left_out: tuple[int, ...]
    mentions_left_out: tuple[int, ...]


def encode(
    examples: Sequence[Example],
    *,
    scan_encoder: ScanEncoder,
    scan_digest: str,
    note_model: NoteModel,
    note_recipe: NoteRecipe,
    codes: Sequence[str],
    modalities: Sequence[str] = DEFAULT,
    mentions_at_most: int = ConceptRecipe().at_most,
    device: torch.device | str = "cpu",
    cache: ArrayCache | None = None,
    progress: Progress | None = None,
) -> Features:
    """What the modalities read of every case, in the order of ``examples``.

    Parameters
    ----------
    scan_digest
        SHA-256 of the scan encoder's weights: with the case's own digest it keys the cache.
    mentions_at_most
        Mentions of a case that are read: the last ones of its record.
    cache
        Scans are cached where the case has a ``scan_digest``; notes always, by their sub-words.
    progress
        Called with the number of scans that are done and the number of cases.
    """
    inputs: dict[str, Inputs] = {}
    sentence_of_unit: tuple[tuple[int, ...], ...] = ((),) * len(examples)
    left_out = mentions_left_out = (0,) * len(examples)
    if "note" in modalities:
        notes = encode_notes(examples, note_model=note_model, recipe=note_recipe, device=device, cache=cache)
        inputs["note"] = collate([tokens for tokens, _ in notes])
        sentence_of_unit = tuple(cut.sentence for _, cut in notes)
        left_out = tuple(cut.left_out for _, cut in notes)
    if "words" in modalities:
        inputs["words"] = collate(encode_words(examples))
    if "scan" in modalities:
        inputs["scan"] = collate(
            encode_scans(
                examples, encoder=scan_encoder, digest=scan_digest, device=device, cache=cache, progress=progress
            )
        )
    if "radiomics" in modalities:
        channels = scan_encoder.channels
        inputs["radiomics"] = collate(encode_radiomics(examples, channels=channels, cache=cache, progress=progress))
    if "observation" in modalities:
        inputs["observation"] = observation_inputs(examples, codes=codes)
    if "concept" in modalities:
        inputs["concept"] = concept_inputs(examples, at_most=mentions_at_most)
        mentions_left_out = tuple(max(len(example.mentions) - mentions_at_most, 0) for example in examples)
    return Features(Batch(inputs), sentence_of_unit, left_out, mentions_left_out)


def novelty_tokens(case_model: CaseModel, batch: Batch) -> Tokens | None:
    """What tells how unlike the training cohort a scan is: the scan encoder's tokens, else the radiomics."""
    scan, radiomics = batch.inputs.get("scan"), batch.inputs.get("radiomics")
    if isinstance(scan, Tokens):
        return scan
    if not isinstance(radiomics, Tokens):
        return None
    encoder = case_model.encoders["radiomics"]
    return encoder(radiomics.to(next(encoder.buffers()).device)).to("cpu")


def pooled_scans(tokens: Tokens) -> Tensor:
    """Mean token [N, D] of every case that has a scan, in float32."""
    tokens = tokens.float()
    present = tokens.mask.any(dim=1)
    weight = tokens.mask[present].float()[..., None]
    return (tokens.values[present] * weight).sum(dim=1) / weight.sum(dim=1)


def observation_inputs(examples: Sequence[Example], *, codes: Sequence[str]) -> Values:
    """The values of the known codes, padded; a code counts by its place in ``codes``."""
    number = {code: index for index, code in enumerate(codes)}
    rows = [[value for value in example.values if value.code in number] for example in examples]
    return Values(
        code=_padded([[number[item.code] for item in row] for row in rows], torch.long),
        value=_padded([[item.value for item in row] for row in rows], torch.float32),
        age_days=_padded([[item.age_days for item in row] for row in rows], torch.float32),
        mask=_padded([[True] * len(row) for row in rows], torch.bool),
    )


def concept_inputs(examples: Sequence[Example], *, at_most: int) -> Mentions:
    """The last mentions of every case, padded, by the number of their finding, assertion and side."""
    number = {name: index for index, name in enumerate(findings())}
    rows = [example.mentions[-at_most:] for example in examples]
    told = [[example.sentences[item.sentence] for item in row] for example, row in zip(examples, rows, strict=True)]
    section = _padded([[sentence.section for sentence in row] for row in told], torch.float32)
    sentence = _padded([[sentence.number for sentence in row] for row in told], torch.float32)
    return Mentions(
        finding=_padded([[number[item.finding] for item in row] for row in rows], torch.long),
        assertion=_padded([[ASSERTIONS.index(item.assertion) for item in row] for row in rows], torch.long),
        side=_padded([[SIDES.index(item.side) for item in row] for row in rows], torch.long),
        place=torch.stack([section, sentence], dim=-1),
        mask=_padded([[True] * len(row) for row in rows], torch.bool),
    )


def _padded(rows: Sequence[Sequence[float]], dtype: torch.dtype) -> Tensor:
    """[B, T] with zeros after the end of each row; T is at least 1."""
    longest = max([1, *map(len, rows)])
    return torch.tensor([[*row, *([0] * (longest - len(row)))] for row in rows], dtype=dtype).reshape(-1, longest)
