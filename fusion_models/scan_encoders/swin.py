"""The encoder of MONAI's SwinUNETR (Hatamizadeh et al. 2022): a Swin transformer over windows, tapped after a stage."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fusion_models.scan_encoders.body import Body, check_tap

SWIN = "swin-unetr"
SWIN_TAPS = ("layers1", "layers2", "layers3", "layers4")
FEATURES, HEADS, DEPTHS, WINDOW, PATCH = 48, (3, 6, 12, 24), (2, 2, 2, 2), 7, 2
# MONAI's SwinUNETR takes multiples of it: the heads of every stage divide them.
GRAIN = 12


def swin_body(*, channels: int, tap: str, width: float) -> Body:
    """SwinUNETR's encoder up to a stage, its parts named as in ``SwinUNETR.swinViT``.

    What it gives at the tap is normalised over the channels, as SwinUNETR hands it to its decoder.

    Parameters
    ----------
    tap
        ``layers1`` … ``layers4``: cells of 4, 8, 16 or 32 voxels.
    width
        Factor on the published 48 features.

    Raises
    ------
    ValueError
        No such tap, or a width that does not give a multiple of 12 features.
    """
    from monai.networks.nets.swin_unetr import SwinTransformer

    check_tap(SWIN, tap, SWIN_TAPS)
    features = round(FEATURES * width, 6)
    if features < GRAIN or features % GRAIN:
        raise ValueError(f"{SWIN} of width {width} has {features:g} features; take a width of 0.25, 0.5, 0.75, 1 …")
    count = SWIN_TAPS.index(tap) + 1
    net = SwinTransformer(
        in_chans=channels,
        embed_dim=int(features),
        window_size=(WINDOW,) * 3,
        patch_size=(PATCH,) * 3,
        depths=DEPTHS[:count],
        num_heads=HEADS[:count],
        spatial_dims=3,
    )
    stages: OrderedDict[str, nn.Module] = OrderedDict(patch_embed=net.patch_embed)
    for name in SWIN_TAPS[:count]:
        stages[name] = nn.Sequential(*(SwinStage(layer) for layer in getattr(net, name)))
    stages["normalised"] = ChannelNorm()
    cell = PATCH * 2**count
    return Body(nn.Sequential(stages), int(features) * 2**count, (cell, cell, cell))


class SwinStage(nn.Module):
    """The blocks and the merging of one stage of MONAI's, called without the library that MONAI would need for it."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.blocks: nn.ModuleList = layer.blocks  # type: ignore[assignment]
        self.downsample: nn.Module = layer.downsample  # type: ignore[assignment]

    def forward(self, x: Tensor) -> Tensor:
        """Features [B, 2D, z/2, y/2, x/2] of features [B, D, z, y, x]."""
        from monai.networks.nets.swin_unetr import compute_mask, get_window_size

        sides = tuple(x.shape[2:])
        window, shift = get_window_size(sides, (WINDOW,) * 3, (WINDOW // 2,) * 3)
        padded = [-(-side // size) * size for side, size in zip(sides, window, strict=True)]
        mask = compute_mask(padded, window, shift, x.device)
        x = x.permute(0, 2, 3, 4, 1)
        for block in self.blocks:
            x = block(x, mask)
        merged: Tensor = self.downsample(x)
        return merged.permute(0, 4, 1, 2, 3)


class ChannelNorm(nn.Module):
    """Each cell's features to mean 0 and variance 1, without weights."""

    def forward(self, x: Tensor) -> Tensor:
        """The same shape [B, D, z, y, x]."""
        return F.layer_norm(torch.movedim(x, 1, -1), x.shape[1:2]).movedim(-1, 1)
