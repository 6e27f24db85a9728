"""A synthetic patient's scan as a classic CT series: one Explicit VR Little Endian file a slice.

Dates carry their zone (``TimezoneOffsetFromUTC``), as the FHIR side does, so that what is before the scan and what is
after does not depend on the time zone of the machine that reads them.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from pipelines.synthetic.names import make_uid
from pipelines.synthetic.patients import Patient


class Storage(NamedTuple):
    """How a vendor stores HU values."""

    intercept: int
    bits: int
    signed: bool


STORAGE = {
    "SCANOTE-A": Storage(-1024, 12, signed=False),
    "SCANOTE-B": Storage(0, 16, signed=True),
    "SCANOTE-C": Storage(-1024, 16, signed=False),
}
MINUTES_OF_STUDY = 4


def write_series(folder: Path, patient: Patient, *, seed: int) -> int:
    """Write the slices as ``IM0001.dcm`` and so on into a new folder; return their number.

    File names and InstanceNumber follow the slices, run against them, or are shuffled, by patient: position alone
    tells the order.

    Raises
    ------
    FileExistsError
        The folder exists.
    """
    folder.mkdir(parents=True)
    phantom, count = patient.phantom, len(patient.phantom.volume)
    dataset = _common(patient, seed)
    storage = STORAGE[phantom.scanner.vendor]
    stored = (phantom.volume.astype(np.int32) - storage.intercept).astype("<i2" if storage.signed else "<u2")
    numbers, names = _orders(patient, seed, count)
    for index in range(count):
        _place(dataset, patient, index)
        dataset.SOPInstanceUID = make_uid(seed, patient.number, "instance", index)
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.InstanceNumber = int(numbers[index]) + 1
        dataset.PixelData = stored[index].tobytes()
        dataset.save_as(folder / f"IM{names[index] + 1:04d}.dcm", enforce_file_format=True)
    return count


def _orders(patient: Patient, seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """InstanceNumber and file name of every slice, as permutations."""
    rng = np.random.default_rng([seed, patient.number, count])
    forward = np.arange(count)
    numbers = forward if rng.random() < 0.5 else forward[::-1]
    return numbers, rng.permutation(count) if rng.random() < 0.5 else numbers


def _common(patient: Patient, seed: int) -> FileDataset:
    """All that the slices of a series share."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(make_uid("implementation"))
    meta.ImplementationVersionName = "SCANOTE_SYNTH"
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = CTImageStorage
    _person(dataset, patient)
    _study(dataset, patient, seed)
    _acquisition(dataset, patient)
    _pixels(dataset, patient)
    return dataset


def _person(dataset: Dataset, patient: Patient) -> None:
    dataset.PatientName = patient.name
    dataset.PatientID = patient.patient_id
    dataset.PatientBirthDate = f"{patient.birth_date:%Y%m%d}"
    dataset.PatientSex = patient.sex
    dataset.PatientAge = f"{patient.age_years:03d}Y"


def _study(dataset: Dataset, patient: Patient, seed: int) -> None:
    moment = patient.scanned
    dataset.TimezoneOffsetFromUTC = "+0000"
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = f"{moment:%Y%m%d}"
    dataset.StudyTime = dataset.SeriesTime = dataset.AcquisitionTime = _clock(moment)
    dataset.ContentTime = _clock(moment.replace(second=0), minutes=MINUTES_OF_STUDY)
    dataset.AccessionNumber = f"A{patient.number:06d}"
    dataset.ReferringPhysicianName = ""
    dataset.StudyID = "1"
    dataset.StudyDescription = "Synthetic chest CT"
    dataset.SeriesDescription = "Phantom, not a patient"
    dataset.SeriesNumber = 2
    dataset.StudyInstanceUID = make_uid(seed, patient.number, "study")
    dataset.SeriesInstanceUID = make_uid(seed, patient.number, "series")
    dataset.FrameOfReferenceUID = make_uid(seed, patient.number, "frame of reference")
    dataset.PositionReferenceIndicator = ""


def _clock(moment: datetime, *, minutes: int = 0) -> str:
    whole = moment.hour * 60 + moment.minute + minutes
    return f"{whole // 60:02d}{whole % 60:02d}{moment.second:02d}"


def _acquisition(dataset: Dataset, patient: Patient) -> None:
    scanner = patient.phantom.scanner
    dataset.Modality = "CT"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.Manufacturer = scanner.vendor
    dataset.ManufacturerModelName = scanner.model
    dataset.InstitutionName = "Synthetic hospital"
    dataset.DeviceSerialNumber = "0"
    dataset.SoftwareVersions = "scanote synthetic 1"
    dataset.BodyPartExamined = "CHEST"
    dataset.PatientPosition = "HFS"
    dataset.ConvolutionKernel = scanner.kernel
    dataset.KVP = "120"
    dataset.GantryDetectorTilt = "0"
    dataset.AcquisitionNumber = 1
    dataset.SliceThickness = f"{scanner.slice_mm:g}"
    dataset.PixelSpacing = [f"{scanner.pixel_mm:g}", f"{scanner.pixel_mm:g}"]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]


def _pixels(dataset: Dataset, patient: Patient) -> None:
    storage = STORAGE[patient.phantom.scanner.vendor]
    _, dataset.Rows, dataset.Columns = patient.phantom.volume.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = 16
    dataset.BitsStored = storage.bits
    dataset.HighBit = storage.bits - 1
    dataset.PixelRepresentation = int(storage.signed)
    dataset.RescaleIntercept = f"{storage.intercept}"
    dataset.RescaleSlope = "1"
    dataset.RescaleType = "HU"
    dataset.WindowCenter, dataset.WindowWidth = "40", "400"
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"


def _place(dataset: Dataset, patient: Patient, index: int) -> None:
    """Position of the first voxel of a slice, from the RAS affine to DICOM's LPS, to a thousandth of a millimetre."""
    affine = np.array(patient.phantom.geometry.affine)
    right, front, head = affine[:3, 3] + index * affine[:3, 2]
    dataset.ImagePositionPatient = [f"{value + 0.0:.3f}" for value in (-right, -front, head)]
    dataset.SliceLocation = f"{head:.3f}"
