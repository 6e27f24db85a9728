"""The audit log: who did what to what. Events are added and read; nothing here changes or removes one."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, insert, select

from data_schemas.errors import InputError
from pipelines.workspace.database import read, write
from pipelines.workspace.digests import canonical_json
from pipelines.workspace.tables import audit_event as table


@dataclass(frozen=True)
class AuditEvent:
    """One event. ``recorded`` is seconds since 1970 in UTC; ``subject`` is a key or a model version, never an id."""

    number: int
    recorded: float
    actor: str
    action: str
    subject: str
    detail: dict[str, Any] = field(repr=False)


def record(engine: Engine, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None = None) -> int:
    """Append one event and return its number. ``detail`` is JSON and holds references, no patient data.

    Raises
    ------
    InputError
        Actor, action or subject is longer than the log keeps: nothing is cut off silently.
    TypeError, ValueError
        The detail is not made of JSON types.
    """
    for name, value, limit in (("actor", actor, 200), ("action", action, 60), ("subject", subject, 200)):
        if len(value) > limit:
            raise InputError(f"audit log: the {name} has {len(value)} characters; at most {limit} are kept")
    values = {"recorded": time.time(), "actor": actor, "action": action, "subject": subject}
    values["detail"] = canonical_json(dict(detail or {})).decode()
    statement = insert(table).values(values).returning(table.c.number)
    return write(engine, lambda connection: connection.execute(statement).scalar_one())


def events(engine: Engine, *, action: str | None = None, subject: str | None = None) -> tuple[AuditEvent, ...]:
    """Every event, or those of one action or about one subject, oldest first."""
    query = select(table).order_by(table.c.number)
    if action is not None:
        query = query.where(table.c.action == action)
    if subject is not None:
        query = query.where(table.c.subject == subject)
    rows = read(engine, lambda connection: connection.execute(query).all())
    return tuple(AuditEvent(**{**row._mapping, "detail": json.loads(row.detail)}) for row in rows)
