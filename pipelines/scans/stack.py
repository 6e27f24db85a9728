"""From the positions of slices to one volume: order, spacing, affine, and everything that speaks against an even stack.

Positions are measured along the normal of the slices (row direction × column direction), never by InstanceNumber,
SliceLocation or SliceThickness. DICOM's LPS becomes RAS+ by turning the first two axes around.

Directions are the median over the slices and the grid is a robust line through their positions: what one wrong
header may change without being refused for it moves the affine by less than 0.01 mm and 0.1 degrees.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Geometry, Row
from pipelines.scans.grid import fit_line, grown, right_angles
from pipelines.scans.problem import Problem
from pipelines.scans.slice_header import SliceHeader

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
# A stated tilt and that of the positions agree to the rounding of the display; no gantry tilts further than this.
TILT_AGREEMENT_DEGREES = 0.5
MAX_TILT_DEGREES = 45.0
# Uneven gaps are resampled, where the settings allow it, up to these.
MAX_UNEVEN_GAP_MM = 10.0
MAX_UNEVEN_RATIO = 3.0

LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])


@dataclass(frozen=True, slots=True)
class Stack:
    """Slices in order with the geometry of the volume they make, or problems.

    ``label`` tells apart the stacks of one series. ``stored_origins`` (RAS+ mm, one a slice) is set where the
    geometry is not how the slices were stored; then they must pass through `pipelines.scans.regrid`. ``history``
    says in words what such a geometry was made from.
    """

    problems: tuple[Problem, ...]
    slices: tuple[SliceHeader, ...] = ()
    geometry: Geometry | None = None
    label: str = ""
    stored_origins: tuple[tuple[float, float, float], ...] = ()
    remarks: tuple[Remark, ...] = ()
    history: tuple[str, ...] = ()


def stack_slices(images: Sequence[SliceHeader], *, resample_irregular: bool = False) -> Stack:
    """Order slices by position and measure the volume they make.

    Parameters
    ----------
    images
        The slices of one stack, in any order.
    resample_irregular
        Accept uneven gaps, none above 10 mm and three times their median, as a grid of their median gap.

    Returns
    -------
    Stack
        ``geometry`` with shape and spacing (slices, rows, columns), and the affine from voxel (column, row, slice) to
        RAS+ millimetres; or the problems found. Slices of a tilted gantry, which shift evenly in their plane, make a
        grid at right angles: the same pixels, the distance along the normal, and rows and columns added until no
        slice is cut.
    """
    problems = [*_frames_of_reference(images), *_absent(images)]
    if len(images) < MIN_SLICES:
        problems.append(Problem(Reason.TOO_FEW_SLICES, f"{len(images)} slices; at least {MIN_SLICES} are needed"))
    if not images or any(problem.reason is Reason.MISSING_GEOMETRY for problem in problems):
        return Stack((*problems, *_tilt_stated(images)))
    positions = np.array([header.position for header in images])
    directions = np.array([header.orientation for header in images])
    problems += _plane(images, positions, directions)
    if any(problem.reason in {Reason.IMPLAUSIBLE_GEOMETRY, Reason.MIXED_ORIENTATION} for problem in problems):
        return Stack((*problems, *_tilt_stated(images)))
    direction = np.median(directions, axis=0)
    axes = right_angles(direction)
    along = positions @ axes[2]
    order = np.lexsort((positions[:, 2], positions[:, 1], positions[:, 0], along))
    slices, positions, along = tuple(images[index] for index in order), positions[order], along[order]
    problems += _duplicates(along)
    if problems or len(images) < MIN_SLICES:
        return Stack((*problems, *_tilt_stated(images)))
    uneven = [*_gaps(along)]
    resampled = resample_irregular and _may_be_resampled(uneven, along)
    problems += [] if resampled else uneven
    shear, sheared = _shear(slices, positions, along, axes)
    problems += shear
    problems += [] if sheared else _tilt_stated(images)
    if problems:
        return Stack(tuple(problems), slices)
    if not sheared and not resampled:
        return Stack((), slices, _even(slices, positions, direction))
    return _right_angled(slices, positions, axes, sheared=sheared, resampled=resampled)


def places(along: np.ndarray) -> np.ndarray:
    """The place of each position along the normal [n] in mm, counted from 0; equal ones share a place."""
    order = np.argsort(along, kind="stable")
    gaps = np.diff(along[order])
    apart = gaps[gaps > POSITION_ROUNDING_MM]
    tolerance = max(POSITION_ROUNDING_MM, SPACING_TOLERANCE * float(np.median(apart)) if apart.size else 0.0)
    found = np.empty(len(along), int)
    found[order] = np.concatenate([[0], np.cumsum(~(gaps <= tolerance))])
    return found


def _frames_of_reference(images: Sequence[SliceHeader]) -> Iterator[Problem]:
    found = len({header.frame_of_reference for header in images})
    if found > 1:
        yield Problem(Reason.MIXED_FRAMES_OF_REFERENCE, f"{found} frames of reference in {len(images)} slices")


def _tilt_stated(images: Sequence[SliceHeader]) -> Iterator[Problem]:
    if any(not abs(header.tilt or 0.0) <= TILT_DEGREES for header in images):
        yield Problem(Reason.TILTED, "the header states a gantry tilt that the positions do not show")


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


def _duplicates(along: np.ndarray) -> Iterator[Problem]:
    """Judge whether sorted positions along the normal, in mm, share places."""
    taken = np.bincount(places(along))
    twice = len(along) - len(taken)
    if twice and len(taken) >= MIN_SLICES and taken.min() == taken.max():
        yield Problem(Reason.SEVERAL_STACKS, f"every place is taken {taken[0]} times, and no header tells them apart")
    elif twice:
        yield Problem(Reason.DUPLICATE_SLICES, f"{twice} slices at a place already taken")


def _gaps(along: np.ndarray) -> Iterator[Problem]:
    """Judge sorted positions along the normal, in mm."""
    gaps = np.diff(along)
    low, high = SLICE_RANGE_MM
    typical = float(np.median(gaps))
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


def _may_be_resampled(uneven: Sequence[Problem], along: np.ndarray) -> bool:
    gaps = np.diff(along)
    limit = min(MAX_UNEVEN_GAP_MM, MAX_UNEVEN_RATIO * float(np.median(gaps)))
    return [problem.reason for problem in uneven] == [Reason.IRREGULAR_SPACING] and bool(gaps.max() <= limit)


def _shear(
    slices: Sequence[SliceHeader], positions: np.ndarray, along: np.ndarray, axes: np.ndarray
) -> tuple[list[Problem], bool]:
    """Judge how slices (in order) shift against each other within their plane, and whether a gantry's tilt does it."""
    in_plane = (positions - positions[0]) @ axes[:2].T
    limit = max(DRIFT_TOLERANCE * min(slices[0].pixel_spacing or (0.0,)), POSITION_ROUNDING_MM)
    if np.linalg.norm(in_plane, axis=1).max() <= limit:
        return [], False
    line = fit_line(np.pad(in_plane, ((0, 0), (0, 1))), along - along[0])
    fitted = line.start[:2] + np.outer(along - along[0], line.step[:2])
    if np.linalg.norm(in_plane - fitted, axis=1).max() > limit:
        return [Problem(Reason.IRREGULAR_SPACING, "some slices are shifted in their plane against the others")], False
    extent = float(along[-1] - along[0])
    shift = float(np.linalg.norm(line.step[:2]))
    if shift * extent <= limit:
        return [], False
    degrees = math.degrees(math.atan(shift))
    unsure = math.degrees(math.atan(2 * POSITION_ROUNDING_MM / extent))
    stated = {header.tilt for header in slices}
    if degrees > MAX_TILT_DEGREES:
        return [Problem(Reason.TILTED, f"a shift of {degrees:.1f} degrees is no tilt of a gantry")], True
    if stated == {None}:
        return [], True
    tilts = [abs(tilt) for tilt in stated if tilt is not None]
    if None in stated or not max(tilts) - min(tilts) <= TILT_DEGREES:
        return [Problem(Reason.TILTED, "the stated gantry tilt differs between slices")], True
    if not abs(tilts[0] - degrees) <= TILT_AGREEMENT_DEGREES + unsure:
        return [Problem(Reason.TILTED, "the positions show another tilt than the header states")], True
    return [], True


