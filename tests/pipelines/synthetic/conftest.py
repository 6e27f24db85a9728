"""One small hospital on disk, written once, read once, and the same patients in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from data_schemas.scan import Index, Scan
from pipelines.scans.index import index_paths
from pipelines.sources.outcome import Records
from pipelines.sources.records import read_records
from pipelines.synthetic.patients import Patient, draw_patient
from pipelines.synthetic.split import pool_of, split_of
from pipelines.synthetic.truth import Dials, Truth
from pipelines.synthetic.write import Hospital, write_hospital

SEED, PATIENTS = 11, 14
DIALS = Dials(missing_notes=0.2, future_notes=0.4)


@pytest.fixture(scope="session")
def write(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Hospital]:
    def make(**changes: object) -> Hospital:
        arguments = {"patients": PATIENTS, "seed": SEED, "dials": DIALS} | changes
        return write_hospital(tmp_path_factory.mktemp("synthetic") / "hospital", **arguments)

    return make


@pytest.fixture(scope="session")
def hospital(write: Callable[..., Hospital]) -> Hospital:
    return write()


@pytest.fixture(scope="session")
def patients() -> dict[str, Patient]:
    """The patients of the hospital, by patient id."""
    pools = [pool_of(split_of(number, seed=SEED)) for number in range(PATIENTS)]
    drawn = [draw_patient(number, seed=SEED, dials=DIALS, pool=pool) for number, pool in enumerate(pools)]
    return {patient.patient_id: patient for patient in drawn}


@pytest.fixture(scope="session")
def index(hospital: Hospital) -> Index:
    return index_paths(hospital.scans)


@pytest.fixture(scope="session")
def scans(index: Index) -> list[Scan]:
    return [scan for series in index.series for scan in series.scans]


@pytest.fixture(scope="session")
def records(hospital: Hospital) -> Records:
    return read_records(notes=[hospital.records], labels=[hospital.labels])


@pytest.fixture(scope="session")
def truth() -> Callable[..., Truth]:
    def make(**changes: object) -> Truth:
        plain = dict.fromkeys(("effusion", "ground_glass", "cardiac", "infection", "breathless"), False)
        return Truth(**(plain | {"masses": frozenset(), "complaint_side": "right"} | changes))

    return make


@pytest.fixture(scope="session")
def digests() -> Callable[[Path], dict[str, str]]:
    """SHA-256 of every file under a folder, by relative path."""

    def of(folder: Path) -> dict[str, str]:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    return of
