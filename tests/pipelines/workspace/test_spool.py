"""What was spooled is told once, whatever fails midway."""

from __future__ import annotations

import logging
import signal
from pathlib import Path

import pytest

from data_schemas.errors import WorkspaceError
from pipelines.workspace.spool import ReplayCounts, Spool

TELL = """
import os, signal, sys, time
from pathlib import Path
from pipelines.workspace.spool import Spool

def tell(payload):
    with open(sys.argv[2], "a") as stream:
        stream.write(f"{payload['number']}\\n")
    if payload["number"] == 2 and sys.argv[3] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if sys.argv[3] == "hold":
        print("holding", flush=True)
        time.sleep(60)

Spool(Path(sys.argv[1])).replay({"metric": tell})
"""


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


def test_entries_are_told_in_the_order_in_which_they_were_put(spool: Spool) -> None:
    told: list = []
    for number in range(20):
        spool.put("metric", {"number": number})
    assert spool.replay({"metric": told.append}) == ReplayCounts(delivered=20)
    assert told == [{"number": number} for number in range(20)]


def test_what_was_told_is_told_no_more(spool: Spool) -> None:
    told: list = []
    spool.put("metric", {"a": 1})
    for _ in range(3):
        spool.replay({"metric": told.append})
    assert told == [{"a": 1}]
    assert spool.waiting() == 0


def test_putting_twice_is_telling_once(spool: Spool) -> None:
    told: list = []
    assert spool.put("metric", {"a": 1, "b": 2}) == spool.put("metric", {"b": 2, "a": 1})
    spool.replay({"metric": told.append})
    assert len(told) == 1


def test_putting_again_after_it_was_told_tells_nothing(spool: Spool) -> None:
    told: list = []
    for _ in range(2):
        spool.put("metric", {"a": 1})
        spool.replay({"metric": told.append})
    assert len(told) == 1


def test_the_same_payload_of_another_kind_is_another_entry(spool: Spool) -> None:
    assert spool.put("metric", {"a": 1}) != spool.put("tag", {"a": 1})


def test_a_handler_that_fails_keeps_its_entry_and_the_others_go_on(spool: Spool, caplog) -> None:
    told: list[int] = []
    broken = True

    def tell(payload: dict) -> None:
        if payload["number"] == 3 and broken:
            raise ConnectionError("SECRET")
        told.append(payload["number"])

    for number in range(6):
        spool.put("metric", {"number": number})
    assert spool.replay({"metric": tell}) == ReplayCounts(delivered=5, failed=1)
    assert told == [0, 1, 2, 4, 5]
    broken = False
    assert spool.replay({"metric": tell}) == ReplayCounts(delivered=1)
    assert told == [0, 1, 2, 4, 5, 3]
    assert "ConnectionError" in caplog.text
    assert "SECRET" not in caplog.text


def test_an_interrupted_replay_keeps_the_entry_it_was_at(spool: Spool) -> None:
    def interrupt(_: dict) -> None:
        raise KeyboardInterrupt

    spool.put("metric", {"a": 1})
    with pytest.raises(KeyboardInterrupt):
        spool.replay({"metric": interrupt})
    assert spool.waiting() == 1


def test_a_killed_replay_loses_nothing_and_repeats_the_one_it_was_at_alone(spool: Spool, tmp_path: Path, child) -> None:
    for number in range(5):
        spool.put("metric", {"number": number})
    log = tmp_path / "told.txt"
    assert child(spool.root, log, "die", code=TELL).wait(30) == -signal.SIGKILL
    assert child(spool.root, log, "go on", code=TELL).wait(30) == 0
    assert log.read_text().split() == ["0", "1", "2", "2", "3", "4"]


def test_a_second_replay_at_the_same_time_finds_nothing_to_do(spool: Spool, tmp_path: Path, child) -> None:
    spool.put("metric", {"number": 1})
    first = child(spool.root, tmp_path / "told.txt", "hold", code=TELL)
    assert first.stdout.readline() == "holding\n"
    assert spool.replay({"metric": pytest.fail}) == ReplayCounts()
    first.kill()
    first.wait()
    assert spool.replay({"metric": lambda _: None}) == ReplayCounts(delivered=1)


def test_an_entry_without_a_handler_waits(spool: Spool) -> None:
    spool.put("metric", {"a": 1})
    assert spool.replay({}) == ReplayCounts(unhandled=1)
    assert spool.waiting() == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"kind":"metric","payload":{"a":2},"put":1}'])
def test_a_damaged_entry_is_said_aloud_and_not_told(spool: Spool, caplog, content: bytes) -> None:
    caplog.set_level(logging.ERROR)
    name = spool.put("metric", {"a": 1})
    (spool.root / f"{name}.json").write_bytes(content)
    assert spool.replay({"metric": pytest.fail}) == ReplayCounts(damaged=1)
    assert name in caplog.text


def test_a_payload_that_is_not_plain_is_refused(spool: Spool) -> None:
    with pytest.raises(TypeError, match="JSON"):
        spool.put("metric", {"a": object()})


def test_a_spool_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="cannot be made"):
        Spool(tmp_path / "file").put("metric", {})
