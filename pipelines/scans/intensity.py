"""Whether the stored numbers of a series can be turned into the values they stand for: Hounsfield units for CT."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.scans.problem import Problem
from pipelines.scans.slice_header import SliceHeader

# Modalities whose numbers are quantities: there MONOCHROME1 leaves open whether the numbers themselves were inverted,
# and the readers of the field disagree. Elsewhere it is a matter of display, and is inverted with a remark.
QUANTITATIVE = frozenset({"CT", "PT"})
# Words of Rescale Type that do not contradict Hounsfield units. "US" is "unspecified".
HOUNSFIELD = frozenset({"", "HU", "US"})
# Words of Image Type that tell of arithmetic between images.
ARITHMETIC = frozenset({"SUBTRACTION", "SUBTRACT", "SUB", "DIVISION", "MULTIPLICATION", "STD_DEVIATION"})
# A CT whose smallest possible value is above this cannot hold air (-1000 HU), or lung (about -800 HU).
LOWEST_AT_MOST_HU = -900.0
# A CT that ends below this cannot hold bone.
HIGHEST_AT_LEAST_HU = 200.0
# CT slopes are 1 in practice; anything far off is another unit.
SLOPE_RANGE = (1e-3, 64.0)
# Nothing in a patient is darker than air, but noise and kernel overshoot reach -1100 HU.
DARKER_THAN_AIR_HU = -1200.0
# Fat is about -100 HU; water, muscle and bone are above.
DENSER_THAN_FAT_HU = -150.0
# More than this share of darker-than-air voxels (the padding outside the field of view left out) is no noise.
MAX_DARKER_SHARE = 0.05


def intensity_problems(images: Sequence[SliceHeader]) -> Iterator[Problem]:
    """Find what speaks against the intensity scale of a series, from its headers."""
    yield from _mixed(images)
    seen: set[tuple[object, ...]] = set()
    for header in images:
        key = (
            *(header.slope, header.intercept, header.rescale_type, header.rescaled, header.modality_lut),
            *(header.photometric, header.modality, header.bits_allocated, header.bits_stored, header.signed),
            header.image_type,
        )
        if key not in seen:
            seen.add(key)
            yield from _one(header)


def _mixed(images: Sequence[SliceHeader]) -> Iterator[Problem]:
    # A PET slice has its own slope by the standard, applied slice by slice; its intercept is 0.
    slopes = {None if header.modality == "PT" else header.slope for header in images}
    rest = {(header.intercept, header.rescale_type, header.rescaled, header.modality) for header in images}
    if len(slopes) > 1 or len(rest) > 1:
        yield Problem(Reason.MIXED_INTENSITY_SCALE, "slopes, intercepts or their units differ between slices")
    if len({(header.units, header.decay) for header in images}) > 1:
        yield Problem(Reason.MIXED_INTENSITY_SCALE, "the units or the decay correction of a PET differ between slices")
    if len({header.photometric for header in images}) > 1:
        yield Problem(Reason.MIXED_INTENSITY_SCALE, "the photometric interpretation differs between slices")


def _one(header: SliceHeader) -> Iterator[Problem]:
    if header.modality_lut:
        yield Problem(Reason.UNSUPPORTED_OBJECT, "a modality look-up table instead of slope and intercept")
    if header.photometric == "MONOCHROME1" and header.modality in QUANTITATIVE:
        yield Problem(Reason.PHOTOMETRIC_CONFLICT, "MONOCHROME1 in a modality whose numbers are quantities")
    slope, intercept = header.slope, header.intercept
    if slope is None or intercept is None:
        if header.rescaled or header.modality in QUANTITATIVE:
            yield Problem(Reason.IMPLAUSIBLE_INTENSITY, "no rescale slope and intercept, or one without the other")
        return
    if not math.isfinite(slope) or not math.isfinite(intercept) or slope <= 0.0:
        yield Problem(Reason.IMPLAUSIBLE_INTENSITY, "slope or intercept are no usable numbers")
    elif header.modality == "CT":
        yield from _hounsfield(header, slope, intercept)


def _hounsfield(header: SliceHeader, slope: float, intercept: float) -> Iterator[Problem]:
    bits = min(header.bits_stored or 16, 16)
    lowest, highest = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if header.signed else (0, 2**bits - 1)
    if ARITHMETIC & set(header.image_type):
        yield Problem(Reason.IMPLAUSIBLE_INTENSITY, "a difference or quotient of CT images is not in Hounsfield units")
    if header.bits_allocated == 8:
        yield Problem(Reason.IMPLAUSIBLE_INTENSITY, "8 bits hold a window of a CT, not its Hounsfield units")
    if header.rescale_type not in HOUNSFIELD:
        yield Problem(Reason.IMPLAUSIBLE_INTENSITY, "the rescale type is not Hounsfield units")
    if not SLOPE_RANGE[0] <= slope <= SLOPE_RANGE[1]:
        yield Problem(Reason.IMPLAUSIBLE_INTENSITY, "the rescale slope is out of range")
    if lowest * slope + intercept > LOWEST_AT_MOST_HU or highest * slope + intercept < HIGHEST_AT_LEAST_HU:
        yield Problem(Reason.IMPLAUSIBLE_INTENSITY, "these bits, slope and intercept cannot hold air and bone in HU")


def no_hounsfield_units(values_hu: np.ndarray) -> str:
    """What speaks against Hounsfield units in the values of a CT slice [rows, columns] from inside a patient, or "".

    Every slice through a patient shows something denser than fat, and nothing in it is darker than air.
    """
    if rescaled_twice(values_hu):
        return "the middle slice is darker than air: rescaled twice?"
    if float(values_hu.max()) < DENSER_THAN_FAT_HU:
        return "the middle slice holds nothing denser than fat: windowed, or rescaled twice?"
    return ""


def watch_hounsfield_units(planes: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Pass on the planes of a scan that does not say what its numbers are, and refuse it if they are not in HU.

    Raises
    ------
    RefusedError
        ``implausible-intensity``, after the last plane: none of them holds air, or none holds bone.
    """
    lowest, highest = math.inf, -math.inf
    for plane in planes:
        lowest, highest = min(lowest, float(plane.min())), max(highest, float(plane.max()))
        yield plane
    if lowest > LOWEST_AT_MOST_HU or highest < HIGHEST_AT_LEAST_HU:
        detail = "a scan of unstated modality without air and bone in HU; this model reads HU"
        raise RefusedError(Reason.IMPLAUSIBLE_INTENSITY, detail)


def rescaled_twice(values_hu: np.ndarray) -> bool:
    """Whether a CT slice [rows, columns] looks as if its intercept had been subtracted once too often.

    The darkest single value is left out: it is the padding outside the field of view, and may be anything.
    """
    inside = values_hu[values_hu > values_hu.min()]
    return bool(inside.size) and float(np.mean(inside < DARKER_THAN_AIR_HU)) > MAX_DARKER_SHARE
