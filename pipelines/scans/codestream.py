"""The size that a JPEG, JPEG-LS or JPEG 2000 stream states of itself, read before any decoder sees it."""

from __future__ import annotations

from dataclasses import dataclass

# Start of frame: lossless (C3) and JPEG-LS (F7). Other processes are no lossless single frames.
_FRAMES = frozenset({0xC3, 0xF7})
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
_END = b"\xff\xd9"
# The standard allows 65,535 tiles; a decoder may take memory for each.
_MAX_TILES = 4096


@dataclass(frozen=True, slots=True)
class FrameSize:
    """Rows, columns, components and bits per sample, as the stream states them."""

    rows: int
    columns: int
    components: int
    precision: int


def frame_size(code: bytes) -> FrameSize | None:
    """Read the stated size, or None where the stream is no such stream or lacks its end marker."""
    if not code.rstrip(b"\0").endswith(_END):
        return None
    if code.startswith(b"\xff\xd8"):
        return _jpeg(code)
    if code.startswith(b"\xff\x4f\xff\x51"):
        return _jpeg_2000(code)
    return None


def _jpeg(code: bytes) -> FrameSize | None:
    at = 2
    while at + 4 <= len(code) and code[at] == 0xFF:
        marker = code[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _BARE:
            at += 2
            continue
        length = int.from_bytes(code[at + 2 : at + 4], "big")
        if marker in _FRAMES:
            body = code[at + 4 : at + 2 + length]
            if len(body) < 6:
                return None
            return FrameSize(int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big"), body[5], body[0])
        if length < 2 or marker in {0xDA, 0xD9}:
            return None
        at += 2 + length
    return None


def _jpeg_2000(code: bytes) -> FrameSize | None:
    if len(code) < 45:
        return None
    right, bottom, left, top, tile_columns, tile_rows = (
        int.from_bytes(code[at : at + 4], "big") for at in range(8, 32, 4)
    )
    components = int.from_bytes(code[40:42], "big")
    rows, columns = bottom - top, right - left
    if rows <= 0 or columns <= 0 or not tile_rows or not tile_columns:
        return None
    if (-(-right // tile_columns)) * (-(-bottom // tile_rows)) > _MAX_TILES or code[43:45] != b"\x01\x01":
        return None
    return FrameSize(rows, columns, components, (code[42] & 0x7F) + 1)
