"""The migrations make exactly the tables that the code uses."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from data_schemas.errors import WorkspaceError
from data_schemas.observation import Origin
from pipelines.workspace.catalogue import observations, put_observations
from pipelines.workspace.database import database, read, sqlite_url, write
from pipelines.workspace.migrate import KNOWN, REVISION, alembic_config, check_revision, upgrade
from pipelines.workspace.tables import metadata


def test_the_migrated_schema_equals_the_tables(engine: Engine) -> None:
    def differences(connection: Connection) -> list:
        return compare_metadata(MigrationContext.configure(connection), metadata)

    assert read(engine, differences) == []


def test_the_known_revisions_are_those_of_the_migrations(engine: Engine) -> None:
    def revisions(connection: Connection) -> list[str]:
        scripts = ScriptDirectory.from_config(alembic_config(connection))
        return [script.revision for script in scripts.walk_revisions()]

    assert list(reversed(read(engine, revisions))) == list(KNOWN)
    assert KNOWN[-1] == REVISION


def test_downgrading_leaves_no_table(engine: Engine) -> None:
    from alembic import command

    write(engine, lambda connection: command.downgrade(alembic_config(connection), "base"))
    assert read(engine, lambda connection: inspect(connection).get_table_names()) == ["alembic_version"]


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    upgrade(engine)
    check_revision(engine)


def test_an_upgrade_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with database(sqlite_url(tmp_path / "a.db")) as engine:
        write(engine, lambda connection: connection.execute(text("CREATE TABLE note (x INTEGER)")))
        with pytest.raises(WorkspaceError, match="cannot be used"):
            upgrade(engine)
        assert read(engine, lambda connection: inspect(connection).get_table_names()) == ["note"]


def test_an_unknown_revision_is_refused_by_both(engine: Engine) -> None:
    write(engine, lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = 'ffff'")))
    for use in (upgrade, check_revision):
        with pytest.raises(WorkspaceError, match="written by another version"):
            use(engine)


def test_what_a_workspace_held_before_values_had_origins_is_read_and_known(engine: Engine, make) -> None:
    from alembic import command

    key, value = bytes(32), make.observation()
    put_observations(engine, key, [value])
    write(engine, lambda connection: command.downgrade(alembic_config(connection), "0001"))
    with pytest.raises(WorkspaceError):
        check_revision(engine)
    upgrade(engine)
    check_revision(engine)
    assert observations(engine) == (value,)
    assert put_observations(engine, key, [value]).known == 1
    named = value.model_copy(update={"origin": Origin(resource="https://ehr.example/fhir/Observation/1")})
    put_observations(engine, key, [named])
    assert observations(engine) == (named,)
