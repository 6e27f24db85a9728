"""The workspace: one private folder with settings, key, database, cache and pages, and where each of them lies."""

from __future__ import annotations

import json
import logging
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from sqlalchemy import Engine

from data_schemas.errors import SettingsError, WorkspaceError
from data_schemas.settings import Settings, read_settings
from pipelines.workspace.database import database, sqlite_url
from pipelines.workspace.files import make_private_folder, write_new
from pipelines.workspace.migrate import check_revision, upgrade

FORMAT = 1
KEY_BYTES = 32
FOLDERS = ("artifacts", "cache", "pages", "spool", "results", "prefect", "incoming")
OURS = {"workspace.json", "scanote.yaml", "key", "scanote.db", "scanote.db-wal", "scanote.db-shm"}
OURS |= {"scanote.db-journal", "mlflow.db"}  # the former while the first of several creators switches to WAL
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Workspace:
    """An opened workspace: its folder and the settings read from it. Paths are absolute."""

    root: Path
    settings: Settings = field(hash=False)  # settings may hold mappings; equality still compares them

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of catalogue and ledger."""
        return self.settings.servers.database_url or sqlite_url(self.root / "scanote.db")

    @property
    def mlflow_url(self) -> str:
        """MLflow tracking and registry URI."""
        return self.settings.servers.mlflow_url or sqlite_url(self.root / "mlflow.db")

    @property
    def artifacts(self) -> Path:
        """Folder of MLflow's artefacts, where no server keeps them."""
        return self.root / "artifacts"

    @property
    def cache(self) -> Path:
        """Folder of preprocessed volumes and features; may be deleted at any time."""
        return self.root / "cache"

    @property
    def manifest(self) -> Path:
        """What the last ingest read of the headers of scans; as private as they are, may be deleted at any time."""
        return self.cache / "headers.db"

    @property
    def pages(self) -> Path:
        """Folder of the worklist and the case pages."""
        return self.root / "pages"

    @property
    def spool(self) -> Path:
        """Folder of what could not be told to a server yet."""
        return self.root / "spool"

    @property
    def results(self) -> Path:
        """Folder of the diagnoses as JSON Lines."""
        return self.root / "results"

    @property
    def incoming(self) -> Path:
        """Folder of what was fetched, received or unpacked; the catalogue points into it."""
        return self.root / "incoming"

    @property
    def prefect(self) -> Path:
        """Prefect's home: its own settings and, where no server is set, the database of its ephemeral API."""
        return self.root / "prefect"

    @property
    def key(self) -> bytes:
        """The 32 bytes that patients and studies are keyed with; read anew, so that no repr or log can hold them.

        Raises
        ------
        WorkspaceError
            The key file is missing or damaged.
        """
        return _read_key(self.root)

    @contextmanager
    def database(self) -> Iterator[Engine]:
        """The database's engine for the length of a ``with`` block."""
        with database(self.database_url) as engine:
            yield engine


def create_workspace(root: Path | str, settings_text: str | None = None) -> Workspace:
    """Create a workspace, or complete one whose creation was interrupted; on a complete one nothing changes.

    An older database is brought to this version's revision. ``settings_text`` is the YAML to begin with; the default
    lists every setting with its default, commented out.

    Raises
    ------
    WorkspaceError
        The folder holds other things, other settings or a workspace of another version, or cannot be written.
    SettingsError
        The settings cannot be used.
    """
    root = Path(root).expanduser().resolve()
    marker = root / "workspace.json"
    complete = marker.exists()
    if complete:
        _check_marker(marker)
    elif root.is_dir() and (others := _others(root)):
        raise WorkspaceError(f"{root}: holds {others} other things and is no workspace; name a new folder")
    if settings_text is not None:
        _check_settings_text(root, settings_text)
    make_private_folder(root)
    for name in FOLDERS:
        make_private_folder(root / name)
    write_new(root / "scanote.yaml", (settings_text or default_settings_text()).encode())
    if settings_text is not None and (root / "scanote.yaml").read_text(encoding="utf-8") != settings_text:
        raise WorkspaceError(f"{root}/scanote.yaml: holds other settings; edit that file, or name a new folder")
    if not complete:
        # Never renewed in a complete workspace: another key would cut everything stored from its patients.
        write_new(root / "key", secrets.token_bytes(KEY_BYTES))
    workspace = Workspace(root=root, settings=read_settings(root / "scanote.yaml"))
    _read_key(root)
    if complete:
        _check_database_file(workspace)
    with workspace.database() as engine:
        upgrade(engine)
    write_new(marker, json.dumps({"format": FORMAT, "written_by": _version()}).encode())
    return workspace


