"""Makers of tokens, batches and small models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from fusion_models.case_model import Batch, CaseModel
from fusion_models.concept_encoder import ConceptEncoder, Mentions
from fusion_models.diagnoser import Diagnoser
from fusion_models.given_tokens import GivenTokens
from fusion_models.observation_encoder import ObservationEncoder, Values
from fusion_models.tokens import Tokens

SCAN_FEATURES, NOTE_FEATURES, CODES, FINDINGS = 6, 5, 3, 4
MODALITIES = ("scan", "note", "observation", "concept")
NAMED, ASSERTIONS, SIDES = 7, 3, 2


@pytest.fixture(scope="session")
def tokens() -> Callable[..., Tokens]:
    """Random tokens; ``lengths`` says how many of each case are real."""

    def make(lengths: list[int], *, features: int, coordinates: int, seed: int = 0, scale: float = 1.0) -> Tokens:
        generator = torch.Generator().manual_seed(seed)
        shape = (len(lengths), max(1, *lengths))
        mask = torch.arange(shape[1])[None] < torch.tensor(lengths)[:, None]
        return Tokens(
            values=torch.randn(*shape, features, generator=generator) * mask[..., None],
            mask=mask,
            position=torch.randn(*shape, coordinates, generator=generator) * scale * mask[..., None],
            source=torch.arange(shape[1]).expand(shape).masked_fill(~mask, -1),
        )

    return make


@pytest.fixture(scope="session")
def batch(tokens: Callable[..., Tokens]) -> Callable[..., Batch]:
    """Cases with so many scan tokens, note tokens, observations and (one by default) mentions each."""

    def make(
        scan: list[int], note: list[int], observations: list[int], *, mentions: list[int] | None = None, seed: int = 0
    ) -> Batch:
        generator = torch.Generator().manual_seed(seed + 100)
        shape, known = slots(observations)
        values = Values(
            code=torch.randint(0, CODES, shape, generator=generator) * known,
            value=torch.randn(shape, generator=generator) * known,
            age_days=torch.rand(shape, generator=generator) * 40 * known,
            mask=known,
        )
        shape, told = slots(mentions or [1] * len(scan))
        drawn = [torch.randint(0, end, shape, generator=generator) * told for end in (NAMED, ASSERTIONS, SIDES)]
        place = torch.rand(*shape, 2, generator=generator) * 8 * told[..., None]
        return Batch(
            {
                "scan": tokens(scan, features=SCAN_FEATURES, coordinates=3, seed=seed, scale=80.0),
                "note": tokens(note, features=NOTE_FEATURES, coordinates=2, seed=seed + 1, scale=3.0),
                "observation": values,
                "concept": Mentions(*drawn, place, told),
            }
        )

    return make


def slots(counts: list[int]) -> tuple[tuple[int, int], torch.Tensor]:
    """The shape that holds so many items a case, and where they stand."""
    shape = (len(counts), max(1, *counts))
    return shape, torch.arange(shape[1])[None] < torch.tensor(counts)[:, None]


@pytest.fixture(scope="session")
def encoders() -> Callable[..., dict[str, nn.Module]]:
    """Fresh encoders of some modalities, by name."""

    def make(names: Sequence[str], *, codes: int = CODES) -> dict[str, nn.Module]:
        makers: dict[str, Callable[[], nn.Module]] = {
            "scan": lambda: GivenTokens(features=SCAN_FEATURES, position_scale=(60.0, 60.0, 60.0), centred=True),
            "note": lambda: GivenTokens(features=NOTE_FEATURES, position_scale=(4.0, 4.0)),
            "observation": lambda: ObservationEncoder(codes=codes, features=8),
            "concept": lambda: ConceptEncoder(findings=NAMED, assertions=ASSERTIONS, sides=SIDES, features=8),
        }
        return {name: make_one() for name, make_one in makers.items() if name in names}

    return make


def make_reader(features: Mapping[str, int], scale: Mapping[str, tuple[float, ...]], **arguments: Any) -> nn.Module:
    """Cross-attention over those modalities."""
    return Diagnoser(features=features, position_scale=scale, **arguments)


@pytest.fixture(scope="session")
def case_model(encoders: Callable[..., dict[str, nn.Module]]) -> Callable[..., CaseModel]:
    """A small model in eval mode, its absence tokens and biases far enough from 0 to be seen."""

    def make(*, modalities: Sequence[str] = MODALITIES, **changes: Any) -> CaseModel:
        arguments: dict[str, Any] = {
            "findings": FINDINGS,
            "width": 16,
            "heads": 4,
            "layers": 2,
            "dropout": 0.0,
            "modality_dropout": 0.0,
        }
        torch.manual_seed(3)
        reader = partial(make_reader, **arguments | changes)
        return CaseModel(encoders=encoders(modalities), reader=reader).eval()

    return make
