"""The bytes of a file that was indexed, proven to be the same bytes before anything is made of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.scan import ScanFile
from pipelines.sources.folder import open_file

_STEP = 2**20


def read_stored(file: ScanFile, *, verify: bool = True) -> bytes:
    """Read a file once; with ``verify`` its size and SHA-256 must be those of the index.

    Raises
    ------
    RefusedError
        ``file-missing`` where it cannot be read, ``digest-changed`` where a single bit differs.
    """
    try:
        handle = open_file(file.path)
        try:
            data = _exactly(handle, file.size + 1, 0)
        finally:
            os.close(handle)
    except OSError as error:
        raise _missing(file, error) from None
    if verify and (len(data) != file.size or hashlib.sha256(data).hexdigest() != file.sha256):
        raise _changed(file)
    return data


def prove_stored(files: Iterable[ScanFile]) -> None:
    """Check size and SHA-256 of files, each once however many slices it holds, and keep none of their bytes.

    Raises
    ------
    RefusedError
        As `read_stored`.
    """
    for file in {(file.path, file.sha256): file for file in files}.values():
        with StoredFile(file):
            pass


class StoredFile:
    """A file that is too large to be held in memory: opened and proven once, then read in pieces.

    The pieces are of the bytes that were proven: the descriptor stays open, so a file that replaces it under its name
    is not seen, and one that is written to in place is noticed by its times, which are looked at after each piece.
    A context manager.

    Raises
    ------
    RefusedError
        ``file-missing`` where it cannot be read, ``digest-changed`` where it is not, or no longer, what was indexed.
    """

    def __init__(self, file: ScanFile, *, verify: bool = True) -> None:
        self._file = file
        try:
            self.handle = open_file(file.path)
        except OSError as error:
            raise _missing(file, error) from None
        try:
            self._state = self._look()
            if verify:
                self._prove()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> StoredFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1

    def read(self, at: int, count: int) -> bytes:
        """Read ``count`` bytes from position ``at``; fewer where the file ends. Threads may read at the same time."""
        try:
            data = _exactly(self.handle, count, at)
            same = self._look() == self._state
        except OSError as error:
            raise _missing(self._file, error) from None
        if not same:
            raise _changed(self._file)
        return data

    def _look(self) -> tuple[int, int, int]:
        state = os.fstat(self.handle)
        return state.st_size, state.st_mtime_ns, state.st_ctime_ns

    def _prove(self) -> None:
        digest, at = hashlib.sha256(), 0
        while at < self._file.size:
            piece = self.read(at, min(_STEP, self._file.size - at))
            if not piece:
                break
            digest.update(piece)
            at += len(piece)
        if self._state[0] != self._file.size or digest.hexdigest() != self._file.sha256:
            raise _changed(self._file)


def _exactly(handle: int, count: int, at: int) -> bytes:
    """Read ``count`` bytes, in one call where the kernel gives them all; fewer only where the file ends."""
    parts: list[bytes] = []
    while count > 0:
        part = os.pread(handle, count, at)
        if not part:
            break
        parts.append(part)
        at += len(part)
        count -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _missing(file: ScanFile, error: OSError) -> RefusedError:
    return RefusedError(Reason.FILE_MISSING, f"file {file.sha256[:12]}: {type(error).__name__}")


def _changed(file: ScanFile) -> RefusedError:
    return RefusedError(Reason.DIGEST_CHANGED, f"file {file.sha256[:12]} is not what was indexed; ingest it again")
