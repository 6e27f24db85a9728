"""Scan encoders: MONAI 3D CNNs, tapped before pooling, so that a scan is a grid of tokens with positions."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fusion_models.checkpointing import checkpointed
from fusion_models.tokens import Tokens

RESNETS = {
    "resnet10": ("basic", (1, 1, 1, 1)),
    "resnet18": ("basic", (2, 2, 2, 2)),
    "resnet50": ("bottleneck", (3, 4, 6, 3)),
}
RESNET_TAPS = ("layer1", "layer2", "layer3", "layer4")
DENSENET_TAPS = ("denseblock1", "denseblock2", "denseblock3", "norm5")


class ScanReading(NamedTuple):
    """Tokens of a scan, and the logits of its signs, which train the encoder on its own."""

    tokens: Tokens
    sign_logits: Float[Tensor, "B S"]


class ScanEncoder(nn.Module):
    """A 3D CNN up to its tap, and a head that finds signs anywhere in the scan.

    ``body`` names its parts as MONAI does. ``features`` is the width of a token: the channels at the tap and the signs.
    Where ``checkpointing`` is set, training keeps less in memory and takes longer.

    Parameters
    ----------
    architecture
        ``resnet10``, ``resnet18``, ``resnet50`` (temporal stride 2) or ``densenet121``.
    channels
        Input channels (HU windows).
    tap
        The stage whose output is read: ``layer1`` … ``layer4`` for ResNets, ``denseblock1`` … ``denseblock3`` or
        ``norm5`` for DenseNets. Later stages are not built.
    width
        Factor on the channels of a ResNet; 1 is the published net.
    signs
        Number of signs of the head.

    Raises
    ------
    ValueError
        Unknown architecture, or a tap that it does not have.
    """

    def __init__(self, *, architecture: str, channels: int, tap: str, width: float, signs: int) -> None:
        super().__init__()
        self.channels = channels
        self.checkpointing = False
        self.body = _body(architecture, channels, tap, width)
        with torch.no_grad():
            depth = int(self.body.eval()(torch.zeros(1, channels, 32, 32, 32)).shape[1])
        self.body.train()
        self.sign_head = nn.Linear(depth, signs)
        self.features = depth + signs

    def forward(self, volume: Float[Tensor, "B C Z Y X"], affine: Float[Tensor, "B 4 4"]) -> ScanReading:
        """Read volumes whose voxel (x, y, z) lies at ``affine`` @ (x, y, z, 1) RAS millimetres.

        A sign may be anywhere: its logit is the log-mean-exp of the tokens' logits, so that the strongest region
        decides and every token stays a detector of its own place. A token is its cell's features and its signs' heat.
        """
        again = self.checkpointing and self.training and torch.is_grad_enabled()
        grid = checkpointed(self.body, volume) if again else self.body(volume)
        cells = grid.flatten(2).transpose(1, 2)
        batch, count, _ = cells.shape
        heat = self.sign_head(cells)
        log_count = torch.log(torch.tensor(float(count), device=volume.device))
        tokens = Tokens(
            values=torch.cat([cells, torch.sigmoid(heat - log_count)], dim=-1),
            mask=torch.ones(batch, count, dtype=torch.bool, device=volume.device),
            position=cell_centres(grid.shape[2:], volume.shape[2:], affine),
            source=torch.arange(count, device=volume.device).expand(batch, count),
        )
        return ScanReading(tokens, torch.logsumexp(heat, dim=1) - log_count)


def cell_centres(cells: torch.Size, voxels: torch.Size, affine: Float[Tensor, "B 4 4"]) -> Float[Tensor, "B T 3"]:
    """Centre in RAS mm of every cell of a (Z, Y, X) token grid laid over a (Z, Y, X) voxel grid."""
    axes = [
        (torch.arange(n, device=affine.device, dtype=affine.dtype) + 0.5) * size / n - 0.5
        for n, size in zip(cells, voxels, strict=True)
    ]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    points = torch.stack([x, y, z, torch.ones_like(x)], dim=-1).reshape(-1, 4)
    return torch.einsum("bij,tj->bti", affine, points)[..., :3]


def _body(architecture: str, channels: int, tap: str, width: float) -> nn.Sequential:
    if architecture in RESNETS:
        return _resnet_body(architecture, channels, tap, width)
    if architecture == "densenet121":
        return _densenet_body(channels, tap)
    raise ValueError(f"unknown scan encoder '{architecture}'; known: {', '.join([*RESNETS, 'densenet121'])}")


def _resnet_body(architecture: str, channels: int, tap: str, width: float) -> nn.Sequential:
    from monai.networks.nets import ResNet

    if tap not in RESNET_TAPS:
        raise ValueError(f"{architecture} has no tap '{tap}'; known: {', '.join(RESNET_TAPS)}")
    block, layers = RESNETS[architecture]
    net = ResNet(
        block=block,
        layers=list(layers),
        block_inplanes=[64, 128, 256, 512],
        n_input_channels=channels,
        conv1_t_stride=2,
        widen_factor=width,
        feed_forward=False,
        bias_downsample=False,
    )
    stages = ("conv1", "bn1", "act", "maxpool", *RESNET_TAPS[: RESNET_TAPS.index(tap) + 1])
    return nn.Sequential(OrderedDict((name, getattr(net, name)) for name in stages))


def _densenet_body(channels: int, tap: str) -> nn.Sequential:
    from monai.networks.nets import DenseNet121

    if tap not in DENSENET_TAPS:
        raise ValueError(f"densenet121 has no tap '{tap}'; known: {', '.join(DENSENET_TAPS)}")
    body = nn.Sequential()
    for name, stage in DenseNet121(spatial_dims=3, in_channels=channels, out_channels=1).features.named_children():
        body.add_module(name, stage)
        if name == tap:
            break
    return body