def open_workspace(root: Path | str) -> Workspace:
    """Open a workspace after checking that this version can use it.

    Raises
    ------
    WorkspaceError
        It is missing, damaged, or written by another version; one line that says what to do.
    SettingsError
        Its settings cannot be used.
    """
    root = Path(root).expanduser().resolve()
    marker = root / "workspace.json"
    if not marker.is_file():
        raise WorkspaceError(f"{root}: no workspace here; create one with: scanote ingest --workspace {root} …")
    _check_marker(marker)
    _read_key(root)
    if stat.S_IMODE(root.stat().st_mode) & 0o077:
        log.warning("%s: others on this machine can look into the workspace; mend with: chmod 700", root)
    workspace = Workspace(root=root, settings=read_settings(root / "scanote.yaml"))
    _check_database_file(workspace)
    with workspace.database() as engine:
        check_revision(engine)
    return workspace


def default_settings_text() -> str:
    """YAML of every setting with its default, commented out: remove ``# `` to change one, and its parents'."""
    rows = yaml.safe_dump(Settings().model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100)
    head = "## Settings of this workspace. What is commented out has the value shown; remove '# ' there and above it.\n"
    return head + "".join(f"# {row}\n" for row in rows.splitlines())


def _check_marker(marker: Path) -> None:
    try:
        content = json.loads(marker.read_text(encoding="utf-8"))
        found, writer = content["format"], content["written_by"]
    except (OSError, ValueError, TypeError, KeyError):
        raise WorkspaceError(f"{marker}: damaged; restore it from its backup") from None
    if found != FORMAT:
        raise WorkspaceError(
            f"{marker.parent}: written by another version of scanote ({str(writer)[:40]}, format {str(found)[:10]}; "
            f"this one is {_version()}, format {FORMAT}); use that version, or another workspace"
        )


def _check_database_file(workspace: Workspace) -> None:
    """Refuse a lost database file: an empty new one would look as if nothing had ever been decided."""
    path = workspace.root / "scanote.db"
    if workspace.settings.servers.database_url is None and not path.is_file():
        raise WorkspaceError(f"{path}: the database is missing; restore it from its backup")


def _others(root: Path) -> int:
    """How many things in a folder are not a workspace's, interrupted writes included."""
    names = {path.name for path in root.iterdir()} - OURS - set(FOLDERS)
    return sum(not (name.startswith(".") and name.endswith(".tmp")) for name in names)


def _read_key(root: Path) -> bytes:
    path = root / "key"
    try:
        key = path.read_bytes()
    except OSError as error:
        raise WorkspaceError(f"{path}: the workspace's key cannot be read ({error.strerror}); restore it") from None
    if len(key) != KEY_BYTES:
        raise WorkspaceError(f"{path}: the workspace's key is damaged ({len(key)} bytes, not {KEY_BYTES}); restore it")
    return key


def _check_settings_text(root: Path, settings_text: str) -> None:
    """Refuse settings before anything is created; the message names the file that they were meant for."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "scanote.yaml"
        path.write_text(settings_text, encoding="utf-8")
        try:
            read_settings(path)
        except SettingsError as error:
            raise SettingsError(str(error).replace(folder, str(root))) from None


def _version() -> str:
    try:
        return version("scanote")
    except PackageNotFoundError:
        return "unknown"
