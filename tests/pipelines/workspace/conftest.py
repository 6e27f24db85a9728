"""Fixtures of the workspace tests: databases (SQLite, and PostgreSQL on request), records, child processes."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, create_engine, text

from data_schemas.cohort import Label, LabelValue
from data_schemas.diagnosis import Diagnosis, ModelReference, Score
from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.reasons import Reason
from data_schemas.scan import Geometry, PatientFacts, Scan, ScanFile, Series, SeriesStatus
from pipelines.workspace.database import database, sqlite_url
from pipelines.workspace.migrate import upgrade

ROOT = Path(__file__).parents[3]
WORKER = Path(__file__).with_name("worker.py")
IDENTITY = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))


def make_scan(
    scan_id: str = "a" * 64,
    *,
    patient: str = "P1",
    series: str = "1.2.3",
    study: str = "1.2",
    files: int = 2,
    folder: str = "/in",
) -> Scan:
    return Scan(
        scan_id=scan_id,
        format="dicom",
        patient=PatientFacts(patient_id=patient),
        study_uid=study,
        series_uid=series,
        modality="CT",
        transfer_syntax="1.2.840.10008.1.2.1",
        acquired=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        geometry=Geometry(shape=(files, 4, 4), spacing_mm=(1.0, 1.0, 1.0), affine=IDENTITY),
        files=tuple(ScanFile(path=f"{folder}/{i}.dcm", sha256=f"{i:064x}", size=32) for i in range(files)),
    )


def make_note(text: str = "Cough for a week.", *, note_id: str = "n1", patient: str = "P1") -> Note:
    return Note(note_id=note_id, patient=PatientFacts(patient_id=patient), written=datetime(2026, 1, 1), text=text)


def make_observation(value: float | str = 61.0, *, code: str = "age", patient: str = "P1") -> Observation:
    return Observation(patient=PatientFacts(patient_id=patient), taken=datetime(2026, 1, 1), code=code, value=value)


def make_label(value: int = 1, *, finding: str = "pleural-effusion", patient: str = "P1") -> Label:
    return Label(patient_id=patient, finding=finding, value=LabelValue(value))


def make_quarantined(*reasons: Reason, series: str = "1.2.3", study: str = "1.2", detail: str = "") -> Series:
    return Series(
        series_uid=series,
        study_uid=study,
        modality="CT",
        files=2,
        transfer_syntax="",
        status=SeriesStatus.QUARANTINED,
        reasons=reasons,
        detail=detail,
    )


def make_diagnosis(key: str = "k1", *, study_key: str = "s1", probability: float = 0.25) -> Diagnosis:
    return Diagnosis(
        key=key,
        study_key=study_key,
        patient_key="p1",
        inputs_digest="i",
        settings_digest="s",
        backend="torch",
        precision="fp32",
        model=ModelReference(name="scanote-chest-ct", version="1", digest="d"),
        scores=(Score(finding="pleural-effusion", probability=probability),),
    )


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """Builders of records with plain defaults."""
    return SimpleNamespace(
        scan=make_scan,
        note=make_note,
        observation=make_observation,
        label=make_label,
        quarantined=make_quarantined,
        diagnosis=make_diagnosis,
    )


@pytest.fixture(scope="session")
def key() -> bytes:
    return bytes(range(32))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "scanote.db"
    with database(sqlite_url(path)) as engine:
        upgrade(engine)
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a migrated, empty database."""
    if request.param == "sqlite":
        path = tmp_path / "scanote.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        return sqlite_url(path)
    made = request.getfixturevalue("new_postgresql_database")()
    with database(made) as engine:
        upgrade(engine)
    return made


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    with database(url) as made:
        yield made


@pytest.fixture
def child() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start worker.py, or other Python code, as a process of its own; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object, code: str | None = None) -> subprocess.Popen[str]:
        program = [sys.executable, "-c", code] if code else [sys.executable, str(WORKER)]
        process = subprocess.Popen(
            [*program, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def postgresql_binaries() -> Path:
    """Debian's PostgreSQL programs; installed where SCANOTE_SERVICES=1 asks for it."""

    def find() -> list[Path]:
        return sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))

    if not find() and os.environ.get("SCANOTE_SERVICES") == "1":
        subprocess.run(["apt-get", "install", "-y", "postgresql"], check=True, stdout=subprocess.DEVNULL)
    if not find():
        pytest.skip("PostgreSQL is not installed (set SCANOTE_SERVICES=1 to have it installed)")
    pytest.importorskip("psycopg", reason="needs scanote[postgres]")
    return find()[-1].parent


@pytest.fixture(scope="session")
def postgresql_server(postgresql_binaries: Path) -> Iterator[str]:
    """A throw-away server on loopback; gives its URL without a database name."""
    # The server refuses to run as root and its user cannot enter pytest's private folders.
    user = "postgres" if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="scanote-pg-"))
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    subprocess.run(
        [postgresql_binaries / "initdb", "-D", folder / "data", "-U", "scanote", "-A", "trust", "-N"],
        user=user,
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=folder,
    )
    options = ["-p", str(port), "-h", "127.0.0.1", "-k", "", "-c", "fsync=off"]
    server = subprocess.Popen(
        [postgresql_binaries / "postgres", "-D", folder / "data", *options],
        user=user,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        base = f"postgresql+psycopg://scanote@127.0.0.1:{port}"
        wait_for_server(f"{base}/postgres")
        yield base
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)
        shutil.rmtree(folder)


def wait_for_server(url: str) -> None:
    made = create_engine(url)
    for _ in range(200):
        try:
            made.connect().close()
        except Exception:
            time.sleep(0.1)
        else:
            made.dispose()
            return
    pytest.fail("PostgreSQL did not start within 20 s")


@pytest.fixture
def new_postgresql_database(postgresql_server: str) -> Iterator[Callable[[], str]]:
    admin = create_engine(f"{postgresql_server}/postgres", isolation_level="AUTOCOMMIT")
    names: list[str] = []

    def create() -> str:
        names.append(f"t{time.time_ns()}")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {names[-1]}"))
        return f"{postgresql_server}/{names[-1]}"

    yield create
    with admin.connect() as connection:
        for name in names:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
