"""Makers of small scans and records, and the join under test with a fixed key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.scan import Geometry, PatientFacts, Scan, ScanFile
from pipelines.cases.link import link

KEY = bytes(range(32))
NOON = datetime(2024, 3, 5, 12, 0)


@pytest.fixture(scope="session")
def key() -> bytes:
    return KEY


@pytest.fixture(scope="session")
def joined() -> Callable[..., Any]:
    return partial(link, workspace_key=KEY)


@pytest.fixture(scope="session")
def scan() -> Callable[..., Scan]:
    def make(patient_id: str = "7", *, study: str = "1.2.3", slices: int = 8, **changes: Any) -> Scan:
        facts = {name: changes.pop(name) for name in PatientFacts.model_fields if name in changes}
        digest = hashlib.sha256(repr((patient_id, study, slices, sorted(changes), facts)).encode()).hexdigest()
        values = {
            "scan_id": digest,
            "format": "dicom",
            "patient": PatientFacts(patient_id=patient_id, **facts),
            "study_uid": study,
            "series_uid": f"{study}.{slices}",
            "modality": "CT",
            "transfer_syntax": "1.2.840.10008.1.2.1",
            "acquired": NOON,
            "geometry": Geometry(
                shape=(slices, 4, 4),
                spacing_mm=(1, 1, 1),
                affine=((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)),
            ),
            "files": (ScanFile(path="x", sha256=digest, size=1),),
        }
        return Scan.model_validate(values | changes)

    return make


@pytest.fixture(scope="session")
def note() -> Callable[..., Note]:
    def make(patient_id: str = "7", *, written: datetime | None = datetime(2024, 3, 1, 9), **changes: Any) -> Note:
        facts = {name: changes.pop(name) for name in PatientFacts.model_fields if name in changes}
        values = {"note_id": repr((patient_id, written, changes)), "text": "Cough.", **changes}
        return Note(patient=PatientFacts(patient_id=patient_id, **facts), written=written, **values)

    return make


@pytest.fixture(scope="session")
def value() -> Callable[..., Observation]:
    def make(
        code: str,
        value: float | str,
        *,
        patient_id: str = "7",
        taken: datetime | None = datetime(2024, 3, 1, 9),
        **changes: Any,
    ) -> Observation:
        return Observation(patient=PatientFacts(patient_id=patient_id), taken=taken, code=code, value=value, **changes)

    return make
