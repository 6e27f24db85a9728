"""The audit log keeps every event in order."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from data_schemas.errors import InputError
from pipelines.workspace import audit


def test_events_are_kept_in_order_with_their_detail(engine: Engine) -> None:
    first = audit.record(engine, "dr-a", "promote", "scanote-chest-ct/1", {"reason": "first", "ungated": True})
    second = audit.record(engine, "dr-b", "rollback", "scanote-chest-ct/1")
    found = audit.events(engine)
    assert [item.number for item in found] == [first, second]
    assert [(item.actor, item.action, item.detail) for item in found] == [
        ("dr-a", "promote", {"reason": "first", "ungated": True}),
        ("dr-b", "rollback", {}),
    ]


def test_the_same_event_twice_is_two_events(engine: Engine) -> None:
    for _ in range(2):
        audit.record(engine, "a", "read", "s")
    assert len(audit.events(engine)) == 2


def test_events_are_found_by_action_and_by_subject(engine: Engine) -> None:
    audit.record(engine, "a", "promote", "1")
    audit.record(engine, "a", "rollback", "2")
    assert [item.subject for item in audit.events(engine, action="promote")] == ["1"]
    assert [item.action for item in audit.events(engine, subject="2")] == ["rollback"]


def test_detail_that_is_not_plain_is_refused(engine: Engine) -> None:
    with pytest.raises(TypeError, match="JSON"):
        audit.record(engine, "a", "promote", "1", {"model": object()})
    assert audit.events(engine) == ()


def test_a_name_that_is_too_long_is_refused_and_not_cut(engine: Engine) -> None:
    with pytest.raises(InputError, match="the actor has 201 characters; at most 200"):
        audit.record(engine, "a" * 201, "promote", "1")
    assert audit.events(engine) == ()


def test_nothing_in_the_module_changes_or_removes_an_event() -> None:
    public = {name for name, item in vars(audit).items() if getattr(item, "__module__", "") == audit.__name__}
    assert public == {"AuditEvent", "record", "events"}
