"""A small series whose voxels tell where they lie, so that any scrambling, shift, shear or wrong scale is measured.

The value of a voxel is a plane in space: it grows by other steps along slices, rows and columns. A plane survives
linear interpolation, so a volume that was resampled can be held against it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydicom import config
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from pipelines.synthetic.dicom import STORAGE
from pipelines.synthetic.names import make_uid

SLICES, SIZE = 24, 64
LOWEST_HU = -1000
STEP_HU = (31, 19, 7)
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
ORIENTATIONS = (
    (1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    (1.0, 0.0, 0.0, 0.0, 0.0, -1.0),
    (0.0, 1.0, 0.0, 0.0, 0.0, -1.0),
    (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0),
    (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    (0.8, 0.6, 0.0, -0.48, 0.64, 0.6),
)
NAMES = ("Muster^Erika", "Doe^John^^Dr", "Núñez^José", "Größe^Änne", "Kim", "O'Neil^Mary Ann")


@dataclass(frozen=True)
class Style:
    """How a series is written; lengths in mm, ``pixel_mm`` as (row spacing, column spacing), ``origin`` in LPS."""

    orientation: tuple[float, ...]
    pixel_mm: tuple[float, float]
    slice_mm: float
    origin: tuple[float, float, float]
    vendor: str
    patient_id: str
    name: str
    birth_date: str
    sex: str
    charset: str
    numbering: str
    slices: int = SLICES


@dataclass(frozen=True)
class Truth:
    """What a right volume holds: ``affine`` (4×4) maps voxel (column, row, slice) to RAS+ mm."""

    affine: np.ndarray
    shape: tuple[int, int, int]
    lowest: float = LOWEST_HU

    def stored(self, intercept: float) -> Truth:
        """The same in stored values, before any rescale."""
        return Truth(self.affine, self.shape, self.lowest - intercept)


@dataclass(frozen=True)
class Wedge:
    """The slices in slice order, as data sets without a file, and the truth."""

    slices: list[Dataset]
    truth: Truth
    style: Style

    @property
    def intercept(self) -> int:
        """What is added to stored values to make HU."""
        return STORAGE[self.style.vendor].intercept


def draw_style(seed: int, *, slices: int = SLICES) -> Style:
    """Draw orientation, spacings, vendor and patient."""
    rng = np.random.default_rng([seed, 24])
    return Style(
        orientation=ORIENTATIONS[int(rng.integers(len(ORIENTATIONS)))],
        pixel_mm=(round(float(rng.uniform(0.5, 1.2)), 2), round(float(rng.uniform(0.5, 1.2)), 2)),
        slice_mm=float(rng.choice([1.0, 1.25, 2.0, 2.5, 3.0, 5.0])),
        origin=(round(float(rng.uniform(-90, 20)), 2), round(float(rng.uniform(-90, 20)), 2), float(rng.integers(400))),
        vendor=list(STORAGE)[int(rng.integers(len(STORAGE)))],
        patient_id=f"W{int(rng.integers(10**6)):06d}",
        name=NAMES[int(rng.integers(len(NAMES)))],
        birth_date=f"{int(rng.integers(1930, 2005))}0{int(rng.integers(1, 10))}1{int(rng.integers(10))}",
        sex="FM"[int(rng.integers(2))],
        charset="ISO_IR 100" if rng.random() < 0.5 else "ISO_IR 192",
        numbering=("along", "against", "shuffled")[int(rng.integers(3))],
        slices=slices,
    )


def make_wedge(seed: int, *, style: Style | None = None, series: str = "series") -> Wedge:
    """Make a CT series of 64² voxels. ``seed`` also names the study; ``series`` tells the series of a study apart."""
    style = style or draw_style(seed)
    affine = _affine(style)
    values = _values(style.slices) - STORAGE[style.vendor].intercept
    stored = values.astype("<i2" if STORAGE[style.vendor].signed else "<u2")
    numbers = np.arange(1, style.slices + 1)
    if style.numbering != "along":
        numbers = numbers[::-1] if style.numbering == "against" else np.random.default_rng(seed).permutation(numbers)
    slices = [
        _slice(seed, style, series, index=index, number=int(numbers[index]), pixels=plane.tobytes())
        for index, plane in enumerate(stored)
    ]
    return Wedge(slices, Truth(LPS_TO_RAS @ affine, (style.slices, SIZE, SIZE)), style)


def truth_of(slices: Sequence[Dataset], *, lowest: float = LOWEST_HU) -> Truth:
    """The truth of evenly shifted slices, a sheared lattice included, from their own headers."""
    first, last, count = slices[0], slices[-1], len(slices)
    origin = np.array(first.ImagePositionPatient, float)
    row, column = np.array(first.ImageOrientationPatient, float).reshape(2, 3)
    affine = np.eye(4)
    affine[:3, 0] = row * float(first.PixelSpacing[1])
    affine[:3, 1] = column * float(first.PixelSpacing[0])
    affine[:3, 2] = (np.array(last.ImagePositionPatient, float) - origin) / (count - 1)
    affine[:3, 3] = origin
    return Truth(LPS_TO_RAS @ affine, (count, int(first.Rows), int(first.Columns)), lowest)


def decimal_string(value: float) -> str:
    """A DS of at most 16 characters."""
    return f"{value + 0.0:.10g}"


def write_raw(ds: Dataset, keyword: str, vr: str, value: object) -> None:
    """Set an element to a value that the standard forbids."""
    tag = tag_for_keyword(keyword)
    assert tag is not None  # noqa: S101 - a keyword of this package's own
    ds[tag] = DataElement(tag, vr, value, validation_mode=config.IGNORE)


def _values(count: int) -> np.ndarray:
    slices, rows, columns = np.ogrid[:count, :SIZE, :SIZE]
    return LOWEST_HU + STEP_HU[0] * slices + STEP_HU[1] * rows + STEP_HU[2] * columns


def _affine(style: Style) -> np.ndarray:
    row, column = np.array(style.orientation).reshape(2, 3)
    affine = np.eye(4)
    affine[:3, 0] = row * style.pixel_mm[1]
    affine[:3, 1] = column * style.pixel_mm[0]
    affine[:3, 2] = np.cross(row, column) * style.slice_mm
    affine[:3, 3] = style.origin
    return affine


def _slice(seed: int, style: Style, series: str, *, index: int, number: int, pixels: bytes) -> Dataset:
    storage = STORAGE[style.vendor]
    position = _affine(style) @ [0.0, 0.0, index, 1.0]
    ds = Dataset()
    ds.SpecificCharacterSet = style.charset
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = make_uid(seed, series, "instance", index)
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = "20250310"
    ds.StudyTime = ds.SeriesTime = "101500"
    ds.AcquisitionTime = f"1016{index % 60:02d}"
    ds.AccessionNumber = f"A{seed:06d}"
    ds.Modality = "CT"
    ds.Manufacturer = style.vendor
    ds.SeriesDescription = "Phantom, not a patient"
    ds.PatientName, ds.PatientID = style.name, style.patient_id
    ds.PatientBirthDate, ds.PatientSex = style.birth_date, style.sex
    ds.SliceThickness = decimal_string(style.slice_mm)
    ds.PatientPosition = "HFS"
    ds.StudyInstanceUID = make_uid(seed, "study")
    ds.SeriesInstanceUID = make_uid(seed, series)
    ds.SeriesNumber, ds.AcquisitionNumber, ds.InstanceNumber = 2, 1, number
    ds.ImagePositionPatient = [decimal_string(value) for value in position[:3]]
    ds.ImageOrientationPatient = [decimal_string(value) for value in style.orientation]
    ds.FrameOfReferenceUID = make_uid(seed, "frame of reference")
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows = ds.Columns = SIZE
    ds.PixelSpacing = [decimal_string(value) for value in style.pixel_mm]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, storage.bits, storage.bits - 1
    ds.PixelRepresentation = int(storage.signed)
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = str(storage.intercept), "1", "HU"
    ds.add_new(0x7FE00010, "OW", pixels)
    return ds
