from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sources.multipart import MAX_HEADERS, MultipartError, boundary_of, multipart_pieces

BOUNDARY = b"bound"
BODIES = st.lists(st.lists(st.binary(max_size=40) | st.sampled_from([b"\r\n--", b"--bound", b"\r", b"\r\n\r\n"])))


def message(bodies: list[bytes], head: bytes = b"\r\nContent-Type: application/dicom\r\n\r\n") -> bytes:
    return b"".join(b"\r\n--" + BOUNDARY + head + body for body in bodies)[2:] + b"\r\n--bound--\r\n"


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    chunks, at = [], 0
    for size in sizes:
        chunks.append(data[at : at + size])
        at += size
    return [*chunks, data[at:]]


def parts(chunks: list[bytes]) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for number, piece in multipart_pieces(chunks, BOUNDARY):
        found[number] = found.get(number, b"") + piece
    return found


@settings(max_examples=150)
@given(BODIES, st.lists(st.integers(1, 30)))
def test_parts_are_the_same_however_the_stream_is_cut(pieces: list[list[bytes]], sizes: list[int]) -> None:
    bodies = [body for body in map(b"".join, pieces) if b"\r\n--bound" not in b"\r\n" + body + b"\r\n--boun"]
    if bodies:
        assert parts(cut(message(bodies), sizes)) == dict(enumerate(bodies))


def test_a_preamble_and_an_epilogue_are_no_parts() -> None:
    assert parts([b"hello\r\n" + message([b"one"]) + b"good bye"]) == {0: b"one"}


def test_parts_without_headers_are_read() -> None:
    assert parts([message([b"one", b""], head=b"\r\n\r\n")]) == {0: b"one", 1: b""}


@given(st.integers(0, 80))
def test_a_message_cut_short_is_never_taken_for_whole(kept: int) -> None:
    whole = message([b"one", b"two"])
    end = whole.rindex(b"--")
    with pytest.raises(MultipartError):
        parts([whole[: min(kept, end)]])


def test_headers_without_end_are_refused() -> None:
    with pytest.raises(MultipartError, match="no end"):
        parts([b"--bound\r\n" + b"a" * MAX_HEADERS, b"a" * 100, b""])


@pytest.mark.parametrize(
    ("kind", "boundary"),
    [
        ('multipart/related; type="application/dicom"; boundary=abc', b"abc"),
        ('Multipart/Related; boundary="a b;c"; start=x', b"a b;c"),
        ("application/dicom", None),
        ("", None),
        ("application/dicom+json; boundary=x", None),
    ],
)
def test_the_boundary_is_read_from_the_content_type(kind: str, boundary: bytes | None) -> None:
    assert boundary_of(kind) == boundary


@pytest.mark.parametrize("kind", ["multipart/related", 'multipart/related; boundary=""', "multipart/related; boundary"])
def test_a_multipart_answer_without_a_boundary_is_refused(kind: str) -> None:
    with pytest.raises(MultipartError):
        boundary_of(kind)
