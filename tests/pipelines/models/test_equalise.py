"""Channels evened out: the same net, with steps that suit each channel."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from fusion_models.scan_encoder import ScanEncoder
from pipelines.models.compile.equalise import equalised


@pytest.fixture
def volumes() -> list[np.ndarray]:
    return list(np.random.default_rng(0).standard_normal((3, 1, 16, 16, 16)).astype(np.float32))


def chain() -> nn.Sequential:
    """Two channels of widths 16 and 1 into a convolution that weighs both by 1."""
    net = nn.Sequential(
        OrderedDict(norm=nn.BatchNorm3d(2), relu=nn.ReLU(), conv=nn.Conv3d(2, 1, kernel_size=1, bias=False))
    ).eval()
    with torch.no_grad():
        net.norm.weight.copy_(torch.tensor([16.0, 1.0]))
        net.conv.weight.fill_(1.0)
    return net


def test_the_width_is_parted_between_activation_and_weight_and_the_net_says_the_same() -> None:
    """Widths 16 and 1, weights 1 and 1: factors 4 and 1, over their geometric mean 2."""
    net, given = chain(), np.ones((2, 1, 1, 1), np.float32)
    made = equalised(net, [given])
    torch.testing.assert_close(made.norm.weight, torch.tensor([8.0, 2.0]), rtol=1e-4, atol=0.0)
    torch.testing.assert_close(made.conv.weight.flatten(), torch.tensor([2.0, 0.5]), rtol=1e-4, atol=0.0)
    inside = torch.from_numpy(given)[None]
    torch.testing.assert_close(made(inside), net(inside))
    assert net.norm.weight.tolist() == [16.0, 1.0]


def test_a_channel_that_nothing_passes_or_nothing_reads_is_left_alone() -> None:
    net = chain()
    with torch.no_grad():
        net.norm.bias[1] = -100.0
    made = equalised(net, [np.ones((2, 1, 1, 1), np.float32)])
    assert made.norm.weight[1] == 1.0
    assert torch.isfinite(made.conv.weight).all()


@pytest.mark.parametrize(
    ("architecture", "tap"), [("resnet10", "layer2"), ("resnet50", "layer1"), ("densenet121", "denseblock1")]
)
def test_encoders_give_the_same_features(architecture, tap, volumes) -> None:
    torch.manual_seed(0)
    encoder = ScanEncoder(architecture=architecture, channels=1, tap=tap, width=0.25, signs=1)
    body = encoder.body.train()
    body(torch.from_numpy(np.stack(volumes)))  # statistics that are not those of a fresh norm
    made = equalised(body, volumes)
    given = torch.from_numpy(volumes[0])[None]
    with torch.no_grad():
        torch.testing.assert_close(made(given), body.eval()(given), rtol=1e-4, atol=1e-4)
    before, after = body.state_dict(), made.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)
