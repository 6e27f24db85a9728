"""Scan encoders: nets tapped before pooling, so that a scan is a grid of tokens with positions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fusion_models.checkpointing import checkpointed
from fusion_models.scan_encoders.body import Body, probed
from fusion_models.scan_encoders.cnn import CNNS, cnn
from fusion_models.scan_encoders.own import OWN, own_body
from fusion_models.scan_encoders.slices import SLICED, slices_body
from fusion_models.scan_encoders.swin import SWIN, swin_body
from fusion_models.tokens import Tokens

KNOWN = (*CNNS, SWIN, *SLICED, OWN)


class ScanReading(NamedTuple):
    """Tokens of a scan, and the logits of its signs, which train the encoder on its own."""

    tokens: Tokens
    sign_logits: Float[Tensor, "B S"]


class ScanEncoder(nn.Module):
    """A net up to its tap, and a head that finds signs anywhere in the scan.

    ``body`` names its parts as MONAI does. ``features`` is the width of a token: the channels at the tap and the signs.
    Where ``checkpointing`` is set, training keeps less in memory and takes longer.

    Parameters
    ----------
    architecture
        ``resnet10``, ``resnet18``, ``resnet50`` (temporal stride 2), ``densenet121``, the same behind ``slices-`` for
        a 2D net over the slices, ``swin-unetr``, or ``own``.
    channels
        Input channels (HU windows).
    tap
        The stage whose output is read: ``layer1`` … ``layer4`` for ResNets, ``denseblock1`` … ``denseblock3`` or
        ``norm5`` for DenseNets, ``layers1`` … ``layers4`` for SwinUNETR's encoder. Later stages are not built.
    width
        Factor on the channels of a ResNet or of SwinUNETR's encoder; 1 is the published net.
    signs
        Number of signs of the head.
    shape
        (Z, Y, X) of the volumes that it will read; a net that takes any asks nothing of it.
    slab
        Slices that a 2.5D encoder pools into one token a region.
    shortcut
        Of ResNets: ``B``, or ``A`` (MedicalNet's ResNet-18).
    make
        Builds the net of ``own``: called with ``channels``, gives features [B, D, z, y, x] laid evenly over the volume.
    code
        Digest of the code that built the net of ``own``. It is kept beside the weights, so that another code is
        another encoder.

    Raises
    ------
    ValueError
        Unknown architecture, a tap that it does not have, or a shape that it cannot read.
    """

    def __init__(
        self,
        *,
        architecture: str,
        channels: int,
        tap: str,
        width: float,
        signs: int,
        shape: tuple[int, int, int] = (32, 32, 32),
        slab: int = 4,
        shortcut: str = "B",
        make: Callable[..., Any] | None = None,
        code: bytes = b"",
    ) -> None:
        super().__init__()
        self.channels = channels
        self.checkpointing = False
        body = _body(
            architecture, make, channels=channels, tap=tap, width=width, shape=shape, slab=slab, shortcut=shortcut
        )
        self.body, self.multiple = body.net, body.multiple
        self.check_shape(shape)
        if code:
            self.register_buffer("code", torch.tensor(list(code), dtype=torch.uint8))
        self.sign_head = nn.Linear(body.depth, signs)
        self.features = body.depth + signs

    def check_shape(self, shape: Sequence[int]) -> None:
        """Raises ValueError where cells would reach beyond a volume of this (Z, Y, X) shape."""
        if any(side % step for side, step in zip(shape, self.multiple, strict=True)):
            raise ValueError(
                f"a volume of {' × '.join(map(str, shape))} voxels (z, y, x) does not divide into the cells of this "
                f"encoder; each side must be a multiple of {' × '.join(map(str, self.multiple))}"
            )

    def forward(self, volume: Float[Tensor, "B C Z Y X"], affine: Float[Tensor, "B 4 4"]) -> ScanReading:
        """Read volumes whose voxel (x, y, z) lies at ``affine`` @ (x, y, z, 1) RAS millimetres.

        A sign may be anywhere: its logit is the log-mean-exp of the tokens' logits, so that the strongest region
        decides and every token stays a detector of its own place. A token is its cell's features and its signs' heat.
        """
        self.check_shape(volume.shape[2:])
        again = self.checkpointing and self.training and torch.is_grad_enabled()
        # A net of the user's own is checkpointed where it is a sequence of parts.
        grid = checkpointed(self.body, volume) if again and isinstance(self.body, nn.Sequential) else self.body(volume)
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


def _body(
    architecture: str,
    make: Callable[..., Any] | None,
    *,
    channels: int,
    tap: str,
    width: float,
    shape: tuple[int, int, int],
    slab: int,
    shortcut: str,
) -> Body:
    if architecture in CNNS:
        net = cnn(architecture, channels=channels, tap=tap, width=width, shortcut=shortcut)
        return Body(net, int(probed(net, (1, channels, 32, 32, 32)).shape[1]))
    if architecture == SWIN:
        return swin_body(channels=channels, tap=tap, width=width)
    if architecture in SLICED:
        return slices_body(
            architecture, channels=channels, tap=tap, width=width, slices=shape[0], slab=slab, shortcut=shortcut
        )
    if architecture == OWN and make is not None:
        return own_body(make, channels=channels, shape=shape)
    raise ValueError(f"unknown scan encoder '{architecture}'; known: {', '.join(KNOWN)}")
