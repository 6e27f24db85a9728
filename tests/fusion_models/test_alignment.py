from __future__ import annotations

import pytest
import torch

from fusion_models.alignment import alignment_of, entered
from fusion_models.fusions.kinds import KINDS
from fusion_models.losses import alignment
from fusion_models.tokens import Tokens

FEATURES = {"scan": 5, "note": 3}
SCALE = {"scan": (60.0, 60.0, 60.0), "note": (4.0, 4.0)}


def tokens(name: str, *, cases: int = 6, count: int = 4) -> Tokens:
    mask = torch.ones(cases, count, dtype=torch.bool)
    mask[0, 2:] = False
    mask[1] = name == "scan"
    return Tokens(
        torch.randn(cases, count, FEATURES[name]),
        mask,
        torch.randn(cases, count, len(SCALE[name])),
        torch.arange(count).expand(cases, count),
    )


def reader(kind: str) -> torch.nn.Module:
    torch.manual_seed(0)
    return KINDS[kind](
        findings=2,
        features=FEATURES,
        position_scale=SCALE,
        width=8,
        heads=2,
        layers=1,
        dropout=0.0,
        modality_dropout=0.0,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_fusion_shows_what_enters_it_by_modality(kind):
    given = {name: tokens(name) for name in FEATURES}
    model = reader(kind)
    with entered(model) as found:
        model(given)
    assert set(found) == set(FEATURES)
    assert all(part.values.shape == (6, 5, 8) for part in found.values())


def test_nothing_is_collected_afterwards():
    given = {name: tokens(name) for name in FEATURES}
    model = reader("joint")
    with entered(model) as found:
        pass
    model(given)
    assert found == {}


def test_vectors_are_means_of_real_tokens_without_the_absence_token():
    parts = {name: Tokens(torch.randn(6, 5, 8), *rest) for name, rest in _rest().items()}
    vectors = {
        name: torch.stack(
            [
                part.values[n, :-1][part.mask[n, :-1]].mean(dim=0) if part.mask[n, :-1].any() else torch.zeros(8)
                for n in range(6)
            ]
        )
        for name, part in parts.items()
    }
    present = {name: part.mask[:, :-1].any(dim=1) for name, part in parts.items()}
    expected = float(alignment(vectors, present, temperature=0.2))
    assert float(alignment_of(parts, temperature=0.2)) == pytest.approx(expected, rel=1e-5)


def test_it_teaches_what_stands_before_the_fusion():
    given = {name: tokens(name) for name in FEATURES}
    model = reader("cross-attention")
    with entered(model) as found:
        model(given)
    alignment_of(found, temperature=0.1).backward()
    enter = model.fusion.enter
    assert all(enter[name].project[0].weight.grad.abs().sum() > 0 for name in FEATURES)


def _rest():
    result = {}
    for name in FEATURES:
        part = tokens(name)
        absent = ~part.mask.any(dim=1, keepdim=True)
        mask = torch.cat([part.mask, absent], dim=1)
        result[name] = (mask, torch.zeros(6, 5, len(SCALE[name])), torch.zeros(6, 5, dtype=torch.long))
    return result