def _even(slices: Sequence[SliceHeader], positions: np.ndarray, direction: np.ndarray) -> Geometry:
    first = slices[0]
    row_mm, column_mm = first.pixel_spacing or (0.0, 0.0)
    line = fit_line(positions, np.arange(len(slices), dtype=float))
    # Along a row the column index grows: the row direction goes with the spacing between columns.
    columns = [direction[:3] * column_mm, direction[3:] * row_mm, line.step, line.start]
    return Geometry(
        shape=(len(slices), first.rows or 0, first.columns or 0),
        spacing_mm=(float(np.linalg.norm(line.step)), row_mm, column_mm),
        affine=_affine(columns),
    )


def _right_angled(
    slices: tuple[SliceHeader, ...], positions: np.ndarray, axes: np.ndarray, *, sheared: bool, resampled: bool
) -> Stack:
    """A grid at right angles that holds every slice, beginning at the place of the first."""
    first = slices[0]
    row_mm, column_mm = first.pixel_spacing or (0.0, 0.0)
    along = positions @ axes[2]
    if resampled:
        # The median gap, stretched by less than half a gap over the stack, so that it ends at the last slice.
        count = round(float((along[-1] - along[0]) / np.median(np.diff(along)))) + 1
        start, spacing = positions[0], float(along[-1] - along[0]) / (count - 1)
    else:
        count = len(slices)
        line = fit_line(positions, np.arange(count, dtype=float))
        start, spacing = line.start, float(line.step @ axes[2])
    offsets = (positions - start) @ axes[:2].T if sheared else np.zeros((1, 2))
    left, columns = grown(offsets[:, 0], column_mm, first.columns or 0)
    top, rows = grown(offsets[:, 1], row_mm, first.rows or 0)
    origin = start + left * column_mm * axes[0] + top * row_mm * axes[1]
    geometry = Geometry(
        shape=(count, rows, columns),
        spacing_mm=(spacing, row_mm, column_mm),
        affine=_affine([axes[0] * column_mm, axes[1] * row_mm, axes[2] * spacing, origin]),
    )
    remarks = [Remark.TILT_CORRECTED] * sheared + [Remark.RESAMPLED_IRREGULAR] * resampled
    told = f"index: {len(slices)} stored slices resampled linearly to a right-angled grid"
    told += f", grown by {rows - (first.rows or 0)} rows and {columns - (first.columns or 0)} columns" * sheared
    if not sheared:
        positions = start + np.outer(along - along[0], axes[2])
    stored = tuple(_triple(LPS_TO_RAS * position) for position in positions)
    return Stack((), slices, geometry, "", stored, tuple(remarks), (told,))


def _affine(columns: Sequence[np.ndarray]) -> tuple[Row, Row, Row, Row]:
    affine = np.eye(4)
    for at, column in enumerate(columns):
        affine[:3, at] = LPS_TO_RAS * column
    return affine_rows(affine)


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(value) + 0.0 for value in values)
    return x, y, z


def affine_rows(affine: np.ndarray) -> tuple[Row, Row, Row, Row]:
    """Return a 4×4 array as the tuple of rows that the schema holds; negative zeros become zeros."""
    rows = [tuple(float(value) + 0.0 for value in row) for row in np.asarray(affine, dtype=float)]
    a, b, c, d = rows
    return _row(a), _row(b), _row(c), _row(d)


def _row(values: tuple[float, ...]) -> Row:
    a, b, c, d = values
    return a, b, c, d
