"""A tombstone recognises whom it stands for, under every rule for ids, and nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from pipelines.workspace.database import read
from pipelines.workspace.identity import normalise_id, study_key
from pipelines.workspace.memberships import Member, TrainedOn, members, models_of, put_members
from pipelines.workspace.tombstones import (
    RULES,
    Blocked,
    Progress,
    accession_mark,
    add_studies,
    begin,
    blocked,
    id_marks,
    is_forgotten,
    lift,
    studies_of,
    study_marks,
    tombstones,
)

KEY = bytes(range(32))
IDS = st.text(st.sampled_from("0aA7 Bß"), min_size=1, max_size=6).filter(lambda raw: bool(normalise_id(raw)))


@given(one=IDS, other=IDS)
def test_an_id_is_recognised_exactly_where_the_rule_holds_it_for_the_same(one: str, other: str) -> None:
    stone = Blocked(dict.fromkeys(id_marks(KEY, one, space="scan"), "t"))
    for case, zeros in RULES:
        same = normalise_id(one, ignore_case=case, ignore_leading_zeros=zeros) == normalise_id(
            other, ignore_case=case, ignore_leading_zeros=zeros
        )
        found = stone.of_id(KEY, other, space="scan", ignore_case=case, ignore_leading_zeros=zeros)
        assert (found == "t") == same
        assert stone.of_id(KEY, other, space="record", ignore_case=case, ignore_leading_zeros=zeros) is None


def test_a_blank_id_is_never_recognised(key: bytes) -> None:
    stone = Blocked(dict.fromkeys(id_marks(key, "7", space="scan"), "t"))
    assert stone.of_id(key, " \0", space="scan") is None
    assert stone.of_study(key, " ") is None
    assert stone.of_accession(key, "") is None


def test_a_tombstone_turns_its_studies_and_orders_away_until_it_is_lifted(engine: Engine, key: bytes) -> None:
    study = study_key(key, "1.2")
    marks = id_marks(key, "7", space="record") | study_marks([study]) | {accession_mark(key, "A1")}
    made = begin(engine, marks, {"scans": 1})
    assert made.state is Progress.BEGUN
    assert read(engine, lambda connection: is_forgotten(connection, study))
    held = blocked(engine)
    assert held.of_id(key, "7", space="record") == made.tombstone_id == held.of_study(key, "1.2 ")
    assert held.of_accession(key, " A1") == made.tombstone_id
    assert lift(engine, marks) == (made.tombstone_id,)
    assert not blocked(engine)
    assert not read(engine, lambda connection: is_forgotten(connection, study))
    assert lift(engine, marks) == ()


def test_begun_again_it_keeps_its_counts_and_takes_on_more_studies(engine: Engine, key: bytes) -> None:
    first = begin(engine, id_marks(key, "7", space="scan"), {"scans": 2})
    more = study_marks([study_key(key, "1.3")])
    again = begin(engine, id_marks(key, "7", space="scan") | more, {"scans": 1})
    assert again == first
    add_studies(engine, first.tombstone_id, [study_key(key, "1.4")])
    assert studies_of(engine, first.tombstone_id) == {study_key(key, uid) for uid in ("1.3", "1.4")}


def test_after_it_was_lifted_a_new_one_is_set_up(engine: Engine, key: bytes) -> None:
    marks = id_marks(key, "7", space="scan")
    first = begin(engine, marks, {})
    lift(engine, marks)
    second = begin(engine, marks, {})
    assert second.tombstone_id != first.tombstone_id
    assert {stone.tombstone_id: stone.lifted is None for stone in tombstones(engine)} == {
        first.tombstone_id: False,
        second.tombstone_id: True,
    }


def test_a_tombstone_holds_nothing_that_names_the_patient(engine: Engine, key: bytes) -> None:
    begin(engine, id_marks(key, "MRN-1", space="scan") | study_marks([study_key(key, "1.2.826")]), {"scans": 1})
    told = repr((tombstones(engine), blocked(engine)))
    assert "MRN-1" not in told
    assert "1.2.826" not in told


@pytest.mark.parametrize("again", [1, 2])
def test_the_cohort_of_a_model_is_kept_once(engine: Engine, again: int) -> None:
    cohort = [Member("s1", "p1", "train"), Member("s2", "p1", "train"), Member("s3", "p2", "test")]
    assert [put_members(engine, "m", cohort) for _ in range(again)] == [3, 0][:again]
    assert members(engine, "m") == tuple(cohort)
    assert models_of(engine, study_keys=["s3"]) == (TrainedOn("m", {"test": 1}),)
    assert models_of(engine, patient_keys=["p1"], study_keys=["s1"]) == (TrainedOn("m", {"train": 2}),)
    assert models_of(engine, study_keys=["s9"]) == ()
