"""A workspace of made-up patients with something of each in every place, and what stands in all of it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sqlalchemy import select

from data_schemas.cohort import IdMapping, Label, LabelValue
from data_schemas.diagnosis import Diagnosis, ModelReference, Score
from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.reasons import Reason
from data_schemas.scan import Geometry, PatientFacts, Scan, ScanFile, Series, SeriesStatus
from pipelines.cases.ingest import load_cases
from pipelines.delivery.deliver import deliver
from pipelines.workspace import catalogue, claims, ledger, tables
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.database import read
from pipelines.workspace.digests import sha256_bytes
from pipelines.workspace.files import make_private_folder
from pipelines.workspace.identity import study_key
from pipelines.workspace.memberships import Member, put_members
from pipelines.workspace.paths import Workspace, create_workspace, open_workspace
from pipelines.workspace.spool import Spool

MODEL = ModelReference(name="scanote-chest-ct", version="1", digest="ab" * 32)
IDENTITY = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))
ARRAY = np.arange(6.0)


@dataclass(frozen=True)
class One:
    """One patient of the hospital: the ids in scans and records, and a number of their own."""

    scan_id: str
    record_id: str
    number: int

    @property
    def study(self) -> str:
        return f"1.2.826.{self.number}.7"

    @property
    def words(self) -> str:
        return f"Sentence-of-{self.number}-alone"


# Two of them have other ids in the records than in the scans.
PEOPLE = (
    One("SCAN-A1", "SCAN-A1", 11),
    One("SCAN-B2", "REC-B2", 22),
    One("0007C", "0007C", 33),
    One("7C", "REC-D4", 44),
)


def scan_of(one: One, folder: Path, *, note: str = "a", patient: str | None = None) -> Scan:
    paths = [folder / f"{note}{i}.dcm" for i in range(2)]
    for i, path in enumerate(paths):
        make_private_folder(path.parent)
        path.write_bytes(f"{one.scan_id}/{note}/{i}".encode())
    files = tuple(ScanFile(path=str(p), sha256=sha256_bytes(p.read_bytes()), size=p.stat().st_size) for p in paths)
    return Scan(
        scan_id=sha256_bytes("".join(file.sha256 for file in files).encode()),
        format="dicom",
        patient=PatientFacts(patient_id=one.scan_id if patient is None else patient, name=f"NAME^{one.number}X"),
        study_uid=one.study,
        series_uid=f"{one.study}.{note}",
        accession=f"ACC{one.number}Y",
        modality="CT",
        transfer_syntax="1.2.840.10008.1.2.1",
        acquired=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        geometry=Geometry(shape=(2, 4, 4), spacing_mm=(1.0, 1.0, 1.0), affine=IDENTITY),
        files=files,
    )


def note_of(one: One, text: str = "") -> Note:
    return Note(
        note_id=f"note-{one.number}",
        patient=PatientFacts(patient_id=one.record_id),
        written=datetime(2026, 1, 1, tzinfo=UTC),
        text=f"{one.words}. {text}",
    )


def put_person(workspace: Workspace, one: One) -> None:
    """Put something of a patient into the catalogue, current and superseded, and into what came in."""
    key = workspace.key
    arrived = workspace.incoming / "received" / study_key(key, one.study) / "batch"
    scan = scan_of(one, arrived)
    stuck = Series(
        series_uid=f"{one.study}.broken",
        study_uid=one.study,
        modality="CT",
        files=1,
        transfer_syntax="",
        status=SeriesStatus.QUARANTINED,
        reasons=(Reason.TRUNCATED,),
        where=str(arrived),
    )
    facts = PatientFacts(patient_id=one.record_id)
    nobody = Observation(patient=PatientFacts(patient_id=""), code="weight", value=70.0, unit="kg", study_uid=one.study)
    with workspace.database() as engine:
        catalogue.put_scans(engine, key, [scan])
        catalogue.put_series_quarantined(engine, key, [stuck])
        catalogue.put_notes(engine, key, [note_of(one, "First.")])
        catalogue.put_notes(engine, key, [note_of(one, "Corrected.")])
        taken = datetime(2026, 1, 1, tzinfo=UTC)
        catalogue.put_observations(engine, key, [Observation(patient=facts, taken=taken, code="age", value=61.0)])
        catalogue.put_observations(engine, key, [nobody])
        catalogue.put_labels(
            engine, key, [Label(patient_id=one.record_id, finding="pneumonia", value=LabelValue.POSITIVE)]
        )
        catalogue.put_labels(engine, key, [Label(study_uid=one.study, finding="covid", value=LabelValue.NEGATIVE)])
        if one.scan_id != one.record_id:
            row = IdMapping(scan_patient_id=one.scan_id, record_patient_id=one.record_id)
            catalogue.put_id_map(engine, key, [*catalogue.id_map(engine), row])


def decide(workspace: Workspace) -> None:
    """Diagnose every case without a model, write pages, fill cache, spool, checkpoints and memberships."""
    cache = ArrayCache(workspace.cache)
    with workspace.database() as engine:
        for case in load_cases(workspace).cases:
            name = sha256_bytes(case.study_key.encode())
            asked = claims.claim(engine, name, case.study_key, "owner:1:1", lease_seconds=60, attempts=3)
            assert asked.claim is not None
            made = diagnosis_of(case.study_key, case.patient_key, name, case.inputs_digest)
            ledger.complete(engine, asked.claim, made)
            cache.of(case.study_key).put(name, ARRAY)
            cache.of(case.study_key).put_arrays(name, {"a": ARRAY})
            Spool(workspace.spool).put("page", {"study": case.study_key})
            put_members(engine, MODEL.digest, [Member(case.study_key, case.patient_key, "train")])
    deliver(workspace)


def diagnosis_of(study: str, patient: str, name: str, inputs: str = "i") -> Diagnosis:
    return Diagnosis(
        key=name,
        study_key=study,
        patient_key=patient,
        inputs_digest=inputs,
        settings_digest="s",
        backend="torch",
        precision="fp32",
        model=MODEL,
        scores=(Score(finding="pneumonia", probability=0.25),),
    )


def rows(workspace: Workspace) -> set[str]:
    """Every row of every table but the tombstones' and the audit log's, as text."""
    skipped = {"tombstone", "tombstone_key", "audit_event"}
    found = set()
    with workspace.database() as engine:
        for table in tables.metadata.sorted_tables:
            if table.name not in skipped:
                for row in read(engine, lambda c, t=table: c.execute(select(t)).all()):
                    found.add(json.dumps([table.name, dict(row._mapping)], sort_keys=True))
    return found


def files(workspace: Workspace) -> dict[str, bytes]:
    """Every file but the databases, and the worklist, which says when it was made."""
    left_out = {"index.html", "diagnoses.jsonl"}
    return {
        str(path.relative_to(workspace.root)): path.read_bytes()
        for path in sorted(workspace.root.rglob("*"))
        if path.is_file() and path.suffix not in {".db", ".db-wal", ".db-shm"} and path.name not in left_out
    }


def tombstone_rows(workspace: Workspace) -> list[str]:
    """The tombstones without their random names."""
    with closing(sqlite3.connect(workspace.root / "scanote.db")) as connection:
        found = connection.execute("select month, state, lifted, counts from tombstone").fetchall()
        found += connection.execute("select kind, value from tombstone_key").fetchall()
    return sorted(map(str, found))


def raw_bytes(workspace: Workspace) -> bytes:
    """All bytes of all files of a workspace, and their names."""
    held = [path for path in sorted(workspace.root.rglob("*")) if path.is_file()]
    return b"\n".join([*(str(path).encode() for path in held), *(path.read_bytes() for path in held)])


@pytest.fixture(scope="session")
def tools() -> SimpleNamespace:
    """What the tests of this folder build with and look with."""
    return SimpleNamespace(
        One=One,
        PEOPLE=PEOPLE,
        MODEL=MODEL,
        scan_of=scan_of,
        note_of=note_of,
        put_person=put_person,
        decide=decide,
        diagnosis_of=diagnosis_of,
        rows=rows,
        files=files,
        tombstone_rows=tombstone_rows,
        raw_bytes=raw_bytes,
    )


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with four patients, diagnosed and with pages; filling one takes longer than copying it."""
    workspace = create_workspace(tmp_path_factory.mktemp("template") / "workspace")
    for one in PEOPLE:
        put_person(workspace, one)
    decide(workspace)
    return workspace.root


@pytest.fixture(scope="session")
def copied(template: Path) -> Callable[[Path], Workspace]:
    """Copies the filled workspace to another place, the paths in its catalogue as well."""

    def copy(place: Path) -> Workspace:
        shutil.copytree(template, place)
        with closing(sqlite3.connect(place / "scanote.db")) as connection, connection:
            for table in ("scan", "quarantined_series"):
                connection.execute(f"update {table} set record = replace(record, ?, ?)", (str(template), str(place)))
        return open_workspace(place)

    return copy


@pytest.fixture
def filled(copied: Callable[[Path], Workspace], tmp_path: Path) -> Callable[..., Workspace]:
    """Makes a filled workspace of this test's own."""
    return lambda name="workspace": copied(tmp_path / name)


@pytest.fixture
def workspace(filled: Callable[..., Workspace]) -> Workspace:
    return filled()
