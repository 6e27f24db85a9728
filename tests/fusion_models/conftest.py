"""Makers of tokens, batches and small models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from fusion_models.case_model import MODALITIES, Batch, CaseModel
from fusion_models.tokens import Tokens

SCAN_FEATURES, NOTE_FEATURES, CODES, FINDINGS = 6, 5, 3, 4


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
    """Cases with so many scan tokens, note tokens and observations each."""

    def make(scan: list[int], note: list[int], observations: list[int], *, seed: int = 0) -> Batch:
        generator = torch.Generator().manual_seed(seed + 100)
        shape = (len(scan), max(1, *observations))
        known = torch.arange(shape[1])[None] < torch.tensor(observations)[:, None]
        return Batch(
            scan=tokens(scan, features=SCAN_FEATURES, coordinates=3, seed=seed, scale=80.0),
            note=tokens(note, features=NOTE_FEATURES, coordinates=2, seed=seed + 1, scale=3.0),
            code=torch.randint(0, CODES, shape, generator=generator) * known,
            value=torch.randn(shape, generator=generator) * known,
            age_days=torch.rand(shape, generator=generator) * 40 * known,
            known=known,
        )

    return make


@pytest.fixture(scope="session")
def case_model() -> Callable[..., CaseModel]:
    """A small model in eval mode, its absence tokens and biases far enough from 0 to be seen."""

    def make(**changes: Any) -> CaseModel:
        arguments: dict[str, Any] = {
            "modalities": MODALITIES,
            "findings": FINDINGS,
            "scan_features": SCAN_FEATURES,
            "note_features": NOTE_FEATURES,
            "codes": CODES,
            "width": 16,
            "heads": 4,
            "layers": 2,
            "dropout": 0.0,
            "modality_dropout": 0.0,
        }
        torch.manual_seed(3)
        return CaseModel(**arguments | changes).eval()

    return make
