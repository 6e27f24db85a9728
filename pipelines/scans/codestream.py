"""What a JPEG, JPEG-LS or JPEG 2000 stream states of itself, read before any decoder sees it.

Markers after ISO/IEC 10918-1 (JPEG), 14495-1 (JPEG-LS) and 15444-1 (JPEG 2000, annex A).
"""

from __future__ import annotations

from dataclasses import dataclass

# Start of frame by coding process: baseline, extended (8 or 12 bits), lossless, JPEG-LS.
BASELINE, EXTENDED, LOSSLESS, NEAR_LOSSLESS = 0xC0, 0xC1, 0xC3, 0xF7
# C4, C8 and CC are other segments: Huffman tables, extensions, arithmetic conditioning.
_FRAMES = frozenset({*range(0xC0, 0xD0), NEAR_LOSSLESS}) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_END = b"\xff\xd9"
_CODING_STYLE, _START_OF_TILE = b"\xff\x52", b"\xff\x90"
_MAX_LEVELS = 32


@dataclass(frozen=True, slots=True)
class FrameSize:
    """Rows, columns, components and bits per sample, as the stream states them.

    ``process`` is the marker of the start of frame (JPEG, JPEG-LS). ``parts`` counts what a JPEG 2000 decoder takes
    memory for, tiles and precincts, at the most; ``layers`` is how often it visits each.
    """

    rows: int
    columns: int
    components: int
    precision: int
    process: int = 0
    parts: int = 1
    layers: int = 1


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
            rows, columns = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
            return FrameSize(rows, columns, body[5], body[0], process=marker)
        if length < 2 or marker in {_START_OF_SCAN, _END_OF_IMAGE}:
            return None
        at += 2 + length
    return None


def _jpeg_2000(code: bytes) -> FrameSize | None:
    if len(code) < 45:
        return None
    right, bottom, left, top, tile_columns, tile_rows, tiles_left, tiles_top = (
        int.from_bytes(code[at : at + 4], "big") for at in range(8, 40, 4)
    )
    components = int.from_bytes(code[40:42], "big")
    rows, columns = bottom - top, right - left
    if rows <= 0 or columns <= 0 or not tile_rows or not tile_columns or code[43:45] != b"\x01\x01":
        return None
    if tiles_left > left or tiles_top > top:
        return None
    style = _coding_style(code)
    if style is None:
        return None
    tiles = -(-(right - tiles_left) // tile_columns) * -(-(bottom - tiles_top) // tile_rows)
    layers, precincts = style
    area = min(rows, tile_rows) * min(columns, tile_columns)
    return FrameSize(
        rows=rows,
        columns=columns,
        components=components,
        precision=(code[42] & 0x7F) + 1,
        parts=tiles * sum(1 + (area >> (wide + high)) for wide, high in precincts),
        layers=layers,
    )


def _coding_style(code: bytes) -> tuple[int, list[tuple[int, int]]] | None:
    """Layers, and for each resolution level how many powers of two a precinct is wide and high in the whole image."""
    at = 4 + int.from_bytes(code[4:6], "big")
    styles: list[bytes] = []
    while at + 4 <= len(code) and code[at] == 0xFF and code[at : at + 2] != _START_OF_TILE:
        length = int.from_bytes(code[at + 2 : at + 4], "big")
        if length < 2:
            return None
        if code[at : at + 2] == _CODING_STYLE:
            styles.append(code[at + 4 : at + 2 + length])
        at += 2 + length
    if len(styles) != 1 or len(styles[0]) < 10 or styles[0][5] > _MAX_LEVELS:
        return None
    (body,) = styles
    levels = body[5]
    sizes = body[10 : 11 + levels] if body[0] & 1 else b"\xff" * (levels + 1)
    if len(sizes) != levels + 1:
        return None
    # The lowest level comes first: each of its samples stands for 2^levels image samples each way.
    scaled = [((size & 15) + levels - index, (size >> 4) + levels - index) for index, size in enumerate(sizes)]
    return int.from_bytes(body[2:4], "big"), scaled
