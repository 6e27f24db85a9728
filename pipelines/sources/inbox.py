"""Instances that are sent to us one by one: kept apart until their study has been quiet, then ready as one batch."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from data_schemas.errors import WorkspaceError
from pipelines.sources import arrivals
from pipelines.workspace.files import make_private_folder, sync_path

# Left free on the disk: the database, the pages and the system need some.
KEEP_FREE_BYTES = 2**30
_PART = ".part"


class NoRoomError(WorkspaceError):
    """The disk is too full to take an instance."""


@dataclass(slots=True)
class Inbox:
    """A workspace's folder of received instances; safe among threads.

    ``into`` is the workspace's folder of what came in, ``key`` the workspace's key. What is arriving lies on the disk:
    after a crash nothing of it is lost, and the quiet time goes on from the last file's date.
    """

    into: Path
    key: bytes = field(repr=False)
    keep_free_bytes: int = KEEP_FREE_BYTES
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def ready(self) -> Path:
        """Where complete studies lie."""
        return self.into / arrivals.RECEIVED

    @property
    def arriving(self) -> Path:
        """Where instances wait for the rest of their study."""
        return self.into / arrivals.RECEIVING

    def prepare(self) -> None:
        """Make the folders, and remove what a crash left half written.

        Raises
        ------
        WorkspaceError
            They cannot be made.
        """
        for folder in (self.ready, self.arriving):
            make_private_folder(folder)
        for left in self.arriving.glob(f"*{_PART}"):
            left.unlink(missing_ok=True)

    def take(self, study_uid: str, sop_uid: str, head: bytes, content: bytes | memoryview) -> bool:
        """Keep an instance, whole and on the disk when this returns; say whether it is new here.

        The same bytes sent again are the same instance; other bytes under the same UID are kept beside it, for the
        checks to see.

        Parameters
        ----------
        study_uid, sop_uid
            As sent; they name nothing but through a keyed digest.
        head, content
            Preamble and file meta information; the data set as it was sent.

        Raises
        ------
        NoRoomError
            The disk is too full.
        OSError
            The file cannot be written.
        """
        study = arrivals.study_name(self.key, study_uid)
        name = arrivals.instance_name(self.key, sop_uid, hashlib.sha256(content).hexdigest())
        with memoryview(content) as view:
            if shutil.disk_usage(self.into).free < self.keep_free_bytes + len(view):
                raise NoRoomError(f"{self.into}: less than {self.keep_free_bytes} bytes are free; make room")
        if self._held(study, name):
            return False
        handle, part = tempfile.mkstemp(dir=self.arriving, suffix=_PART)
        try:
            with open(handle, "wb") as out:  # noqa: PTH123
                out.write(head)
                out.write(content)
            sync_path(Path(part))
            with self._lock:
                folder = make_private_folder(self.arriving / study)
                new = not (folder / name).exists()
                Path(part).replace(folder / name)
        finally:
            Path(part).unlink(missing_ok=True)
        return new

    def settle(self, *, quiet_s: float, busy: Collection[str] = (), now: float | None = None) -> tuple[Path, ...]:
        """Move every study that has been quiet for some seconds to where it is ready; return the new batches.

        Parameters
        ----------
        quiet_s
            Seconds since its last instance.
        busy
            UIDs of studies that are being sent right now, whatever their files' dates say.
        now
            The time, in seconds since the epoch; for tests.

        Raises
        ------
        WorkspaceError
            They cannot be moved.
        """
        moment = time.time() if now is None else now
        sending = {arrivals.study_name(self.key, uid) for uid in busy}
        moved: list[Path] = []
        with self._lock:
            for folder in sorted(path for path in self.arriving.iterdir() if path.is_dir()):
                if folder.name in sending:
                    continue
                last = max((path.stat().st_mtime for path in folder.iterdir()), default=0.0)
                # A file from the future (the clock was set back) is as old as it can be known to be: not at all.
                if not last:
                    with contextlib.suppress(OSError):
                        folder.rmdir()
                elif moment - last >= quiet_s:
                    moved.append(arrivals.publish(folder, self.ready / folder.name))
        return tuple(moved)

    def waiting(self) -> int:
        """How many studies are still arriving."""
        return sum(path.is_dir() for path in self.arriving.iterdir())

    def _held(self, study: str, name: str) -> bool:
        batches = self.ready / study
        arrived = batches.is_dir() and any((batch / name).exists() for batch in batches.iterdir())
        return arrived or (self.arriving / study / name).exists()
