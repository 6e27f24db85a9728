"""A writer of small CT series: any orientation, any transfer syntax, any fault."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import CTImageStorage, ExplicitVRBigEndian, ExplicitVRLittleEndian, RLELossless

from pipelines.scans.headers import read_header
from pipelines.scans.slice_header import SliceHeader

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
OBLIQUE = (0.8, 0.6, 0.0, -0.48, 0.64, 0.6)
SERIES, STUDY, FRAME = "1.2.826.0.1.3680043.8.498.1", "1.2.826.0.1.3680043.8.498.2", "1.2.826.0.1.3680043.8.498.3"

Edit = Callable[[Dataset, int], None]


def phantom(count: int = 24, rows: int = 64, columns: int = 60) -> np.ndarray:
    """HU values [slices, rows, columns]: air, a body, a bright rod that leans, noise; no symmetry anywhere."""
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in (count, rows, columns)), indexing="ij")
    values = np.full((count, rows, columns), -1000.0)
    values[(x / 0.8) ** 2 + (y / 0.7) ** 2 < 1] = 40.0
    values[(x - 0.3 + 0.2 * z) ** 2 + (y + 0.2) ** 2 < 0.03] = 700.0
    values += np.random.default_rng(7).integers(-20, 21, values.shape)
    return np.round(np.maximum(values, -1024.0)).astype(np.int16)


def compress(frame: np.ndarray, syntax: str) -> bytes:
    """One frame of unsigned 16-bit values as a codestream of a transfer syntax."""
    name = syntax.removeprefix("1.2.840.10008.1.2.4.")
    if name in {"57", "70"}:
        return imagecodecs.jpeg8_encode(frame, lossless=True)
    if name in {"80", "81"}:
        return imagecodecs.jpegls_encode(frame)
    if name in {"90", "91"}:
        return imagecodecs.jpeg2k_encode(frame, level=0, codecformat="j2k", reversible=True)
    return imagecodecs.htj2k_encode(frame)


def write_slice(
    path: Path,
    values: np.ndarray,
    *,
    position: np.ndarray,
    orientation: tuple[float, ...] = AXIAL,
    pixel_mm: tuple[float, float] = (0.8, 0.7),
    number: int = 1,
    syntax: str = ExplicitVRLittleEndian,
    edit: Edit | None = None,
    index: int = 0,
) -> None:
    """Write one CT slice of HU values. ``edit`` may change the data set before it is saved."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = f"{SERIES}.{number}"
    ds.StudyDate, ds.StudyTime = "20240301", "080000"
    ds.AcquisitionDate, ds.AcquisitionTime = "20240301", f"0912{number % 60:02d}.5"
    ds.ContentDate, ds.ContentTime = "20240302", "101010"
    ds.AccessionNumber = "A1"
    ds.Modality = "CT"
    ds.PatientName, ds.PatientID = "Muster^Erika", "007"
    ds.PatientBirthDate, ds.PatientSex, ds.PatientAge = "19600102", "F", "064Y"
    ds.SliceThickness = "5"
    ds.GantryDetectorTilt = "0"
    ds.PatientPosition = "HFS"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = STUDY, SERIES
    ds.InstanceNumber = str(number)
    ds.ImagePositionPatient = [f"{value:.6g}" for value in position]
    ds.ImageOrientationPatient = [f"{value:.8g}" for value in orientation]
    ds.FrameOfReferenceUID = FRAME
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = values.shape
    ds.PixelSpacing = [str(value) for value in pixel_mm]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "-1024", "1", "HU"
    stored = (values.astype(np.int32) + 1024).astype(np.uint16)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    file = FileDataset(
        str(path),
        ds,
        file_meta=meta,
        preamble=b"\0" * 128,
        is_implicit_VR=meta.TransferSyntaxUID.is_implicit_VR,
        is_little_endian=meta.TransferSyntaxUID.is_little_endian,
    )
    if syntax == RLELossless:
        file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        file.PixelData = stored.tobytes()
        file.compress(RLELossless, generate_instance_uid=False)
    elif meta.TransferSyntaxUID.is_compressed:
        file.PixelData = encapsulate([compress(stored, syntax)])
        file["PixelData"].VR = "OB"
    else:
        file.PixelData = stored.astype(">u2" if syntax == ExplicitVRBigEndian else "<u2").tobytes()
        file["PixelData"].VR = "OW"
    if edit:
        edit(file, index)
    file.save_as(path, enforce_file_format=True)


