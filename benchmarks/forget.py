"""How long it takes to forget one patient of many, and what a tombstone costs every later ingest.

    .venv/bin/python benchmarks/forget.py [--patients 2000]

Rows alone, without volumes: what grows with a workspace is its catalogue. Exits 1 where a byte of the patient is left.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.scan import Geometry, Index, PatientFacts, Scan, ScanFile
from pipelines.cases.turned_away import gate_of, sift
from pipelines.delivery.forget import forget, look_up
from pipelines.sources.outcome import Records
from pipelines.workspace import catalogue
from pipelines.workspace.paths import Workspace, create_workspace

AXES = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))
SLICES = 300


def scan_of(number: int) -> Scan:
    files = tuple(
        ScanFile(path=f"/pacs/{number}/{at}.dcm", sha256=f"{number * SLICES + at:064x}", size=1) for at in range(SLICES)
    )
    return Scan(
        scan_id=f"{number:064x}",
        format="dicom",
        patient=PatientFacts(patient_id=f"MRN-{number:07d}"),
        study_uid=f"1.2.{number}",
        series_uid=f"1.2.{number}.1",
        modality="CT",
        transfer_syntax="1.2.840.10008.1.2.1",
        geometry=Geometry(shape=(SLICES, 512, 512), spacing_mm=(1.0, 1.0, 1.0), affine=AXES),
        files=files,
    )


def records_of(number: int, notes: int, values: int) -> Records:
    patient, moment = PatientFacts(patient_id=f"MRN-{number:07d}"), datetime(2026, 1, 1, tzinfo=UTC)
    told = f"Progress note of MRN-{number:07d}. " + "Short of breath on exertion, no fever. " * 50
    return Records(
        notes=tuple(Note(note_id=f"{number}-{n}", patient=patient, written=moment, text=told) for n in range(notes)),
        observations=tuple(
            Observation(patient=patient, taken=moment, code=f"code-{n}", value=float(n)) for n in range(values)
        ),
    )


def fill(workspace: Workspace, patients: int, notes: int, values: int) -> None:
    with workspace.database() as engine:
        for start in range(0, patients, 250):
            numbers = range(start, min(start + 250, patients))
            records = [records_of(number, notes, values) for number in numbers]
            catalogue.put_scans(engine, workspace.key, [scan_of(number) for number in numbers])
            catalogue.put_notes(engine, workspace.key, [note for part in records for note in part.notes])
            values_of = [item for part in records for item in part.observations]
            catalogue.put_observations(engine, workspace.key, values_of)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--notes", type=int, default=5, help="a patient")
    parser.add_argument("--values", type=int, default=20, help="a patient")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = create_workspace(Path(folder) / "workspace")
        fill(workspace, given.patients, given.notes, given.values)
        database = workspace.root / "scanote.db"
        size = database.stat().st_size
        rows: list[tuple[str, str]] = [("database", f"{size / 2**20:.0f} MiB")]
        patient = f"MRN-{given.patients // 2:07d}"
        rows.append(timed("look", lambda: look_up(workspace, patient)))
        rows.append(timed("forget", lambda: forget(workspace, patient, actor="benchmark")))
        records = [records_of(number, given.notes, given.values) for number in range(given.patients)]
        everything = Records(
            notes=tuple(note for part in records for note in part.notes),
            observations=tuple(item for part in records for item in part.observations),
        )
        with workspace.database() as engine:
            gate = gate_of(workspace, engine)
        count = len(everything.notes) + len(everything.observations)
        rows.append(timed(f"turn away at ingest, {count} records", lambda: sift(Index(), everything, gate)))
        left = sum(patient.encode() in path.read_bytes() for path in workspace.root.glob("scanote.db*"))
        rows.append(("files of the database that still name the patient", str(left)))
    print(f"{given.patients} patients, each a scan of {SLICES} slices, {given.notes} notes, {given.values} values\n")
    print("| step | result |\n| --- | --- |")
    for name, value in rows:
        print(f"| {name} | {value} |")
    return int(left > 0)


def timed(name: str, work: Callable[[], object]) -> tuple[str, str]:
    began = time.perf_counter()
    work()
    return name, f"{time.perf_counter() - began:.2f} s"


if __name__ == "__main__":
    sys.exit(main())
