"""Patient ids are compared without their padding and encoding; keys tell nothing and never collide across kinds."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.errors import InputError
from pipelines.workspace.identity import PADDING, keyed_digest, normalise_id, patient_key, study_key

KEY = bytes(32)
flags = st.fixed_dictionaries({"ignore_case": st.booleans(), "ignore_leading_zeros": st.booleans()})
padding = st.text(alphabet=PADDING, max_size=4)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("  P1 ", "P1"), ("P1\0\0", "P1"), ("P 1", "P 1"), ("0012", "0012"), ("p1", "p1"), ("\u00a0P1\t", "P1"), ("", "")],
)
def test_padding_goes_and_everything_else_stays(raw: str, expected: str) -> None:
    assert normalise_id(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"), [("0012", "12"), ("000", "0"), ("0", "0"), ("0-1", "0-1"), ("00-1", "0-1"), ("100", "100")]
)
def test_leading_zeros_go_where_the_issuer_says_so(raw: str, expected: str) -> None:
    assert normalise_id(raw, ignore_leading_zeros=True) == expected


@pytest.mark.parametrize(("one", "other"), [("abc1", "ABC1"), ("straße", "STRASSE"), ("É1", "e\u03011")])
def test_case_is_ignored_where_the_issuer_says_so(one: str, other: str) -> None:
    assert normalise_id(one) != normalise_id(other)
    assert normalise_id(one, ignore_case=True) == normalise_id(other, ignore_case=True)


def test_the_padding_is_every_blank_that_python_knows_and_nul() -> None:
    blanks = {character for character in map(chr, range(0x110000)) if character.isspace()}
    assert set(PADDING) == blanks | {"\0"}


@given(st.text(), flags)
def test_normalising_twice_changes_nothing(raw: str, rules: dict[str, bool]) -> None:
    once = normalise_id(raw, **rules)
    assert normalise_id(once, **rules) == once


@given(padding, st.text(), padding, flags)
def test_padding_at_either_end_never_matters(before: str, raw: str, after: str, rules: dict[str, bool]) -> None:
    assert normalise_id(before + normalise_id(raw) + after, **rules) == normalise_id(raw, **rules)


@given(st.text(), flags)
def test_composed_and_decomposed_spellings_are_one_id(raw: str, rules: dict[str, bool]) -> None:
    assert normalise_id(unicodedata.normalize("NFD", raw), **rules) == normalise_id(raw, **rules)


@given(st.text(alphabet="aA0 \0", max_size=5), st.text(alphabet="aA0 \0", max_size=5))
def test_strict_ids_are_equal_only_where_they_differ_in_padding_alone(one: str, other: str) -> None:
    assert (normalise_id(one) == normalise_id(other)) == (one.strip(" \0") == other.strip(" \0"))


def test_a_patient_key_is_32_hex_characters_and_the_same_for_padded_ids() -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", patient_key(KEY, "P1"))
    assert patient_key(KEY, "P1") == patient_key(KEY, " P1 \0")


def test_keys_differ_by_workspace_by_kind_and_by_id() -> None:
    keys = {patient_key(KEY, "1"), patient_key(b"x" * 32, "1"), study_key(KEY, "1"), patient_key(KEY, "2")}
    assert len(keys) == 4


def test_the_key_does_not_change_between_versions() -> None:
    # Computed by hand with hmac and hashlib: length-prefixed parts "scanote", "patient", "P1".
    assert patient_key(KEY, "P1") == "cf861e202d63f84b392f44aedec2f826"


def test_parts_cannot_be_shifted_into_each_other() -> None:
    assert keyed_digest(KEY, "x", "ab", "c") != keyed_digest(KEY, "x", "a", "bc")


@pytest.mark.parametrize("make_key", [patient_key, study_key])
def test_an_empty_id_has_no_key(make_key) -> None:
    with pytest.raises(InputError, match="has no key"):
        make_key(KEY, " \0")


@given(st.text(st.characters(categories=["Cs"]), min_size=1))
def test_an_id_that_is_no_unicode_still_has_a_key(raw: str) -> None:
    assert len(patient_key(KEY, raw)) == 32
