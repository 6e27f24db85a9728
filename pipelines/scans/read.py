"""One accepted scan to its voxels: every file is read and proven once, decoded and rescaled once, in slice order.

`read_slices` gives plane after plane and holds a few; `read_volume` puts them into one array.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Scan, ScanFile
from pipelines.scans.decode import NATIVE, ReadBytes, decode_frame, decode_pixels
from pipelines.scans.elements import DEFLATED
from pipelines.scans.headers import read_header, read_headers
from pipelines.scans.inflate import data_set
from pipelines.scans.nifti import read_nifti_values
from pipelines.scans.pool import DecoderPool
from pipelines.scans.slice_header import SliceHeader
from pipelines.scans.stored import StoredFile, read_stored
from pipelines.scans.window import Window

# hashlib and numpy release the interpreter lock; more than two threads wait for memory. Where children decode, a
# third thread reads and proves the next file meanwhile.
THREADS, THREADS_COMPRESSED = 2, 3
# Planes that are ready, or being made, before they are asked for.
AHEAD = 4
# Whole numbers up to here are exact in float32.
_EXACT = 2**24


def read_volume(scan: Scan, *, verify: bool = True, pool: DecoderPool | None = None) -> np.ndarray:
    """Read the voxels of a scan.

    Parameters
    ----------
    scan
        An accepted scan of the index.
    verify
        Check each file's SHA-256 against the index before use.
    pool
        Who decodes compressed pixels; the process's own pool if None.

    Returns
    -------
    numpy.ndarray
        float32 [slices, rows, columns] on ``scan.geometry``; HU for CT, otherwise the rescaled values.

    Raises
    ------
    RefusedError
        ``file-missing``, ``digest-changed``, ``decode-failed``, ``decoder-died``, or another reason for which a file
        is refused.
    """
    if scan.format == "nifti":
        return _nifti(scan, verify)
    volume = np.empty(scan.geometry.shape, np.float32)
    if scan.format != "dicom" or scan.stored_origins:
        count = 0
        for plane in read_slices(scan, verify=verify, pool=pool):
            if count == len(volume):
                raise _misshapen("more planes than the geometry has")
            volume[count] = plane
            count += 1
        if count != len(volume):
            raise _misshapen(f"{count} planes for {len(volume)} slices")
        return volume
    with _Slices(scan, verify, pool) as slices, ThreadPoolExecutor(slices.threads) as workers:
        try:
            for _ in workers.map(lambda index: slices.read(index, volume[index]), range(len(volume))):
                pass
        except BaseException:
            workers.shutdown(wait=False, cancel_futures=True)
            raise
    return volume


def read_slices(scan: Scan, *, verify: bool = True, pool: DecoderPool | None = None) -> Iterator[np.ndarray]:
    """Read the planes of a scan one after the other, a few ahead of the one that is asked for.

    Parameters
    ----------
    scan, verify, pool
        As for `read_volume`.

    Yields
    ------
    numpy.ndarray
        float32 [rows, columns], as many as ``scan.geometry`` has slices, in their order. Each is the caller's own.

    Raises
    ------
    RefusedError
        As `read_volume`, at the plane where it is found.
    """
    if scan.format == "pictures":
        from pipelines.scans.pictures import read_picture_slices

        return read_picture_slices(scan, verify=verify, pool=pool)
    stored = _stored_planes(scan, verify, pool)
    if not scan.stored_origins:
        return stored
    from pipelines.scans.regrid import regrid

    return regrid(stored, scan)


def _stored_planes(scan: Scan, verify: bool, pool: DecoderPool | None) -> Iterator[np.ndarray]:
    if scan.format == "nifti":
        yield from _nifti(scan, verify)
        return
    waiting: deque[Future[np.ndarray]] = deque()
    with _Slices(scan, verify, pool) as slices, ThreadPoolExecutor(slices.threads) as workers:
        try:
            for index in range(len(scan.files)):
                waiting.append(workers.submit(slices.read, index))
                if len(waiting) >= AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            workers.shutdown(wait=True, cancel_futures=True)


def _nifti(scan: Scan, verify: bool) -> np.ndarray:
    return read_nifti_values(read_stored(scan.files[0], verify=verify), scan.geometry.shape)


class _Slices:
    """The stored slices of one DICOM scan, read by index from any thread; a file of several frames is opened once."""

    def __init__(self, scan: Scan, verify: bool, pool: DecoderPool | None) -> None:
        self._files, self._verify, self._pool = scan.files, verify, pool
        self._invert = Remark.MONOCHROME1_INVERTED in scan.remarks
        # Where the slices are resampled, the geometry is not that of the stored ones: then the first one's shape holds.
        self._shape = None if scan.stored_origins else scan.geometry.shape[1:]
        if not scan.stored_origins and len(scan.files) != scan.geometry.shape[0]:
            raise _misshapen(f"{len(scan.files)} files for {scan.geometry.shape[0]} slices")
        self.threads = THREADS if scan.transfer_syntax in NATIVE else THREADS_COMPRESSED
        self._frames_left = Counter(file.path for file in scan.files)
        self._open: dict[str, _Frames] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> _Slices:
        return self

    def __exit__(self, *_: object) -> None:
        for frames in self._open.values():
            frames.close()

    def read(self, index: int, out: np.ndarray | None = None) -> np.ndarray:
        """Return one slice, in ``out`` if that is given."""
        file = self._files[index]
        if file.frame == 0 and self._frames_left[file.path] == 1 and file.path not in self._open:
            data = read_stored(file, verify=self._verify)
            header = read_header(data, sha256=file.sha256)
            self._check(file, header)
            return rescale(decode_pixels(data, header, pool=self._pool), header, out)
        frames = self._frames(file)
        header = frames.header(file)
        self._check(file, header)
        values = rescale(decode_frame(frames.read, header, pool=self._pool), header, out)
        self._done(file)
        return values

    def _frames(self, file: ScanFile) -> _Frames:
        with self._lock:
            if file.path not in self._open:
                self._open[file.path] = _Frames(file, self._verify)
            return self._open[file.path]

    def _done(self, file: ScanFile) -> None:
        with self._lock:
            self._frames_left[file.path] -= 1
            if not self._frames_left[file.path]:
                self._open[file.path].close()

    def _check(self, file: ScanFile, header: SliceHeader) -> None:
        if header.fault:
            raise RefusedError(header.fault, f"file {file.sha256[:12]}: {header.fault_detail}")
        with self._lock:
            self._shape = self._shape or (header.rows or 0, header.columns or 0)
        if (header.rows, header.columns) != self._shape or (header.photometric == "MONOCHROME1") != self._invert:
            raise _misshapen(f"file {file.sha256[:12]} is not of the scan's shape")


class _Frames:
    """A proven file of several frames: their headers, and its bytes in pieces."""

    def __init__(self, file: ScanFile, verify: bool) -> None:
        self._stored = StoredFile(file, verify=verify)
        self.read: ReadBytes = self._stored.read
        try:
            window = Window(handle=self._stored.handle, size=file.size)
            self._headers = read_headers(window, sha256=file.sha256)
            if self._headers[0].transfer_syntax == DEFLATED and not self._headers[0].fault:
                whole = data_set(self._stored.read(0, file.size))
                self.read = lambda at, count: whole[at : at + count]
            self._stored.read(0, 0)  # nothing changed while the headers were read
        except BaseException:
            self._stored.close()
            raise

    def header(self, file: ScanFile) -> SliceHeader:
        if file.frame < len(self._headers):
            return self._headers[file.frame]
        if self._headers[0].fault:
            return self._headers[0]
        raise _misshapen(f"file {file.sha256[:12]} has no frame {file.frame}")

    def close(self) -> None:
        self._stored.close()


def slice_values(data: bytes, header: SliceHeader, *, pool: DecoderPool | None = None) -> np.ndarray:
    """Decode one frame of a file held in memory and rescale it, once: float32 [rows, columns].

    Raises
    ------
    RefusedError
        As `pipelines.scans.decode.decode_pixels`.
    """
    return rescale(decode_pixels(data, header, pool=pool), header)


def rescale(stored: np.ndarray, header: SliceHeader, out: np.ndarray | None = None) -> np.ndarray:
    """Apply slope and intercept to stored values [rows, columns], rounding once: float32, in ``out`` if that is given.

    MONOCHROME1 values are inverted within the range of their stored bits, before the rescale.
    """
    slope = 1.0 if header.slope is None else header.slope
    intercept = 0.0 if header.intercept is None else header.intercept
    if header.photometric == "MONOCHROME1":
        ends = (2 ** (header.bits_stored or 0)) - 1 if not header.signed else -1
        # low + high - value, with low + high = 2^bits - 1 (unsigned) or -1 (two's complement)
        slope, intercept = -slope, intercept + slope * ends
    values = np.empty(stored.shape, np.float32) if out is None else out
    if slope.is_integer() and intercept.is_integer() and abs(slope) * 2**16 + abs(intercept) <= _EXACT:
        values[...] = stored
        if slope != 1.0:
            values *= np.float32(slope)
        values += np.float32(intercept)
    else:
        values[...] = stored * np.float64(slope) + intercept
    return values


def _misshapen(detail: str) -> RefusedError:
    return RefusedError(Reason.DECODE_FAILED, detail)
