"""A 2.5D encoder: every slice through a 2D CNN, and attention over the slices of each slab.

Slabs of a few slices, and not one vector a scan, so that a token still has a place in millimetres.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fusion_models.scan_encoders.body import Body, probed
from fusion_models.scan_encoders.cnn import CNNS, cnn

PREFIX = "slices-"
SLICED = tuple(PREFIX + name for name in CNNS)
HIDDEN = 64


def slices_body(
    architecture: str, *, channels: int, tap: str, width: float, slices: int, slab: int, shortcut: str = "B"
) -> Body:
    """A 2D CNN over the axial slices, its stages named as MONAI names them, and the pooling ``pool``.

    Parameters
    ----------
    architecture
        ``slices-resnet10``, ``slices-resnet18``, ``slices-resnet50`` or ``slices-densenet121``.
    slices
        Slices of a volume (its first side).
    slab
        Adjacent slices that become one token a region.

    Raises
    ------
    ValueError
        The net has no such tap, or the slices are no multiple of the slab.
    """
    if slices % slab:
        raise ValueError(f"{architecture}: {slices} slices are no multiple of a slab of {slab}; change slab or shape")
    net = cnn(
        architecture.removeprefix(PREFIX), channels=channels, tap=tap, width=width, shortcut=shortcut, dimensions=2
    )
    depth = int(probed(net, (1, channels, 32, 32)).shape[1])
    stages = OrderedDict(
        apart=SlicesApart(slices),
        **dict(net.named_children()),
        pool=SlabPool(depth=depth, slab=slab),
        together=SlabsTogether(slices // slab),
    )
    return Body(nn.Sequential(stages), depth, (slices, 1, 1))


class SlicesApart(nn.Module):
    """Volumes [B, C, Z, Y, X] to their slices [B · Z, C, Y, X]."""

    def __init__(self, slices: int) -> None:
        super().__init__()
        self.slices = slices

    def forward(self, volume: Float[Tensor, "B C Z Y X"]) -> Float[Tensor, "S C Y X"]:
        """Slice after slice, volume after volume."""
        if volume.shape[2] != self.slices:
            raise ValueError(f"a volume of {volume.shape[2]} slices; this encoder was built for {self.slices}")
        return volume.transpose(1, 2).flatten(0, 1)


class SlabPool(nn.Module):
    """Attention over the slices of a slab, region by region (attention-based pooling of Ilse et al. 2018)."""

    def __init__(self, *, depth: int, slab: int) -> None:
        super().__init__()
        self.slab = slab
        self.score = nn.Sequential(nn.Conv2d(depth, HIDDEN, 1), nn.Tanh(), nn.Conv2d(HIDDEN, 1, 1, bias=False))

    def extra_repr(self) -> str:
        """Its only setting."""
        return f"slab={self.slab}"

    def forward(self, grid: Float[Tensor, "S D y x"]) -> Float[Tensor, "R D y x"]:
        """One grid a slab, a weighted mean of those of its slices."""
        shape = (-1, self.slab, *grid.shape[1:])
        weight = torch.softmax(self.score(grid).unflatten(0, shape[:2]), dim=1)
        return (grid.reshape(shape) * weight).sum(dim=1)


class SlabsTogether(nn.Module):
    """Slabs [B · z, D, y, x] to grids [B, D, z, y, x]."""

    def __init__(self, slabs: int) -> None:
        super().__init__()
        self.slabs = slabs

    def forward(self, grid: Float[Tensor, "R D y x"]) -> Float[Tensor, "B D z y x"]:
        """Slab after slab along z."""
        return grid.reshape(-1, self.slabs, *grid.shape[1:]).transpose(1, 2)
