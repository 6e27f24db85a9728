"""A CT-like chest phantom in Hounsfield units: body, lungs, vessels, heart, spine, noise, and the planted signs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_schemas.scan import Geometry
from pipelines.synthetic.truth import Truth

AIR, LUNG, FAT, SOFT, FLUID, HEART, BONE = -1000.0, -840.0, -90.0, 45.0, 8.0, 40.0, 420.0


@dataclass(frozen=True)
class Scanner:
    """An acquisition. Lengths in mm, noise as the standard deviation in HU; ``kernel_mm`` blurs in the plane."""

    vendor: str
    model: str
    kernel: str
    pixel_mm: float
    slice_mm: float
    noise_hu: float
    kernel_mm: float


SCANNERS = (
    Scanner("SCANOTE-A", "Phantom 16", "B30f", 5.5, 7.0, 18.0, 3.0),
    Scanner("SCANOTE-B", "Phantom 64", "STANDARD", 5.8, 7.5, 14.0, 4.0),
    Scanner("SCANOTE-C", "Phantom 128", "FC52", 6.0, 6.5, 26.0, 2.0),
)
SLICES, ROWS, COLUMNS = 40, 64, 64


@dataclass(frozen=True)
class Phantom:
    """``volume`` is int16 HU [slices, rows, columns], feet to head; ``geometry`` as an accepted scan has it."""

    volume: np.ndarray
    geometry: Geometry
    scanner: Scanner


def draw_phantom(truth: Truth, rng: np.random.Generator) -> Phantom:
    """Draw one patient's chest.

    The patient lies supine: rows run to the back, columns to the patient's left (LPS), slices to the head.
    """
    scanner = SCANNERS[int(rng.integers(len(SCANNERS)))]
    centre = np.round(rng.normal(0.0, 12.0, 3), 1)  # of the volume, in LPS mm
    z, y, x = _axes(scanner)
    size = rng.normal(1.0, 0.05)
    volume = np.full((SLICES, ROWS, COLUMNS), AIR, np.float32)
    body = _ellipsoid(z, y, x, (0, 0, 0), (1e4, 105 * size, 158 * size))
    _paint(volume, body, FAT, scanner)
    _paint(volume, _ellipsoid(z, y, x, (0, 0, 0), (1e4, 92 * size, 142 * size)), SOFT, scanner)
    lungs = {side: _lung(z, y, x, sign, size) for side, sign in (("right", -1), ("left", 1))}
    for side in lungs:
        _paint(volume, lungs[side], LUNG + rng.normal(0, 15), scanner)
    lung = np.minimum(lungs["right"], lungs["left"])
    _vessels(volume, z, y, x, lung, rng, scanner)
    _paint(volume, _ellipsoid(z, y, x, (-55, -22, 18), (50 * size, 42 * size, 44 * size)), HEART, scanner)
    if truth.ground_glass:
        _ground_glass(volume, z, y, x, lung, rng)
    for zone in sorted(truth.masses):
        _mass(volume, z, y, x, zone, size, rng, scanner)
    _paint(volume, _ellipsoid(z, y, x, (0, 68 * size, 0), (1e4, 17, 17)), BONE, scanner)
    _paint(volume, _ellipsoid(z, y, x, (0, 42 * size, 14), (1e4, 11, 11)), HEART, scanner)
    if truth.effusion:
        _effusion(volume, z, y, lungs[str(rng.choice(["right", "left"]))], rng, scanner)
    volume = _blur_in_plane(volume, scanner)
    volume += rng.normal(0.0, scanner.noise_hu, volume.shape).astype(np.float32)
    hu = np.clip(np.rint(volume), -1024, 3071).astype(np.int16)
    return Phantom(volume=hu, geometry=_geometry(scanner, centre), scanner=scanner)


def _axes(scanner: Scanner) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    z = (np.arange(SLICES) - (SLICES - 1) / 2)[:, None, None] * scanner.slice_mm
    y = (np.arange(ROWS) - (ROWS - 1) / 2)[None, :, None] * scanner.pixel_mm
    x = (np.arange(COLUMNS) - (COLUMNS - 1) / 2)[None, None, :] * scanner.pixel_mm
    return z.astype(np.float32), y.astype(np.float32), x.astype(np.float32)


def _geometry(scanner: Scanner, centre: np.ndarray) -> Geometry:
    pixel, thick = scanner.pixel_mm, scanner.slice_mm
    origin = centre - np.array([(COLUMNS - 1) / 2 * pixel, (ROWS - 1) / 2 * pixel, (SLICES - 1) / 2 * thick])
    origin = np.round(origin, 3)
    affine = (
        (-pixel, 0.0, 0.0, -float(origin[0])),
        (0.0, -pixel, 0.0, -float(origin[1])),
        (0.0, 0.0, thick, float(origin[2])),
        (0.0, 0.0, 0.0, 1.0),
    )
    return Geometry(shape=(SLICES, ROWS, COLUMNS), spacing_mm=(thick, pixel, pixel), affine=affine)


def _ellipsoid(
    z: np.ndarray,
    y: np.ndarray,
    x: np.ndarray,
    centre: tuple[float, float, float],
    radii: tuple[float, float, float],
) -> np.ndarray:
    """Approximate signed distance in mm to an ellipsoid, negative inside; centre and radii as (z, y, x)."""
    square = ((z - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2 + ((x - centre[2]) / radii[2]) ** 2
    return (np.sqrt(square) - 1) * min(radii)


def _lung(z: np.ndarray, y: np.ndarray, x: np.ndarray, sign: int, size: float) -> np.ndarray:
    return _ellipsoid(z, y, x, (0, 0, sign * 72 * size), (118, 78 * size, 56 * size))


def _paint(volume: np.ndarray, distance: np.ndarray, value: float, scanner: Scanner) -> None:
    """Blend a value in, with the partial volume of half a pixel at the edge."""
    share = np.clip(0.5 - distance / scanner.pixel_mm, 0.0, 1.0)
    volume += share * (value - volume)


def _vessels(
    volume: np.ndarray,
    z: np.ndarray,
    y: np.ndarray,
    x: np.ndarray,
    lung: np.ndarray,
    rng: np.random.Generator,
    scanner: Scanner,
) -> None:
    for side in (-1, 1):
        for _ in range(4):
            start = np.array([rng.normal(0, 15), rng.normal(0, 10), side * 25.0])
            end = np.array([rng.uniform(-95, 95), rng.uniform(-60, 60), side * rng.uniform(75, 115)])
            along = end - start
            t = ((z - start[0]) * along[0] + (y - start[1]) * along[1] + (x - start[2]) * along[2]) / (along @ along)
            t = np.clip(t, 0.0, 1.0)
            square = sum((axis - start[i] - t * along[i]) ** 2 for i, axis in enumerate((z, y, x)))
            radius = 5.0 - 3.0 * t
            _paint(volume, np.maximum(np.sqrt(square) - radius, lung), 20.0, scanner)


def _ground_glass(
    volume: np.ndarray, z: np.ndarray, y: np.ndarray, x: np.ndarray, lung: np.ndarray, rng: np.random.Generator
) -> None:
    for _ in range(6):
        side = rng.choice([-1.0, 1.0])
        centre = (rng.uniform(-75, 75), rng.uniform(-40, 50), side * rng.uniform(55, 95))
        radius = rng.uniform(24, 40)
        square = (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2
        haze = np.exp(-square / (2 * (radius / 1.6) ** 2)) * (lung < 0)
        volume += (haze * rng.uniform(300, 420)).astype(np.float32) * (volume < -300)


def _mass(
    volume: np.ndarray,
    z: np.ndarray,
    y: np.ndarray,
    x: np.ndarray,
    zone: str,
    size: float,
    rng: np.random.Generator,
    scanner: Scanner,
) -> None:
    side, level = zone.split("-")
    centre = (
        (58.0 if level == "upper" else -58.0) + rng.uniform(-18, 18),
        rng.uniform(-34, 8),
        (-1 if side == "right" else 1) * (84 * size + rng.uniform(-9, 9)),
    )
    radius = rng.uniform(15, 21)
    _paint(volume, _ellipsoid(z, y, x, centre, (radius, radius, radius * rng.uniform(0.85, 1.15))), SOFT, scanner)


def _effusion(
    volume: np.ndarray, z: np.ndarray, y: np.ndarray, lung: np.ndarray, rng: np.random.Generator, scanner: Scanner
) -> None:
    """Fluid lies at the back and, in a supine patient, deepest at the base."""
    level = rng.uniform(26, 40)
    surface = level + 0.16 * (z + 100) - y
    _paint(volume, np.maximum(surface, lung), FLUID, scanner)


def _blur_in_plane(volume: np.ndarray, scanner: Scanner) -> np.ndarray:
    share = min(scanner.kernel_mm / scanner.pixel_mm / 4, 0.25)
    for axis in (1, 2):
        volume = (1 - 2 * share) * volume + share * (np.roll(volume, 1, axis) + np.roll(volume, -1, axis))
    return volume
