"""Claims: a case is worked on by one owner at a time, and given up after so many failed attempts."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import uuid4

from sqlalchemy import Connection, Engine, Row, insert, select, update

from data_schemas.reasons import Reason
from pipelines.workspace import tables
from pipelines.workspace.database import read, write
from pipelines.workspace.owners import owner_is_dead
from pipelines.workspace.tombstones import is_forgotten

CLASS_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_.]{0,119}$")
attempt, diagnosis = tables.attempt, tables.diagnosis


class ClaimOutcome(StrEnum):
    """What became of asking for a case."""

    CLAIMED = "claimed"
    ALREADY_DIAGNOSED = "already-diagnosed"
    REINSTATED = "reinstated"  # diagnosed earlier, superseded since, and now the study's current diagnosis again
    LEASED = "leased"
    EXHAUSTED = "exhausted"
    FORGOTTEN = "forgotten"


class AttemptOutcome(StrEnum):
    """How an attempt ended. One that has not ended has none."""

    DONE = "done"
    FAILED = "failed"
    ABANDONED = "abandoned"  # its owner died, or let the lease run out
    RELEASED = "released"  # given back unharmed; counts for nothing
    PARDONED = "pardoned"  # failed or abandoned, and struck off by a person


@dataclass(frozen=True)
class Claim:
    """The right to diagnose one case until the lease ends."""

    key: str
    study_key: str
    attempt_id: str
    number: int
    owner: str


@dataclass(frozen=True)
class ClaimResult:
    """The answer to `claim`; ``claim`` is there where the outcome is ``CLAIMED``."""

    outcome: ClaimOutcome
    claim: Claim | None = None


@dataclass(frozen=True)
class Attempt:
    """One attempt as the ledger has it. Moments are seconds since 1970 in UTC."""

    attempt_id: str
    key: str
    number: int
    study_key: str
    owner: str
    started: float
    lease_until: float
    ended: float | None
    outcome: AttemptOutcome | None
    reason: Reason | None
    error_class: str | None


def claim(
    engine: Engine,
    key: str,
    study_key: str,
    owner: str,
    *,
    lease_seconds: float,
    attempts: int,
    now: float | None = None,
) -> ClaimResult:
    """Ask for a case. Of several owners that ask at once, one gets it.

    A lease whose owner is dead on this machine, or whose time is over, is closed as abandoned and the case is free
    again. A case of a forgotten patient is nobody's. The case is exhausted after ``attempts`` failures. Abandoned
    attempts count as well, but one more is allowed: a single kill never exhausts a case, and a case that kills its
    process does not do so for ever.

    ``key`` is the diagnosis key, ``owner`` comes from `this_owner`, ``lease_seconds`` is how long the claim holds
    unless it is renewed, and ``now`` is in seconds since 1970 (default: the clock).
    """
    moment = time.time() if now is None else now

    def work(connection: Connection) -> ClaimResult:
        if is_forgotten(connection, study_key):
            return ClaimResult(ClaimOutcome.FORGOTTEN)
        done = connection.execute(select(diagnosis.c.superseded_by).where(diagnosis.c.key == key)).one_or_none()
        if done is not None:
            if done.superseded_by is None:
                return ClaimResult(ClaimOutcome.ALREADY_DIAGNOSED)
            make_current(connection, key, study_key)
            return ClaimResult(ClaimOutcome.REINSTATED)
        rows = connection.execute(select(attempt).where(attempt.c.key == key).order_by(attempt.c.number)).all()
        ended = [row.outcome for row in rows if row.ended is not None]
        for row in rows:
            if row.ended is None:
                if row.lease_until > moment and not owner_is_dead(row.owner):
                    return ClaimResult(ClaimOutcome.LEASED)
                _close(connection, row.attempt_id, AttemptOutcome.ABANDONED, moment)
                ended.append(AttemptOutcome.ABANDONED)
        failed, abandoned = ended.count(AttemptOutcome.FAILED), ended.count(AttemptOutcome.ABANDONED)
        if failed >= attempts or failed + abandoned > attempts:
            return ClaimResult(ClaimOutcome.EXHAUSTED)
        made = Claim(key=key, study_key=study_key, attempt_id=uuid4().hex, number=len(rows) + 1, owner=owner)
        values = {"attempt_id": made.attempt_id, "key": key, "number": made.number, "study_key": study_key}
        values |= {"owner": owner, "started": moment, "lease_until": moment + lease_seconds}
        connection.execute(insert(attempt).values(values))
        return ClaimResult(ClaimOutcome.CLAIMED, made)

    return write(engine, work)


def renew(engine: Engine, claim: Claim, *, lease_seconds: float, now: float | None = None) -> bool:
    """Lengthen a lease; False where the claim is no longer held (it ran out and another owner took the case)."""
    moment = time.time() if now is None else now
    held = (attempt.c.attempt_id == claim.attempt_id) & attempt.c.ended.is_(None)
    statement = update(attempt).where(held).values(lease_until=moment + lease_seconds)
    return write(engine, lambda connection: connection.execute(statement).rowcount == 1)


def fail(engine: Engine, claim: Claim, reason: Reason, error_class: str, *, now: float | None = None) -> None:
    """Close an attempt as failed. Only the name of the error's class is kept: its text may hold patient data."""
    name = error_class if CLASS_NAME.match(error_class) else "unnamed"
    moment = time.time() if now is None else now
    values = {"reason": reason.value, "error_class": name}
    write(engine, lambda connection: _close(connection, claim.attempt_id, AttemptOutcome.FAILED, moment, **values))


