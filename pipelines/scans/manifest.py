"""What was read of files before, so that a second look at an unchanged file is no look at all.

One SQLite file in the workspace's cache, mode 0600, one row a folder. It holds what the headers hold, so it is as
private as the scans; it may be deleted at any time, and a damaged one is, with a warning. An entry counts only while
size, both times, inode and device of its file are what they were.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from data_schemas.reasons import Reason
from pipelines.scans.look import Found, Stamp
from pipelines.scans.manifest_rows import FIELDS, Owner, found_of, owners_of, row_of
from pipelines.scans.problem import Problem

FORMAT = 2
# Files written within this time may change once more without their times moving: they are read again.
SETTLE_SECONDS = 2.0
_PRIVATE = 0o600
_DIGEST = re.compile(r"([0-9a-f]{64})?")
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Entry:
    """What is known of one file: its slices or its own entry, its digest ("" until taken), its probed frames."""

    stamp: Stamp
    found: Found
    sha256: str = ""
    probed: dict[int, Problem | None] = field(default_factory=dict)


class Manifest:
    """The entries by path; use `open_manifest`."""

    def __init__(self, connection: sqlite3.Connection, *, now: float) -> None:
        self._connection = connection
        self._folders: dict[str, dict[str, list[Any]]] = {}
        self._changed: set[str] = set()
        self._seen: set[str] = set()
        self._now = now

    def get(self, path: str, stamp: Stamp) -> Entry | None:
        """Return what is known of a file, if it is still the same."""
        folder, name = os.path.split(path)
        self._seen.add(path)
        row = self._folder(folder).get(name)
        if row is None or row[0] != list(stamp):
            return None
        try:
            _, found, sha256, probed = row
            if not _DIGEST.fullmatch(sha256):
                raise ValueError("no digest")  # noqa: TRY301
            problems = {int(frame): _problem(what) for frame, what in probed.items()}
            return Entry(stamp, found_of(found, path=path, size=stamp.size, sha256=sha256), sha256, problems)
        except (ValueError, TypeError, KeyError, AttributeError, IndexError):
            log.warning("the manifest of headers holds an entry that cannot be read; the file is read again")
            return None

    def put(self, path: str, entry: Entry) -> None:
        """Keep what is known of a file, unless the file may still be changing."""
        if self._now - max(entry.stamp.mtime_ns, entry.stamp.ctime_ns) / 1e9 < SETTLE_SECONDS:
            return
        folder, name = os.path.split(path)
        probed = {
            str(frame): problem and [problem.reason.value, problem.detail] for frame, problem in entry.probed.items()
        }
        try:
            row = [list(entry.stamp), row_of(entry.found), entry.sha256, probed]
        except ValueError:  # a path that is no text cannot be kept
            return
        self._folder(folder)[name] = row
        self._seen.add(path)
        self._changed.add(folder)

    def leave_out(self, paths: Iterable[str]) -> None:
        """Keep nothing of some files, whatever was put: of a forgotten patient not even the headers stay."""
        for path in paths:
            folder, name = os.path.split(path)
            if self._folder(folder).pop(name, None) is not None:
                self._changed.add(folder)

    def owners(self) -> Iterator[tuple[str, frozenset[Owner]]]:
        """Every file that the manifest holds, and who is named in it; what is put and not saved is not looked at."""
        for (folder,) in self._connection.execute("SELECT path FROM folder").fetchall():
            where = os.fsdecode(folder)
            for name, row in self._stored(where).items():
                try:
                    found = owners_of(row[1])
                except (ValueError, TypeError, KeyError, IndexError):
                    continue
                yield f"{where}{os.sep if where else ''}{name}", found

    def save(self) -> None:
        """Write what has changed, and forget files that are gone, in one transaction."""
        for folder, rows in self._folders.items():
            for name in [
                name for name in rows if not _is_there(f"{folder}{os.sep if folder else ''}{name}", self._seen)
            ]:
                del rows[name]
                self._changed.add(folder)
        with self._connection:
            for folder in sorted(self._changed):
                content = zlib.compress(json.dumps(self._folders[folder]).encode(), 1)
                self._connection.execute("INSERT OR REPLACE INTO folder VALUES (?, ?)", (os.fsencode(folder), content))
            for (folder,) in self._connection.execute("SELECT path FROM folder").fetchall():
                if not Path(os.fsdecode(folder)).is_dir():
                    self._connection.execute("DELETE FROM folder WHERE path = ?", (folder,))
        self._changed.clear()

    def _folder(self, folder: str) -> dict[str, list[Any]]:
        if folder not in self._folders:
            self._folders[folder] = self._stored(folder)
        return self._folders[folder]

    def _stored(self, folder: str) -> dict[str, list[Any]]:
        try:
            query = "SELECT content FROM folder WHERE path = ?"
            row = self._connection.execute(query, (os.fsencode(folder),)).fetchone()
            return _content(row[0]) if row else {}
        except (sqlite3.Error, zlib.error, ValueError, TypeError):
            log.warning("the manifest of headers holds a folder that cannot be read; its files are read again")
            return {}


def _is_there(path: str, seen: set[str]) -> bool:
    return path in seen or os.path.lexists(path)


@contextmanager
def open_manifest(path: Path) -> Iterator[Manifest]:
    """Open the manifest at a path, or a new one, for the length of a ``with`` block; what was put is saved at its end.

    A damaged file, or one of another version, is dropped: everything is read anew. Where the manifest cannot be
    written a warning says so, and nothing else changes.
    """
    with closing(_connect(path)) as connection:
        manifest = Manifest(connection, now=time.time())
        yield manifest
        try:
            manifest.save()
        except sqlite3.Error as error:
            log.warning("%s: the manifest of headers was not saved (%s); the next run reads all again", path, error)
            if not isinstance(error, sqlite3.OperationalError):
                _drop(path)


def forget(path: Path, folders: set[str]) -> None:
    """Remove what the manifest at a path holds of the files in some folders."""
    if path.exists():
        with closing(_connect(path)) as connection, connection:
            connection.executemany(
                "DELETE FROM folder WHERE path = ?", [(os.fsencode(folder),) for folder in sorted(folders)]
            )
            connection.commit()
            connection.execute("VACUUM")


def _connect(path: Path) -> sqlite3.Connection:
    for attempt in range(2):
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            # Made private before anything is in it; SQLite gives its journal the same mode.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, _PRIVATE))
            connection = sqlite3.connect(path, timeout=30.0)
            try:
                _prepare(connection)
            except BaseException:
                connection.close()
                raise
        except sqlite3.DatabaseError as error:
            if attempt or isinstance(error, sqlite3.OperationalError):
                break
            log.warning("%s: the manifest of headers is damaged and was dropped; all files are read again", path)
            _drop(path)
        except OSError:
            break
        else:
            return connection
    log.warning("%s: the manifest of headers cannot be opened; all files are read again", path)
    connection = sqlite3.connect(":memory:")
    _prepare(connection)
    return connection


def _drop(path: Path) -> None:
    for name in (path, path.with_name(f"{path.name}-journal")):
        name.unlink(missing_ok=True)


def _prepare(connection: sqlite3.Connection) -> None:
    # What is deleted is overwritten: it may name a patient.
    connection.execute("PRAGMA secure_delete = ON")
    written_by = json.dumps([FORMAT, _version(), FIELDS])
    with connection:
        connection.execute("CREATE TABLE IF NOT EXISTS writer (name TEXT)")
        connection.execute("CREATE TABLE IF NOT EXISTS folder (path BLOB PRIMARY KEY, content BLOB)")
        if connection.execute("SELECT name FROM writer").fetchall() != [(written_by,)]:
            connection.execute("DELETE FROM writer")
            connection.execute("DELETE FROM folder")
            connection.execute("INSERT INTO writer VALUES (?)", (written_by,))


def _content(raw: bytes) -> dict[str, list[Any]]:
    content = json.loads(zlib.decompress(raw))
    if isinstance(content, dict) and all(isinstance(row, list) and len(row) == 4 for row in content.values()):
        return content
    raise ValueError("not rows by name")


def _problem(what: list[str] | None) -> Problem | None:
    return Problem(Reason(what[0]), what[1]) if what else None


def _version() -> str:
    try:
        return version("scanote")
    except PackageNotFoundError:
        return "unknown"
