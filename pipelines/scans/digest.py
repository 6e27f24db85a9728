"""SHA-256 of files, taken apart from their headers: in threads, and only of files that are still what was looked at."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.scan import Scan, ScanFile
from pipelines.scans.look import Stamp, stamp_of
from pipelines.sources.folder import open_file

# hashlib releases the interpreter lock; more threads than this wait for the disk.
THREADS = 4
UNSEALED = "unsealed-"


def file_digest(path: str, stamp: Stamp | None) -> str:
    """Return the SHA-256 of a file, or "" where it cannot be read or is no longer what ``stamp`` says."""
    try:
        with open(open_file(path), "rb", buffering=0) as stream:  # noqa: PTH123
            before = stamp_of(os.fstat(stream.fileno()))
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            after = stamp_of(os.fstat(stream.fileno()))
    except OSError:
        return ""
    return digest if before == after and stamp in (None, before) else ""


def file_digests(
    paths: Iterable[str], stamps: Mapping[str, Stamp | None], done: Callable[[], None] = lambda: None
) -> dict[str, str]:
    """Return `file_digest` of each path; ``done`` is called after each."""
    wanted = list(dict.fromkeys(paths))
    found: dict[str, str] = {}
    if len(wanted) == 1:
        found[wanted[0]] = file_digest(wanted[0], stamps.get(wanted[0]))
        done()
        return found
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        for path, digest in zip(
            wanted, pool.map(lambda path: file_digest(path, stamps.get(path)), wanted), strict=True
        ):
            found[path] = digest
            done()
    return found


def scan_id(files: Iterable[ScanFile]) -> str:
    """Return the SHA-256 over the marks of files in slice order: their digests, and their frames behind the first."""
    return hashlib.sha256("".join(file.mark for file in files).encode()).hexdigest()


def unsealed_id(files: Iterable[ScanFile], stamps: Mapping[str, Stamp | None]) -> str:
    """Return a name for a scan of which only headers were read: it says which files they were, and in which state."""
    told = json.dumps([[file.path, file.frame, stamps[file.path]] for file in files])
    return f"{UNSEALED}{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def seal(scan: Scan) -> Scan:
    """Return a scan whose files carry their digests, and that is named by them.

    A scan of an index that read headers only has neither; one that has both comes back as it is.

    Raises
    ------
    RefusedError
        ``digest-changed`` where a file is gone, or is not in the state in which its header was read.
    """
    if scan.sealed:
        return scan
    changed = RefusedError(Reason.DIGEST_CHANGED, "a file changed, or went, after its header was read; try again")
    try:
        stamps: dict[str, Stamp | None] = {file.path: stamp_of(Path(file.path).stat()) for file in scan.files}
    except OSError:
        raise changed from None
    if unsealed_id(scan.files, stamps) != scan.scan_id:
        raise changed
    digests = file_digests(stamps, stamps)
    if not all(digests.values()):
        raise changed
    files = tuple(file.model_copy(update={"sha256": digests[file.path]}) for file in scan.files)
    return scan.model_copy(update={"files": files, "scan_id": scan_id(files)})
