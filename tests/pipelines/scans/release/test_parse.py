"""The parser and the writer of data sets: they undo each other, agree with pydicom, and bear any bytes."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from data_schemas.errors import RefusedError
from pipelines.scans.release.encode import Value, encode
from pipelines.scans.release.parse import parse_data_set

ENCODINGS = [(True, True), (False, True), (False, False)]
EVEN = st.binary(max_size=12).map(lambda data: data + b" " * (len(data) % 2))
PLAIN = st.dictionaries(
    st.sampled_from([0x00080060, 0x00100010, 0x00181030, 0x00280010, 0x00091001]),
    EVEN.map(lambda data: data),
    max_size=4,
)
VRS = {0x00080060: "CS", 0x00100010: "PN", 0x00181030: "LO", 0x00280010: "US", 0x00091001: "UN"}


def typed(plain: dict[int, bytes]) -> dict[int, Value]:
    return {tag: Value(VRS[tag], data) for tag, data in plain.items()}


@pytest.mark.parametrize(("implicit", "little"), ENCODINGS)
@given(top=PLAIN, items=st.lists(PLAIN, max_size=3), inner=PLAIN)
def test_what_was_written_is_read_again(
    implicit: bool, little: bool, top: dict[int, bytes], items: list[dict[int, bytes]], inner: dict[int, bytes]
) -> None:
    nested = {**typed(inner), 0x00082218: Value("SQ", items=(typed(inner),))}
    elements = {**typed(top), 0x52009229: Value("SQ", items=(*map(typed, items), nested))}
    data = encode(elements, implicit=implicit, little=little)
    assert parse_data_set(data, implicit=implicit, little=little) == elements


@pytest.mark.parametrize(("implicit", "little"), ENCODINGS)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(implicit: bool, little: bool, data: bytes) -> None:
    with contextlib.suppress(RefusedError):
        parse_data_set(data, implicit=implicit, little=little)


def undefined_lengths(ds: Any) -> None:
    for element in ds:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                undefined_lengths(item)


@pytest.mark.parametrize(("implicit", "little"), ENCODINGS)
@pytest.mark.parametrize("delimited", [False, True])
def test_it_reads_what_pydicom_writes(implicit: bool, little: bool, delimited: bool) -> None:
    inner = Dataset()
    inner.CodeMeaning, inner.SliceThickness = "Lung", "2.5"
    middle = Dataset()
    middle.AnatomicRegionSequence = [inner, inner]
    ds = Dataset()
    ds.PatientName, ds.Rows, ds.PerFrameFunctionalGroupsSequence = "A^B", 7, [middle, Dataset()]
    if delimited:
        undefined_lengths(ds)
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = implicit, little
    write_dataset(stream, ds)
    found = parse_data_set(stream.getvalue(), implicit=implicit, little=little)
    assert found[0x00100010] == Value("PN", b"A^B ")
    assert found[0x00280010].data == (7).to_bytes(2, "little" if little else "big")
    frames = found[0x52009230].items or ()
    assert len(frames) == 2
    assert (frames[0][0x00082218].items or ())[1][0x00080104] == Value("LO", b"Lung")


def test_sequences_that_nest_without_end_are_refused() -> None:
    elements: dict[int, Value] = {}
    for _ in range(70):
        elements = {0x00082218: Value("SQ", items=(elements,))}
    with pytest.raises(RefusedError, match="nested deeper"):
        parse_data_set(encode(elements, implicit=True, little=True), implicit=True, little=True)


def test_a_value_too_long_for_its_representation_is_written_as_unknown() -> None:
    data = encode({0x00181030: Value("LO", b"x" * 70000)}, implicit=False, little=True)
    assert data[4:6] == b"UN"
    assert len(data) == 70012
