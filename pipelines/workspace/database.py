"""Connections to the workspace's database, and the one way to write to it."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from data_schemas.errors import SettingsError, WorkspaceError

T = TypeVar("T")
BUSY_MS = 30_000
PATIENCE_S = 120.0
# What is deleted is overwritten: it may name a patient.
SECURE_DELETE = "secure_delete=ON"
# Another transaction came first. PostgreSQL: serialization failure, deadlock, lock not available, unique violation.
TRY_AGAIN = {"40001", "40P01", "55P03", "23505"}
TRY_AGAIN |= {"SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE"}


def sqlite_url(path: Path) -> str:
    """The URL of an SQLite file, as text."""
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def engine(url: str) -> Engine:
    """An engine for SQLite or PostgreSQL. Close it with ``dispose()``, or use `database`.

    SQLite runs in WAL mode, so that readers never wait for a writer, and waits 30 s for another writer.
    ``synchronous=FULL`` syncs every commit: with NORMAL a power cut may take back the last commits, and a diagnosis
    that was already sent would be computed and sent again. PostgreSQL runs its transactions serialisable, as SQLite
    does anyway: what reads and then writes needs no further lock.

    Raises
    ------
    SettingsError
        The URL is none, its driver is not installed, or it names another kind of database.
    """
    try:
        parsed = make_url(url)
        kind = parsed.get_backend_name()
        if kind not in {"sqlite", "postgresql"}:
            raise SettingsError(f"servers.database_url names a {kind} database; use sqlite:/// or postgresql://")
        if kind == "postgresql":
            if parsed.drivername == "postgresql":
                parsed = parsed.set(drivername="postgresql+psycopg")  # psycopg 3, that of scanote[postgres]
            return create_engine(parsed, isolation_level="SERIALIZABLE", pool_pre_ping=True, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError):
        raise SettingsError("servers.database_url is no database URL; use sqlite:/// or postgresql://") from None
    except ModuleNotFoundError as error:
        raise SettingsError(f"servers.database_url needs {error.name}: pip install 'scanote[postgres]'") from None
    made = create_engine(parsed, connect_args={"timeout": BUSY_MS / 1000}, hide_parameters=True)
    event.listen(made, "connect", _prepare_sqlite)
    event.listen(made, "begin", _begin_sqlite)
    if parsed.database and parsed.database != ":memory:":
        _create_private(Path(parsed.database))
    return made


@contextmanager
def database(url: str) -> Iterator[Engine]:
    """An engine that is closed at the end of the block. Raises as `engine` does."""
    made = engine(url)
    try:
        yield made
    finally:
        made.dispose()


def write(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Run ``work`` in one serialisable transaction: all of it is stored, or nothing.

    Where another writer came first, ``work`` is run again on what that writer left, so it must do nothing but read
    and write through its connection.

    Raises
    ------
    WorkspaceError
        The database cannot be reached or written: one line.
    """
    return _transact(engine.execution_options(scanote_writes=True), work)


def read(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Run ``work`` in one transaction that sees one state of the database.

    Raises
    ------
    WorkspaceError
        The database cannot be reached or read: one line.
    """
    return _transact(engine, work)


def _transact(engine: Engine, work: Callable[[Connection], T]) -> T:
    deadline = time.monotonic() + PATIENCE_S
    pause = 0.005
    while True:
        try:
            with engine.begin() as connection:
                return work(connection)
        except DBAPIError as error:
            if _code(error) not in TRY_AGAIN or time.monotonic() > deadline:
                raise _unusable(engine, error) from None
        # Full jitter: two writers that met must not meet again.
        pause = min(0.5, 2 * pause)
        time.sleep(random.uniform(0, pause))  # noqa: S311


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not open transactions of its own; _begin_sqlite does
    for pragma in (f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", SECURE_DELETE):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later could not wait for another writer; it would fail at once.
    writes = connection.get_execution_options().get("scanote_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _create_private(path: Path) -> None:
    """Create the file with mode 0600 before SQLite would with the umask's; -wal and -shm copy its mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise WorkspaceError(f"{path}: the database cannot be opened ({error.strerror})") from None


def _code(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None) or ""


def _unusable(engine: Engine, error: DBAPIError) -> WorkspaceError:
    # The driver's own text may quote values of a row, so only its class and code are told.
    name = f"{type(error.orig).__name__} {_code(error)}".strip()
    where = engine.url.render_as_string(hide_password=True)
    return WorkspaceError(f"{where}: the database cannot be used ({name}); check that it runs, is intact and has room")
