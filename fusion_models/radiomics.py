"""Radiomics of a resampled scan: intensity, texture at several scales, and how both vary over the regions of the grid.

Nothing here is learned, so nothing can be overfitted: in a cohort of a hundred cases these numbers, and a strongly
penalised linear reader, tell more than a network trained on it. First-order statistics and band-pass texture follow
the Image Biomarker Standardisation Initiative (Zwanenburg 2020); the bands are differences of Gaussians (Lowe 2004).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

# Standard deviations, in voxels of the grid, of the Gaussians between which the bands lie.
SCALES = (0.7, 1.2, 2.0, 3.5)
QUANTILES = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)
REGIONS = 3
LEAST = 1e-6
PER_CHANNEL = (1 + 2 * len(SCALES)) * len(QUANTILES) + (1 + len(SCALES)) * 4 + 3 * REGIONS**3


def radiomics_features(channels: int) -> int:
    """How many numbers `radiomics` gives."""
    return channels * PER_CHANNEL


def radiomics(volume: Float[Tensor, "B C Z Y X"]) -> Float[Tensor, "B D"]:
    """Numbers of each scan.

    Per channel: quantiles and four moments of the values; the same of each band, and quantiles of the gradient's
    magnitude under each Gaussian; and in each of 3 × 3 × 3 regions the mean, the standard deviation, and the logarithm
    of the energy of the finest band.
    """
    volume = volume.float()
    found = [_quantiles(volume), _moments(volume)]
    finer, finest = volume, None
    for scale in SCALES:
        coarser = _blur(volume, scale)
        band = finer - coarser
        finest = band if finest is None else finest
        found += [_quantiles(band), _moments(band), _quantiles(_gradient(coarser))]
        finer = coarser
    assert finest is not None  # noqa: S101
    mean = _regions(volume)
    found.append(mean)
    found.append((_regions(volume**2) - mean**2).clamp(min=0.0).sqrt())
    found.append(torch.log(_regions(finest**2) + LEAST))
    return torch.cat(found, dim=1)


def _quantiles(values: Float[Tensor, "B C Z Y X"]) -> Float[Tensor, "B D"]:
    """Quantiles of each channel, as order statistics: sorting gives all of them at once, whatever the size."""
    ordered = values.flatten(2).sort(dim=2).values
    places = torch.tensor(QUANTILES, device=values.device) * (ordered.shape[2] - 1)
    return ordered[:, :, places.round().long()].flatten(1)


def _moments(values: Float[Tensor, "B C Z Y X"]) -> Float[Tensor, "B D"]:
    """Mean, standard deviation, skewness and excess-free kurtosis (3 for a normal distribution) of each channel."""
    flat = values.flatten(2)
    mean, spread = flat.mean(dim=2), flat.std(dim=2, correction=0)
    level = (flat - mean[..., None]) / (spread[..., None] + LEAST)
    return torch.cat([mean, spread, (level**3).mean(dim=2), (level**4).mean(dim=2)], dim=1)


def _regions(values: Float[Tensor, "B C Z Y X"]) -> Float[Tensor, "B D"]:
    return F.adaptive_avg_pool3d(values, REGIONS).flatten(1)


def _gradient(values: Float[Tensor, "B C Z Y X"]) -> Float[Tensor, "B C Z-1 Y-1 X-1"]:
    steps = [values.diff(dim=axis) for axis in (2, 3, 4)]
    size = [length - 1 for length in values.shape[2:]]
    return sum((step[:, :, : size[0], : size[1], : size[2]] ** 2 for step in steps), torch.zeros(())).sqrt()


def _blur(values: Float[Tensor, "B C Z Y X"], scale: float) -> Float[Tensor, "B C Z Y X"]:
    """A Gaussian along each axis in turn, cut at three standard deviations; edges are repeated."""
    reach = int(3 * scale + 0.5)
    offset = torch.arange(-reach, reach + 1, device=values.device, dtype=values.dtype)
    kernel = torch.exp(-(offset**2) / (2 * scale**2))
    kernel = kernel / kernel.sum()
    batch, channels, *size = values.shape
    blurred = values.reshape(batch * channels, 1, *size)
    for axis in range(3):
        shape = [1, 1, 1, 1, 1]
        shape[2 + axis] = len(kernel)
        pad = [0] * 6
        pad[2 * (2 - axis)] = pad[2 * (2 - axis) + 1] = reach
        blurred = F.conv3d(F.pad(blurred, pad, mode="replicate"), kernel.view(shape))
    return blurred.reshape(batch, channels, *size)
