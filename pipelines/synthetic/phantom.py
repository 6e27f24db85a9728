"""A CT-like chest phantom in Hounsfield units: body, ribs, lungs, vessels, heart, spine, noise, and the planted signs.

Every shape is painted into its own bounding box, in float32. Triples are ordered (z, y, x), in mm from the middle of
the field of view.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from data_schemas.scan import Geometry
from pipelines.synthetic.truth import Truth

AIR, LUNG, FAT, SOFT, FLUID, HEART, BONE = -1000.0, -840.0, -90.0, 45.0, 8.0, 40.0, 420.0
GLASS, VESSEL, RIB, RIB_STEP = -280.0, 20.0, 380.0, 30.0
SIGN = {"right": -1, "left": 1}

Triple = tuple[float, float, float]


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


class Field(NamedTuple):
    """A part of the volume: a view of its values, and where its voxels lie. All float32; ``pixel`` in mm."""

    values: np.ndarray
    z: np.ndarray
    y: np.ndarray
    x: np.ndarray
    pixel: float


class Lung(NamedTuple):
    """The bounding box of one lung, and in it the distance in mm to the pleura, negative inside."""

    field: Field
    distance: np.ndarray


def draw_acquisition(rng: np.random.Generator, *, scanner: int | None = None) -> tuple[Scanner, Geometry]:
    """The first of what is drawn of a phantom: its scanner, unless its number is given, and where the volume lies."""
    drawn = int(rng.integers(len(SCANNERS)))
    chosen = SCANNERS[drawn if scanner is None else scanner]
    return chosen, _geometry(chosen, np.round(rng.normal(0.0, 12.0, 3), 1))  # the centre, in LPS mm


def draw_phantom(truth: Truth, rng: np.random.Generator, *, scanner: int | None = None) -> Phantom:
    """Draw one patient's chest, on any scanner or on the one of that number.

    The patient lies supine: rows run to the back, columns to the patient's left (LPS), slices to the head.
    """
    made_on, geometry = draw_acquisition(rng, scanner=scanner)
    size = float(rng.normal(1.0, 0.05))
    chest = _trunk(made_on, size)
    _ribs(chest, size, rng.uniform(0, RIB_STEP))
    _airways(chest, size)
    lungs = {side: _lung(chest, sign, size, rng) for side, sign in SIGN.items()}
    for side, sign in SIGN.items():
        _vessels(lungs[side], sign, rng)
    _paint_ellipsoid(chest, (-55, -22, 18), (50 * size, 42 * size, 44 * size), HEART)
    if truth.ground_glass:
        _ground_glass(lungs, rng)
    for zone in sorted(truth.masses):
        _mass(chest, zone, size, rng)
    _paint_rod(chest, (68 * size, 0), 17, BONE)
    _paint_rod(chest, (42 * size, 14), 11, HEART)
    if truth.effusion:
        _effusion(lungs["right" if rng.random() < 0.5 else "left"], rng)
    volume = _blur_in_plane(chest.values, made_on)
    volume += rng.standard_normal(volume.shape, np.float32) * np.float32(made_on.noise_hu)
    hu = np.clip(np.rint(volume, out=volume), -1024, 3071, out=volume).astype(np.int16)
    return Phantom(volume=hu, geometry=geometry, scanner=made_on)


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


def _trunk(scanner: Scanner, size: float) -> Field:
    """The body from feet to head: skin, fat, muscle."""
    shape, steps = (SLICES, ROWS, COLUMNS), (scanner.slice_mm, scanner.pixel_mm, scanner.pixel_mm)
    z, y, x = (
        ((np.arange(count) - (count - 1) / 2) * step).astype(np.float32)
        for count, step in zip(shape, steps, strict=True)
    )
    plane = Field(np.full((1, ROWS, COLUMNS), AIR, np.float32), z[:1, None, None], y[:, None], x, scanner.pixel_mm)
    _paint(plane, _ellipse(plane, (0, 0), (105 * size, 158 * size)), FAT)
    _paint(plane, _ellipse(plane, (0, 0), (92 * size, 142 * size)), SOFT)
    return Field(np.repeat(plane.values, SLICES, axis=0), z[:, None, None], y[:, None], x, scanner.pixel_mm)


def _ribs(chest: Field, size: float, offset: float) -> None:
    """Bars in the chest wall, outside of the pleura; each runs down from the back to the front."""
    wall = np.abs(_ellipse(chest, (0, 0), (97 * size, 149 * size))) - 4
    height = (chest.z - 0.35 * chest.y + offset) % RIB_STEP
    _paint(chest, np.maximum(wall, np.abs(height - RIB_STEP / 2) - RIB_STEP / 5), RIB)


def _airways(chest: Field, size: float) -> None:
    fork = (18.0, 12 * size, 0.0)
    _tube(chest, (160.0, 6 * size, 0.0), fork, (8.5, 8.5), AIR)
    for sign in SIGN.values():
        _tube(chest, fork, (-12.0, 8 * size, sign * 30 * size), (6.5, 5.0), AIR)


def _crop(field: Field, low: Triple, high: Triple) -> tuple[Field, tuple[slice, slice, slice]]:
    """The voxels whose centres lie between two corners, and where they are in the field."""
    spans = []
    for axis, start, stop in zip((field.z, field.y, field.x), low, high, strict=True):
        first, last = np.searchsorted(axis.ravel(), (start, stop))
        spans.append(slice(int(first), int(last)))
    z, y, x = spans
    return Field(field.values[z, y, x], field.z[z], field.y[y], field.x[x], field.pixel), (z, y, x)


def _around(centre: Triple, reach: Triple) -> tuple[Triple, Triple]:
    (a, b, c), (i, j, k) = centre, reach
    return (a - i, b - j, c - k), (a + i, b + j, c + k)


def _paint(field: Field, distance: np.ndarray, value: float) -> None:
    """Blend a value in where the distance in mm is negative, with the partial volume of half a pixel at the edge."""
    share = np.clip(0.5 - distance / field.pixel, 0.0, 1.0)
    field.values[...] += share * (value - field.values)


def _ellipsoid(field: Field, centre: Triple, radii: Triple) -> np.ndarray:
    """Approximate distance in mm to an ellipsoid, negative inside."""
    axes = zip((field.z, field.y, field.x), centre, radii, strict=True)
    parts = [((axis - middle) / radius) ** 2 for axis, middle, radius in axes]
    return (np.sqrt(parts[0] + (parts[1] + parts[2])) - 1) * min(radii)


def _ellipse(field: Field, centre: tuple[float, float], radii: tuple[float, float]) -> np.ndarray:
    square = ((field.y - centre[0]) / radii[0]) ** 2 + ((field.x - centre[1]) / radii[1]) ** 2
    return (np.sqrt(square) - 1) * min(radii)


def _paint_ellipsoid(chest: Field, centre: Triple, radii: Triple, value: float) -> None:
    part, _ = _crop(chest, *_around(centre, _reach(radii, chest.pixel)))
    _paint(part, _ellipsoid(part, centre, radii), value)


def _paint_rod(chest: Field, centre: tuple[float, float], radius: float, value: float) -> None:
    reach = radius + chest.pixel
    part, _ = _crop(chest, *_around((0, *centre), (1e4, reach, reach)))
    _paint(part, _ellipse(part, centre, (radius, radius)), value)


def _reach(radii: Triple, pixel: float) -> Triple:
    more = 1 + pixel / min(radii)
    return radii[0] * more, radii[1] * more, radii[2] * more


def _lung(chest: Field, sign: int, size: float, rng: np.random.Generator) -> Lung:
    centre, radii = (0.0, 0.0, sign * 72 * size), (118.0, 78 * size, 56 * size)
    part, _ = _crop(chest, *_around(centre, _reach(radii, chest.pixel)))
    distance = _ellipsoid(part, centre, radii)
    _paint(part, distance, LUNG + rng.normal(0, 15))
    return Lung(part, distance)


def _vessels(lung: Lung, sign: int, rng: np.random.Generator) -> None:
    for _ in range(4):
        start = (rng.normal(0, 15), rng.normal(0, 10), sign * 25.0)
        end = (rng.uniform(-95, 95), rng.uniform(-60, 60), sign * rng.uniform(75, 115))
        _tube(lung.field, start, end, (5.0, 2.0), VESSEL, within=lung.distance)


def _tube(
    field: Field,
    start: Triple,
    end: Triple,
    radii: tuple[float, float],
    value: float,
    *,
    within: np.ndarray | None = None,
) -> None:
    """Paint a straight tube that tapers from the first radius to the second; only where ``within`` is negative."""
    reach = max(radii) + field.pixel
    low = tuple(min(pair) - reach for pair in zip(start, end, strict=True))
    high = tuple(max(pair) + reach for pair in zip(start, end, strict=True))
    part, box = _crop(field, low, high)  # type: ignore[arg-type]
    along = [last - first for first, last in zip(start, end, strict=True)]
    away = [axis - first for axis, first in zip((part.z, part.y, part.x), start, strict=True)]
    length = sum(step * step for step in along)
    share = np.clip((away[0] * along[0] + (away[1] * along[1] + away[2] * along[2])) / length, 0.0, 1.0)
    square = sum((axis - share * step) ** 2 for axis, step in zip(away, along, strict=True))
    distance = np.sqrt(square) - (radii[0] + (radii[1] - radii[0]) * share)
    _paint(part, distance if within is None else np.maximum(distance, within[box]), value)


def _ground_glass(lungs: dict[str, Lung], rng: np.random.Generator) -> None:
    """Patches of haze. Where they meet they stay hazy (``GLASS``): vessels stand out, and nothing looks like a mass."""
    for _ in range(6):
        side = "right" if rng.random() < 0.5 else "left"
        field, distance = lungs[side]
        centre = (rng.uniform(-75, 75), rng.uniform(-40, 50), SIGN[side] * rng.uniform(55, 95))
        width = rng.uniform(24, 40) / 1.6
        fall = [
            np.exp(-((axis - middle) ** 2) / (2 * width**2))
            for axis, middle in zip((field.z, field.y, field.x), centre, strict=True)
        ]
        haze = fall[0] * rng.uniform(300, 420) * (fall[1] * fall[2])
        hazy = np.maximum(field.values, np.minimum(field.values + haze, GLASS))
        field.values[...] = np.where(distance < 0, hazy, field.values)


def _mass(chest: Field, zone: str, size: float, rng: np.random.Generator) -> None:
    side, level = zone.split("-")
    centre = (
        (58.0 if level == "upper" else -58.0) + rng.uniform(-18, 18),
        rng.uniform(-34, 8),
        SIGN[side] * (84 * size + rng.uniform(-9, 9)),
    )
    radius = rng.uniform(15, 21)
    _paint_ellipsoid(chest, centre, (radius, radius, radius * rng.uniform(0.85, 1.15)), SOFT)


def _effusion(lung: Lung, rng: np.random.Generator) -> None:
    """Fluid lies at the back and, in a supine patient, deepest at the base."""
    field, distance = lung
    surface = rng.uniform(26, 40) + 0.16 * (field.z + 100) - field.y
    _paint(field, np.maximum(surface, distance), FLUID)


def _blur_in_plane(volume: np.ndarray, scanner: Scanner) -> np.ndarray:
    """Average with the neighbours along rows and columns; the edge is its own neighbour."""
    share = np.float32(min(scanner.kernel_mm / scanner.pixel_mm / 4, 0.25))
    for axis in (1, 2):
        source = np.moveaxis(volume, axis, 0)
        blurred = source * (1 - 2 * share)
        blurred[1:] += share * source[:-1]
        blurred[:-1] += share * source[1:]
        blurred[[0, -1]] += share * source[[0, -1]]
        volume = np.moveaxis(blurred, 0, axis)
    return np.ascontiguousarray(volume)
