"""Series to measure with: a noisy phantom, written as classic CT slices in any transfer syntax that scanote reads."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import UID, CTImageStorage

PREFIX = "1.2.840.10008.1.2"
SYNTAXES = {
    "implicit": PREFIX,
    "explicit": f"{PREFIX}.1",
    "deflated": f"{PREFIX}.1.99",
    "big endian": f"{PREFIX}.2",
    "RLE": f"{PREFIX}.5",
    "JPEG baseline": f"{PREFIX}.4.50",
    "JPEG extended": f"{PREFIX}.4.51",
    "JPEG Lossless": f"{PREFIX}.4.57",
    "JPEG Lossless SV1": f"{PREFIX}.4.70",
    "JPEG-LS": f"{PREFIX}.4.80",
    "JPEG-LS near": f"{PREFIX}.4.81",
    "JPEG 2000": f"{PREFIX}.4.90",
    "JPEG 2000 lossy": f"{PREFIX}.4.91",
    "HTJ2K": f"{PREFIX}.4.201",
    "HTJ2K RPCL": f"{PREFIX}.4.202",
    "HTJ2K lossy": f"{PREFIX}.4.203",
}
ROOT = "1.2.826.0.1.3680043.8.498.77"


def phantom(count: int, size: int, *, seed: int = 0) -> np.ndarray:
    """Stored values [count, size, size] of 12 bits: air, a body with lungs, and noise that compresses about 2.5 : 1."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    noise = rng.normal(0.0, 12.0, (8, size, size))
    values = np.empty((count, size, size), np.uint16)
    for index in range(count):
        z = 2.0 * index / max(count - 1, 1) - 1.0
        plane = np.full((size, size), -1000.0)
        plane[(x / 0.85) ** 2 + (y / 0.65) ** 2 < 1.0] = 40.0
        for side in (-0.4, 0.4):
            plane[((x - side) / 0.25) ** 2 + (y / (0.45 - 0.1 * z)) ** 2 < 1.0] = -850.0
        plane[(x - 0.1 * z) ** 2 + (y - 0.45) ** 2 < 0.01] = 700.0
        plane += np.roll(noise[index % 8], index, axis=1)
        values[index] = np.clip(np.round(plane) + 1024, 0, 4095)
    return values


def encode(plane: np.ndarray, syntax: str) -> bytes:
    """One plane of unsigned values as the codestream of a compressed transfer syntax."""
    name = syntax.removeprefix(f"{PREFIX}.")
    if name == "5":
        bits = plane.dtype.itemsize * 8
        return bytes(
            RLELosslessEncoder.encode(
                plane.tobytes(),
                rows=plane.shape[0],
                columns=plane.shape[1],
                samples_per_pixel=1,
                number_of_frames=1,
                bits_allocated=bits,
                bits_stored=bits,
                pixel_representation=0,
                photometric_interpretation="MONOCHROME2",
            )
        )
    if name == "4.50":
        return imagecodecs.jpeg8_encode(plane, level=90)
    if name == "4.51":
        return imagecodecs.jpeg8_encode(plane, level=95, bitspersample=12)
    if name in {"4.57", "4.70"}:
        return imagecodecs.jpeg8_encode(plane, lossless=True, predictor=1)
    if name == "4.80":
        return imagecodecs.jpegls_encode(plane)
    if name == "4.81":
        return imagecodecs.jpegls_encode(plane, level=2)
    if name == "4.90":
        return imagecodecs.jpeg2k_encode(plane, level=0, codecformat="j2k", reversible=True)
    if name == "4.91":
        return imagecodecs.jpeg2k_encode(plane, level=40, codecformat="j2k", reversible=False)
    return imagecodecs.htj2k_encode(plane, **({"level": 0.002, "reversible": False} if name == "4.203" else {}))


def data_set(plane: np.ndarray, index: int, syntax: str, *, series: str = "1") -> FileDataset:
    """One CT slice of stored values, 2.5 mm above the one before."""
    narrow = syntax == SYNTAXES["JPEG baseline"]
    if narrow:
        plane = (plane >> 4).astype(np.uint8)
    ds = Dataset()
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, f"{ROOT}.{series}.{index + 1}"
    ds.StudyDate = ds.AcquisitionDate = "20240301"
    ds.StudyTime = ds.AcquisitionTime = "080000"
    ds.AccessionNumber, ds.Modality, ds.Manufacturer = "A1", "CT", "scanote"
    ds.SeriesDescription = "CHEST"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Muster^Erika", "007", "19600102", "F"
    ds.SliceThickness, ds.PatientPosition = "2.5", "HFS"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{ROOT}.0", f"{ROOT}.{series}"
    ds.InstanceNumber = str(index + 1)
    ds.ImagePositionPatient = ["-200", "-180", f"{2.5 * index:g}"]
    ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    ds.FrameOfReferenceUID = f"{ROOT}.9"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = plane.shape
    ds.PixelSpacing = ["0.7", "0.7"]
    bits = 8 if narrow else 12
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = plane.dtype.itemsize * 8, bits, bits - 1, 0
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "-1024", "16" if narrow else "1", "HU"
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    uid = meta.TransferSyntaxUID
    file = FileDataset(
        "",
        ds,
        file_meta=meta,
        preamble=bytes(128),
        is_implicit_VR=uid.is_implicit_VR,
        is_little_endian=uid.is_little_endian,
    )
    if uid.is_encapsulated:
        file.PixelData = encapsulate([encode(plane, syntax)])
        file["PixelData"].VR = "OB"
    else:
        file.PixelData = plane.astype(plane.dtype.newbyteorder("<" if uid.is_little_endian else ">")).tobytes()
        file["PixelData"].VR = "OW"
    return file


def write_series(folder: Path, values: np.ndarray, syntax: str, *, series: str = "1") -> None:
    """Write stored values [slices, rows, columns] as one classic series of a file a slice."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, plane in enumerate(values):
        data_set(plane, index, syntax, series=series).save_as(folder / f"{index:05d}.dcm", enforce_file_format=True)
