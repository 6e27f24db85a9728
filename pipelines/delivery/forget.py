"""Forgetting a patient: everything that the workspace holds of them goes, and a tombstone stays.

The order makes it safe to be killed anywhere and run again: the tombstone first, so that nothing new comes in or is
written back; then the files, which are found through the catalogue; then the rows of catalogue and ledger, in one
transaction; then the database's old bytes and the worklist.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine

from data_schemas.errors import InputError, ScanoteError
from pipelines.cases.person import Person, find_person
from pipelines.delivery.deliver import RESULTS, deliver
from pipelines.delivery.pages import WORKLIST
from pipelines.delivery.places import Places, clear_headers, clear_places, find_places
from pipelines.models.registry import aliases, versions
from pipelines.workspace import audit
from pipelines.workspace.database import write
from pipelines.workspace.forget import Whose, compact, count_rows, delete_rows
from pipelines.workspace.memberships import TrainedOn, models_of
from pipelines.workspace.paths import Workspace
from pipelines.workspace.tombstones import (
    ACCESSION,
    STUDY,
    Progress,
    Space,
    Tombstone,
    begin,
    blocked,
    set_state,
    studies_of,
    tombstones,
)
from pipelines.workspace.tombstones import lift as lift_marks

FORGET, LIFT = "forget", "lift-forgetting"
LONGEST_REASON = 2000


@dataclass(frozen=True)
class Found:
    """What the workspace holds of a patient.

    ``counts`` is what would go, by kind; ``sources`` how many files of scans lie outside the workspace and stay;
    ``models`` those that were trained, chosen or tested on the patient; ``month`` that of the tombstone, if any, and
    ``already`` whether the patient was forgotten before and nothing is left to do.
    """

    counts: dict[str, int]
    sources: int
    models: tuple[TrainedOn, ...]
    month: str | None = None
    already: bool = False


@dataclass(frozen=True)
class Forgotten:
    """What was removed. ``compacted`` is false where old bytes of the database are left to a server's own vacuum."""

    counts: dict[str, int]
    sources: int
    models: tuple[TrainedOn, ...]
    month: str
    compacted: bool


@dataclass(frozen=True)
class _Look:
    person: Person
    stone: Tombstone | None
    whose: Whose
    places: Places
    found: Found


def look_up(workspace: Workspace, patient_id: str, *, issuer: str = "", space: Space | None = None) -> Found:
    """What forgetting a patient would remove; nothing is changed.

    Parameters
    ----------
    patient_id
        As the scans or the records have it.
    issuer
        Who issued the id, where scans say so.
    space
        "scan" or "record", where scans and records have the id for two people.

    Raises
    ------
    InputError
        The workspace knows no such patient, or cannot tell them from another one.
    """
    with workspace.database() as engine:
        return _look(workspace, engine, patient_id, issuer=issuer, space=space).found


def forget(
    workspace: Workspace, patient_id: str, *, actor: str, issuer: str = "", space: Space | None = None
) -> Forgotten:
    """Remove everything that a workspace holds of a patient, and leave a tombstone; killed anywhere, run it again.

    Removed are the rows of catalogue and ledger, fetched and received files, case pages, cached tensors and features,
    headers, spooled entries, checkpoints and releases inside the workspace. Files outside of it stay, and models stay.

    Parameters
    ----------
    actor
        Who asked for it, for the audit log.

    Raises
    ------
    InputError
        As `look_up`; then nothing was changed.
    WorkspaceError
        Something cannot be removed; what is left goes when it is run again.
    ServerError
        Another process uses the database all the time: its old bytes are still there.
    """
    with workspace.database() as engine:
        look = _look(workspace, engine, patient_id, issuer=issuer, space=space)
        found = look.found
        if look.stone and found.already:
            return Forgotten({}, found.sources, found.models, look.stone.month, compacted=True)
        # Of somebody whose rows are gone already the tombstone knows more than can be found out again.
        new = look.person.marks(workspace.key) if look.person.known or not look.stone else frozenset()
        stone = begin(engine, new, found.counts, again=look.stone)
        clear_places(workspace, look.person, look.places)
        delete_rows(engine, look.whose, stone.tombstone_id)
        clear_headers(workspace, look.places)
        compacted = compact(engine)
    if (workspace.pages / WORKLIST).exists() or (workspace.results / RESULTS).exists():
        deliver(workspace)
    with workspace.database() as engine:
        _finish(engine, stone, actor, found.models)
    return Forgotten(stone.counts, found.sources, found.models, stone.month, compacted)


