"""Ten thousand pairings of ids that differ by blanks, case and leading zeros: not one wrong join."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.cohort import IdMapping
from pipelines.cases.people import match_people
from pipelines.scans.identity import is_stand_in
from pipelines.workspace.identity import normalise_id

PAIRS = 10_000
IDS = st.text(st.sampled_from("0 aAb\0é"), max_size=4)
ROWS = st.lists(st.tuples(IDS, IDS), max_size=5)


def variant(rng: random.Random, person: str, *, case: bool, zeros: bool) -> str:
    text = rng.choice([person.lower(), person.upper()]) if case else person
    text = "0" * rng.randint(0, 3) + text if zeros else text
    return " " * rng.randint(0, 2) + text + rng.choice(["", " ", "\0", "  "])


@pytest.mark.parametrize("case", [False, True])
@pytest.mark.parametrize("zeros", [False, True])
def test_ten_thousand_randomised_pairings_are_joined_without_one_wrong(
    joined, scan, note, case: bool, zeros: bool
) -> None:
    rng = random.Random(20240305)
    people = set()
    while len(people) < PAIRS // 4:
        stem = "".join(rng.choices("123456789ABCDEFGHJ", k=5))
        people |= {stem} if case and zeros else {stem, stem.lower()} if zeros else {stem, "0" + stem} if case else set()
        if not case and not zeros:
            people |= {stem, stem.lower(), "0" + stem, "00" + stem}
    owners = sorted(people)[: PAIRS // 4]
    scans = [scan(variant(rng, who, case=case, zeros=zeros), study=f"1.{at}") for at, who in enumerate(owners)]
    notes = [
        note(variant(rng, who, case=case, zeros=zeros), note_id=f"{at}-{number}", text=str(at))
        for at, who in enumerate(owners)
        for number in range(4)
    ]
    rng.shuffle(notes)
    result = joined(scans, notes, [], ignore_id_case=case, ignore_leading_zeros=zeros)
    told = [(linked.scan.study_uid, {kept.text for kept in linked.notes}, len(linked.notes)) for linked in result.cases]
    assert sum(number for _, _, number in told) == PAIRS
    assert [line for line in told if line[1] != {line[0].removeprefix("1.")}] == []
    assert result.unlinked == ()


@given(st.lists(IDS, max_size=6), ROWS, st.booleans(), st.booleans())
def test_a_join_is_one_to_one_and_rests_on_equality_or_the_map(scans, rows, case: bool, zeros: bool) -> None:
    def plain(raw: str) -> str:
        return normalise_id(raw, ignore_case=case, ignore_leading_zeros=zeros)

    id_map = [IdMapping(scan_patient_id=scan, record_patient_id=record) for scan, record in rows]
    people = match_people(scans, id_map, ignore_id_case=case, ignore_leading_zeros=zeros)
    stated = {(plain(scan), plain(record)) for scan, record in rows}
    for scan, record in people.record_id.items():
        assert scan
        assert record
        assert (scan, record) in stated if scan in people.mapped else scan == record
    assert len(set(people.record_id.values())) == len(people.record_id)
    assert people.scan_id == {record: scan for scan, record in people.record_id.items()}
    assert not people.ambiguous_records & set(people.scan_id)
    assert not people.ambiguous_scans & set(people.record_id)
    named = {scan for scan, record in stated if scan and record}
    stand_ins = {scan for raw in scans if is_stand_in(scan := plain(raw))} - named
    left = {plain(scan) for scan in scans} - {""} - stand_ins
    assert left == set(people.record_id) | people.ambiguous_scans


@given(st.lists(IDS, max_size=6), ROWS, st.randoms())
def test_the_order_of_scans_and_rows_does_not_matter(scans, rows, rng: random.Random) -> None:
    id_map = [IdMapping(scan_patient_id=scan, record_patient_id=record) for scan, record in rows]
    mixed = rng.sample(id_map, len(id_map))
    assert match_people(scans, id_map) == match_people(rng.sample(scans, len(scans)), mixed)


def test_a_stand_in_id_is_joined_through_the_id_map_only() -> None:
    row = IdMapping(scan_patient_id="W/I", record_patient_id="4711")

    assert match_people(["UNKNOWN", "0", "007"]).record_id == {"007": "007"}
    assert match_people(["W/I"], [row]).record_id == {"W/I": "4711"}


def rows(*pairs: tuple[str, str]) -> list[IdMapping]:
    return [IdMapping(scan_patient_id=scan, record_patient_id=record) for scan, record in pairs]


def test_rows_that_form_a_chain_are_read_once_each_and_never_followed() -> None:
    """Ids of scans and of records are of two systems: that one number stands in both proves nothing."""
    people = match_people(["7", "8"], rows(("7", "8"), ("8", "9")))
    assert people.record_id == {"7": "8", "8": "9"}
    assert people.ambiguous_scans == frozenset()


def test_rows_that_form_a_circle_are_two_people() -> None:
    assert match_people(["7", "8"], rows(("7", "8"), ("8", "7"))).record_id == {"7": "8", "8": "7"}


def test_a_chain_to_a_scan_that_no_row_names_is_ambiguous() -> None:
    people = match_people(["7", "8"], rows(("7", "8")))
    assert people.record_id == {}
    assert people.ambiguous_scans == {"7", "8"}


def test_many_to_many_rows_are_all_ambiguous() -> None:
    people = match_people(["7", "8", "9"], rows(("7", "a"), ("7", "b"), ("8", "b"), ("9", "c")))
    assert people.record_id == {"9": "c"}
    assert people.ambiguous_scans == {"7", "8"}
    assert people.ambiguous_records == {"a", "b"}


def test_rows_that_differ_in_case_alone_are_in_conflict_where_the_rule_forgives_it() -> None:
    given = rows(("ab", "r1"), ("AB", "r2"))
    assert match_people(["ab", "AB"], given).record_id == {"ab": "r1", "AB": "r2"}
    assert match_people(["ab", "AB"], given, ignore_id_case=True).record_id == {}


def test_a_row_with_a_blank_says_nothing() -> None:
    assert match_people(["7"], rows(("7", " "), ("", "7"), ("\0", ""))).record_id == {"7": "7"}
