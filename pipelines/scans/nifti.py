"""NIfTI files (``.nii``, ``.nii.gz``): one 3D volume each, with the affine it carries and no word of the patient.

NIfTI stores values as [column, row, slice], the first index fastest in memory, and its affine maps (column, row,
slice) to RAS+ millimetres. Here volumes are [slice, row, column]: the array is transposed, the affine stays.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import Any

import numpy as np

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Geometry, PatientFacts, Scan, ScanFile, Series, SeriesFacts
from data_schemas.stated_scan import StatedScan
from pipelines.scans.check import MAX_VOXELS
from pipelines.scans.stack import MIN_SLICES, PIXEL_RANGE_MM, SLICE_RANGE_MM, affine_rows

_GZIP = b"\x1f\x8b"
_HEADER_BYTES = 544
# nifti-1 and nifti-2: where the magic stands, for single files.
_MAGIC = ((344, b"n+1\0"), (4, b"n+2\0\r\n\x1a\n"))
_PAIRS = ((344, b"ni1\0"), (4, b"ni2\0\r\n\x1a\n"))
# Units of length in xyzt_units: 0 is unknown, 2 is millimetres. Metres and micrometres are refused, not converted.
_MILLIMETRES = frozenset({0, 2})
_SCANNER = 1
# Axes at right angles within this cosine; more is a shear.
_SHEAR_TOLERANCE = 1e-3
_AFFINE_TOLERANCE = 1e-2


def is_nifti(data: bytes) -> bool:
    """Whether a file is NIfTI, by its magic; ``data`` may be its beginning only."""
    head = _head(data)
    return any(head[at : at + len(magic)] == magic for at, magic in (*_MAGIC, *_PAIRS))


def nifti_scan(data: bytes, *, path: str, sha256: str) -> Scan:
    """Check a NIfTI file held in memory and describe its volume.

    Parameters
    ----------
    data, path, sha256
        The whole file, where it lies, and its digest.

    Returns
    -------
    Scan
        Undated, of unknown modality, with UIDs made of the file's digest, and a blank patient id, which matches no
        record: `state` fills in what a table says.

    Raises
    ------
    RefusedError
        The volume is not 3D, cut short, coloured, or its affine is missing, sheared or absurd.
    """
    image = _load(data)
    header = image.header
    shape = _shape(header)
    _values(image)
    affine = _affine(header)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    low, high = PIXEL_RANGE_MM[0], SLICE_RANGE_MM[1]
    if not np.all((spacing >= low) & (spacing <= high)):
        raise RefusedError(Reason.IMPLAUSIBLE_GEOMETRY, f"voxel spacing outside of {low} to {high} mm")
    cosines = np.abs((affine[:3, :3] / spacing).T @ (affine[:3, :3] / spacing) - np.eye(3))
    if cosines.max() > _SHEAR_TOLERANCE:
        raise RefusedError(Reason.TILTED, "the affine holds a shear")
    uid = f"nifti-{sha256[:32]}"
    return Scan(
        scan_id=hashlib.sha256(sha256.encode()).hexdigest(),
        format="nifti",
        patient=PatientFacts(patient_id=""),
        study_uid=uid,
        series_uid=uid,
        modality="",
        transfer_syntax="nifti",
        geometry=Geometry(
            shape=(shape[2], shape[1], shape[0]),
            spacing_mm=(float(spacing[2]), float(spacing[1]), float(spacing[0])),
            affine=affine_rows(affine),
        ),
        files=(ScanFile(path=path, sha256=sha256, size=len(data)),),
        remarks=(Remark.UNDATED,),
        history=("nifti: affine kept, array transposed to [slice, row, column]",),
    )


def state(series: Series, stated: StatedScan | None) -> Series:
    """A NIfTI file's entry with what a table states of it: patient, study, date, modality, description."""
    if stated is None or not series.scans:
        return series
    (scan,) = series.scans
    remarks = tuple(remark for remark in scan.remarks if remark is not Remark.UNDATED or stated.acquired is None)
    told = scan.model_copy(
        update={
            "patient": PatientFacts(**stated.model_dump(include=set(PatientFacts.model_fields))),
            "study_uid": stated.study_uid or scan.study_uid,
            "accession": stated.accession,
            "modality": stated.modality,
            "acquired": stated.acquired,
            "facts": SeriesFacts(description=stated.description, body_part=stated.body_part.upper()),
            "remarks": remarks,
            "history": (*scan.history, "nifti: patient, study, time and modality as stated in a table of scans"),
        }
    )
    return series.model_copy(
        update={"study_uid": told.study_uid, "modality": told.modality, "remarks": remarks, "scans": (told,)}
    )


def read_nifti_values(data: bytes, shape: tuple[int, int, int]) -> np.ndarray:
    """Values of a NIfTI file, its slope and intercept applied once: float32 [slices, rows, columns].

    Raises
    ------
    RefusedError
        The file cannot be read, is not of this shape, or holds values that are no numbers.
    """
    values = _values(_load(data))
    if values.shape != shape:
        raise RefusedError(Reason.DECODE_FAILED, "the file is not of the scan's shape")
    return values


