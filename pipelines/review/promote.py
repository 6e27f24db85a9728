"""Promotion and rollback: a named reviewer moves the alias *champion*, and the audit log keeps who and why."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import Engine

from data_schemas.errors import InputError, ModelError, ScanoteError
from pipelines.models.registry import CHAMPION, GATE_TAG, UNGATED, Registered, aliases, fetch, model_name, resolve
from pipelines.models.tracking import tracking
from pipelines.workspace import audit
from pipelines.workspace.identity import keyed_digest
from pipelines.workspace.paths import Workspace

PROMOTE, ROLLBACK, UNDONE = "promote", "rollback", "not-done"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Promotion:
    """The champion after a decision, the version that was champion before it, and a line that says so."""

    champion: Registered
    previous: str | None
    message: str


def promote(
    workspace: Workspace, *, task: str, selector: str, reviewer: str, reason: str, actor: str | None = None
) -> Promotion:
    """Make a version the champion. There is no gate yet: every promotion is recorded, and told, as ungated.

    Parameters
    ----------
    selector
        Alias or version number.
    reviewer, reason
        Who decides, and why: kept in the workspace's audit log, never in MLflow.
    actor
        Who or what runs this, where that is not the reviewer.

    Raises
    ------
    InputError
        No reviewer or no reason.
    ModelError
        No such version, or its files are not the registered ones.
    ServerError
        MLflow cannot be reached: the champion is the one from before, and the audit log says so.
    """
    _check(reviewer, reason)
    chosen = resolve(workspace, task=task, selector=selector)
    fetch(workspace, chosen)
    before = aliases(workspace, task).get(CHAMPION)
    with workspace.database() as engine:
        if before == chosen.version and _champions(engine, chosen.name)[-1:] == [chosen.version]:
            return Promotion(chosen, before, f"{chosen.name} version {before} is champion already; nothing changed")
        _decide(workspace, engine, PROMOTE, chosen, before, reviewer=reviewer, reason=reason, actor=actor)
    message = f"{chosen.name} version {chosen.version} is champion now, UNGATED: no gate has compared it with another"
    if before not in (None, chosen.version):
        message += f"; version {before} was champion before (to go back: scanote rollback --reviewer … --reason …)"
    log.warning("%s version %s was promoted ungated", chosen.name, chosen.version)
    return Promotion(chosen, before, message)


def rollback(workspace: Workspace, *, task: str, reviewer: str, reason: str, actor: str | None = None) -> Promotion:
    """Make the version champion that was champion before the last promotion.

    Raises
    ------
    InputError
        No reviewer or no reason.
    ModelError
        There was no champion before, its files are gone, or the alias was moved by another hand since.
    ServerError
        MLflow cannot be reached: nothing changed, and the audit log says so.
    """
    _check(reviewer, reason)
    name = model_name(task)
    now = resolve(workspace, task=task, selector=CHAMPION)
    with workspace.database() as engine:
        champions = _champions(engine, name)
        if champions[-1:] != [now.version]:
            raise ModelError(
                f"{name}: champion is version {now.version}, which this workspace did not promote last; "
                "name the version that it shall be with: scanote promote VERSION …"
            )
        if len(champions) < 2:
            raise ModelError(f"{name}: version {now.version} is the first champion; there is none to go back to")
        chosen = resolve(workspace, task=task, selector=champions[-2])
        fetch(workspace, chosen)
        _decide(workspace, engine, ROLLBACK, chosen, now.version, reviewer=reviewer, reason=reason, actor=actor)
    message = f"{name} version {chosen.version} is champion again; version {now.version} was rolled back"
    return Promotion(chosen, now.version, message)


def _check(reviewer: str, reason: str) -> None:
    for name, value in (("reviewer", reviewer), ("reason", reason)):
        if not value.strip():
            raise InputError(f"a promotion is a decision: give --{name} with some text")


def _decide(
    workspace: Workspace,
    engine: Engine,
    action: str,
    chosen: Registered,
    before: str | None,
    *,
    reviewer: str,
    reason: str,
    actor: str | None,
) -> None:
    """Record the decision, then move the alias: a move that nobody decided cannot be, whatever fails."""
    detail = {
        "version": chosen.version,
        "previous": before,
        "digest": chosen.digest,
        "gate": UNGATED if chosen.ungated else "passed",
        "reviewer": reviewer.strip(),
        "reason": reason.strip(),
    }
    who = actor or reviewer.strip()
    number = audit.record(engine, who, action, chosen.name, detail)
    try:
        with tracking(workspace) as client:
            tags = {
                GATE_TAG: str(detail["gate"]),
                "scanote.previous": before or "none",
                "scanote.decision": f"audit event {number}",
                "scanote.reviewer": keyed_digest(workspace.key, "reviewer", reviewer.strip()),
            }
            for key, value in tags.items():
                client.set_model_version_tag(chosen.name, chosen.version, key, value)
            client.set_registered_model_alias(chosen.name, CHAMPION, chosen.version)
    except ScanoteError:
        audit.record(engine, who, UNDONE, chosen.name, {"event": number})
        raise


def _champions(engine: Engine, name: str) -> list[str]:
    """The champions one after the other as the audit log tells it, those that were rolled back left out."""
    told = audit.events(engine, subject=name)
    undone = {event.detail["event"] for event in told if event.action == UNDONE}
    champions: list[str] = []
    for event in told:
        if event.number in undone:
            continue
        if event.action == ROLLBACK:
            champions = champions[:-1]
        elif event.action == PROMOTE and champions[-1:] != [event.detail["version"]]:
            champions.append(event.detail["version"])
    return champions
