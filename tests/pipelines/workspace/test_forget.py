"""What is deleted from the database leaves no byte in its files, and another reader is not passed over."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine

from data_schemas.errors import ServerError
from pipelines.workspace import catalogue, database
from pipelines.workspace.forget import Whose, compact, count_rows, delete_rows
from pipelines.workspace.identity import patient_key

WORDS = "Tell-tale sentence"


def files_of(engine: Engine) -> bytes:
    path = Path(str(engine.url.database))
    return b"".join(other.read_bytes() for other in sorted(path.parent.glob(f"{path.name}*")))


def test_deleted_rows_leave_no_byte_in_the_files(engine: Engine, key: bytes, make) -> None:
    for number in range(200):
        catalogue.put_notes(engine, key, [make.note(f"{WORDS} {number}. " * 40, patient="P1", note_id=f"n{number}")])
    catalogue.put_notes(engine, key, [make.note("Somebody else's.", patient="P2")])
    whose = Whose(record_keys=frozenset([patient_key(key, "P1")]))
    assert count_rows(engine, whose) == {"notes": 200}
    delete_rows(engine, whose)
    assert count_rows(engine, whose) == {}
    assert [note.text for note in catalogue.notes(engine)] == ["Somebody else's."]
    if compact(engine):
        assert WORDS.encode() not in files_of(engine)
        assert b"P1" not in files_of(engine)


def test_what_was_deleted_without_care_before_goes_as_well(engine: Engine, key: bytes, make) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL vacuums by itself")
    catalogue.put_notes(engine, key, [make.note(f"{WORDS}. " * 40)])
    compact(engine)
    with closing(sqlite3.connect(str(engine.url.database))) as careless:
        careless.execute("PRAGMA secure_delete=OFF")
        careless.execute("DELETE FROM note")
        careless.commit()
    assert WORDS.encode() in files_of(engine)
    compact(engine)
    assert WORDS.encode() not in files_of(engine)


def test_a_reader_that_holds_on_is_told_of(engine: Engine, key: bytes, make, monkeypatch: pytest.MonkeyPatch) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL vacuums by itself")
    catalogue.put_notes(engine, key, [make.note(WORDS)])
    monkeypatch.setattr(database, "BUSY_MS", 50)
    with database.database(str(engine.url)) as impatient, closing(engine.raw_connection()) as reader:
        reader.cursor().execute("BEGIN").close()
        reader.cursor().execute("SELECT count(*) FROM note").fetchall()
        delete_rows(impatient, Whose(record_keys=frozenset([patient_key(key, "P1")])))
        with pytest.raises(ServerError, match="run the same command again"):
            compact(impatient)