def release(engine: Engine, claim: Claim, *, now: float | None = None) -> None:
    """Give a case back untried, as when a batch is stopped; the attempt does not count."""
    moment = time.time() if now is None else now
    write(engine, lambda connection: _close(connection, claim.attempt_id, AttemptOutcome.RELEASED, moment))


def pardon(engine: Engine, keys: Sequence[str]) -> int:
    """Strike off the failed and abandoned attempts at these diagnosis keys, and return how many there were.

    For when what made them fail (a full disk, a broken model file) has been mended.
    """
    counted = [AttemptOutcome.FAILED.value, AttemptOutcome.ABANDONED.value]

    def work(connection: Connection) -> int:
        struck = 0
        for key in keys:
            wanted = (attempt.c.key == key) & attempt.c.outcome.in_(counted)
            struck += connection.execute(update(attempt).where(wanted).values(outcome="pardoned")).rowcount
        return struck

    return write(engine, work)


def attempts(engine: Engine, *, key: str | None = None, study_key: str | None = None) -> tuple[Attempt, ...]:
    """Every attempt, or those at one diagnosis key or one study, in the order in which they began."""
    query = select(attempt).order_by(attempt.c.started, attempt.c.key, attempt.c.number)
    if key is not None:
        query = query.where(attempt.c.key == key)
    if study_key is not None:
        query = query.where(attempt.c.study_key == study_key)
    return tuple(_attempt(row) for row in read(engine, lambda connection: connection.execute(query).all()))


def make_current(connection: Connection, key: str, study_key: str) -> None:
    """Make one diagnosis the current one of its study: it supersedes all others, and none supersedes it."""
    others = (diagnosis.c.study_key == study_key) & (diagnosis.c.key != key) & diagnosis.c.superseded_by.is_(None)
    connection.execute(update(diagnosis).where(others).values(superseded_by=key))
    connection.execute(update(diagnosis).where(diagnosis.c.key == key).values(superseded_by=None))


def close_done(connection: Connection, claim: Claim, moment: float) -> None:
    """Close a claim's attempt as done, in the transaction that stores its diagnosis."""
    _close(connection, claim.attempt_id, AttemptOutcome.DONE, moment)


def close_forgotten(connection: Connection, claim: Claim, moment: float) -> None:
    """Close a claim's attempt: its patient was forgotten meanwhile, and nothing is stored."""
    _close(connection, claim.attempt_id, AttemptOutcome.FAILED, moment, reason=Reason.FORGOTTEN.value)


def _close(connection: Connection, attempt_id: str, outcome: AttemptOutcome, moment: float, **values: str) -> None:
    """Close an attempt that is open; one that was closed by somebody else stays as it is."""
    held = (attempt.c.attempt_id == attempt_id) & attempt.c.ended.is_(None)
    connection.execute(update(attempt).where(held).values(ended=moment, outcome=outcome.value, **values))


def _attempt(row: Row) -> Attempt:
    values = dict(row._mapping)
    values["outcome"] = AttemptOutcome(row.outcome) if row.outcome else None
    values["reason"] = Reason(row.reason) if row.reason else None
    return Attempt(**values)
