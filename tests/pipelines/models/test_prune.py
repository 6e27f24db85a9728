"""Pruning: fewer channels where nothing else reads them, the least useful first, and the shapes outside unchanged."""

from __future__ import annotations

import pytest
import torch

from data_schemas.errors import ModelError
from fusion_models.scan_encoder import ScanEncoder
from pipelines.models.compile.equalise import equalised
from pipelines.models.compile.export import export_scan
from pipelines.models.compile.prune import pruned


def encoder(architecture: str = "resnet10", tap: str = "layer2") -> ScanEncoder:
    torch.manual_seed(0)
    return ScanEncoder(architecture=architecture, channels=1, tap=tap, width=0.25, signs=1).eval()


@pytest.mark.parametrize(("architecture", "tap", "chains"), [("resnet10", "layer2", 2), ("resnet50", "layer1", 6)])
def test_half_of_the_inner_channels_go_and_the_features_keep_their_shape(architecture, tap, chains) -> None:
    whole = encoder(architecture, tap).body
    thin = pruned(whole, share=0.5)
    given = torch.randn(1, 1, 16, 16, 16)
    with torch.no_grad():
        assert thin(given).shape == whole(given).shape
    assert sum(p.numel() for p in thin.parameters()) < 0.7 * sum(p.numel() for p in whole.parameters())
    names = [name for name, part in whole.named_parameters() if part.shape != dict(thin.named_parameters())[name].shape]
    assert sum(name.endswith(("conv2.weight", "conv3.weight")) for name in names) == chains


def test_channels_that_add_nothing_go_first_and_cost_nothing() -> None:
    whole = encoder().body
    block = whole.layer2[0]
    idle = torch.arange(0, block.bn1.num_features, 2)
    with torch.no_grad():
        block.bn1.weight[idle] = 0.0
        block.bn1.bias[idle] = 0.0
        whole.layer1[0].bn1.weight[::2] = 0.0
        whole.layer1[0].bn1.bias[::2] = 0.0
    thin, given = pruned(whole, share=0.5), torch.randn(1, 1, 16, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(thin(given), whole(given))
    assert thin.layer2[0].conv1.out_channels == block.conv1.out_channels // 2


@pytest.mark.slow
def test_what_is_pruned_can_be_exported() -> None:
    made = encoder()
    whole = export_scan(made, shape=(16, 16, 16))
    made.body = pruned(made.body, share=0.5)
    assert len(export_scan(made, shape=(16, 16, 16))) < 0.8 * len(whole)


def test_a_net_without_residual_blocks_is_one_line() -> None:
    with pytest.raises(ModelError, match="no residual block"):
        pruned(encoder("densenet121", "denseblock1").body, share=0.3)


def test_a_block_of_ones_own_is_left_alone_whatever_its_parts_are_called() -> None:
    """Before its convolutions a norm reads what came in, so its channels are not those of the first."""

    class Block(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bn1, self.conv1 = torch.nn.BatchNorm3d(8), torch.nn.Conv3d(8, 8, 1)
            self.act, self.conv2, self.downsample = torch.nn.ReLU(), torch.nn.Conv3d(8, 8, 1), None

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.conv2(self.conv1(self.act(self.bn1(x))))

    given = torch.rand(1, 8, 4, 4, 4)
    block = Block().eval()
    with pytest.raises(ModelError, match="no residual block"):
        pruned(block, share=0.5)
    with torch.no_grad():
        torch.testing.assert_close(equalised(block, [given[0].numpy()])(given), block(given))


@pytest.mark.parametrize("share", [0.0, 0.95])
def test_a_share_that_leaves_nothing_or_takes_nothing_is_refused(share) -> None:
    with pytest.raises(ModelError, match="the share of channels"):
        pruned(encoder().body, share=share)