def lift(
    workspace: Workspace, patient_id: str, *, reason: str, actor: str, space: Space | None = None
) -> tuple[str, ...]:
    """Let a forgotten patient be ingested again, for a reason that the audit log keeps; return the months.

    Raises
    ------
    InputError
        There is no reason, it is too long, or no tombstone of this patient stands.
    """
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise InputError(f"give the reason with --reason, in 1 to {LONGEST_REASON} characters and without patient data")
    with workspace.database() as engine:
        person = find_person(workspace, engine, patient_id, space=space)
        lifted = lift_marks(engine, person.marks(workspace.key))
        if not lifted:
            raise InputError("no patient of that id was forgotten here, or it was lifted already")
        for stone in lifted:
            audit.record(engine, actor, LIFT, stone, {"reason": reason.strip()})
        return tuple(stone.month for stone in tombstones(engine) if stone.tombstone_id in lifted)


def registered(workspace: Workspace, models: tuple[TrainedOn, ...]) -> tuple[dict[str, Any], ...] | None:
    """Models with their registered versions and aliases, for people; None where MLflow cannot be asked."""
    task = workspace.settings.model.task
    try:
        known, named = (versions(workspace, task), aliases(workspace, task)) if models else ((), {})
    except ScanoteError:
        return None
    return tuple(
        {
            "digest": model.model_digest,
            "cases": model.cases,
            "versions": [
                {
                    "name": version.name,
                    "version": version.version,
                    "aliases": sorted(alias for alias, number in named.items() if number == version.version),
                }
                for version in known
                if version.digest == model.model_digest
            ],
        }
        for model in models
    )


def _look(workspace: Workspace, engine: Engine, patient_id: str, *, issuer: str, space: Space | None) -> _Look:
    person = find_person(workspace, engine, patient_id, issuer=issuer, space=space)
    stone = _stone(engine, workspace, person)
    studies = person.whose.study_keys | (studies_of(engine, stone.tombstone_id) if stone else frozenset())
    whose = replace(person.whose, study_keys=studies)
    places = find_places(workspace, person, studies)
    counts = count_rows(engine, whose) | places.counts()
    if not counts and not person.known and stone is None:
        raise InputError("no patient of that id in this workspace; give the id as the scans or the records have it")
    models = models_of(engine, study_keys=studies, patient_keys=whose.case_keys)
    already = stone is not None and stone.state is Progress.DONE and not counts
    found = Found(counts, places.sources, models, stone.month if stone else None, already)
    return _Look(person, stone, whose, places, found)


def _stone(engine: Engine, workspace: Workspace, person: Person) -> Tombstone | None:
    marks = blocked(engine).marks
    own = {marks[mark] for mark in person.marks(workspace.key) if mark[0] not in (STUDY, ACCESSION) and mark in marks}
    if len(own) > 1 and not person.known:
        raise InputError("scans and records had this id for two people; say which one with --as scan or --as record")
    return next((stone for stone in tombstones(engine) if stone.tombstone_id in own), None)


def _finish(engine: Engine, stone: Tombstone, actor: str, models: tuple[TrainedOn, ...]) -> None:
    if not audit.events(engine, action=FORGET, subject=stone.tombstone_id):
        detail = {"removed": stone.counts, "models": [model.model_digest for model in models]}
        audit.record(engine, actor, FORGET, stone.tombstone_id, detail)
    write(engine, lambda connection: set_state(connection, stone.tombstone_id, Progress.DONE))
