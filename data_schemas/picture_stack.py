"""What must be stated of a stack of pictures before it is a scan: PNG and TIFF carry neither place nor patient."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from data_schemas.base import Record

Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
Triple = tuple[Number, Number, Number]
Row4 = tuple[Number, Number, Number, Number]
Name = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^/\\\x00]+$")]


class Rescale(Record):
    """Value = stored × slope + intercept; HU for CT."""

    slope: Number
    intercept: Number


class PictureStack(Record):
    """The file ``scanote-stack.yaml`` beside the pictures.

    The pictures are listed in ``files`` in slice order, or ``order: name`` says that the natural order of their names
    ("2" before "10") is the slice order; neither is ever guessed. A multi-page TIFF holds its slices in page order.

    Where the voxels lie is told by ``affine``, from voxel (column, row, slice) to RAS+ mm as NIfTI has it; or by
    ``spacing_mm`` [slice, row, column] with ``orientation``, the direction cosines of a row and of a column in DICOM's
    LPS, and ``position_mm``, the place of the first voxel in LPS. The next slice then lies along row × column.
    """

    modality: Annotated[str, Field(pattern=r"^[A-Z]{2,16}$")]
    files: tuple[Name, ...] = Field(default=(), repr=False)
    order: Literal["name"] | None = None
    spacing_mm: Triple | None = None
    orientation: tuple[Number, Number, Number, Number, Number, Number] | None = None
    position_mm: Triple = (0.0, 0.0, 0.0)
    affine: tuple[Row4, Row4, Row4, Row4] | None = None
    rescale: Rescale | None = None
    patient_id: str = Field(default="", repr=False, max_length=64)
    issuer: str = Field(default="", repr=False, max_length=64)
    name: str = Field(default="", repr=False, max_length=256)
    sex: Literal["M", "F", "O", ""] = Field(default="", repr=False)
    birth_date: date | None = Field(default=None, repr=False)
    age_years: float | None = Field(default=None, repr=False, ge=0, le=150)
    study_uid: str = Field(default="", repr=False, max_length=64)
    series_uid: str = Field(default="", repr=False, max_length=64)
    accession: str = Field(default="", repr=False, max_length=64)
    acquired: datetime | None = Field(default=None, repr=False)
    description: str = Field(default="", repr=False, max_length=256)

    @model_validator(mode="after")
    def _one_order_and_one_place(self) -> PictureStack:
        if bool(self.files) == bool(self.order):
            raise ValueError("list the pictures in 'files', or say 'order: name'; one of the two")
        if len(set(self.files)) < len(self.files):
            raise ValueError("'files' names a picture twice")
        stated = self.spacing_mm is not None and self.orientation is not None
        if (self.affine is not None) == stated or (self.affine is not None and self.spacing_mm is not None):
            raise ValueError("give 'affine', or 'spacing_mm' and 'orientation'")
        if self.modality == "CT" and self.rescale is None:
            raise ValueError("a CT needs 'rescale', from stored values to HU")
        return self
