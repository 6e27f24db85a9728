"""The process that decodes strangers' codestreams: it holds no patient, no file and no secret, and may die.

It is started by `pipelines.scans.pool` as ``python -m pipelines.scans.child FD``, imports numpy and imagecodecs only,
and ends when the other end of its socket closes: with its parent, however that one dies. For each frame it is told
how much address space beyond its own and how much processor time it may use; the kernel ends it where it takes more.

A request names a codec, the bytes of the codestream at the start of the shared memory, and the frame that must come
out of it; the pixels are written behind the codestream. A request may carry the descriptor of new shared memory.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from pipelines.scans.rle import decode_rle

# codec, bytes of shared memory (0: as before), bytes of code, rows, columns, bytes a sample, address space, seconds
REQUEST = struct.Struct("<8sQQIIIQd")
# status, kind and bytes of the pixels, what went wrong
REPLY = struct.Struct("<B2s61s")
READY, DECODED, FAILED, NO_MEMORY = range(4)
ALIGNMENT = 64

# Names of imagecodecs' decoders: libjpeg-turbo, CharLS, OpenJPEG, libpng, libtiff.
DECODERS = {
    "jpeg": "jpeg8_decode",
    "jpegls": "jpegls_decode",
    "jpeg2k": "jpeg2k_decode",
    "png": "png_decode",
    "tiff": "tiff_decode",
}


def pixels_at(code_bytes: int) -> int:
    """Where the pixels begin in the shared memory."""
    return -(-code_bytes // ALIGNMENT) * ALIGNMENT


def decode_code(codec: str, code: memoryview, rows: int, columns: int, sample_bytes: int) -> Any:
    """Decode one codestream to an array [rows, columns] of integers of at most ``sample_bytes``.

    Raises
    ------
    ValueError
        What came out is no such array.
    Exception
        Whatever the decoder raises.
    """
    if codec == "rle":
        return decode_rle(code, rows, columns, sample_bytes)
    frame = _decoder(codec)(code)
    if frame.shape != (rows, columns) or frame.dtype.kind not in "ui" or frame.dtype.itemsize > sample_bytes:
        raise ValueError("the decoded frame is not of the stated shape and bits")
    return frame


def _decoder(codec: str) -> Callable[[memoryview], Any]:
    import imagecodecs

    return getattr(imagecodecs, DECODERS[codec] if codec != "rle" else "packbits_decode")


def serve(channel: socket.socket) -> None:
    """Answer requests until the parent closes the channel."""
    shared: mmap.mmap | None = None
    channel.sendall(REPLY.pack(READY, b"", b""))
    while True:
        message, descriptors = _receive(channel)
        if not message:
            return
        name, size, code_bytes, rows, columns, sample_bytes, space, seconds = REQUEST.unpack(message)
        if descriptors:
            shared = mmap.mmap(descriptors[0], size)
            os.close(descriptors[0])
        if shared is None:
            return
        codec = name.rstrip(b"\0").decode("ascii")
        channel.sendall(_answer(shared, codec, code_bytes, rows, columns, sample_bytes, space, seconds))


def _receive(channel: socket.socket) -> tuple[bytes, list[int]]:
    message, descriptors, _, _ = socket.recv_fds(channel, REQUEST.size, 1)
    while message and len(message) < REQUEST.size:
        more = channel.recv(REQUEST.size - len(message))
        message = message + more if more else b""
    return message, list(descriptors)


def _answer(
    shared: mmap.mmap,
    codec: str,
    code_bytes: int,
    rows: int,
    columns: int,
    sample_bytes: int,
    space: int,
    seconds: float,
) -> bytes:
    code = memoryview(shared)[:code_bytes].toreadonly()
    _decoder(codec)  # its library is loaded before memory is counted
    try:
        with _limits(space, seconds):
            frame = decode_code(codec, code, rows, columns, sample_bytes)
    except MemoryError:
        return REPLY.pack(NO_MEMORY, b"", b"")
    except ValueError as error:
        # Our own words, or a library's about its arguments: only the kind of the latter leaves this process.
        told = str(error) if type(error) is ValueError and str(error).isascii() else type(error).__name__
        return REPLY.pack(FAILED, b"", told.encode("ascii", "replace")[:61])
    except Exception as error:
        return REPLY.pack(FAILED, b"", type(error).__name__.encode("ascii", "replace")[:61])
    out = np.frombuffer(shared, frame.dtype, rows * columns, pixels_at(code_bytes)).reshape(rows, columns)
    out[...] = frame
    return REPLY.pack(DECODED, f"{frame.dtype.kind}{frame.dtype.itemsize}".encode(), b"")


@contextlib.contextmanager
def _limits(space: int, seconds: float) -> Any:
    """Processor time by a timer whose signal ends the process, and address space beyond what is mapped now."""
    set_space = _space_limit()
    try:
        set_space(space)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        set_space(None)


def _space_limit() -> Callable[[int | None], None]:
    import resource

    def set_space(space: int | None) -> None:
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        limit = hard
        if space is not None:
            try:
                with open("/proc/self/statm", "rb") as stream:  # noqa: PTH123
                    wanted = int(stream.read().split()[0]) * mmap.PAGESIZE + space
            except OSError:
                return  # no such file on this platform, and then no measure for a limit either
            limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (limit, hard))

    return set_space


def main() -> None:
    """Serve the socket whose descriptor is the first argument."""
    import resource

    import imagecodecs  # noqa: F401

    # The terminal's interrupt is for the parent; a crash leaves no core; nothing is written to any file.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with socket.socket(fileno=int(sys.argv[1])) as channel, contextlib.suppress(ConnectionError):
        serve(channel)


if __name__ == "__main__":
    main()
