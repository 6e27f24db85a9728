"""A case has one living owner at a time, and so many attempts."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from data_schemas.reasons import Reason
from pipelines.workspace.claims import (
    AttemptOutcome,
    Claim,
    ClaimOutcome,
    ClaimResult,
    attempts,
    claim,
    fail,
    pardon,
    release,
    renew,
)
from pipelines.workspace.ledger import complete, diagnoses
from pipelines.workspace.owners import this_owner

ELSEWHERE = "another-machine:1:1"


def ask(engine: Engine, now: float = 0.0, *, owner: str = ELSEWHERE, key: str = "k1", allowed: int = 3) -> ClaimResult:
    return claim(engine, key, "s1", owner, lease_seconds=10.0, attempts=allowed, now=now)


def get(engine: Engine, now: float = 0.0, **rest) -> Claim:
    result = ask(engine, now, **rest)
    assert result.outcome is ClaimOutcome.CLAIMED
    assert result.claim is not None
    return result.claim


def dead_owner() -> str:
    machine, pid, start = this_owner().rsplit(":", 2)
    return f"{machine}:{pid}:{int(start) + 1}"


def test_a_free_case_is_claimed(engine: Engine) -> None:
    made = get(engine)
    assert (made.key, made.study_key, made.number, made.owner) == ("k1", "s1", 1, ELSEWHERE)


def test_a_case_with_a_living_owner_is_leased(engine: Engine) -> None:
    get(engine, owner=this_owner())
    assert ask(engine, 9.9) == ClaimResult(ClaimOutcome.LEASED)


def test_another_case_is_free_meanwhile(engine: Engine) -> None:
    get(engine)
    assert get(engine, key="k2").number == 1


def test_a_lease_that_ran_out_is_free_and_the_attempt_abandoned(engine: Engine) -> None:
    get(engine)
    assert get(engine, 10.0).number == 2
    assert [item.outcome for item in attempts(engine)] == [AttemptOutcome.ABANDONED, None]


def test_the_lease_of_a_dead_owner_on_this_machine_is_free_at_once(engine: Engine) -> None:
    get(engine, owner=dead_owner())
    assert get(engine, 0.1).number == 2


def test_a_renewed_lease_holds_longer(engine: Engine) -> None:
    held = get(engine)
    assert renew(engine, held, lease_seconds=10.0, now=9.0)
    assert ask(engine, 18.9).outcome is ClaimOutcome.LEASED
    assert ask(engine, 19.0).outcome is ClaimOutcome.CLAIMED


def test_a_lost_lease_cannot_be_renewed(engine: Engine) -> None:
    lost = get(engine)
    get(engine, 10.0)
    assert not renew(engine, lost, lease_seconds=10.0, now=11.0)


def test_a_failed_case_is_free_at_once_and_tells_its_reason(engine: Engine) -> None:
    fail(engine, get(engine), Reason.PREDICTION_FAILED, "ValueError", now=1.0)
    assert get(engine, 1.0).number == 2
    first = attempts(engine)[0]
    assert (first.outcome, first.reason, first.error_class, first.ended) == (
        AttemptOutcome.FAILED,
        Reason.PREDICTION_FAILED,
        "ValueError",
        1.0,
    )


def test_text_in_place_of_an_error_class_is_not_kept(engine: Engine) -> None:
    fail(engine, get(engine), Reason.PREDICTION_FAILED, "SECRET of Mr X")
    assert attempts(engine)[0].error_class == "unnamed"


@pytest.mark.parametrize("allowed", [1, 2, 3])
def test_a_case_is_exhausted_after_as_many_failures_as_allowed(engine: Engine, allowed: int) -> None:
    for _ in range(allowed):
        fail(engine, get(engine, allowed=allowed), Reason.PREDICTION_FAILED, "ValueError")
    assert ask(engine, allowed=allowed) == ClaimResult(ClaimOutcome.EXHAUSTED)


@pytest.mark.parametrize("allowed", [1, 3])
def test_kills_exhaust_a_case_one_later_than_failures(engine: Engine, allowed: int) -> None:
    for _ in range(allowed + 1):
        get(engine, owner=dead_owner(), allowed=allowed)
    assert ask(engine, allowed=allowed) == ClaimResult(ClaimOutcome.EXHAUSTED)


def test_a_released_case_counts_for_nothing(engine: Engine) -> None:
    for _ in range(5):
        release(engine, get(engine, allowed=1))
    assert ask(engine, allowed=1).outcome is ClaimOutcome.CLAIMED


def test_a_pardoned_case_is_free_again(engine: Engine) -> None:
    fail(engine, get(engine, allowed=1), Reason.PREDICTION_FAILED, "OSError")
    assert pardon(engine, ["k1", "k2"]) == 1
    assert get(engine, allowed=1).number == 2


def test_a_failure_told_after_the_lease_was_lost_changes_nothing(engine: Engine) -> None:
    lost = get(engine)
    get(engine, 10.0)
    fail(engine, lost, Reason.PREDICTION_FAILED, "ValueError")
    assert [item.outcome for item in attempts(engine)] == [AttemptOutcome.ABANDONED, None]


def test_attempts_are_listed_by_case_and_by_study(engine: Engine) -> None:
    get(engine)
    get(engine, key="k2")
    assert [item.key for item in attempts(engine, key="k2")] == ["k2"]
    assert len(attempts(engine, study_key="s1")) == 2
    assert attempts(engine, study_key="s2") == ()


STEPS = st.lists(st.sampled_from(["claim", "wait", "fail", "release", "complete", "late"]), max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_one_attempt_is_open_at_most_and_one_diagnosis_stored(engine, make, steps) -> None:
    # Not drawn by Hypothesis, which draws a value again: examples share the database, and each begins at moment 0.
    key, now, held = uuid4().hex, 0.0, []
    for step in steps:
        if step == "claim" and (made := ask(engine, now, key=key).claim):
            held.append(made)
        elif step == "wait":
            now += 10.0
        elif held and step == "fail":
            fail(engine, held[-1], Reason.PREDICTION_FAILED, "E", now=now)
        elif held and step == "release":
            release(engine, held[-1], now=now)
        elif held and step in {"complete", "late"}:
            complete(engine, held[-1 if step == "complete" else 0], make.diagnosis(key, study_key="s1"), now=now)
        mine = attempts(engine, key=key)
        assert [item.number for item in mine] == list(range(1, len(mine) + 1))
        assert sum(item.ended is None for item in mine) <= 1
        assert sum(item.key == key for item in diagnoses(engine, current_only=False)) <= 1
