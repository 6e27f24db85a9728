"""Radiomics: what the numbers are of, and what they must not depend on."""

from __future__ import annotations

import math

import pytest
import torch

from fusion_models.radiomics import QUANTILES, radiomics, radiomics_features


def volumes(count: int = 2, channels: int = 1, size: int = 12, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, channels, size, size, size, generator=torch.Generator().manual_seed(seed))


def test_the_count_of_the_numbers_is_as_stated() -> None:
    assert radiomics(volumes(channels=2)).shape == (2, radiomics_features(2))


def test_the_first_numbers_are_the_quantiles_and_the_moments_of_the_values() -> None:
    """Voxels 0 … 1727, each once: the k-th order statistic is k, and a uniform distribution has kurtosis 1.8."""
    values = torch.arange(1728.0)[torch.randperm(1728, generator=torch.Generator().manual_seed(1))]
    [found] = radiomics(values.reshape(1, 1, 12, 12, 12))
    assert found[: len(QUANTILES)].tolist() == [round(q * 1727) for q in QUANTILES]
    mean, spread, skew, kurtosis = found[len(QUANTILES) : len(QUANTILES) + 4].tolist()
    assert mean == pytest.approx(863.5)
    assert spread == pytest.approx(math.sqrt((1728**2 - 1) / 12), rel=1e-5)
    assert skew == pytest.approx(0.0, abs=1e-4)
    assert kurtosis == pytest.approx(1.8, rel=1e-3)


def test_a_flat_scan_has_finite_numbers_and_no_texture() -> None:
    found = radiomics(torch.full((1, 1, 12, 12, 12), 3.0))
    assert torch.isfinite(found).all()
    assert found[0, : len(QUANTILES)].tolist() == [3.0] * len(QUANTILES)


def test_a_case_is_read_the_same_alone_and_among_others() -> None:
    batch = volumes(3, channels=2)
    alone = torch.cat([radiomics(batch[number : number + 1]) for number in range(3)])
    torch.testing.assert_close(radiomics(batch), alone, rtol=1e-5, atol=1e-5)


def test_coarse_grain_and_fine_grain_differ_in_the_bands_and_not_in_the_values() -> None:
    fine = volumes(1, size=16)
    coarse = torch.nn.functional.interpolate(volumes(1, size=4), scale_factor=4, mode="nearest")
    coarse = coarse / coarse.std() * fine.std()
    bands = slice(15, 15 + 11)  # quantiles of the finest band
    assert radiomics(fine)[0, bands][-1] > 1.5 * radiomics(coarse)[0, bands][-1]
