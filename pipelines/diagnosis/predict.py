"""A loaded model reads examples: coherent probabilities, the evidence from every modality, and remarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from data_schemas.diagnosis import Evidence, Score
from data_schemas.reasons import Remark
from data_schemas.target import Estimate
from fusion_models.tokens import Tokens
from pipelines.cases.examples import Example, Mention
from pipelines.cases.value_units import in_units
from pipelines.models.artefact import LoadedModel, ModelCard
from pipelines.models.estimates import estimates
from pipelines.models.features import Features, novelty_tokens, pooled_scans
from pipelines.models.reading import CasesRead, read_cases
from pipelines.models.word_features import token_of_sentence
from pipelines.workspace.cache import ArrayCache

EVIDENCE_A_MODALITY = 3
# What two decimals show: scores that coherence moved by less are not spoken of.
MOVED = 0.005


@dataclass(frozen=True)
class Prediction:
    """What a model says of one case."""

    scores: tuple[Score, ...]
    remarks: tuple[Remark, ...]
    history: tuple[str, ...]
    estimates: tuple[Estimate, ...] = ()


@torch.no_grad()
def predict(
    model: LoadedModel, examples: Sequence[Example], *, device: torch.device, cache: ArrayCache | None = None
) -> list[Prediction]:
    """Read some cases; each prediction is the same whatever other cases are read with it, within 1e-5."""
    if not examples:
        return []
    read = read_cases(model, examples, device=device, cache=cache)
    attention = {name: share.cpu() for name, share in read.reading.attention.items()}
    distance = _distances(model, read.features)
    limit = float(model.novelty.limit)
    estimated = estimates(read.reading.targets, model.card.targets, len(examples))
    return [
        Prediction(
            scores=tuple(
                Score(
                    finding=finding,
                    probability=float(read.probabilities[row, number]),
                    evidence=_evidence(example, read.features, attention, row, number),
                )
                for number, finding in enumerate(model.card.recipe.findings)
            ),
            remarks=_remarks(example, read, row, model.card, distance[row], limit),
            history=_history(example, read, row, model.card, distance[row], limit),
            estimates=estimated[row],
        )
        for row, example in enumerate(examples)
    ]


def _distances(model: LoadedModel, features: Features) -> list[float | None]:
    scan = novelty_tokens(model.case_model, features.batch)
    if scan is None:
        return [None] * len(features.batch)
    found = iter(model.novelty.cpu()(pooled_scans(scan)).tolist())
    return [next(found) if present else None for present in scan.mask.any(dim=1).tolist()]


def _evidence(
    example: Example, features: Features, attention: dict[str, Tensor], row: int, finding: int
) -> tuple[Evidence, ...]:
    """The tokens with the largest shares of a finding's attention, summed over tokens of one source."""
    evidence = []
    scan = features.batch.inputs.get("scan")
    if isinstance(scan, Tokens):
        share = attention["scan"][row, finding, : scan.mask.shape[1]]
        for token in _top(share * scan.mask[row]):
            x, y, z = (round(float(value), 1) for value in scan.position[row, token])
            evidence.append(
                Evidence(modality="scan", source=f"region/{token}", weight=float(share[token]), position_mm=(x, y, z))
            )
    if "radiomics" in attention and example.scan is not None:
        place = features.batch["radiomics"]
        assert isinstance(place, Tokens)  # noqa: S101
        x, y, z = (round(float(value), 1) for value in place.position[row, 0])
        weight = float(attention["radiomics"][row, finding, 0])
        evidence.append(Evidence(modality="scan", source="whole scan", weight=weight, position_mm=(x, y, z)))
    evidence += _strongest("note", *_text_shares(example, features, attention, row, finding))
    if "concept" in attention:
        read = example.mentions[features.mentions_left_out[row] :]
        sources = [_mention_source(example, mention) for mention in read]
        evidence += _strongest("concept", sources, attention["concept"][row, finding].tolist())
    if "observation" in attention:
        share = attention["observation"][row, finding]
        evidence += [
            Evidence(modality="observation", source=value.code, weight=float(share[number]))
            for number, value in enumerate(example.values)
        ]
    return tuple(evidence)


