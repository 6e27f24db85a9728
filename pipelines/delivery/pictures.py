"""Planes to small pictures: a window of values as grey, in a PNG inside the page, with marks drawn over it."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from data_schemas.scan import Geometry
from pipelines.delivery.planes import AXIAL, VIEWS, Plane, Point, sample_plane

GREYS = 64  # steps of grey: the eye tells no more apart, and noise does not fill the page
SCALE_BAR_MM = 50.0
AIR_HU = -1000.0
NEAR_MM = 15.0


@dataclass(frozen=True)
class Window:
    """A window of values that becomes black to white."""

    name: str
    low: float
    high: float


LUNG = Window("lung window", -1350.0, 150.0)
SOFT_TISSUE = Window("soft-tissue window", -160.0, 240.0)


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels from the image's left and top edges."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Tile:
    """One picture as the page shows it. Lengths in pixels; ``mark`` is the column and row of the position, or None."""

    view: str
    window: str
    source: str  # a data URI
    width: int
    height: int
    edges: tuple[str, str, str, str]
    bar: float
    mark: tuple[float, float] | None
    box: Box | None


def tiles_at(
    volume: np.ndarray,
    geometry: Geometry,
    position_mm: Point,
    *,
    windows: Sequence[Window],
    outside: float,
    longest_px: int,
    marked: bool,
    region_mm: Point | None = None,
) -> list[Tile]:
    """The pictures of one position: the axial plane in every window, then coronal and sagittal in the fitting one.

    The fitting window is the last whose range holds the mean value around the position. ``region_mm`` is the size
    (x, y, z) of the region around the position, drawn as a box; ``marked`` says whether anything is drawn.
    """
    planes = [
        sample_plane(
            volume, geometry, view, through_mm=position_mm[view.through], longest_px=longest_px, outside=outside
        )
        for view in VIEWS
    ]
    fitting = _fitting(planes[0], position_mm, windows)
    pairs = [(plane, window) for plane in planes for window in (windows if plane.view == AXIAL else [fitting])]
    return [_tile(plane, window, position_mm, marked=marked, region_mm=region_mm) for plane, window in pairs]


def windows_of(volume: np.ndarray, modality: str) -> tuple[tuple[Window, ...], float]:
    """The windows of a modality, and the value outside: HU for CT, otherwise the middle 98 % of the values."""
    if modality == "CT":
        return (LUNG, SOFT_TISSUE), AIR_HU
    part = volume[:: max(volume.shape[0] // 32, 1), ::4, ::4]
    part = part[np.isfinite(part)]
    low, high = (float(value) for value in np.percentile(part, [1, 99])) if part.size else (0.0, 1.0)
    return (Window("full range", low, max(high, low + 1e-3)),), low


def grey_png(values: np.ndarray, window: Window) -> bytes:
    """A window of values [rows, columns] as an 8-bit PNG; the same values give the same bytes."""
    share = np.clip((values - window.low) / (window.high - window.low), 0.0, 1.0)
    grey = np.rint(np.rint(share * (GREYS - 1)) * (255 / (GREYS - 1))).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "PNG", compress_level=6)
    return stream.getvalue()


def _fitting(axial: Plane, position_mm: Point, windows: Sequence[Window]) -> Window:
    column, row = axial.pixel_of(position_mm)
    reach = NEAR_MM / axial.pixel_mm
    near = axial.values[
        max(int(row - reach), 0) : int(row + reach) + 1, max(int(column - reach), 0) : int(column + reach) + 1
    ]
    mean = float(near.mean()) if near.size else windows[0].low
    return next((window for window in reversed(windows) if window.low <= mean <= window.high), windows[0])


def _tile(plane: Plane, window: Window, position_mm: Point, *, marked: bool, region_mm: Point | None) -> Tile:
    rows, columns = plane.values.shape
    column, row = plane.pixel_of(position_mm)
    box = None
    if marked and region_mm is not None:
        width, height = (region_mm[axis] / plane.pixel_mm for axis in (plane.view.across, plane.view.down))
        box = Box(round(column - width / 2, 1), round(row - height / 2, 1), round(width, 1), round(height, 1))
    encoded = base64.b64encode(grey_png(plane.values, window)).decode()
    return Tile(
        view=plane.view.name,
        window=window.name,
        source=f"data:image/png;base64,{encoded}",
        width=columns,
        height=rows,
        edges=plane.view.edges,
        bar=round(SCALE_BAR_MM / plane.pixel_mm, 1),
        mark=(round(column, 1), round(row, 1)) if marked else None,
        box=box,
    )