def write_series(
    folder: Path,
    *,
    values: np.ndarray | None = None,
    orientation: tuple[float, ...] = AXIAL,
    spacing_mm: float = 2.5,
    origin: tuple[float, float, float] = (-40.0, -30.0, 100.0),
    syntax: str = ExplicitVRLittleEndian,
    edit: Edit | None = None,
    stem: str = "slice",
) -> np.ndarray:
    """Write a series whose file names and InstanceNumbers say nothing of its order; returns its HU values."""
    values = phantom() if values is None else values
    folder.mkdir(parents=True, exist_ok=True)
    normal = np.cross(orientation[:3], orientation[3:])
    numbers = np.random.default_rng(3).permutation(len(values))
    for index, plane in enumerate(values):
        write_slice(
            folder / f"{stem}{numbers[index]:03d}.dcm",
            plane,
            position=np.array(origin) + normal * spacing_mm * index,
            orientation=orientation,
            number=int(numbers[index]) + 1,
            syntax=syntax,
            edit=edit,
            index=index,
        )
    return values


@pytest.fixture
def hounsfield() -> Callable[..., np.ndarray]:
    """Make phantoms: `phantom`."""
    return phantom


@pytest.fixture
def series(tmp_path: Path) -> Callable[..., Path]:
    """Write a series into a fresh folder; takes `write_series`'s arguments and returns the folder."""

    def write(**arguments: object) -> Path:
        folder = tmp_path / "series"
        write_series(folder, **arguments)  # type: ignore[arg-type]
        return folder

    return write


@pytest.fixture(scope="session")
def writer() -> Callable[..., np.ndarray]:
    """`write_series` itself, for fixtures that outlive a test and for several series in one tree."""
    return write_series


@pytest.fixture(scope="session")
def slices(tmp_path_factory: pytest.TempPathFactory) -> list[SliceHeader]:
    """The headers of one right series of 24 slices, in slice order, to be changed in memory."""
    folder = tmp_path_factory.mktemp("slices")
    write_series(folder)
    found = [read_header(path.read_bytes(), path=str(path)) for path in folder.iterdir()]
    in_order = sorted(found, key=lambda header: header.position or ())
    return [replace(header, instance_number=str(at)) for at, header in enumerate(in_order, 1)]


@pytest.fixture(scope="session")
def changed() -> Callable[..., list[SliceHeader]]:
    """Change fields of slices: a value, or a function of the slice's index; ``on`` some of them or all."""

    def change(slices: Sequence[SliceHeader], on: Collection[int] | None = None, **fields: object) -> list[SliceHeader]:
        return [
            replace(header, **{name: value(at) if callable(value) else value for name, value in fields.items()})
            if on is None or at in on
            else header
            for at, header in enumerate(slices)
        ]

    return change


@pytest.fixture(scope="session")
def another() -> Callable[..., list[SliceHeader]]:
    """A second stack at the same places: other instances, other digests, and the changes that are given."""

    def copy(slices: Sequence[SliceHeader], number: int = 1, **fields: object) -> list[SliceHeader]:
        return [
            replace(
                header,
                sha256=f"{number:02x}{header.sha256[2:]}",
                sop_uid=f"{header.sop_uid}.{number}",
                instance_number=str(int(header.instance_number) + number * len(slices)),
                **fields,
            )
            for header in slices
        ]

    return copy
