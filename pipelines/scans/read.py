"""One accepted scan to one array: every file is read once, proven, decoded and rescaled once, into its place."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Scan, ScanFile
from pipelines.scans.decode import decode_pixels
from pipelines.scans.headers import SliceHeader, read_header
from pipelines.scans.nifti import read_nifti_values
from pipelines.scans.stored import read_stored

# imagecodecs and hashlib release the interpreter lock; more than two threads wait for memory.
THREADS = 2


def read_volume(scan: Scan, *, verify: bool = True) -> np.ndarray:
    """Read the voxels of a scan.

    Parameters
    ----------
    scan
        An accepted scan of the index.
    verify
        Check each file's SHA-256 against the index before use.

    Returns
    -------
    numpy.ndarray
        float32 [slices, rows, columns]; HU for CT, otherwise the rescaled values.

    Raises
    ------
    RefusedError
        ``file-missing``, ``digest-changed``, ``decode-failed``, or another reason for which a file is refused.
    """
    if scan.format == "nifti":
        return read_nifti_values(read_stored(scan.files[0], verify=verify), scan.geometry.shape)
    count, rows, columns = scan.geometry.shape
    if len(scan.files) != count:
        raise RefusedError(Reason.DECODE_FAILED, f"{len(scan.files)} files for {count} slices")
    volume = np.empty((count, rows, columns), np.float32)

    def fill(index: int) -> None:
        _fill(scan.files[index], volume[index], verify=verify, invert=Remark.MONOCHROME1_INVERTED in scan.remarks)

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(fill, range(count)):
            pass
    return volume


def _fill(file: ScanFile, plane: np.ndarray, *, verify: bool, invert: bool) -> None:
    data = read_stored(file, verify=verify)
    header = read_header(data, sha256=file.sha256)
    if header.fault:
        raise RefusedError(header.fault, f"file {file.sha256[:12]}: {header.fault_detail}")
    if (header.rows, header.columns) != plane.shape or (header.photometric == "MONOCHROME1") != invert:
        raise RefusedError(Reason.DECODE_FAILED, f"file {file.sha256[:12]} is not of the scan's shape")
    plane[...] = slice_values(data, header)


def slice_values(data: bytes, header: SliceHeader) -> np.ndarray:
    """Decode one file and apply its rescale slope and intercept, once: float32 [rows, columns].

    MONOCHROME1 values are inverted within the range of their stored bits, before the rescale.

    Raises
    ------
    RefusedError
        As `decode_pixels`.
    """
    stored = decode_pixels(data, header)
    slope = 1.0 if header.slope is None else header.slope
    intercept = 0.0 if header.intercept is None else header.intercept
    if header.photometric == "MONOCHROME1":
        ends = (2 ** (header.bits_stored or 0)) - 1 if not header.signed else -1
        # low + high - value, with low + high = 2^bits - 1 (unsigned) or -1 (two's complement)
        slope, intercept = -slope, intercept + slope * ends
    if slope.is_integer() and intercept.is_integer():
        values = stored.astype(np.float32)
        if slope != 1.0:
            values *= np.float32(slope)
        values += np.float32(intercept)
        return values
    return (stored * np.float64(slope) + intercept).astype(np.float32)
