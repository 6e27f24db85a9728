"""Who holds a claim: a process on a machine, named so that another process can tell whether it still lives."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path


def this_owner() -> str:
    """Name the running process as ``machine:pid:start``. The start tells a reused pid apart."""
    pid = os.getpid()
    return f"{_machine()}:{pid}:{_start(pid) or ''}"


def owner_is_dead(owner: str) -> bool:
    """Whether the owner certainly lives no more. One on another machine may live: its lease decides."""
    machine, *process = owner.rsplit(":", 2)
    if machine != _machine() or len(process) != 2 or not process[0].isdigit():
        return False
    pid, start = int(process[0]), process[1]
    if Path("/proc/self/stat").exists():
        return _start(pid) != start
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@cache
def _machine() -> str:
    """Host name, boot and process namespace: pids can be compared only where all three are the same."""
    parts = [platform.node().replace(":", "-")[:200]]
    for read in (_boot, _namespace):
        try:
            parts.append(read())
        except OSError:
            parts.append("")
    return "/".join(parts)


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]


def _namespace() -> str:
    return "".join(character for character in str(Path("/proc/self/ns/pid").readlink()) if character.isdigit())


def _start(pid: int) -> str | None:
    """Clock ticks since boot at which a process started; None where there is none, or only its zombie."""
    try:
        # The second field is the program's name and may hold blanks and brackets: read after the last bracket.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in {b"Z", b"X"} else fields[19].decode()
