"""Where slices lie, read from and written to their headers."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset

from pipelines.synthetic.faults.wedge import decimal_string


def axes(ds: Dataset) -> np.ndarray:
    """Row direction, column direction and normal, as the rows of a 3×3 matrix."""
    row, column = np.array(ds.ImageOrientationPatient, float).reshape(2, 3)
    return np.array([row, column, np.cross(row, column)])


def step(slices: list[Dataset]) -> np.ndarray:
    """From one slice to the next, in LPS mm."""
    ends = [np.array(ds.ImagePositionPatient, float) for ds in (slices[0], slices[-1])]
    return np.asarray((ends[1] - ends[0]) / (len(slices) - 1))


def move(ds: Dataset, by: np.ndarray) -> None:
    """Shift the position of a slice by LPS mm."""
    position = np.array(ds.ImagePositionPatient, float) + by
    ds.ImagePositionPatient = [decimal_string(value) for value in position]


def turn(ds: Dataset, degrees: float) -> None:
    """Turn the plane of a slice about its rows."""
    row, column, normal = axes(ds)
    angle = np.radians(degrees)
    turned = np.cos(angle) * column + np.sin(angle) * normal
    ds.ImageOrientationPatient = [decimal_string(value) for value in (*row, *turned)]


def shear(slices: list[Dataset], degrees: float, *, stated: bool) -> list[Dataset]:
    """Shift every slice down its columns, as a tilted gantry does."""
    down, by = axes(slices[0])[1], float(np.linalg.norm(step(slices)))
    for index, ds in enumerate(slices):
        move(ds, down * index * by * np.tan(np.radians(degrees)))
        if stated:
            ds.GantryDetectorTilt = decimal_string(degrees)
        elif "GantryDetectorTilt" in ds:
            del ds.GantryDetectorTilt
    return slices
