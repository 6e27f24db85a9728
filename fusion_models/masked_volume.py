"""Self-supervision of a scan encoder: blocks of the volume are hidden, and told from what is left of it.

Masked reconstruction in the form of SimMIM (Xie et al. 2022) with a CNN: what is hidden is replaced by a learned value,
and one linear layer on the encoder's tokens tells it, coarsely, with an L1 loss on the hidden part alone. It takes one
pass and no large batch, where SimCLR and VICReg take two and want many cases at once; and it keeps where things are,
which a loss that makes two crops equal teaches an encoder to forget.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from fusion_models.scan_encoder import ScanEncoder

DETAIL = 4
"""A token tells so many values along each axis of its cell."""


class MaskedVolume(nn.Module):
    """A scan encoder with the head that tells what was hidden."""

    def __init__(self, *, scan_encoder: ScanEncoder) -> None:
        super().__init__()
        self.scan_encoder = scan_encoder
        channels = scan_encoder.channels
        self.hidden_value = nn.Parameter(torch.zeros(channels))
        self.head = nn.Conv3d(scan_encoder.sign_head.in_features, channels * DETAIL**3, 1)

    def forward(self, volume: Float[Tensor, "B C Z Y X"], hidden: Bool[Tensor, "B Z Y X"]) -> Float[Tensor, ""]:
        """Mean absolute error over the hidden voxels, each cell of the token grid told as 4³ means."""
        mask = hidden[:, None].to(volume.dtype)
        seen = volume * (1 - mask) + self.hidden_value[None, :, None, None, None] * mask
        grid = self.scan_encoder.body(seen)
        told = self._unfolded(self.head(grid), volume.shape[1])
        cells = (told.shape[2], told.shape[3], told.shape[4])
        target = F.adaptive_avg_pool3d(volume, cells)
        weight = F.adaptive_avg_pool3d(mask, cells).expand_as(told)
        return ((told - target).abs() * weight).sum() / weight.sum().clamp(min=1e-6)

    def _unfolded(self, told: Tensor, channels: int) -> Tensor:
        """[B, C · 4³, z, y, x] to [B, C, 4z, 4y, 4x]."""
        batch, _, z, y, x = told.shape
        split = told.reshape(batch, channels, DETAIL, DETAIL, DETAIL, z, y, x)
        order = split.permute(0, 1, 5, 2, 6, 3, 7, 4)
        return order.reshape(batch, channels, z * DETAIL, y * DETAIL, x * DETAIL)


def hidden_blocks(
    batch: int, shape: tuple[int, int, int], *, block: int, share: float, device: torch.device | str = "cpu"
) -> Bool[Tensor, "B Z Y X"]:
    """Which voxels of each volume are hidden: whole blocks, drawn from torch's generator; at least one, never all.

    So many blocks of each volume as ``share`` says, to the nearest.
    """
    grid = [-(-size // block) for size in shape]
    count = grid[0] * grid[1] * grid[2]
    wanted = min(max(round(share * count), 1), max(count - 1, 1))
    rank = torch.rand(batch, count).argsort(dim=1).argsort(dim=1)
    chosen = (rank < wanted).reshape(batch, *grid)
    for axis in range(3):
        chosen = chosen.repeat_interleave(block, dim=axis + 1)
    return chosen[:, : shape[0], : shape[1], : shape[2]].to(device)
