"""A file seen through a window: only the bytes that are looked at are ever read."""

from __future__ import annotations

import os

# Most headers of a slice are 2 to 12 KiB long.
FIRST_BYTES = 4096
LARGEST_STEP = 65536


class Window:
    """The bytes of a file that is held in memory, or that is read piece by piece.

    ``size`` is that of the whole file; ``data[base:]`` is what of it is at hand. A file that lost bytes since its
    size was taken gives short answers, never wrong ones, and never a signal as a memory map would.
    """

    __slots__ = ("_handle", "_step", "base", "bytes_read", "data", "size")

    def __init__(self, data: bytes = b"", *, handle: int | None = None, size: int | None = None) -> None:
        self.base = 0
        self.data = data
        self.size = len(data) if size is None else size
        self.bytes_read = len(data)
        self._handle = handle
        self._step = FIRST_BYTES

    def index(self, at: int, count: int) -> int:
        """Return where in ``data`` a position of the file lies, with ``count`` bytes there if the file has them."""
        inside = at - self.base
        if inside >= 0 and inside + count <= len(self.data):
            return inside
        if self._handle is None:
            return inside
        onward = 0 <= inside <= len(self.data) + FIRST_BYTES
        self._step = min(self._step * 2, LARGEST_STEP) if onward and self.data else FIRST_BYTES
        self.data = self._read(at, max(count, self._step))
        self.base = at
        return 0

    def slice(self, at: int, count: int) -> bytes:
        """Return ``count`` bytes from position ``at``; fewer where the file ends."""
        inside = at - self.base
        if inside >= 0 and inside + count <= len(self.data):
            return self.data[inside : inside + count]
        if self._handle is not None and count > FIRST_BYTES:
            return self._read(at, count)
        inside = self.index(at, count)
        return self.data[inside : inside + count]

    def _read(self, at: int, count: int) -> bytes:
        assert self._handle is not None  # noqa: S101
        count = min(count, self.size - at)
        parts: list[bytes] = []
        while count > 0:
            part = os.pread(self._handle, count, at)
            if not part:
                break
            parts.append(part)
            self.bytes_read += len(part)
            at += len(part)
            count -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)
