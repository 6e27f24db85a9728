"""Whether the owner of a claim still lives."""

from __future__ import annotations

import os

from pipelines.workspace.owners import owner_is_dead, this_owner

TELL_OWNER = (
    "import time; from pipelines.workspace.owners import this_owner as me; print(me(), flush=True); time.sleep(60)"
)


def test_this_process_lives() -> None:
    assert not owner_is_dead(this_owner())


def test_a_killed_process_is_dead_even_before_it_is_reaped(child) -> None:
    process = child(code=TELL_OWNER)
    owner = process.stdout.readline().strip()
    assert not owner_is_dead(owner)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert owner_is_dead(owner)
    process.wait()
    assert owner_is_dead(owner)


def test_a_reused_pid_is_another_owner() -> None:
    machine, pid, start = this_owner().rsplit(":", 2)
    assert owner_is_dead(f"{machine}:{pid}:{int(start) + 1}")


def test_a_process_of_another_machine_may_live() -> None:
    _, pid, start = this_owner().rsplit(":", 2)
    assert not owner_is_dead(f"elsewhere:{pid}:{int(start) + 1}")


def test_an_owner_of_another_form_may_live() -> None:
    assert not owner_is_dead("nightly batch")