def _text_shares(
    example: Example, features: Features, attention: dict[str, Tensor], row: int, finding: int
) -> tuple[list[str], list[float]]:
    """Sentences by source, and shares: what they mean to the note encoder, and the words that they hold."""
    sentences: list[int] = []
    shares: list[float] = []
    if "note" in attention:
        units = features.sentence_of_unit[row]
        sentences += units
        shares += attention["note"][row, finding].tolist()[: len(units)]
    if "words" in attention:
        token = token_of_sentence(len(example.sentences))
        sentences += range(len(token))
        shares += [float(attention["words"][row, finding, number]) / token.count(number) for number in token]
    return [example.sentences[sentence].source for sentence in sentences], shares


def _strongest(modality: str, sources: Sequence[str], shares: Sequence[float]) -> list[Evidence]:
    weight: dict[str, float] = {}
    for source, part in zip(sources, shares, strict=False):  # the last share of a modality is its absence token's
        weight[source] = weight.get(source, 0.0) + part
    names = sorted(weight, key=lambda source: -weight[source])[:EVIDENCE_A_MODALITY]
    return [Evidence(modality=modality, source=name, weight=min(weight[name], 1.0)) for name in names]


def _mention_source(example: Example, mention: Mention) -> str:
    told = "/".join(filter(None, (mention.finding, mention.assertion, mention.side)))
    return f"{example.sentences[mention.sentence].source}#{told}"


def _top(share: Tensor) -> list[int]:
    order = torch.argsort(share, descending=True, stable=True)[:EVIDENCE_A_MODALITY]
    return [int(token) for token in order if share[token] > 0]


def _remarks(
    example: Example, read: CasesRead, row: int, card: ModelCard, distance: float | None, limit: float
) -> tuple[Remark, ...]:
    reads = card.recipe.modalities
    remarks = {
        Remark.UNCALIBRATED: True,
        Remark.SCAN_MISSING: bool({"scan", "radiomics"} & set(reads)) and example.scan is None,
        Remark.CHANNEL_MISSING: example.scan is not None and bool(example.scan.missing),
        Remark.NO_NOTE: bool({"note", "words"} & set(reads)) and not example.sentences,
        Remark.NO_OBSERVATION: "observation" in reads and not example.values,
        Remark.NOTE_TRUNCATED: read.features.left_out[row] > 0 or read.features.mentions_left_out[row] > 0,
        Remark.OUTSIDE_TRAINING_DISTRIBUTION: distance is not None and not distance <= limit,
        Remark.INCOHERENT_SCORES: bool(_moved(read, row).any()),
        Remark.CONTRADICTORY_SCORES: bool(read.conflicts[row].any()),
    }
    return tuple(remark for remark, holds in remarks.items() if holds)


def _history(
    example: Example, read: CasesRead, row: int, card: ModelCard, distance: float | None, limit: float
) -> tuple[str, ...]:
    lines = list(example.scan.history) if example.scan else []
    lines += [f"observation: {line}" for line in in_units(example.values, card.units)[1]]
    if distance is not None:
        lines.append(f"novelty: Mahalanobis distance {distance:.1f} of the scan's features, limit {limit:.1f}")
    if read.features.left_out[row]:
        lines.append(f"note: the first {read.features.left_out[row]} sub-words of the record were not read")
    if read.features.mentions_left_out[row]:
        lines.append(f"concepts: the first {read.features.mentions_left_out[row]} mentions were not read")
    moved = [
        f"{name} {read.before[row, number]:.2f} to {read.probabilities[row, number]:.2f}"
        for number, name in enumerate(card.recipe.findings)
        if _moved(read, row)[number]
    ]
    if moved:
        lines.append(f"coherence: {', '.join(moved)}; no finding is likelier than what it entails")
    lines += [
        f"contradiction: {one} and {other} exclude each other, and both are likely; their scores stand as they are"
        for (one, other), both in zip(card.excludes, read.conflicts[row], strict=True)
        if both
    ]
    return tuple(lines)


def _moved(read: CasesRead, row: int) -> np.ndarray:
    return np.abs(read.probabilities[row] - read.before[row]) >= MOVED
