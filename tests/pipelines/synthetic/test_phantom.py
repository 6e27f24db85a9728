"""The phantom: Hounsfield units where they belong, the planted signs to be seen, and nothing that mimics them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pipelines.synthetic.phantom import Phantom, draw_phantom
from pipelines.synthetic.truth import ZONES, Truth

SEEDS = range(8)
Where = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def voxels(phantom: Phantom, where: Where) -> np.ndarray:
    """HU of the voxels whose place (z to the head, y to the back, x to the patient's left, mm) fits."""
    steps = phantom.geometry.spacing_mm
    axes = [(np.arange(n) - (n - 1) / 2) * step for n, step in zip(phantom.volume.shape, steps, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    return phantom.volume[where(z, y, x)]


def millilitres(phantom: Phantom, where: Where, above: float) -> float:
    return float((voxels(phantom, where) > above).sum() * np.prod(phantom.geometry.spacing_mm) / 1000)


def lung_zone(zone: str) -> Where:
    """Where a mass may lie, less what is near the pleura."""
    sign, up = (-1 if zone.startswith("right") else 1), (1 if zone.endswith("upper") else -1)

    def where(z: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        inside = (z / 118) ** 2 + (y / 78) ** 2 + ((x - sign * 72) / 56) ** 2 < 0.75
        return inside & (z * up > 20) & (y > -52) & (y < 26) & (x * sign > 52)

    return where


def base(sign: int) -> Where:
    """The back of the base of one lung, below the highest level of any fluid."""

    def where(z: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        inside = (z / 118) ** 2 + (y / 78) ** 2 + ((x - sign * 72) / 56) ** 2 < 0.8
        return inside & (z < -20) & (y > 43 + 0.16 * (z + 100))

    return where


def draw(truth: Truth, seed: int) -> Phantom:
    return draw_phantom(truth, np.random.default_rng(seed))


def test_the_same_stream_gives_the_same_phantom(truth: Callable[..., Truth]) -> None:
    state = truth(effusion=True, ground_glass=True, masses=frozenset(ZONES))
    np.testing.assert_array_equal(draw(state, 3).volume, draw(state, 3).volume)
    assert draw(state, 3).geometry == draw(state, 3).geometry


def test_the_volume_is_int16_within_the_range_of_ct(truth: Callable[..., Truth]) -> None:
    volume = draw(truth(), 0).volume
    assert volume.dtype == np.int16
    assert volume.min() >= -1024
    assert volume.max() <= 3071


@pytest.mark.parametrize("seed", SEEDS)
def test_air_lung_soft_tissue_and_bone_have_their_hounsfield_units(seed: int, truth: Callable[..., Truth]) -> None:
    phantom = draw(truth(), seed)
    corner = voxels(phantom, lambda z, y, x: (y < -150) & (np.abs(x) > 150))
    lung = voxels(phantom, lambda z, y, x: (z / 90) ** 2 + (y / 50) ** 2 + ((x + 72) / 35) ** 2 < 1)
    muscle = voxels(phantom, lambda z, y, x: (np.abs(y + 70) < 6) & (np.abs(x) < 8))
    spine = voxels(phantom, lambda z, y, x: (np.abs(y - 68) < 6) & (np.abs(x) < 6))
    windpipe = voxels(phantom, lambda z, y, x: (z > 40) & (np.abs(y - 9) < 4) & (np.abs(x) < 4))
    medians = [np.median(part) for part in (corner, lung, muscle, spine)]
    np.testing.assert_allclose(medians, [-1000, -840, 45, 420], atol=60)
    assert np.median(windpipe) < -750  # a tube of three pixels


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_mass_is_seen_in_its_zone_and_in_no_other(seed: int, zone: str, truth: Callable[..., Truth]) -> None:
    without, with_mass = draw(truth(), seed), draw(truth(masses=frozenset({zone})), seed)
    for place in ZONES:
        more = millilitres(with_mass, lung_zone(place), -150) - millilitres(without, lung_zone(place), -150)
        assert more > 6.0 if place == zone else abs(more) < 2.0


@pytest.mark.parametrize("seed", SEEDS)
def test_ground_glass_is_hazy_and_never_as_dense_as_a_mass(seed: int, truth: Callable[..., Truth]) -> None:
    without, with_haze = draw(truth(), seed), draw(truth(ground_glass=True), seed)
    hazy = dense = 0.0
    for zone in ZONES:
        where = lung_zone(zone)
        hazy += millilitres(with_haze, where, -700) - millilitres(without, where, -700)
        dense += millilitres(with_haze, where, -150) - millilitres(without, where, -150)
    assert hazy > 100.0
    # A mass has 12 ml or more.
    assert dense < 4.0


@pytest.mark.parametrize("seed", SEEDS)
def test_fluid_lies_at_the_back_of_the_base_of_one_lung(seed: int, truth: Callable[..., Truth]) -> None:
    medians = [np.median(voxels(draw(truth(effusion=True), seed), base(sign))) for sign in (-1, 1)]
    assert max(medians) == pytest.approx(8.0, abs=40.0)
    assert min(medians) < -700


@pytest.mark.parametrize("seed", SEEDS)
def test_without_an_effusion_both_bases_are_aerated(seed: int, truth: Callable[..., Truth]) -> None:
    phantom = draw(truth(masses=frozenset(ZONES)), seed)
    assert max(np.median(voxels(phantom, base(sign))) for sign in (-1, 1)) < -700


def test_clues_of_the_note_leave_no_trace_in_the_scan(truth: Callable[..., Truth]) -> None:
    told = truth(cardiac=True, infection=True, breathless=True, complaint_side="left")
    np.testing.assert_array_equal(draw(truth(), 5).volume, draw(told, 5).volume)


def test_all_three_scanners_are_met(truth: Callable[..., Truth]) -> None:
    assert len({draw(truth(), seed).scanner.vendor for seed in range(20)}) == 3