def _values(image: Any) -> np.ndarray:
    try:
        values = np.asarray(image.dataobj, dtype=np.float32)
    except Exception as error:
        raise RefusedError(Reason.DECODE_FAILED, f"nibabel: {type(error).__name__}") from None
    values = values.reshape(_shape(image.header))
    if not np.isfinite(values).all():
        raise RefusedError(Reason.IMPLAUSIBLE_INTENSITY, "values that are no numbers")
    return np.ascontiguousarray(values.transpose(2, 1, 0))


def _head(data: bytes) -> bytes:
    if not data.startswith(_GZIP):
        return data[:_HEADER_BYTES]
    try:
        return zlib.decompressobj(31).decompress(data, _HEADER_BYTES)
    except zlib.error:
        return b""


def _load(data: bytes) -> Any:
    import nibabel

    head = _head(data)
    if any(head[at : at + len(magic)] == magic for at, magic in _PAIRS):
        raise RefusedError(Reason.UNSUPPORTED_OBJECT, "a NIfTI pair (.hdr, .img); convert it to one .nii file")
    second = head[4:12] == _MAGIC[1][1]
    kind = nibabel.Nifti2Image if second else nibabel.Nifti1Image
    try:
        size = 540 if second else 348
        header = kind.header_class(head[:size], check=False)
        shape = _shape(header)
        _stated(header, size + 4)
        needed = int(header["vox_offset"]) + int(np.prod(shape)) * header.get_data_dtype().itemsize
        content = _content(data, needed)
        return kind.from_bytes(content)
    except RefusedError:
        raise
    except Exception as error:
        raise RefusedError(Reason.DECODE_FAILED, f"nibabel: {type(error).__name__}") from None


def _stated(header: Any, first: int) -> None:
    """Refuse what nibabel would put right by a guess: lengths, and where the values begin (``first`` or later)."""
    if not (np.isfinite(header["pixdim"][1:4]) & (header["pixdim"][1:4] > 0)).all():
        raise RefusedError(Reason.IMPLAUSIBLE_GEOMETRY, "voxel lengths that are not above zero")
    if not header["vox_offset"] >= first:
        raise RefusedError(Reason.DECODE_FAILED, "the values are said to begin inside the header")
    if np.isinf(header["scl_slope"]):
        raise RefusedError(Reason.IMPLAUSIBLE_INTENSITY, "a slope that is no usable number")


def _content(data: bytes, needed: int) -> bytes:
    """Return the file's uncompressed content; a compressed one is never unpacked beyond what its header needs."""
    content = data
    if data.startswith(_GZIP):
        inflater = zlib.decompressobj(31)
        try:
            content = inflater.decompress(data, needed + 1)
        except zlib.error:
            raise RefusedError(Reason.DECODE_FAILED, "the gzip stream is damaged") from None
        if len(content) <= needed and not inflater.eof:
            raise RefusedError(Reason.TRUNCATED, "the gzip stream has no end")
    if len(content) < needed:
        raise RefusedError(Reason.TRUNCATED, f"{len(content)} bytes where the header needs {needed}")
    return content


def _shape(header: Any) -> tuple[int, int, int]:
    if header.get_data_dtype().kind not in "iuf":
        raise RefusedError(Reason.COLOUR, "voxels that are not single numbers")
    columns, rows, slices, *rest = (*(int(size) for size in header.get_data_shape()), 1, 1, 1)
    if len(header.get_data_shape()) < 3 or any(size != 1 for size in rest):
        raise RefusedError(Reason.UNSUPPORTED_OBJECT, "only NIfTI volumes of three dimensions are read")
    if min(columns, rows, slices) < MIN_SLICES:
        raise RefusedError(Reason.TOO_FEW_SLICES, f"an axis of fewer than {MIN_SLICES} voxels")
    if columns * rows * slices > MAX_VOXELS:
        raise RefusedError(Reason.TOO_LARGE, f"more than {MAX_VOXELS} voxels")
    return columns, rows, slices


def _affine(header: Any) -> np.ndarray:
    sform, sform_code = header.get_sform(coded=True)
    qform, qform_code = header.get_qform(coded=True)
    if int(header["xyzt_units"]) & 7 not in _MILLIMETRES:
        raise RefusedError(Reason.IMPLAUSIBLE_GEOMETRY, "lengths are not in millimetres")
    if sform_code == qform_code == _SCANNER and not np.allclose(sform, qform, atol=_AFFINE_TOLERANCE):
        raise RefusedError(Reason.IMPLAUSIBLE_GEOMETRY, "sform and qform claim the scanner's space and differ")
    if not sform_code and not qform_code:
        raise RefusedError(Reason.MISSING_GEOMETRY, "neither sform nor qform is set")
    # Of two spaces the scanner's is meant; an sform may lead to a template's.
    scanner = qform_code == _SCANNER and sform_code != _SCANNER
    affine = np.asarray(qform if scanner or not sform_code else sform, dtype=float)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < PIXEL_RANGE_MM[0] ** 3:
        raise RefusedError(Reason.IMPLAUSIBLE_GEOMETRY, "the affine is singular or holds values that are no numbers")
    return affine
