"""One slice as the checks see it: who, what, where, and in which numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from data_schemas.reasons import Reason
from pipelines.scans.elements import PixelSpan


@dataclass(frozen=True, slots=True)
class SliceHeader:
    """One image file. Lengths are in mm, positions and directions in DICOM's LPS; absent values are None or "".

    ``fault`` tells what is wrong with the file itself; then any other field may be absent.
    """

    path: str = field(repr=False)
    sha256: str
    size: int
    transfer_syntax: str
    little_endian: bool
    fault: Reason | None
    fault_detail: str
    pixels: PixelSpan | None = field(repr=False)
    # who
    patient_id: str = field(repr=False)
    issuer: str = field(repr=False)
    patient_name: str = field(repr=False)
    birth_date: str = field(repr=False)
    sex: str = field(repr=False)
    age: str = field(repr=False)
    # what
    study_uid: str = field(repr=False)
    study_date: str = field(repr=False)
    series_uid: str = field(repr=False)
    sop_uid: str = field(repr=False)
    sop_class: str
    accession: str = field(repr=False)
    modality: str
    image_type: tuple[str, ...]
    converted: bool
    mosaic: bool
    acquired: datetime | None = field(repr=False)
    acquired_from: str
    # where
    frame_of_reference: str = field(repr=False)
    patient_position: str
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    pixel_spacing: tuple[float, ...] | None
    tilt: float | None
    # in which numbers
    rows: int | None
    columns: int | None
    frames: int
    samples: int | None
    photometric: str
    bits_allocated: int | None
    bits_stored: int | None
    high_bit: int | None
    signed: bool | None
    slope: float | None
    intercept: float | None
    rescale_type: str
    rescaled: bool
    modality_lut: bool
    lossy: bool
    # which of several frames, stacks and series
    frame: int = 0
    echo: str = ""
    echo_time: float | None = None
    b_value: float | None = None
    trigger_time: float | None = None
    temporal: str = ""
    acquisition_number: str = ""
    stack_id: str = ""
    instance_number: str = ""
    images_in_acquisition: int | None = None
    number_of_slices: int | None = None
    concatenation: str = field(default="", repr=False)
    concatenated: int | None = None
    concatenated_of: int | None = None
    # how it was made
    description: str = field(default="", repr=False)
    body_part: str = ""
    laterality: str = ""
    image_laterality: str = ""
    kernel: str = ""
    kvp: float | None = None
    units: str = ""
    decay: str = ""
    contrast: str = field(default="", repr=False)
    thickness: float | None = None
    manufacturer: str = ""
    sequence: str = ""
    repetition_time: float | None = None
    inversion_time: float | None = None
    burned_in: str = ""
    recognizable: str = ""
