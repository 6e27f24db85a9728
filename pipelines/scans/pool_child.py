"""The parent's end of one decoder process: its start, its socket, the memory shared with it, and its end."""

from __future__ import annotations

import fcntl
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile

import numpy as np

from data_schemas.errors import RefusedError, ScanoteError
from data_schemas.reasons import Reason
from pipelines.scans.child import DECODED, FAILED, NO_MEMORY, READY, REPLY, REQUEST, pixels_at

# By the clock a frame may take longer than by the processor, for the machine may be busy; a child that does nothing
# is ended all the same.
PATIENCE = 6.0
START_SECONDS = 60.0
# OpenJPEG holds an image in 32-bit integers, transforms it, and keeps a record for each code block.
SPACE_BYTES = 32 * 2**20
SPACE_BYTES_PER_PIXEL = 40
_LEAST_SHARED = 2**20
# glibc would give a frame's memory back to the kernel and fault it in again for the next: half of the time of RLE.
_KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(2**28), "MALLOC_MMAP_THRESHOLD_": str(2**25)}
_DTYPES = {b"u1": np.uint8, b"u2": np.uint16, b"i1": np.int8, b"i2": np.int16}


class DiedError(Exception):
    """The child is gone, or must go; the text says why."""


class Child:
    """One process, its socket and the memory shared with it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(  # noqa: S603
                    [sys.executable, "-B", "-P", "-m", "pipelines.scans.child", str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=_environment(),
                    process_group=0,
                )
            except OSError as error:
                ours.close()
                raise ScanoteError(f"no decoder process can be started ({error.strerror})") from None
        self._channel = ours
        self._shared: mmap.mmap | None = None
        try:
            ours.settimeout(START_SECONDS)
            ready = self._answer("did not start")[0] == READY
        except DiedError:
            ready = False
        if not ready:
            self.end()
            raise ScanoteError("the decoder process does not start; does this Python import numpy and imagecodecs?")

    def decode(
        self, codec: str, code: bytes, *, rows: int, columns: int, sample_bytes: int, seconds: float
    ) -> np.ndarray:
        start = pixels_at(len(code))
        needed = start + rows * columns * sample_bytes
        grown = self._grow(needed)
        shared = self._shared
        assert shared is not None  # noqa: S101
        shared[: len(code)] = code
        space = SPACE_BYTES + SPACE_BYTES_PER_PIXEL * rows * columns
        size = len(shared) if grown is not None else 0
        request = REQUEST.pack(codec.encode(), size, len(code), rows, columns, sample_bytes, space, seconds)
        self._channel.settimeout(seconds * PATIENCE)
        try:
            if grown is None:
                self._channel.sendall(request)
            else:
                socket.send_fds(self._channel, [request], [grown])
        except OSError:
            raise DiedError(self._cause(seconds)) from None
        finally:
            if grown is not None:
                os.close(grown)
        status, kind, told = self._answer(f"gave no answer in {seconds * PATIENCE:g} s", seconds)
        if status == FAILED:
            words = told.rstrip(b"\0").decode("ascii", "replace")
            raise RefusedError(Reason.DECODE_FAILED, f"{codec}: {words if words.isprintable() else 'refused'}")
        if status == NO_MEMORY:
            raise DiedError("the decoder needed more memory than it may")
        dtype = np.dtype(_DTYPES.get(kind, np.uint64))
        if status != DECODED or dtype.itemsize > sample_bytes:
            raise DiedError("the decoder gave no sensible answer")
        # A copy: what lies in the shared memory is the child's to change.
        return np.frombuffer(shared, dtype, rows * columns, start).reshape(rows, columns).copy()

    @property
    def pid(self) -> int:
        return self._process.pid

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._channel.close()

    def abandon(self) -> None:
        self._channel.close()
        self._process.returncode = 0  # so that it is neither waited for nor complained of

    def _grow(self, needed: int) -> int | None:
        """Map more memory where there is too little; the descriptor for the child, or None where there is enough."""
        if self._shared is not None and len(self._shared) >= needed:
            return None
        size = max(_LEAST_SHARED, 1 << (needed - 1).bit_length())
        descriptor = shared_memory(size)
        self._shared = mmap.mmap(descriptor, size)
        return descriptor

    def _answer(self, silent: str, seconds: float = 0.0) -> tuple[int, bytes, bytes]:
        message = b""
        while len(message) < REPLY.size:
            try:
                more = self._channel.recv(REPLY.size - len(message))
            except TimeoutError:
                raise DiedError(f"the decoder {silent}") from None
            except OSError:
                more = b""
            if not more:
                raise DiedError(self._cause(seconds))
            message += more
        status, kind, told = REPLY.unpack(message)
        return status, kind, told

    def _cause(self, seconds: float) -> str:
        try:
            code = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return "the decoder closed its channel"
        if code == -signal.SIGPROF:
            return f"the decoder took more than {seconds:g} s"
        return f"the decoder ended with {signal.Signals(-code).name if code < 0 else f'exit code {code}'}"


def shared_memory(size: int) -> int:
    """Return the descriptor of ``size`` bytes of unnamed memory that another process can map.

    It cannot be cut short under the one who reads it (that would be a SIGBUS): a memfd is sealed, a file is filled.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("scanote-frame", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(descriptor, size)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        return descriptor
    with tempfile.TemporaryFile() as stream:
        for _ in range(0, size, _LEAST_SHARED):
            stream.write(bytes(_LEAST_SHARED))
        stream.flush()
        return os.dup(stream.fileno())


def _environment() -> dict[str, str]:
    """The parent's import path, one thread (a decoder works on one frame), and memory that is kept between frames."""
    paths = [path or str(os.getcwd()) for path in sys.path]  # noqa: PTH109
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, **threads, **_KEEP_MEMORY, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
