"""Scans: one accepted 3D volume with its geometry, and what was found of its series."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from data_schemas.base import Record
from data_schemas.reasons import Reason, Remark

Row = tuple[float, float, float, float]


class Geometry(Record):
    """Where the voxels lie.

    ``shape`` and ``spacing_mm`` are ordered (slices, rows, columns). ``affine`` maps voxel (column, row, slice) to
    RAS+ millimetres, as NIfTI has it.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    affine: tuple[Row, Row, Row, Row]


class ScanFile(Record):
    """One stored file, or one frame of it, of a scan, in slice order.

    ``frame`` counts from 0; the slices of a multi-frame file share its path, digest and size. ``sha256`` is empty
    where only the header was read.
    """

    path: str = Field(repr=False)
    sha256: str = Field(pattern=r"^([0-9a-f]{64})?$")
    size: int = Field(ge=0)
    frame: int = Field(default=0, ge=0)

    @property
    def mark(self) -> str:
        """What tells this slice from any other: the digest, and the frame behind the first."""
        return f"{self.sha256}#{self.frame}" if self.frame else self.sha256


class PatientFacts(Record):
    """What a source says of the patient; raw, for the catalogue's protected tables and the linking only."""

    patient_id: str = Field(repr=False)
    issuer: str = Field(default="", repr=False)
    name: str = Field(default="", repr=False)
    sex: Literal["M", "F", "O", ""] = Field(default="", repr=False)
    birth_date: date | None = Field(default=None, repr=False)
    age_years: float | None = Field(default=None, repr=False)


class SeriesFacts(Record):
    """What the headers say of how a scan was made; the rules that choose among scans look at it.

    Free text stays here, in the catalogue's protected tables: it may name a patient.
    """

    description: str = Field(default="", repr=False)
    body_part: str = ""
    laterality: str = ""
    kernel: str = ""
    contrast: str = Field(default="", repr=False)
    thickness_mm: float | None = None
    manufacturer: str = ""
    sequence: str = ""
    image_type: tuple[str, ...] = ()
    echo_ms: float | None = None
    repetition_ms: float | None = None
    inversion_ms: float | None = None
    frame_of_reference: str = Field(default="", repr=False)


class Scan(Record):
    """One accepted volume.

    ``scan_id`` is the SHA-256 over the marks of its files in slice order; or it begins with "unsealed-" where only
    headers were read: such a scan is shown, and stored nowhere, until `pipelines.scans.digest.seal` has read the rest.
    ``stack`` tells apart the scans of one series ("echo 2", "b 1000"). ``geometry`` is that of the volume as it is
    read; where that is not how the slices were stored (a tilted gantry, uneven gaps), ``stored_origins`` holds the
    RAS+ position in mm of the first voxel of each stored slice. ``rescale`` is the slope and intercept of a stack of
    pictures; other formats carry their own.
    """

    scan_id: str
    format: Literal["dicom", "nifti", "pictures"]
    patient: PatientFacts = Field(repr=False)
    study_uid: str = Field(repr=False)
    series_uid: str = Field(repr=False)
    accession: str = Field(default="", repr=False)
    modality: str
    transfer_syntax: str
    acquired: datetime | None = Field(default=None, repr=False)
    geometry: Geometry
    files: tuple[ScanFile, ...] = Field(repr=False)
    stored_origins: tuple[tuple[float, float, float], ...] = Field(default=(), repr=False)
    stack: str = ""
    rescale: tuple[float, float] = (1.0, 0.0)
    facts: SeriesFacts = SeriesFacts()
    remarks: tuple[Remark, ...] = ()
    history: tuple[str, ...] = ()

    @property
    def sealed(self) -> bool:
        """Whether every file carries its digest."""
        return all(file.sha256 for file in self.files)


class SeriesStatus(StrEnum):
    """What became of a series."""

    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"


class Series(Record):
    """A series as found: accepted with its scans, or quarantined with its reasons.

    ``detail`` says what is wrong, without patient data. ``where`` is the file, or the folder of the files; it may
    name a patient, so it is shown to the person who asked and stored nowhere else.
    """

    series_uid: str = Field(repr=False)
    study_uid: str = Field(repr=False)
    modality: str
    files: int
    transfer_syntax: str
    status: SeriesStatus
    reasons: tuple[Reason, ...] = ()
    remarks: tuple[Remark, ...] = ()
    detail: str = ""
    where: str = Field(default="", repr=False)
    scans: tuple[Scan, ...] = ()


class Index(Record):
    """All series found under some paths, and a count of what was ignored, by reason code."""

    series: tuple[Series, ...] = ()
    ignored: dict[str, int] = Field(default_factory=dict)
