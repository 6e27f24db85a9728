"""Faults of what the objects are: no images, derived pictures, several stacks; and what is only set aside."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import (
    BasicTextSRStorage,
    EncapsulatedPDFStorage,
    RawDataStorage,
    RTStructureSetStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
    UltrasoundImageStorage,
)

from data_schemas.reasons import Reason, Remark
from pipelines.synthetic.faults.fault import CLASSIC_FORMS, EDIT, Fault, inner
from pipelines.synthetic.faults.forms import CLASSIC
from pipelines.synthetic.faults.numbers import as_mr, planes
from pipelines.synthetic.faults.places import axes, move
from pipelines.synthetic.faults.wedge import write_raw
from pipelines.synthetic.names import make_uid

Slices = list[Dataset]
Rng = np.random.Generator

_HEADER = ("SpecificCharacterSet", "StudyDate", "SeriesDate", "StudyTime", "AccessionNumber", "Manufacturer",
           "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "SeriesInstanceUID",
           "SeriesNumber")  # fmt: skip


def copy_of(ds: Dataset) -> Dataset:
    """A data set of its own with the same values."""
    other = Dataset()
    for element in ds:
        other.add_new(element.tag, element.VR, element.value)
    return other


def joined(modality: str, sop_class: str) -> EDIT:
    """One more object, without pixels, under the SeriesInstanceUID of the slices."""

    def edit(slices: Slices, rng: Rng) -> Slices:
        ds = Dataset()
        for name in _HEADER:
            if name in slices[0]:
                setattr(ds, name, slices[0][name].value)
        ds.SOPClassUID, ds.Modality = sop_class, modality
        ds.SOPInstanceUID = make_uid(slices[0].SOPInstanceUID, modality)
        ds.InstanceNumber = int(rng.integers(1, 30))
        if sop_class == EncapsulatedPDFStorage:
            ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
            ds.EncapsulatedDocument = b"%PDF-1.4 none\n"
        return [*slices, ds]

    return edit


def typed(*image_type: str) -> EDIT:
    """All slices are of another Image Type."""

    def edit(slices: Slices, _: Rng) -> Slices:
        for ds in slices:
            ds.ImageType = list(image_type)
        return slices

    return edit


def _captures(slices: Slices, _: Rng) -> Slices:
    for ds in slices:
        ds.SOPClassUID, ds.ConversionType = SecondaryCaptureImageStorage, "WSD"
        ds.ImageType = ["DERIVED", "SECONDARY"]
    return slices


def _ultrasound(slices: Slices, _: Rng) -> Slices:
    for ds in slices:
        ds.SOPClassUID, ds.Modality = UltrasoundImageStorage, "US"
    return slices


def _modality_among(slices: Slices, rng: Rng) -> Slices:
    at = inner(slices, rng)
    slices[at : at + 1] = as_mr([slices[at]])
    return slices


def _mosaic(slices: Slices, _: Rng) -> Slices:
    for ds in as_mr(slices):
        ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
        ds.Manufacturer = "SIEMENS"
    return slices


def _no_series_uid(slices: Slices, _: Rng) -> Slices:
    for ds in slices:
        del ds.SeriesInstanceUID
    return slices


def again(slices: Slices, what: str, *, values: int = 0) -> Slices:
    """Copies of slices as instances of their own, with ``values`` added to the pixels."""
    others = []
    for ds in slices:
        other = copy_of(ds)
        other.SOPInstanceUID = make_uid(ds.SOPInstanceUID, what)
        other.PixelData = (planes(ds) + np.uint16(values)).tobytes()
        others.append(other)
    return others


def _two_stacks(slices: Slices, rng: Rng) -> Slices:
    """Two complete stacks in one place that no attribute tells apart."""
    return slices + again(slices, "again", values=int(rng.integers(1, 200)))


def _part_again(slices: Slices, rng: Rng) -> Slices:
    """Some slices were sent again, reconstructed anew."""
    at, count = inner(slices, rng), int(rng.integers(2, 6))
    return slices + again(slices[at : at + count], "again", values=int(rng.integers(1, 200)))


def _incomplete_echo(slices: Slices, rng: Rng) -> Slices:
    """Two echoes, the second without one of its slices."""
    as_mr(slices)
    second = again(slices, "echo 2", values=5)
    for ds in slices:
        ds.EchoNumbers, ds.EchoTime = 1, "10"
    for ds in second:
        ds.EchoNumbers, ds.EchoTime = 2, "80"
    del second[inner(slices, rng)]
    return slices + second


def _localizer(slices: Slices, _: Rng) -> Slices:
    """A scout at right angles, under the same UID."""
    scout = again([slices[0]], "localizer")[0]
    row, column, normal = axes(scout)
    scout.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    scout.ImageOrientationPatient = [*map(str, np.round(row, 8)), *map(str, np.round(normal, 8))]
    move(scout, column * 20.0)
    return [*slices, scout]


def _capture(slices: Slices, _: Rng) -> Slices:
    """A secondary capture, such as a dose page, under the same UID."""
    page = again([slices[0]], "capture")[0]
    page.SOPClassUID, page.ConversionType = SecondaryCaptureImageStorage, "WSD"
    page.ImageType = ["DERIVED", "SECONDARY"]
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "FrameOfReferenceUID"):
        del page[name]
    return [*slices, page]


def _projection(slices: Slices, rng: Rng) -> Slices:
    """A MIP of the stack, under the same UID, at the place of one of its slices."""
    projection = again([slices[inner(slices, rng)]], "mip", values=40)[0]
    projection.ImageType = ["DERIVED", "SECONDARY", "AXIAL", "MIP"]
    return [*slices, projection]


def _burned_in(slices: Slices, _: Rng) -> Slices:
    for ds in slices:
        ds.BurnedInAnnotation = "YES"
    return slices


def _undated(slices: Slices, _: Rng) -> Slices:
    for ds in slices:
        for name in ("StudyDate", "SeriesDate", "AcquisitionDate", "StudyTime", "SeriesTime", "AcquisitionTime"):
            del ds[name]
    return slices


def _uuid(slices: Slices, _: Rng) -> Slices:
    for ds in slices:
        for name in ("StudyInstanceUID", "SeriesInstanceUID"):
            write_raw(ds, name, "UI", f"1b9d6bcd-bbfd-4b2d-9b5d-{ds[name].value[-12:]}")
    return slices


_NO_IMAGE = frozenset({Reason.NOT_AN_IMAGE})
_DERIVED = frozenset({Reason.DERIVED})
_STACKS = frozenset({Reason.SEVERAL_STACKS, Reason.DUPLICATE_SLICES})

OBJECTS = {
    "structured-report": Fault("a report among the slices", _NO_IMAGE, edit=joined("SR", BasicTextSRStorage),
                               forms=CLASSIC_FORMS),
    "segmentation": Fault("a segmentation among the slices", _NO_IMAGE, edit=joined("SEG", SegmentationStorage),
                          forms=CLASSIC_FORMS),
    "structure-set": Fault("a structure set among the slices", _NO_IMAGE,
                           edit=joined("RTSTRUCT", RTStructureSetStorage), forms=CLASSIC_FORMS),
    "raw-data": Fault("raw data among the slices", _NO_IMAGE, edit=joined("CT", RawDataStorage), forms=CLASSIC_FORMS),
    "pdf": Fault("a PDF among the slices", _NO_IMAGE, edit=joined("DOC", EncapsulatedPDFStorage), forms=CLASSIC_FORMS),
    "projections": Fault("a series of projections", _DERIVED, edit=typed("DERIVED", "SECONDARY", "AXIAL", "MIP")),
    "screen-saves": Fault("a series of screen saves", _DERIVED, edit=typed("DERIVED", "SECONDARY", "SCREEN SAVE")),
    "localizers": Fault("localizers only", _DERIVED, edit=typed("ORIGINAL", "PRIMARY", "LOCALIZER")),
    "captures": Fault("secondary captures only", _DERIVED, edit=_captures, forms=CLASSIC_FORMS),
    "mosaic": Fault("a Siemens mosaic", frozenset({Reason.MOSAIC}), edit=_mosaic, forms=CLASSIC_FORMS,
                    stored_values=True),
    "ultrasound": Fault("another kind of image object", frozenset({Reason.UNSUPPORTED_OBJECT}), edit=_ultrasound,
                        forms=CLASSIC_FORMS),
    "modality-among": Fault("one slice of another modality",
                            frozenset({Reason.MIXED_INTENSITY_SCALE, Reason.MIXED_SHAPE}), edit=_modality_among,
                            forms=CLASSIC_FORMS),
    "no-series-uid": Fault("no SeriesInstanceUID", frozenset({Reason.UNSUPPORTED_OBJECT}), edit=_no_series_uid),
    "two-stacks": Fault("two stacks that nothing tells apart", frozenset({Reason.SEVERAL_STACKS}), edit=_two_stacks),
    "part-again": Fault("some places taken twice", frozenset({Reason.DUPLICATE_SLICES}), edit=_part_again),
    "incomplete-echo": Fault("two echoes, one with a slice missing", frozenset({Reason.MISSING_SLICES, *_STACKS}),
                             edit=_incomplete_echo, forms=CLASSIC_FORMS, stored_values=True),
    "localizer-among": Fault("a localizer among the slices", remark=Remark.LOCALIZER_SET_ASIDE, edit=_localizer),
    "capture-among": Fault("a screen capture among the slices", remark=Remark.CAPTURE_SET_ASIDE, edit=_capture,
                           forms=CLASSIC_FORMS),
    "projection-among": Fault("a projection among the slices", remark=Remark.CAPTURE_SET_ASIDE, edit=_projection),
    "burned-in-text": Fault("text burned into the pixels, as the header says",
                            remark=Remark.BURNED_IN_TEXT_SUSPECTED, edit=_burned_in),
    "undated": Fault("no date at all", remark=Remark.UNDATED, edit=_undated, forms=(CLASSIC,)),
    "uuid-uids": Fault("UIDs that are UUIDs", remark=Remark.NONSTANDARD_UID, edit=_uuid),
}  # fmt: skip
