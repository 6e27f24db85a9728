"""Scans changed a little, each training step anew, on the device that they are on.

Rotated, scaled and moved about their centre (never mirrored: a finding's side is part of it), brighter or darker,
noisier or smoother, as another scanner, kernel or breath would have made them.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from data_schemas.recipes import AugmentRecipe, ScanRecipe


def augment_scans(
    volume: Float[Tensor, "B C Z Y X"],
    affine: Float[Tensor, "B 4 4"],
    *,
    recipe: AugmentRecipe,
    scan: ScanRecipe,
) -> tuple[Tensor, Tensor]:
    """Changed volumes, and the affines by which their voxels still lie where the anatomy lay (RAS mm).

    Draws from torch's own generator. Windowed values stay within 0 and 1; gamma is for these only. Of several sequences
    the masks move with them, and what is not there stays 0.
    """
    images = len(scan.channels) or volume.shape[1]
    windowed = scan.intensity == "hu-windows"
    volume, affine = moved(
        volume,
        affine,
        rotation_degrees=recipe.rotation_degrees,
        scale=recipe.scale,
        translation_mm=recipe.translation_mm,
    )
    image, masks = volume[:, :images], volume[:, images:]
    changed = smoothed(image, at_most=recipe.blur)
    changed = changed * _draw(volume, recipe.gain, around=1.0) + _draw(volume, recipe.offset)
    if windowed and recipe.gamma:
        changed = changed.clamp(0.0, 1.0) ** torch.exp(_draw(volume, recipe.gamma))
    changed = changed + torch.randn_like(changed) * _draw(volume, recipe.noise).abs()
    if windowed:
        changed = changed.clamp(0.0, 1.0)
    if masks.shape[1]:
        changed = torch.where(masks > 0, changed, image)
    return torch.cat([changed, masks], dim=1), affine


def moved(
    volume: Float[Tensor, "B C Z Y X"],
    affine: Float[Tensor, "B 4 4"],
    *,
    rotation_degrees: float,
    scale: float,
    translation_mm: float,
) -> tuple[Tensor, Tensor]:
    """Volumes resampled once through random rotations about each axis, one factor and a shift, and their new affines.

    Beyond the edge the nearest voxel is repeated. Angles and shifts are in millimetres of the scan, whatever its
    spacing.
    """
    batch, device = len(volume), volume.device
    size = torch.tensor(volume.shape[:1:-1], dtype=torch.float32, device=device)  # X, Y, Z
    spacing = affine[:, :3, :3].float().norm(dim=1)
    angle = (torch.rand(batch, 3, device=device) * 2 - 1) * math.radians(rotation_degrees)
    factor = 1 + (torch.rand(batch, 1, 1, device=device) * 2 - 1) * scale
    shift = (torch.rand(batch, 3, device=device) * 2 - 1) * translation_mm
    half = spacing * size / 2  # mm from the centre to the face, that is from 0 to 1 in torch's coordinates
    linear = _rotation(angle) * factor * half[:, None, :] / half[:, :, None]
    theta = torch.cat([linear, (shift / half)[:, :, None]], dim=2)
    grid = F.affine_grid(theta, list(volume.shape), align_corners=False)
    result = F.grid_sample(volume.float(), grid, mode="bilinear", padding_mode="border", align_corners=False)
    # From the voxel (x, y, z) of the result to the voxel that it was read at: to torch's coordinates, through, back.
    there = torch.eye(4, device=device).repeat(batch, 1, 1)
    there[:, :3, :3] = linear * size[None, :, None] / size[None, None, :]
    middle = (size - 1) / 2
    there[:, :3, 3] = middle + theta[:, :, 3] * size / 2 - (there[:, :3, :3] @ middle)
    return result, affine @ there.to(affine.dtype)


def smoothed(volume: Float[Tensor, "B C Z Y X"], *, at_most: float) -> Tensor:
    """Volumes blurred along each axis by (w, 1 - 2w, w), w up to a quarter of ``at_most``: a softer kernel."""
    weight = torch.rand(len(volume), 1, 1, 1, 1, device=volume.device) * at_most / 4
    for axis in (2, 3, 4):
        length = volume.shape[axis]
        first, last = volume.narrow(axis, 0, 1), volume.narrow(axis, length - 1, 1)
        before = torch.cat([first, volume.narrow(axis, 0, length - 1)], dim=axis)
        after = torch.cat([volume.narrow(axis, 1, length - 1), last], dim=axis)
        volume = volume * (1 - 2 * weight) + (before + after) * weight
    return volume


def _draw(volume: Tensor, width: float, *, around: float = 0.0) -> Tensor:
    return around + (torch.rand(len(volume), 1, 1, 1, 1, device=volume.device) * 2 - 1) * width


def _rotation(angle: Float[Tensor, "B 3"]) -> Float[Tensor, "B 3 3"]:
    """Rotations about x, then y, then z."""
    result = torch.eye(3, device=angle.device).repeat(len(angle), 1, 1)
    for axis in range(3):
        one, two = [(1, 2), (2, 0), (0, 1)][axis]
        turn = torch.eye(3, device=angle.device).repeat(len(angle), 1, 1)
        cos, sin = angle[:, axis].cos(), angle[:, axis].sin()
        turn[:, one, one], turn[:, two, two], turn[:, one, two], turn[:, two, one] = cos, cos, -sin, sin
        result = turn @ result
    return result
