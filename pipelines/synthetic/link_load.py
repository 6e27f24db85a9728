"""Many studies and records in memory, to see how long linking takes."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta

import numpy as np

from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.scan import Geometry, PatientFacts, Scan, ScanFile
from pipelines.cases.link import link
from pipelines.workspace.digests import sha256_bytes

START = datetime(2024, 1, 1, 8)
HOURS = 8_000
_LINE = "Cough and fever for several days, no relief from the first course of tablets. "


def link_seconds(*, studies: int, notes: int, values: int, stating: float = 0.3, seed: int = 0) -> float:
    """Seconds of processor time that linking takes; a share of the notes (700 characters each) states age and sex."""
    rng = np.random.default_rng(seed)
    affine = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))
    geometry = Geometry(shape=(200, 512, 512), spacing_mm=(1, 1, 1), affine=affine)
    people = [
        PatientFacts(patient_id=f"P{number:07d}", sex="F", birth_date=date(1957, 1, 1)) for number in range(studies)
    ]
    scans = [
        Scan(
            scan_id=(digest := sha256_bytes(str(number).encode())),
            format="dicom",
            patient=who,
            study_uid=f"1.2.{number}",
            series_uid=f"1.2.{number}.1",
            accession=f"ACC{number}",
            modality="CT",
            transfer_syntax="",
            acquired=START + timedelta(hours=int(rng.integers(HOURS))),
            geometry=geometry,
            files=(ScanFile(path="", sha256=digest, size=0),),
        )
        for number, who in enumerate(people)
    ]
    texts = [
        Note(
            note_id=str(number),
            patient=people[number % studies],
            written=START + timedelta(hours=int(rng.integers(HOURS))),
            text=("67-year-old woman.\n" if rng.random() < stating else "") + f"HISTORY: {number}. {_LINE * 9}",
        )
        for number in range(notes)
    ]
    measured = [
        Observation(
            patient=people[number % studies],
            taken=START + timedelta(hours=int(rng.integers(HOURS))),
            code=f"code {number % 11}",
            value=float(number),
        )
        for number in range(values)
    ]
    began = time.process_time()
    link(scans, texts, measured, workspace_key=bytes(32))
    return time.process_time() - began
