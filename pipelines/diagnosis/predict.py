"""A loaded model reads examples: probabilities, the evidence from both modalities, and remarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from data_schemas.diagnosis import Evidence, Score
from data_schemas.reasons import Remark
from pipelines.cases.examples import Example
from pipelines.models.artefact import LoadedModel
from pipelines.models.features import Features, encode, pooled_scans
from pipelines.workspace.cache import ArrayCache

EVIDENCE_A_MODALITY = 3


@dataclass(frozen=True)
class Prediction:
    """What a model says of one case."""

    scores: tuple[Score, ...]
    remarks: tuple[Remark, ...]
    history: tuple[str, ...]


@torch.no_grad()
def predict(
    model: LoadedModel, examples: Sequence[Example], *, device: torch.device, cache: ArrayCache | None = None
) -> list[Prediction]:
    """Read some cases; each prediction is the same whatever other cases are read with it, within 1e-5."""
    if not examples:
        return []
    recipe = model.card.recipe
    features = encode(
        examples,
        scan_encoder=model.scan_encoder,
        scan_digest=model.scan_digest,
        note_model=model.note_model,
        note_recipe=recipe.note,
        codes=recipe.observation_codes,
        device=device,
        cache=cache,
    )
    case_model = model.case_model.to(device).eval()
    reading = case_model(features.batch.to(device))
    probability = torch.sigmoid(reading.logits.double()).cpu()
    attention = {name: share.cpu() for name, share in reading.attention.items()}
    distance = _distances(model, features)
    return [
        Prediction(
            scores=tuple(
                Score(
                    finding=finding,
                    probability=float(probability[row, number]),
                    evidence=_evidence(example, features, attention, row, number),
                )
                for number, finding in enumerate(recipe.findings)
            ),
            remarks=_remarks(example, features.left_out[row], distance[row], float(model.novelty.limit)),
            history=_history(example, features.left_out[row], distance[row], float(model.novelty.limit)),
        )
        for row, example in enumerate(examples)
    ]


def _distances(model: LoadedModel, features: Features) -> list[float | None]:
    present = features.batch.scan.mask.any(dim=1).tolist()
    found = iter(model.novelty.cpu()(pooled_scans(features.batch)).tolist())
    return [next(found) if ok else None for ok in present]


def _evidence(
    example: Example, features: Features, attention: dict[str, Tensor], row: int, finding: int
) -> tuple[Evidence, ...]:
    """The tokens with the largest shares of a finding's attention, summed over tokens of one source."""
    evidence = []
    scan = features.batch.scan
    share = attention["scan"][row, finding, : scan.mask.shape[1]]
    for token in _top(share * scan.mask[row]):
        x, y, z = (round(float(value), 1) for value in scan.position[row, token])
        evidence.append(
            Evidence(modality="scan", source=f"region/{token}", weight=float(share[token]), position_mm=(x, y, z))
        )
    weight: dict[str, float] = {}
    share = attention["note"][row, finding]
    for unit, sentence in enumerate(features.sentence_of_unit[row]):
        source = example.sentences[sentence].source
        weight[source] = weight.get(source, 0.0) + float(share[unit])
    strongest = sorted(weight, key=lambda source: -weight[source])[:EVIDENCE_A_MODALITY]
    evidence += [Evidence(modality="note", source=name, weight=min(weight[name], 1.0)) for name in strongest]
    share = attention["observation"][row, finding]
    evidence += [
        Evidence(modality="observation", source=value.code, weight=float(share[number]))
        for number, value in enumerate(example.values)
    ]
    return tuple(evidence)


def _top(share: Tensor) -> list[int]:
    order = torch.argsort(share, descending=True, stable=True)[:EVIDENCE_A_MODALITY]
    return [int(token) for token in order if share[token] > 0]


def _remarks(example: Example, left_out: int, distance: float | None, limit: float) -> tuple[Remark, ...]:
    remarks = {
        Remark.UNCALIBRATED: True,
        Remark.SCAN_MISSING: example.scan is None,
        Remark.CHANNEL_MISSING: example.scan is not None and bool(example.scan.missing),
        Remark.NO_NOTE: not example.sentences,
        Remark.NO_OBSERVATION: not example.values,
        Remark.NOTE_TRUNCATED: left_out > 0,
        Remark.OUTSIDE_TRAINING_DISTRIBUTION: distance is not None and not distance <= limit,
    }
    return tuple(remark for remark, holds in remarks.items() if holds)


def _history(example: Example, left_out: int, distance: float | None, limit: float) -> tuple[str, ...]:
    lines = list(example.scan.history) if example.scan else []
    if distance is not None:
        lines.append(f"novelty: Mahalanobis distance {distance:.1f} of the scan's features, limit {limit:.1f}")
    if left_out:
        lines.append(f"note: {left_out} sub-words beyond the last window were not read")
    return tuple(lines)
