"""Faults of where the slices lie."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pydicom.dataset import Dataset

from data_schemas.reasons import Reason, Remark
from pipelines.synthetic.faults.fault import CLASSIC_FORMS, EDIT, Fault, inner
from pipelines.synthetic.faults.places import axes, move, shear, step, turn
from pipelines.synthetic.faults.wedge import STEP_HU, decimal_string, write_raw

Slices = list[Dataset]
Rng = np.random.Generator

_UNEVEN = frozenset({Reason.IRREGULAR_SPACING})


def absent(keyword: str) -> EDIT:
    """Take an attribute from one slice, or from all."""

    def edit(slices: Slices, rng: Rng) -> Slices:
        chosen = slices if rng.random() < 0.3 else [slices[inner(slices, rng)]]
        for ds in chosen:
            del ds[keyword]
        return slices

    return edit


def spaced(values: Callable[[Rng], list[str]]) -> EDIT:
    """Another Pixel Spacing in all slices."""

    def edit(slices: Slices, rng: Rng) -> Slices:
        given = values(rng)
        for ds in slices:
            write_raw(ds, "PixelSpacing", "DS", given)
        return slices

    return edit


def _position_no_number(slices: Slices, rng: Rng) -> Slices:
    ds = slices[inner(slices, rng)]
    position = [str(value) for value in ds.ImagePositionPatient]
    position[int(rng.integers(3))] = "nan" if rng.random() < 0.5 else "inf"
    write_raw(ds, "ImagePositionPatient", "DS", position)
    return slices


def _not_orthonormal(slices: Slices, rng: Rng) -> Slices:
    scale = float(rng.uniform(1.05, 1.5))
    for ds in slices:
        directions = np.array(ds.ImageOrientationPatient, float)
        directions[:3] *= scale
        ds.ImageOrientationPatient = [decimal_string(value) for value in directions]
    return slices


def _metres_apart(slices: Slices, rng: Rng) -> Slices:
    by = step(slices) * float(rng.integers(60, 90))
    for index, ds in enumerate(slices):
        move(ds, by * index)
    return slices


def _hairs_apart(slices: Slices, _: Rng) -> Slices:
    by = step(slices)
    for index, ds in enumerate(slices):
        move(ds, -by * index * 0.995)
    return slices


def _one_missing(slices: Slices, rng: Rng) -> Slices:
    del slices[inner(slices, rng)]
    return slices


def _two_missing_apart(slices: Slices, rng: Rng) -> Slices:
    at = int(rng.integers(2, 9))
    del slices[at + int(rng.integers(5, 10))], slices[at]
    return slices


def _three_missing(slices: Slices, rng: Rng) -> Slices:
    at = int(rng.integers(2, len(slices) - 6))
    del slices[at : at + 3]
    return slices


def _most_missing(slices: Slices, rng: Rng) -> Slices:
    """Two neighbours stay, and after them every second slice: the shortest gap is rare."""
    return [ds for index, ds in enumerate(slices) if index < 4 or index % 2]


def _same_place(slices: Slices, rng: Rng) -> Slices:
    at = inner(slices, rng)
    slices[at].ImagePositionPatient = slices[at + 1].ImagePositionPatient
    return slices


def _extra_slice(slices: Slices, rng: Rng) -> Slices:
    """One more slice at a place already taken, with other pixels."""
    at = inner(slices, rng)
    extra = Dataset()
    for element in slices[at]:
        extra.add_new(element.tag, element.VR, element.value)
    extra.SOPInstanceUID = f"{extra.SOPInstanceUID[:50]}.7"
    extra.PixelData = slices[at - 1].PixelData
    return [*slices, extra]


def _one_off(slices: Slices, rng: Rng) -> Slices:
    move(slices[inner(slices, rng)], step(slices) * float(rng.uniform(0.15, 0.4)) * float(rng.choice([-1, 1])))
    return slices


def _jittered(slices: Slices, rng: Rng) -> Slices:
    """Some slices lie off their places, and their pixels show what lies there."""
    by, rise = step(slices), STEP_HU[0]
    for ds in slices[2:-2]:
        if rng.random() < 0.4:
            # A shift by n/31 of the spacing changes every voxel by n.
            shift = int(rng.integers(3, 9)) * int(rng.choice([-1, 1]))
            move(ds, by * shift / rise)
            ds.PixelData = (np.frombuffer(ds.PixelData, "<i2") + np.int16(shift)).astype("<i2").tobytes()
    return slices


def _growing_gaps(slices: Slices, rng: Rng) -> Slices:
    by, grow = step(slices), float(rng.uniform(0.01, 0.03))
    for index, ds in enumerate(slices):
        move(ds, by * grow * index**2)
    return slices


def _two_spacings(slices: Slices, rng: Rng) -> Slices:
    by, half = step(slices), len(slices) // 2
    for index, ds in enumerate(slices[half:]):
        move(ds, by * index * 0.5)
    return slices


def _in_plane_jump(slices: Slices, rng: Rng) -> Slices:
    """The table, or a position, jumps within the plane."""
    by = axes(slices[0])[int(rng.integers(2))] * float(rng.uniform(3, 20))
    for ds in slices[inner(slices, rng) :]:
        move(ds, by)
    return slices


def _sign_of_one(slices: Slices, rng: Rng) -> Slices:
    """The sign of one coordinate of one position is lost."""
    ds = slices[inner(slices, rng)]
    position = np.array(ds.ImagePositionPatient, float)
    axis = int(np.argmax(np.abs(step(slices))))
    position[axis] = -position[axis] if abs(position[axis]) > 1 else position[axis] + 30
    ds.ImagePositionPatient = [decimal_string(value) for value in position]
    return slices


def _sign_of_half(slices: Slices, rng: Rng) -> Slices:
    """Half of the slices are mirrored: their positions run the other way round the first one."""
    by = step(slices)
    for index, ds in enumerate(slices):
        if index >= len(slices) // 2:
            move(ds, -2 * by * index)
    return slices


def _one_turned(slices: Slices, rng: Rng) -> Slices:
    turn(slices[inner(slices, rng)], float(rng.uniform(0.5, 20)))
    return slices


def _half_turned(slices: Slices, rng: Rng) -> Slices:
    for ds in slices[len(slices) // 2 :]:
        turn(ds, 90.0)
    return slices


def _one_mirrored(slices: Slices, rng: Rng) -> Slices:
    ds = slices[inner(slices, rng)]
    row, column, _ = axes(ds)
    ds.ImageOrientationPatient = [decimal_string(value) for value in (*-row, *column)]
    return slices


def _fan(slices: Slices, rng: Rng) -> Slices:
    """Radial planes, as a rotating ultrasound probe or a radial MR has them."""
    for index, ds in enumerate(slices):
        turn(ds, index * 2.0)
    return slices


def _feet_first(slices: Slices, rng: Rng) -> Slices:
    for ds in slices[inner(slices, rng) :]:
        ds.PatientPosition = "FFS"
    return slices


def _stated_tilt(slices: Slices, rng: Rng) -> Slices:
    tilt = decimal_string(float(rng.choice([-1, 1])) * float(rng.uniform(5, 25)))
    for ds in slices:
        ds.GantryDetectorTilt = tilt
    return slices


def _tilted(slices: Slices, rng: Rng) -> Slices:
    degrees = float(rng.choice([-1, 1])) * float(rng.uniform(5, 25))
    return shear(slices, degrees, stated=bool(rng.random() < 0.7))


def _bent_tilt(slices: Slices, rng: Rng) -> Slices:
    """The shift grows with the square: no gantry does that."""
    down, most = axes(slices[0])[1], float(rng.uniform(5, 20))
    for index, ds in enumerate(slices):
        move(ds, down * most * (index / (len(slices) - 1)) ** 2)
    return slices


def _contradicting_tilt(slices: Slices, rng: Rng) -> Slices:
    shear(slices, float(rng.uniform(8, 14)), stated=False)
    for ds in slices:
        ds.GantryDetectorTilt = decimal_string(25.0)
    return slices


def _short(slices: Slices, rng: Rng) -> Slices:
    return slices[: int(rng.integers(2, 5))]


def _merged_grids(slices: Slices, rng: Rng) -> Slices:
    """A second series, shifted by a fraction of the spacing, under the same UID."""
    by = step(slices) * float(rng.uniform(0.2, 0.4))
    others = []
    for ds in slices:
        other = Dataset()
        for element in ds:
            other.add_new(element.tag, element.VR, element.value)
        other.SOPInstanceUID = f"{other.SOPInstanceUID[:50]}.9"
        move(other, by)
        others.append(other)
    return slices + others


_MISSING = frozenset({Reason.MISSING_GEOMETRY})
_ABSURD = frozenset({Reason.IMPLAUSIBLE_GEOMETRY})
_GAP = frozenset({Reason.MISSING_SLICES})
_PLACES = frozenset({Reason.DUPLICATE_SLICES, Reason.IRREGULAR_SPACING, Reason.MISSING_SLICES, Reason.SEVERAL_STACKS})
_TAKEN = frozenset({Reason.DUPLICATE_SLICES})
_PLANES = frozenset({Reason.MIXED_ORIENTATION})

GEOMETRY = {
    "no-position": Fault("no position", _MISSING, edit=absent("ImagePositionPatient")),
    "no-orientation": Fault("no orientation", _MISSING, edit=absent("ImageOrientationPatient")),
    "no-pixel-spacing": Fault("no pixel spacing", _MISSING, edit=absent("PixelSpacing")),
    "zero-spacing": Fault("pixel spacing 0", _ABSURD, edit=spaced(lambda rng: ["0", "0.7"])),
    "negative-spacing": Fault("negative pixel spacing", _ABSURD, edit=spaced(lambda rng: ["-0.7", "0.7"])),
    "absurd-spacing": Fault("pixels of metres", _ABSURD, edit=spaced(lambda rng: [f"{rng.integers(100, 9000)}"] * 2)),
    "spacing-no-number": Fault("pixel spacing nan", _ABSURD | _MISSING, edit=spaced(lambda rng: ["nan", "nan"])),
    "position-no-number": Fault("a position nan or infinite", _ABSURD | _MISSING, edit=_position_no_number),
    "not-orthonormal": Fault("directions that are no unit vectors", _ABSURD, edit=_not_orthonormal),
    "slices-metres-apart": Fault("slices metres apart", _ABSURD | _UNEVEN, edit=_metres_apart),
    "slices-hairs-apart": Fault("slices micrometres apart", _ABSURD | _PLACES, edit=_hairs_apart),
    "one-slice-missing": Fault("one slice missing", _GAP, edit=_one_missing),
    "two-slices-missing": Fault("two slices missing, apart", _GAP, edit=_two_missing_apart),
    "three-slices-missing": Fault("three neighbours missing", _GAP, edit=_three_missing),
    "most-slices-missing": Fault("every second slice missing, but at one end", _GAP | _UNEVEN, edit=_most_missing),
    "two-slices-one-place": Fault("one slice moved onto its neighbour", _TAKEN, edit=_same_place),
    "extra-slice": Fault("one more slice at a place taken", _TAKEN, edit=_extra_slice),
    "one-slice-off": Fault("one slice off its place", _UNEVEN, edit=_one_off),
    "growing-gaps": Fault("gaps that grow", _UNEVEN, edit=_growing_gaps),
    "two-spacings": Fault("half at another spacing", _UNEVEN | _GAP, edit=_two_spacings),
    "in-plane-jump": Fault("a jump within the plane", _UNEVEN | {Reason.TILTED}, edit=_in_plane_jump),
    "sign-of-one": Fault("the sign of one position lost", _PLACES | {Reason.IMPLAUSIBLE_GEOMETRY, Reason.TILTED},
                         edit=_sign_of_one),
    "sign-of-half": Fault("half of the positions mirrored", _PLACES, edit=_sign_of_half),
    "one-slice-turned": Fault("one slice in another plane", _PLANES, edit=_one_turned),
    "half-turned": Fault("half of the slices in another plane", _PLANES, edit=_half_turned),
    "one-slice-mirrored": Fault("one slice with its rows mirrored", _PLANES, edit=_one_mirrored),
    "radial-planes": Fault("planes like the blades of a fan", _PLANES, edit=_fan),
    "patient-turned": Fault("the patient position differs", _PLANES, edit=_feet_first, forms=CLASSIC_FORMS),
    "tilt-that-is-none": Fault("the header states a tilt, the positions none", frozenset({Reason.TILTED}),
                               edit=_stated_tilt, forms=CLASSIC_FORMS),
    "bent-tilt": Fault("a shift that no gantry makes", frozenset({Reason.TILTED, *_UNEVEN}), edit=_bent_tilt),
    "contradicting-tilt": Fault("header and positions tell other tilts", frozenset({Reason.TILTED}),
                                edit=_contradicting_tilt, forms=CLASSIC_FORMS),
    "few-slices": Fault("two to four slices", frozenset({Reason.TOO_FEW_SLICES}), edit=_short, from_headers=True),
    "merged-grids": Fault("two series, shifted, under one UID", _PLACES, edit=_merged_grids),
    "uneven-gaps": Fault("uneven gaps, which the settings allow to resample", remark=Remark.RESAMPLED_IRREGULAR,
                         edit=_jittered, resample=True),
    "tilted-gantry": Fault("a tilted gantry", remark=Remark.TILT_CORRECTED, edit=_tilted, from_headers=True),
}  # fmt: skip
