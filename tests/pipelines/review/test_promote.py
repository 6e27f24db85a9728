"""Promotion is a decision: recorded with its reviewer, told as ungated, and undone by one call."""

from __future__ import annotations

import logging
import shutil

import pytest

from data_schemas.errors import InputError, ModelError, ServerError
from pipelines.models.registry import aliases, resolve, set_alias
from pipelines.models.tracking import tracking
from pipelines.review.promote import promote, rollback
from pipelines.review.publish import publish
from pipelines.training.trained import Trained
from pipelines.workspace import audit
from pipelines.workspace.audit import AuditEvent
from pipelines.workspace.paths import Workspace

REVIEWER = "Dr. CANARY7Q"


def decide(workspace: Workspace, selector: str, reason: str = "Read the report."):
    return promote(workspace, task="chest-ct", selector=selector, reviewer=REVIEWER, reason=reason)


def go_back(workspace: Workspace):
    return rollback(workspace, task="chest-ct", reviewer=REVIEWER, reason="Too many alarms.")


def champion(workspace: Workspace) -> str | None:
    return aliases(workspace, "chest-ct").get("champion")


def log_of(workspace: Workspace) -> tuple[AuditEvent, ...]:
    with workspace.database() as engine:
        return audit.events(engine, subject="scanote-chest-ct")


def test_the_first_model_becomes_champion_ungated_and_says_so(
    workspace: Workspace, trained: Trained, caplog: pytest.LogCaptureFixture
) -> None:
    publish(workspace, trained, synthetic=True)
    with caplog.at_level(logging.WARNING):
        done = decide(workspace, "challenger")
    assert champion(workspace) == "1"
    assert done.previous is None
    assert "UNGATED" in done.message
    assert "ungated" in caplog.text
    assert resolve(workspace, task="chest-ct", selector="champion").ungated


def test_the_audit_log_keeps_who_and_why(workspace: Workspace, trained: Trained) -> None:
    publish(workspace, trained, synthetic=True)
    promote(
        workspace, task="chest-ct", selector="1", reviewer=" Dr. Lee ", reason="Read the report.", actor="night run"
    )
    [event] = log_of(workspace)
    assert (event.action, event.actor) == ("promote", "night run")
    assert event.detail == {
        "version": "1",
        "previous": None,
        "digest": trained.digest,
        "gate": "ungated",
        "reviewer": "Dr. Lee",
        "reason": "Read the report.",
    }


def test_mlflow_gets_a_reference_to_the_decision_and_no_name(versions: Workspace) -> None:
    decide(versions, "1", reason="CANARY7Q said so")
    [event] = log_of(versions)
    with tracking(versions) as client:
        tags = client.get_model_version("scanote-chest-ct", "1").tags
    assert tags["scanote.gate"] == "ungated"
    assert tags["scanote.decision"] == f"audit event {event.number}"
    assert len(tags["scanote.reviewer"]) == 32
    told = [versions.root / "mlflow.db", *(path for path in versions.artifacts.rglob("*") if path.is_file())]
    assert not any(b"CANARY7Q" in path.read_bytes() for path in told)


def test_a_second_champion_is_ungated_too_and_names_the_one_before(versions: Workspace) -> None:
    decide(versions, "1")
    done = decide(versions, "3")
    assert (champion(versions), done.previous) == ("3", "1")
    assert "UNGATED" in done.message
    assert "version 1 was champion before" in done.message


@pytest.mark.parametrize(("reviewer", "reason"), [("", "x"), ("  ", "x"), ("x", ""), ("x", " \n")])
def test_nobody_and_nothing_is_no_decision(versions: Workspace, reviewer: str, reason: str) -> None:
    for act in (lambda **given: promote(versions, selector="1", **given), lambda **given: rollback(versions, **given)):
        with pytest.raises(InputError, match=r"give --(reviewer|reason)"):
            act(task="chest-ct", reviewer=reviewer, reason=reason)
    assert champion(versions) is None
    assert log_of(versions) == ()


def test_a_version_that_does_not_exist_is_not_promoted(versions: Workspace) -> None:
    with pytest.raises(ModelError, match="no alias or version '9'"):
        decide(versions, "9")
    assert log_of(versions) == ()


def test_a_version_whose_files_are_gone_is_not_promoted(workspace: Workspace, trained: Trained) -> None:
    publish(workspace, trained, synthetic=True)
    shutil.rmtree(workspace.artifacts)
    with pytest.raises(ModelError, match="its files are gone"):
        decide(workspace, "1")
    assert champion(workspace) is None
    assert log_of(workspace) == ()


def test_promoting_the_champion_again_changes_nothing(versions: Workspace) -> None:
    decide(versions, "1")
    assert "nothing changed" in decide(versions, "1").message
    assert len(log_of(versions)) == 1


def test_one_call_moves_the_champion_back(versions: Workspace) -> None:
    decide(versions, "1")
    decide(versions, "2")
    done = go_back(versions)
    assert champion(versions) == done.champion.version == "1"
    assert "version 2 was rolled back" in done.message
    assert [event.action for event in log_of(versions)] == ["promote", "promote", "rollback"]


def test_rolling_back_twice_goes_two_champions_back(versions: Workspace) -> None:
    for version in ("2", "3", "1"):
        decide(versions, version)
    assert [go_back(versions).champion.version for _ in range(2)] == ["3", "2"]
    with pytest.raises(ModelError, match="version 2 is the first champion; there is none to go back to"):
        go_back(versions)


def test_a_version_that_was_rolled_back_can_be_promoted_again(versions: Workspace) -> None:
    for version in ("1", "2"):
        decide(versions, version)
    go_back(versions)
    decide(versions, "2")
    assert go_back(versions).champion.version == "1"


def test_without_a_champion_there_is_nothing_to_roll_back(versions: Workspace) -> None:
    with pytest.raises(ModelError, match="no alias or version 'champion'"):
        go_back(versions)


def test_a_champion_moved_by_another_hand_is_not_rolled_back_blindly(versions: Workspace) -> None:
    for version in ("1", "2"):
        decide(versions, version)
    set_alias(versions, task="chest-ct", alias="champion", version="3")
    with pytest.raises(ModelError, match="champion is version 3, which this workspace did not promote last"):
        go_back(versions)
    assert champion(versions) == "3"


def test_a_decision_that_mlflow_could_not_take_is_recorded_as_not_done(
    versions: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow
    from mlflow.exceptions import MlflowException

    for version in ("1", "2"):
        decide(versions, version)

    def dead(*_: object) -> None:
        raise MlflowException("the server is gone, said CANARY7Q")

    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, "set_registered_model_alias", dead)
        with pytest.raises(ServerError) as told:
            decide(versions, "3")
    assert "CANARY7Q" not in str(told.value)
    assert champion(versions) == "2"
    assert [event.action for event in log_of(versions)] == ["promote", "promote", "promote", "not-done"]
    assert go_back(versions).champion.version == "1"


def test_a_promotion_that_was_killed_before_the_alias_moved_can_be_made_again(
    versions: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    decide(versions, "1")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, "set_registered_model_alias", killed)
        with pytest.raises(KeyboardInterrupt):
            decide(versions, "2")
    assert champion(versions) == "1"
    decide(versions, "2")
    assert champion(versions) == "2"
    assert go_back(versions).champion.version == "1"


def test_the_audit_log_is_beside_the_ledger_not_in_mlflow(versions: Workspace) -> None:
    decide(versions, "1")
    assert REVIEWER.encode() in (versions.root / "scanote.db").read_bytes() + b"".join(
        path.read_bytes() for path in versions.root.glob("scanote.db-wal")
    )
