"""One file: the slices it holds, an entry of its own, or the reason why it is ignored. Only its header is read."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.scan import Series, SeriesStatus
from pipelines.scans.headers import read_headers
from pipelines.scans.nifti import is_nifti, nifti_scan
from pipelines.scans.slice_header import SliceHeader
from pipelines.scans.window import FIRST_BYTES, Window
from pipelines.sources.folder import open_file

# The largest classic slice is 32 MiB, a whole-body NIfTI in float64 4 GiB; a file beyond this is refused unread.
MAX_FILE_BYTES = 4 * 2**30
_DICOM_NAMES = (".dcm", ".dicom", ".ima")
_NIFTI_NAMES = (".nii", ".nii.gz")
_DICOMDIR = "1.2.840.10008.1.3.10"

Found = tuple[SliceHeader, ...] | Series | Reason


class Stamp(NamedTuple):
    """What changes when a file does: a rewrite that keeps size and times still moves ``ctime_ns`` or ``inode``."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int


def stamp_of(status: os.stat_result) -> Stamp:
    """Return the stamp of a file's status."""
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)


def look(path: Path) -> tuple[Stamp | None, Found]:
    """Read what one file says of itself.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    tuple
        The file's stamp, taken before it was read (None where it cannot be opened); and its slices, one entry for a
        NIfTI or a damaged file, or the reason why it is none of the two. Slices carry no digest; a NIfTI file, which
        has no header worth the name and no UID but its digest, is read whole.
    """
    name = path.name.lower()
    claims = name.endswith(_DICOM_NAMES + _NIFTI_NAMES)
    stamp = None
    try:
        with open(open_file(path), "rb", buffering=0) as stream:  # noqa: PTH123
            handle = stream.fileno()
            stamp = stamp_of(os.fstat(handle))
            head = os.pread(handle, FIRST_BYTES, 0)
            dicom = _has_prefix(head)
            nifti = not dicom and is_nifti(head)
            if not nifti and not dicom and not _begins_data_set(head):
                return stamp, broken(path, Reason.NOT_DICOM, "by its first bytes") if claims else Reason.NOT_DICOM
            if stamp.size > MAX_FILE_BYTES:
                return stamp, broken(path, Reason.TOO_LARGE, f"{stamp.size} bytes are beyond {MAX_FILE_BYTES}")
            if nifti:
                return stamp, _nifti(stream.read(), path)
            return stamp, _dicom(Window(head, handle=handle, size=stamp.size), path, claims=claims)
    except OSError as error:
        detail = f"cannot be read ({type(error).__name__}); grant read access"
        return None, broken(path, Reason.FILE_MISSING, detail)


def _has_prefix(head: bytes) -> bool:
    """With its prefix a file is DICOM, and nothing that its preamble may pretend to be besides."""
    return head[128:132] == b"DICM"


def _begins_data_set(head: bytes) -> bool:
    """Without preamble a file begins in group 2 or 8, as every data set does."""
    return head[:4] in {b"\x02\0\0\0", b"\x02\0\1\0"} or head[:2] == b"\x08\0"


def _dicom(window: Window, path: Path, *, claims: bool) -> Found:
    prefixed = _has_prefix(window.data)
    headers = read_headers(window, path=str(path))
    header = headers[0]
    if not prefixed and (header.fault or not header.sop_class.startswith("1.2.840.10008.")):
        return broken(path, header.fault or Reason.NOT_DICOM, header.fault_detail) if claims else Reason.NOT_DICOM
    if header.sop_class == _DICOMDIR:
        return Reason.NOT_AN_IMAGE
    if header.series_uid:
        return headers
    if header.fault:
        return broken(path, header.fault, header.fault_detail)
    return broken(path, Reason.UNSUPPORTED_OBJECT, "a DICOM object without a SeriesInstanceUID")


def _nifti(data: bytes, path: Path) -> Series:
    try:
        scan = nifti_scan(data, path=str(path), sha256=hashlib.sha256(data).hexdigest())
    except RefusedError as refused:
        return broken(path, refused.reason, refused.detail, syntax="nifti")
    return Series(
        series_uid=scan.series_uid,
        study_uid=scan.study_uid,
        modality=scan.modality,
        files=1,
        transfer_syntax=scan.transfer_syntax,
        status=SeriesStatus.ACCEPTED,
        remarks=scan.remarks,
        where=str(path),
        scans=(scan,),
    )


def broken(where: Path | str, reason: Reason, detail: str, *, syntax: str = "", files: int = 1) -> Series:
    """Return the entry of what belongs to no series: a file, an archive or its member, a stack of pictures."""
    return Series(
        series_uid="",
        study_uid="",
        modality="",
        files=files,
        transfer_syntax=syntax,
        status=SeriesStatus.QUARANTINED,
        reasons=(reason,),
        detail=detail,
        where=str(where),
    )
