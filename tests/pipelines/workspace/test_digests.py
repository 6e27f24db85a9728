"""Digests of bytes, files and plain values."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.workspace.digests import canonical_json, json_digest, sha256_bytes, sha256_file

# FIPS 180-2, the digest of "abc".
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_the_digest_of_bytes_is_sha256() -> None:
    assert sha256_bytes(b"abc") == ABC


def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    assert sha256_file(path) == ABC


def test_the_order_of_keys_does_not_change_the_digest() -> None:
    assert json_digest({"a": 1, "b": [2, "é"]}) == json_digest({"b": (2, "é"), "a": 1})


def test_canonical_json_is_what_it_says() -> None:
    assert canonical_json({"b": [1.5, None], "a": "é"}) == '{"a":"é","b":[1.5,null]}'.encode()


def test_schemas_count_as_their_fields(make) -> None:
    assert json_digest(make.label(1)) != json_digest(make.label(0))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_without_a_json_form_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        json_digest(value)


def test_other_objects_are_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        json_digest(object())


@given(plain, plain)
def test_different_values_have_different_texts(one: object, other: object) -> None:
    if canonical_json(one) == canonical_json(other):
        assert one == other
