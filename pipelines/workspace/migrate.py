"""The database's schema: brought to this version's revision, or refused where another version made it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from data_schemas.errors import WorkspaceError
from pipelines.workspace.database import read, write

if TYPE_CHECKING:
    from alembic.config import Config

REVISION = "0002"
KNOWN = ("0000", "0001", REVISION)  # oldest first; the last is this version's


def alembic_config(connection: Connection) -> Config:
    """Alembic's settings for the packaged migrations, bound to a connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine) -> None:
    """Create the tables in an empty database, or bring an older one to this version's revision, in one transaction.

    Raises
    ------
    WorkspaceError
        The database is at a revision that this version does not know.
    """

    def work(connection: Connection) -> None:
        from alembic import command

        found = _revision(connection)
        if found == REVISION:
            return
        if found is not None and found not in KNOWN:
            raise _other_version(found)
        command.upgrade(alembic_config(connection), "head")

    write(engine, work)


def check_revision(engine: Engine) -> None:
    """Nothing, where the database is at this version's revision.

    Raises
    ------
    WorkspaceError
        It is empty, older (say how to upgrade), or of a version that this one does not know.
    """
    found = read(engine, _revision)
    if found is None:
        raise WorkspaceError(
            "the workspace's database holds no tables; restore it from its backup, or, if it is meant to be new, "
            "create them with: scanote ingest"
        )
    if found not in KNOWN:
        raise _other_version(found)
    if found != REVISION:
        raise WorkspaceError(f"the workspace's database is of revision {found}; upgrade it with: scanote ingest")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _other_version(found: str) -> WorkspaceError:
    return WorkspaceError(
        f"the workspace's database was written by another version of scanote (revision {found[:40]!r}, this one knows "
        f"{', '.join(KNOWN)}); use that version, or open another workspace"
    )
