"""Several batches at once, and batches killed anywhere, end in the ledger of one undisturbed batch."""

from __future__ import annotations

import random
import time
from collections import Counter
from subprocess import Popen

import pytest
from sqlalchemy import Engine

from pipelines.workspace.claims import AttemptOutcome, attempts
from pipelines.workspace.ledger import diagnoses


def completed(process: Popen[str]) -> list[str]:
    output, _ = process.communicate(timeout=100)
    assert process.returncode == 0
    return [line for line in output.splitlines() if line.startswith("completed")]


def assert_as_one_batch(engine: Engine, keys: int) -> None:
    found = {item.key: item.scores[0].probability for item in diagnoses(engine, current_only=False)}
    assert found == {f"key-{number}": number / keys for number in range(keys)}
    assert len(diagnoses(engine)) == keys
    assert all(item.ended is not None for item in attempts(engine))


def test_two_batches_at_once_diagnose_200_cases_once_each(engine: Engine, url: str, child) -> None:
    batches = [child(url, 200, 0) for _ in range(2)]
    told = Counter(line for batch in batches for line in completed(batch))
    assert told == {f"completed {number}": 1 for number in range(200)}
    assert_as_one_batch(engine, 200)
    assert len(attempts(engine)) == 200


def test_a_batch_killed_between_claim_and_completion_is_finished_by_the_next(engine: Engine, url: str, child) -> None:
    victim = child(url, 3, 60)
    assert victim.stdout.readline() == "claimed 0\n"
    victim.kill()
    victim.wait()
    assert diagnoses(engine) == ()
    completed(child(url, 3, 0))
    assert_as_one_batch(engine, 3)
    assert [item.outcome for item in attempts(engine, key="key-0")] == [AttemptOutcome.ABANDONED, AttemptOutcome.DONE]


def kill_and_finish(engine: Engine, url: str, child, *, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(kills):
        victim = child(url, 60, 0.001)
        for _ in range(chance.randrange(1, 20)):
            victim.stdout.readline()
        time.sleep(chance.uniform(0, 0.01))
        victim.kill()
        victim.wait()
    completed(child(url, 60, 0))
    assert_as_one_batch(engine, 60)
    assert completed(child(url, 60, 0)) == []


def test_a_batch_killed_at_random_times_ends_as_if_it_had_not_been(engine: Engine, url: str, child) -> None:
    kill_and_finish(engine, url, child, kills=4, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
def test_many_batches_killed_at_random_times_end_as_if_they_had_not_been(engine, url, child, seed: int) -> None:
    kill_and_finish(engine, url, child, kills=8, seed=seed)


def test_a_batch_goes_on_beside_one_that_is_killed(engine: Engine, url: str, child) -> None:
    victim, survivor = child(url, 100, 0.001), child(url, 100, 0.001)
    for _ in range(20):
        victim.stdout.readline()
    victim.kill()
    completed(survivor)
    assert_as_one_batch(engine, 100)
