"""The ledger holds one diagnosis a key, and one current diagnosis a study."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Engine, update

from data_schemas.errors import WorkspaceError
from pipelines.workspace import tables
from pipelines.workspace.claims import AttemptOutcome, Claim, ClaimOutcome, attempts, claim
from pipelines.workspace.database import write
from pipelines.workspace.ledger import complete, diagnoses, diagnosis_key, entries

PARTS = {
    "study_key": "s",
    "inputs_digest": "i",
    "model_digest": "m",
    "settings_digest": "t",
    "backend": "torch",
    "precision": "fp32",
}


def ask(engine: Engine, key: str, study_key: str = "s1", now: float = 0.0):
    return claim(engine, key, study_key, "another-machine:1:1", lease_seconds=10.0, attempts=3, now=now)


def get(engine: Engine, key: str, study_key: str = "s1", now: float = 0.0) -> Claim:
    made = ask(engine, key, study_key, now).claim
    assert made is not None
    return made


def test_the_key_is_the_digest_of_its_parts() -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", diagnosis_key(**PARTS))
    assert diagnosis_key(**PARTS) == diagnosis_key(**dict(reversed(PARTS.items())))


@pytest.mark.parametrize("part", list(PARTS))
def test_every_part_changes_the_key(part: str) -> None:
    assert diagnosis_key(**PARTS | {part: "other"}) != diagnosis_key(**PARTS)


def test_a_completed_diagnosis_is_read_as_it_was_and_its_attempt_is_done(engine: Engine, make) -> None:
    assert complete(engine, get(engine, "k1"), make.diagnosis("k1"), now=5.0)
    assert diagnoses(engine) == (make.diagnosis("k1"),)
    (attempt,) = attempts(engine)
    assert (attempt.outcome, attempt.ended) == (AttemptOutcome.DONE, 5.0)


def test_a_diagnosed_case_is_not_claimed_again(engine: Engine, make) -> None:
    complete(engine, get(engine, "k1"), make.diagnosis("k1"))
    assert ask(engine, "k1").outcome is ClaimOutcome.ALREADY_DIAGNOSED
    assert len(attempts(engine)) == 1


def test_a_second_diagnosis_of_the_same_key_changes_nothing(engine: Engine, make) -> None:
    slow = get(engine, "k1", now=0.0)
    quick = get(engine, "k1", now=10.0)
    assert complete(engine, quick, make.diagnosis("k1", probability=0.25))
    assert not complete(engine, slow, make.diagnosis("k1", probability=0.75))
    assert diagnoses(engine, current_only=False) == (make.diagnosis("k1", probability=0.25),)
    assert [item.outcome for item in attempts(engine)] == [AttemptOutcome.ABANDONED, AttemptOutcome.DONE]


def test_a_later_diagnosis_of_the_study_supersedes_the_earlier_and_keeps_it(engine: Engine, make) -> None:
    for key in ("k1", "k2", "k3"):
        complete(engine, get(engine, key), make.diagnosis(key))
    assert [item.key for item in diagnoses(engine)] == ["k3"]
    everything = entries(engine, current_only=False)
    assert {item.diagnosis.key: item.superseded_by for item in everything} == {"k1": "k2", "k2": "k3", "k3": None}


def test_another_study_is_superseded_by_nothing(engine: Engine, make) -> None:
    complete(engine, get(engine, "k1", "s1"), make.diagnosis("k1", study_key="s1"))
    complete(engine, get(engine, "k2", "s2"), make.diagnosis("k2", study_key="s2"))
    assert [item.key for item in diagnoses(engine)] == ["k1", "k2"]
    assert [item.diagnosis.key for item in entries(engine, study_keys=["s2"])] == ["k2"]


def test_asking_for_a_superseded_key_makes_it_current_again(engine: Engine, make) -> None:
    for key in ("k1", "k2"):
        complete(engine, get(engine, key), make.diagnosis(key))
    assert ask(engine, "k1").outcome is ClaimOutcome.REINSTATED
    assert [item.key for item in diagnoses(engine)] == ["k1"]
    assert ask(engine, "k1").outcome is ClaimOutcome.ALREADY_DIAGNOSED
    assert len(diagnoses(engine, current_only=False)) == 2


@pytest.mark.parametrize(("key", "study_key"), [("k2", "s1"), ("k1", "s2")])
def test_a_diagnosis_of_another_claim_is_refused(engine: Engine, make, key: str, study_key: str) -> None:
    with pytest.raises(ValueError, match="another claim"):
        complete(engine, get(engine, "k1"), make.diagnosis(key, study_key=study_key))
    assert diagnoses(engine) == ()


def test_a_failure_within_completing_stores_neither_diagnosis_nor_attempt(engine: Engine, make, monkeypatch) -> None:
    held = get(engine, "k1")

    def broken(*_: object) -> None:
        raise KeyError

    monkeypatch.setattr("pipelines.workspace.ledger.make_current", broken)
    with pytest.raises(KeyError):
        complete(engine, held, make.diagnosis("k1"))
    assert diagnoses(engine) == ()
    assert attempts(engine)[0].ended is None


def test_a_diagnosis_of_another_version_is_one_clear_line(engine: Engine, make) -> None:
    complete(engine, get(engine, "k1"), make.diagnosis("k1"))
    write(engine, lambda connection: connection.execute(update(tables.diagnosis).values(record='{"SECRET": 1}')))
    with pytest.raises(WorkspaceError, match="does not fit this version") as caught:
        diagnoses(engine)
    assert "SECRET" not in str(caught.value)
