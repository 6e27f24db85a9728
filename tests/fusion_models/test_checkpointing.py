from __future__ import annotations

import pytest
import torch
from torch import nn

from fusion_models.scan_encoder import ScanEncoder


def encoder() -> ScanEncoder:
    torch.manual_seed(0)
    return ScanEncoder(architecture="resnet10", channels=1, tap="layer2", width=0.125, signs=2).train()


@pytest.fixture
def two() -> tuple[ScanEncoder, ScanEncoder]:
    """The same encoder, once kept and once checkpointed, after two steps."""
    plain, saving = encoder(), encoder()
    saving.checkpointing = True
    for seed in range(2):
        volume = torch.randn(2, 1, 16, 16, 16, generator=torch.Generator().manual_seed(seed))
        for model in (plain, saving):
            model(volume, torch.eye(4).repeat(2, 1, 1)).sign_logits.square().sum().backward()
    return plain, saving


def test_checkpointing_gives_the_same_gradients(two):
    plain, saving = two
    pairs = zip(plain.parameters(), saving.parameters(), strict=True)
    assert all(torch.allclose(one.grad, other.grad, atol=1e-6) for one, other in pairs)


def test_checkpointing_counts_each_batch_once_in_the_running_statistics(two):
    plain, saving = two
    pairs = zip(plain.buffers(), saving.buffers(), strict=True)
    assert all(torch.allclose(one, other) for one, other in pairs)
    assert all(norm.momentum == 0.1 for norm in saving.modules() if isinstance(norm, nn.BatchNorm3d))


def test_in_eval_and_without_gradients_nothing_is_checkpointed(monkeypatch):
    def never(*_arguments):
        raise AssertionError

    monkeypatch.setattr("fusion_models.scan_encoder.checkpointed", never)
    model = encoder()
    model.checkpointing = True
    volume, affine = torch.zeros(2, 1, 16, 16, 16), torch.eye(4).repeat(2, 1, 1)
    with torch.no_grad():
        model(volume, affine)
    model.eval()(volume, affine)
