"""A forgotten patient is gone from every place, nobody else has lost anything, and it can be stopped anywhere."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pipelines.delivery.forget as module
from data_schemas.errors import InputError, RefusedError
from data_schemas.reasons import Reason
from pipelines.cases.ingest import load_cases
from pipelines.delivery.deliver import deliver
from pipelines.delivery.forget import forget, lift, look_up, registered
from pipelines.delivery.release import NOTES_FILE
from pipelines.workspace import audit, catalogue, claims, ledger
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.identity import keyed_digest, patient_key, study_key
from pipelines.workspace.memberships import models_of
from pipelines.workspace.paths import Workspace
from pipelines.workspace.tombstones import Progress, blocked, tombstones

STEPS = ("begin", "clear_places", "delete_rows", "clear_headers", "compact", "deliver", "_finish")


def tokens_of(workspace: Workspace, one: Any) -> set[str]:
    """Everything that may name one patient: ids, UIDs, words, and the keys that stand for them."""
    key = workspace.key
    plain = {one.study, one.words, f"NAME^{one.number}X", f"ACC{one.number}Y", f'"{one.scan_id}"', f'"{one.record_id}"'}
    return plain | {study_key(key, one.study), patient_key(key, one.scan_id), patient_key(key, one.record_id)}


def of_others(workspace: Workspace, one: Any, lines: set[str]) -> set[str]:
    named = tokens_of(workspace, one) | {json.dumps(token)[1:-1] for token in tokens_of(workspace, one)}
    return {line for line in lines if not any(token in line for token in named)}


def test_everything_of_the_patient_goes_and_is_counted(workspace: Workspace, tools: SimpleNamespace) -> None:
    one = tools.PEOPLE[1]
    done = forget(workspace, one.record_id, actor="tester")
    assert done.counts == {
        "scans": 1,
        "notes": 2,
        "observations": 2,
        "labels": 2,
        "id map rows": 1,
        "quarantined series": 1,
        "diagnoses": 1,
        "attempts": 1,
        "files that came in": 2,
        "case pages": 1,
        "spooled entries": 1,
        "cache entries": 2,
    }
    assert done.compacted
    assert [(model.model_digest, model.cases) for model in done.models] == [(tools.MODEL.digest, {"train": 1})]


def test_a_look_counts_the_same_and_changes_nothing(workspace: Workspace, tools: SimpleNamespace) -> None:
    before = tools.rows(workspace), tools.files(workspace)
    found = look_up(workspace, tools.PEOPLE[0].scan_id)
    assert (tools.rows(workspace), tools.files(workspace)) == before
    assert found.month is None
    assert forget(workspace, tools.PEOPLE[0].scan_id, actor="tester").counts == found.counts


def test_no_byte_of_the_patient_is_left_in_the_workspace(workspace: Workspace, tools: SimpleNamespace) -> None:
    one = tools.PEOPLE[1]
    planted = {one.study, one.words, one.scan_id, one.record_id, f"NAME^{one.number}X", f"ACC{one.number}Y"}
    before = tools.raw_bytes(workspace)
    assert all(token.encode() in before for token in planted)
    forget(workspace, one.scan_id, actor="tester")
    after = tools.raw_bytes(workspace)
    assert [token for token in planted if token.encode() in after] == []


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(who=st.integers(0, 3), by_record=st.booleans())
def test_whoever_is_forgotten_the_others_keep_all_they_had(
    filled: Callable[..., Workspace], tools: SimpleNamespace, tmp_path: Path, who: int, by_record: bool
) -> None:
    workspace = filled(f"w{len(list(tmp_path.iterdir()))}")
    one = tools.PEOPLE[who]
    rows, files = tools.rows(workspace), tools.files(workspace)
    results = workspace.results / "diagnoses.jsonl"
    lines = set(results.read_text().splitlines())
    forget(workspace, one.record_id if by_record else one.scan_id, actor="tester")
    kept = of_others(workspace, one, rows) | {row for row in rows if row.startswith('["membership"')}
    assert tools.rows(workspace) == kept
    assert set(results.read_text().splitlines()) == of_others(workspace, one, lines)
    gone = tokens_of(workspace, one)
    owned = ArrayCache(workspace.cache).of(study_key(workspace.key, one.study)).root.name
    page = f"{study_key(workspace.key, one.study)[:16]}.html"
    left = tools.files(workspace)
    assert left == {
        name: content
        for name, content in files.items()
        if not (owned in name or page in name or any(token.strip('"') in name for token in gone))
        and not (name.startswith("spool/") and any(token.encode() in content for token in gone))
    }
    assert 0 < len(left) < len(files)


@pytest.mark.parametrize("step", STEPS)
def test_stopped_after_any_step_and_run_again_it_ends_as_if_it_had_not_been_stopped(
    filled: Callable[..., Workspace],
    tools: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    undisturbed: tuple[Any, ...],
) -> None:
    workspace, one = filled(), tools.PEOPLE[1]
    real = getattr(module, step)

    def stopped(*arguments: Any, **options: Any) -> None:
        real(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, step, stopped)
    with pytest.raises(KeyboardInterrupt):
        forget(workspace, one.scan_id, actor="tester")
    monkeypatch.setattr(module, step, real)
    forget(workspace, one.scan_id, actor="tester")
    assert state(workspace, tools) == undisturbed


@pytest.fixture(scope="module")
def undisturbed(
    copied: Callable[[Path], Workspace], tmp_path_factory: pytest.TempPathFactory, tools: SimpleNamespace
) -> tuple[Any, ...]:
    workspace = copied(tmp_path_factory.mktemp("undisturbed") / "workspace")
    forget(workspace, tools.PEOPLE[1].scan_id, actor="tester")
    return state(workspace, tools)


def state(workspace: Workspace, tools: SimpleNamespace) -> tuple[Any, ...]:
    """What a workspace holds, but for the moments at which it was put and the folder that it lies in."""

    def timeless(row: str) -> str:
        table, values = json.loads(row)
        moments = ("recorded", "started", "ended", "lease_until", "attempt_id", "superseded")
        text = json.dumps([table, {name: value for name, value in values.items() if name not in moments}])
        return text.replace(str(workspace.root), "")

    with workspace.database() as engine:
        events = [(event.actor, event.action, event.detail) for event in audit.events(engine)]
    return (
        sorted(map(timeless, tools.rows(workspace))),
        sorted(tools.files(workspace)),
        tools.tombstone_rows(workspace),
        events,
    )


def test_a_file_that_cannot_be_removed_stops_it_and_the_next_run_ends_it(
    workspace: Workspace, tools: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    one, real = tools.PEOPLE[0], shutil.rmtree

    def refuse(path: Any, *arguments: Any, **options: Any) -> None:
        raise PermissionError(13, "Permission denied", "/secret")

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(Exception, match="Permission denied") as caught:
        forget(workspace, one.scan_id, actor="tester")
    assert one.scan_id not in str(caught.value)
    monkeypatch.setattr(shutil, "rmtree", real)
    forget(workspace, one.scan_id, actor="tester")
    assert one.words.encode() not in tools.raw_bytes(workspace)


def test_a_patient_who_was_forgotten_is_said_to_be(workspace: Workspace, tools: SimpleNamespace) -> None:
    one = tools.PEOPLE[1]
    first = forget(workspace, one.scan_id, actor="tester")
    for raw in (one.scan_id, f"  {one.scan_id} "):
        found = look_up(workspace, raw)
        assert (found.already, found.month, found.counts) == (True, first.month, {})
    assert forget(workspace, one.scan_id, actor="tester").counts == {}
    with workspace.database() as engine:
        assert len(audit.events(engine, action="forget")) == 1
        assert [stone.state for stone in tombstones(engine)] == [Progress.DONE]


def test_source_files_outside_stay_and_are_counted(
    workspace: Workspace, tools: SimpleNamespace, tmp_path: Path
) -> None:
    one = tools.PEOPLE[0]
    outside = tools.scan_of(one, tmp_path / "pacs", note="b")
    with workspace.database() as engine:
        catalogue.put_scans(engine, workspace.key, [outside])
    assert forget(workspace, one.scan_id, actor="tester").sources == 2
    assert sorted(path.name for path in (tmp_path / "pacs").iterdir()) == ["b0.dcm", "b1.dcm"]


def test_a_batch_that_claimed_the_case_before_writes_nothing_back(workspace: Workspace, tools: SimpleNamespace) -> None:
    one = tools.PEOPLE[0]
    study, patient = study_key(workspace.key, one.study), patient_key(workspace.key, one.scan_id)
    with workspace.database() as engine:
        asked = claims.claim(engine, "late", study, "batch:1:1", lease_seconds=600, attempts=3)
        assert asked.claim is not None
        forget(workspace, one.scan_id, actor="tester")
        before = tools.rows(workspace)
        with pytest.raises(RefusedError, match="forgotten") as caught:
            ledger.complete(engine, asked.claim, tools.diagnosis_of(study, patient, "late"))
        assert caught.value.reason is Reason.FORGOTTEN
        assert claims.claim(engine, "later", study, "batch:1:1", lease_seconds=600, attempts=3).claim is None
    assert tools.rows(workspace) == before


def test_a_batch_that_completes_between_tombstone_and_removal_writes_nothing_back(
    workspace: Workspace, tools: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, real = tools.PEOPLE[0], module.clear_places
    study, patient = study_key(workspace.key, one.study), patient_key(workspace.key, one.scan_id)
    with workspace.database() as engine:
        asked = claims.claim(engine, "late", study, "batch:1:1", lease_seconds=600, attempts=3)
        assert asked.claim is not None

        def meanwhile(*arguments: Any) -> None:
            with pytest.raises(RefusedError, match="forgotten"):
                ledger.complete(engine, asked.claim, tools.diagnosis_of(study, patient, "late"))
            [attempt] = claims.attempts(engine, key="late")
            assert attempt.reason is Reason.FORGOTTEN
            real(*arguments)

        monkeypatch.setattr(module, "clear_places", meanwhile)
        forget(workspace, one.scan_id, actor="tester")
        assert claims.attempts(engine, key="late") == ()
        assert all(item.study_key != study for item in ledger.diagnoses(engine, current_only=False))


def test_pages_that_are_written_meanwhile_do_not_show_the_patient(
    workspace: Workspace, tools: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pipelines.delivery.deliver as delivering

    one, real = tools.PEOPLE[0], delivering.write_results
    page = workspace.pages / f"{study_key(workspace.key, one.study)[:16]}.html"
    monkeypatch.setattr(module, "deliver", lambda _workspace: None)

    def meanwhile(*arguments: Any) -> None:
        real(*arguments)
        monkeypatch.setattr(delivering, "write_results", real)
        forget(workspace, one.scan_id, actor="tester")

    monkeypatch.setattr(delivering, "write_results", meanwhile)
    deliver(workspace)
    assert not page.exists()
    assert study_key(workspace.key, one.study) not in (workspace.results / "diagnoses.jsonl").read_text()
    assert study_key(workspace.key, one.study)[:12] not in (workspace.pages / "index.html").read_text()


def test_nothing_of_the_patient_is_logged(
    workspace: Workspace, tools: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    one = tools.PEOPLE[1]
    forget(workspace, one.scan_id, actor="tester")
    assert not any(token.strip('"') in caplog.text for token in tokens_of(workspace, one))


def test_the_audit_log_says_who_and_how_much_and_names_nobody(workspace: Workspace, tools: SimpleNamespace) -> None:
    one = tools.PEOPLE[1]
    done = forget(workspace, one.scan_id, actor="tester")
    with workspace.database() as engine:
        [event] = audit.events(engine)
        [stone] = tombstones(engine)
    assert (event.actor, event.action, event.subject) == ("tester", "forget", stone.tombstone_id)
    assert event.detail == {"removed": done.counts, "models": [tools.MODEL.digest]}
    assert stone.counts == done.counts


def test_the_models_that_saw_the_patient_stay_known(workspace: Workspace, tools: SimpleNamespace) -> None:
    one = tools.PEOPLE[0]
    forget(workspace, one.scan_id, actor="tester")
    assert [model.model_digest for model in look_up(workspace, one.scan_id).models] == [tools.MODEL.digest]
    with workspace.database() as engine:
        assert models_of(engine, patient_keys=[patient_key(workspace.key, one.scan_id)])


def test_models_are_not_named_where_mlflow_cannot_be_asked(workspace: Workspace, tools: SimpleNamespace) -> None:
    from pipelines.workspace.paths import open_workspace

    found = look_up(workspace, tools.PEOPLE[0].scan_id)
    (workspace.root / "scanote.yaml").write_text("servers: {mlflow_url: 'http://127.0.0.1:9'}\n")
    assert registered(open_workspace(workspace.root), found.models) is None
    assert registered(workspace, ()) == ()


def test_a_lifted_tombstone_lets_the_patient_in_and_needs_a_reason(
    workspace: Workspace, tools: SimpleNamespace
) -> None:
    one = tools.PEOPLE[1]
    done = forget(workspace, one.scan_id, actor="tester")
    with pytest.raises(InputError, match="--reason"):
        lift(workspace, one.scan_id, reason=" ", actor="tester")
    assert lift(workspace, one.scan_id, reason="consent was given again", actor="tester") == (done.month,)
    with workspace.database() as engine:
        assert not blocked(engine)
        assert audit.events(engine, action="lift-forgetting")[0].detail == {"reason": "consent was given again"}
    tools.put_person(workspace, one)
    assert len(load_cases(workspace).cases) == 4
    with pytest.raises(InputError, match="no patient of that id was forgotten"):
        lift(workspace, one.scan_id, reason="again", actor="tester")


def test_a_released_copy_inside_the_workspace_goes_and_one_outside_stays(
    workspace: Workspace, tools: SimpleNamespace, tmp_path: Path
) -> None:
    from pipelines.scans.release.keyed import person

    one = tools.PEOPLE[0]
    name = person(workspace.key, one.scan_id, "").pseudonym
    for root in (workspace.root / "export", tmp_path / "elsewhere"):
        for who in (name, "P-somebody-else"):
            (root / who).mkdir(parents=True)
            (root / who / "1.dcm").write_bytes(b"x")
        rows = [json.dumps({"patient": who, "sections": [name]}) + "\n" for who in (name, "P-somebody-else", name)]
        (root / NOTES_FILE).write_text("".join(rows))
    counts = forget(workspace, one.scan_id, actor="tester").counts
    assert (counts["released files"], counts["released notes"]) == (1, 2)
    assert sorted(path.name for path in (workspace.root / "export").iterdir()) == ["P-somebody-else", NOTES_FILE]
    assert (workspace.root / "export" / NOTES_FILE).read_text() == rows[1]
    assert (tmp_path / "elsewhere" / name / "1.dcm").is_file()
    assert (tmp_path / "elsewhere" / NOTES_FILE).read_text() == "".join(rows)


def test_checkpoints_of_interrupted_trainings_go(workspace: Workspace, tools: SimpleNamespace) -> None:
    run = workspace.cache / "checkpoints" / "ab"
    run.mkdir(parents=True)
    (run / "state.json").write_text("{}")
    assert forget(workspace, tools.PEOPLE[0].scan_id, actor="tester").counts["checkpoints"] == 1
    assert not run.exists()


def test_a_quarantined_series_is_not_left_behind(workspace: Workspace, tools: SimpleNamespace) -> None:
    one = tools.PEOPLE[0]
    forget(workspace, one.scan_id, actor="tester")
    with workspace.database() as engine:
        left = {series.series_uid for series in catalogue.quarantined(engine)}
    assert left == {f"{other.study}.broken" for other in tools.PEOPLE if other is not one}
    assert keyed_digest(workspace.key, "series", one.study) not in str(left)
