"""The body of a ``multipart/related`` answer (RFC 2046) in pieces, as they come, without holding a part in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email.message import Message

MAX_HEADERS = 2**14


class MultipartError(ValueError):
    """The body is no multipart message, or ends before its closing boundary."""


def boundary_of(content_type: str) -> bytes | None:
    """The boundary of a ``multipart/related`` content type, or None where it is another type.

    Raises
    ------
    MultipartError
        It is multipart, and states no boundary, or an empty one.
    """
    header = Message()
    header["content-type"] = content_type.replace("\r", " ").replace("\n", " ")
    if header.get_content_type() != "multipart/related":
        return None
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str) or not boundary or len(boundary) > 200:
        raise MultipartError("a multipart answer without a boundary")
    return boundary.encode("utf-8", "replace")


def multipart_pieces(chunks: Iterable[bytes], boundary: bytes) -> Iterator[tuple[int, bytes]]:
    """Cut a stream of chunks into the bodies of its parts.

    Yields
    ------
    tuple
        The number of a part, from 0, and a piece of its body; a part without a body gives one empty piece.

    Raises
    ------
    MultipartError
        The stream ends before the closing boundary, or a part's headers have no end.
    """
    delimiter = b"\r\n--" + boundary
    buffer = bytearray(b"\r\n")  # the first boundary may stand at the very beginning
    part, inside = -1, False
    stream = iter(chunks)
    while True:
        at = buffer.find(delimiter)
        if at < 0:
            keep = len(delimiter) - 1
            if inside and len(buffer) > keep:
                yield part, bytes(buffer[:-keep])
            del buffer[: max(0, len(buffer) - keep)]
            _more(stream, buffer)
            continue
        if inside:
            yield part, bytes(buffer[:at])
        del buffer[: at + len(delimiter)]
        while len(buffer) < 2:
            _more(stream, buffer)
        if buffer[:2] == b"--":
            for _ in stream:  # what follows is no part of the message
                pass
            return
        while (end := buffer.find(b"\r\n\r\n")) < 0:
            if len(buffer) > MAX_HEADERS:
                raise MultipartError("the headers of a part have no end")
            _more(stream, buffer)
        del buffer[: end + 4]
        part, inside = part + 1, True


def _more(stream: Iterator[bytes], buffer: bytearray) -> None:
    chunk = next(stream, None)
    if chunk is None:
        raise MultipartError("a multipart answer that ends before its closing boundary")
    buffer += chunk
