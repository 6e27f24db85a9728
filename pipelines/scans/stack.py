"""From the positions of slices to one volume: order, spacing, affine, and everything that speaks against an even stack.

Positions are measured along the normal of the slices (row direction × column direction), never by InstanceNumber,
SliceLocation or SliceThickness. DICOM's LPS becomes RAS+ by turning the first two axes around.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from data_schemas.reasons import Reason
from data_schemas.scan import Geometry, Row
from pipelines.scans.headers import SliceHeader
from pipelines.scans.problem import Problem

# With fewer slices a missing one cannot be told from uneven spacing.
MIN_SLICES = 5
# As strict as highdicom: a gap may differ from the median gap by one per cent.
SPACING_TOLERANCE = 0.01
# Positions are decimal strings, often written with two decimals: a gap may be off by one unit of them.
POSITION_ROUNDING_MM = 0.011
# Gaps count as multiples of the shortest one only if that is no outlier; half the median may be a whole step.
SHORTEST_GAP = 0.45
# Small differences must not add up: no slice may lie further off the even grid than this share of the spacing.
GRID_TOLERANCE = 0.1
# Slices may drift in the plane by this share of a pixel over the whole stack: invisible after interpolation.
DRIFT_TOLERANCE = 0.25
# Direction cosines are rounded to as few as four decimals.
DIRECTION_TOLERANCE = 5e-4
ORTHONORMAL_TOLERANCE = 1e-3
# Of a patient: pixels of 0.02 to 10 mm, slices of 0.05 to 25 mm, positions within 10 m of the isocentre.
PIXEL_RANGE_MM = (0.02, 10.0)
SLICE_RANGE_MM = (0.05, 25.0)
MAX_POSITION_MM = 10_000.0
# A gantry is tilted on purpose by degrees; less is the rounding of the display.
TILT_DEGREES = 0.1

LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])


@dataclass(frozen=True, slots=True)
class Stack:
    """Slices in order with their geometry, or problems."""

    problems: tuple[Problem, ...]
    slices: tuple[SliceHeader, ...] = ()
    geometry: Geometry | None = None


def stack_slices(images: Sequence[SliceHeader]) -> Stack:
    """Order slices by position and measure the volume they make.

    Returns
    -------
    Stack
        ``geometry`` with shape and spacing (slices, rows, columns), and the affine from voxel (column, row, slice) to
        RAS+ millimetres; or the problems found.
    """
    problems = [*_frames_of_reference(images), *_tilt_angle(images), *_absent(images)]
    if len(images) < MIN_SLICES:
        problems.append(Problem(Reason.TOO_FEW_SLICES, f"{len(images)} slices; at least {MIN_SLICES} are needed"))
    if not images or any(problem.reason is Reason.MISSING_GEOMETRY for problem in problems):
        return Stack(tuple(problems))
    positions = np.array([header.position for header in images])
    directions = np.array([header.orientation for header in images])
    problems += _plane(images, positions, directions)
    if any(problem.reason in {Reason.IMPLAUSIBLE_GEOMETRY, Reason.MIXED_ORIENTATION} for problem in problems):
        return Stack(tuple(problems))
    normal = np.cross(directions[0, :3], directions[0, 3:])
    normal /= np.linalg.norm(normal)
    along = positions @ normal
    order = np.argsort(along, kind="stable")
    pixel = images[0].pixel_spacing or (0.0, 0.0)
    problems += _gaps(along[order])
    problems += _drift(positions[order], normal, min(pixel))
    if problems or len(images) < MIN_SLICES:
        return Stack(tuple(problems))
    slices = tuple(images[index] for index in order)
    return Stack((), slices, _geometry(slices, positions[order], directions[order]))


def _frames_of_reference(images: Sequence[SliceHeader]) -> Iterator[Problem]:
    found = len({header.frame_of_reference for header in images})
    if found > 1:
        yield Problem(Reason.MIXED_FRAMES_OF_REFERENCE, f"{found} frames of reference in {len(images)} slices")


def _tilt_angle(images: Sequence[SliceHeader]) -> Iterator[Problem]:
    if any(not abs(header.tilt) <= TILT_DEGREES for header in images):
        yield Problem(Reason.TILTED, "the header states a gantry tilt")


def _absent(images: Sequence[SliceHeader]) -> Iterator[Problem]:
    for name in ("position", "orientation", "pixel_spacing", "rows", "columns"):
        absent = sum(getattr(header, name) is None for header in images)
        if absent:
            yield Problem(Reason.MISSING_GEOMETRY, f"{absent} of {len(images)} slices: no readable {name}")


def _plane(images: Sequence[SliceHeader], positions: np.ndarray, directions: np.ndarray) -> Iterator[Problem]:
    spacings = np.array([header.pixel_spacing for header in images])
    low, high = PIXEL_RANGE_MM
    if not np.all((spacings >= low) & (spacings <= high)):
        yield Problem(Reason.IMPLAUSIBLE_GEOMETRY, f"pixel spacing outside of {low} to {high} mm")
    if not np.all(np.abs(positions) <= MAX_POSITION_MM):
        yield Problem(Reason.IMPLAUSIBLE_GEOMETRY, "a position that is no number, or metres away")
    rows, columns = directions[:, :3], directions[:, 3:]
    with np.errstate(invalid="ignore", over="ignore"):
        lengths = np.sqrt(np.stack([(rows**2).sum(axis=1), (columns**2).sum(axis=1)]))
        dots = np.einsum("ij,ij->i", rows, columns)
    if not (np.all(np.abs(lengths - 1.0) <= ORTHONORMAL_TOLERANCE) and np.all(np.abs(dots) <= ORTHONORMAL_TOLERANCE)):
        yield Problem(Reason.IMPLAUSIBLE_GEOMETRY, "row and column directions are not orthonormal")
    elif np.abs(directions - directions[0]).max() > DIRECTION_TOLERANCE:
        yield Problem(Reason.MIXED_ORIENTATION, "slices lie in different planes")
    if len({header.patient_position for header in images}) > 1:
        yield Problem(Reason.MIXED_ORIENTATION, "the patient position differs between slices")


def _gaps(along: np.ndarray) -> Iterator[Problem]:
    """Judge sorted positions along the normal, in mm."""
    gaps = np.diff(along)
    if not gaps.size:
        return
    low, high = SLICE_RANGE_MM
    typical = float(np.median(gaps))
    same = gaps < max(POSITION_ROUNDING_MM, SPACING_TOLERANCE * typical)
    if same.any():
        yield Problem(Reason.DUPLICATE_SLICES, f"{int(same.sum())} slices at a place already taken")
        return
    if not low <= typical <= high:
        yield Problem(Reason.IMPLAUSIBLE_GEOMETRY, f"slice spacing outside of {low} to {high} mm")
    tolerance = max(SPACING_TOLERANCE * typical, POSITION_ROUNDING_MM)
    if np.abs(gaps - typical).max() <= tolerance:
        even = np.linspace(along[0], along[-1], len(along))
        if np.abs(along - even).max() > max(GRID_TOLERANCE * typical, POSITION_ROUNDING_MM):
            yield Problem(Reason.IRREGULAR_SPACING, "the slices drift off an even grid")
        return
    smallest = float(gaps.min())
    steps = np.round(gaps / smallest)
    off = np.abs(gaps - steps * smallest)
    allowed = steps * max(SPACING_TOLERANCE * smallest, POSITION_ROUNDING_MM)
    if smallest > SHORTEST_GAP * typical and np.all(off <= allowed):
        yield Problem(Reason.MISSING_SLICES, f"{int((steps - 1).sum())} slices are missing inside the stack")
    else:
        yield Problem(Reason.IRREGULAR_SPACING, "the gaps between slices are uneven")


def _drift(positions: np.ndarray, normal: np.ndarray, pixel_mm: float) -> Iterator[Problem]:
    """Judge how slices (in order) shift against each other within their plane."""
    offsets = positions - positions[0]
    in_plane = offsets - np.outer(offsets @ normal, normal)
    limit = max(DRIFT_TOLERANCE * pixel_mm, POSITION_ROUNDING_MM)
    if np.linalg.norm(in_plane, axis=1).max() <= limit:
        return
    share = np.linspace(0.0, 1.0, len(positions))[:, None]
    if np.linalg.norm(in_plane - share * in_plane[-1], axis=1).max() <= limit:
        yield Problem(Reason.TILTED, "each slice is shifted in its plane against the one before")
    else:
        yield Problem(Reason.IRREGULAR_SPACING, "some slices are shifted in their plane against the others")


def _geometry(slices: Sequence[SliceHeader], positions: np.ndarray, directions: np.ndarray) -> Geometry:
    first = slices[0]
    row_mm, column_mm = first.pixel_spacing or (0.0, 0.0)
    step = (positions[-1] - positions[0]) / (len(slices) - 1)
    affine = np.eye(4)
    # Along a row the column index grows: the row direction goes with the spacing between columns.
    affine[:3, 0] = LPS_TO_RAS * directions[0, :3] * column_mm
    affine[:3, 1] = LPS_TO_RAS * directions[0, 3:] * row_mm
    affine[:3, 2] = LPS_TO_RAS * step
    affine[:3, 3] = LPS_TO_RAS * positions[0]
    return Geometry(
        shape=(len(slices), first.rows or 0, first.columns or 0),
        spacing_mm=(float(np.linalg.norm(step)), row_mm, column_mm),
        affine=affine_rows(affine),
    )


def affine_rows(affine: np.ndarray) -> tuple[Row, Row, Row, Row]:
    """Return a 4×4 array as the tuple of rows that the schema holds; negative zeros become zeros."""
    rows = [tuple(float(value) + 0.0 for value in row) for row in np.asarray(affine, dtype=float)]
    a, b, c, d = rows
    return _row(a), _row(b), _row(c), _row(d)


def _row(values: tuple[float, ...]) -> Row:
    a, b, c, d = values
    return a, b, c, d
