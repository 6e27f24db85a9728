"""Transactions are whole, wait for each other, and fail with one line that tells no value."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, insert, select, text

from data_schemas.errors import SettingsError, WorkspaceError
from pipelines.workspace.database import database, read, sqlite_url, write
from pipelines.workspace.database import engine as make_engine
from pipelines.workspace.tables import audit_event, ingest_run, metadata

ROW = {"recorded": 0.0, "counts": "{}"}


def count(engine: Engine) -> int:
    return len(read(engine, lambda connection: connection.execute(select(ingest_run)).all()))


def test_sqlite_is_set_up_to_lose_nothing(tmp_path: Path) -> None:
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
    with database(sqlite_url(tmp_path / "a.db")) as engine:
        found = read(
            engine, lambda connection: {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in expected}
        )
    assert found == expected


def test_a_write_that_fails_midway_stores_nothing(engine: Engine) -> None:
    def work(connection: Connection) -> None:
        connection.execute(insert(ingest_run).values(ROW))
        raise KeyError

    with pytest.raises(KeyError):
        write(engine, work)
    assert count(engine) == 0


def test_what_is_read_and_then_written_is_never_lost_to_another_writer(engine: Engine) -> None:
    write(engine, lambda connection: connection.execute(insert(ingest_run).values(ROW | {"recorded": 0.0})))

    def increment(connection: Connection) -> None:
        value = connection.execute(select(ingest_run.c.recorded)).scalar_one()
        connection.execute(ingest_run.update().values(recorded=value + 1))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: write(engine, increment), range(40)))
    assert read(engine, lambda connection: connection.execute(select(ingest_run.c.recorded)).scalar_one()) == 40.0


def test_sqlite_writers_wait_for_each_other_instead_of_working_twice(tmp_path: Path) -> None:
    tries: list[int] = []

    def work(connection: Connection) -> None:
        tries.append(1)
        connection.execute(select(ingest_run)).all()
        time.sleep(0.005)
        connection.execute(insert(ingest_run).values(ROW))

    with database(sqlite_url(tmp_path / "a.db")) as engine:
        write(engine, metadata.create_all)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: write(engine, work), range(12)))
    assert len(tries) == 12


def test_readers_do_not_wait_for_a_writer(engine: Engine) -> None:
    def work(connection: Connection) -> int:
        connection.execute(insert(ingest_run).values(ROW))
        return count(engine)

    assert write(engine, work) == 0
    assert count(engine) == 1


def test_an_error_of_the_database_tells_no_value(engine: Engine) -> None:
    statement = insert(audit_event).values(recorded=0.0, actor="SECRET", action=None, subject="SECRET", detail="")
    with pytest.raises(WorkspaceError, match="cannot be used") as caught:
        write(engine, lambda connection: connection.execute(statement))
    assert "SECRET" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("url", ["nonsense", "mysql://h/d", "oracle://h/d", ""])
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"servers\.database_url"):
        make_engine(url)


def test_a_server_that_cannot_be_reached_is_one_line_without_the_password() -> None:
    pytest.importorskip("psycopg")
    with database("postgresql://u:hunter2@127.0.0.1:1/d") as engine, pytest.raises(WorkspaceError) as caught:
        read(engine, lambda connection: connection.execute(text("SELECT 1")))
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_missing_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="cannot be opened"):
        make_engine(sqlite_url(tmp_path / "missing" / "a.db"))
