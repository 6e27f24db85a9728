"""The synthetic hospital on disk: scans, records, labels, splits, and the truth they were made from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from data_schemas.cohort import Split
from data_schemas.errors import InputError
from pipelines.synthetic.dicom import write_series
from pipelines.synthetic.faults.kinds import FAULTS, plant
from pipelines.synthetic.faults.planting import assign_faults, told_by
from pipelines.synthetic.fhir import make_bundle
from pipelines.synthetic.names import make_uid, opaque
from pipelines.synthetic.patients import SHARED, Patient, draw_patient
from pipelines.synthetic.split import pool_of, split_of
from pipelines.synthetic.truth import ROLES, Dials, attainable
from pipelines.workspace.csv_cells import write_csv

STATEMENT = (
    "Everything here is synthetic: the scans are mathematical phantoms, the notes are made from sentence frames, and "
    "the labels are drawn from a documented model. No result on it says anything about patients."
)
README = """# A synthetic hospital

{statement}

* `scans/`: one folder a patient, classic CT series in Hounsfield units.
* `records/`: one FHIR R4 bundle a patient.
* `labels.csv`: one row a patient, one column a finding. `splits.csv`: patient and split.
* `truth.json`: the seed, the dials, the best AUROC that the scan alone, the note alone and both together allow, which
  patients carry a planted leak, and which scans a planted fault.

Written by `scanote synth` with {patients} patients and seed {seed}; the same call writes the same bytes.
"""


@dataclass(frozen=True)
class Hospital:
    """What was written and where. ``series``, ``notes`` and ``future_notes`` are counts, ``slices`` counts files."""

    folder: Path
    scans: Path
    records: Path
    labels: Path
    splits: Path
    truth: Path
    patients: int
    series: int
    slices: int
    notes: int
    future_notes: int


def write_hospital(
    folder: Path,
    *,
    patients: int,
    seed: int,
    dials: Dials = Dials(),  # noqa: B008 - frozen
    all_test: bool = False,
    faults: Mapping[str, int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Hospital:
    """Write a hospital into a new or empty folder; the same arguments always write the same bytes.

    Parameters
    ----------
    folder
        Is made where it does not exist.
    patients, seed
        How many, and which: patient ``n`` of a seed is the same in hospitals of any size.
    dials
        What is planted.
    all_test
        Put every patient into the test split, with notes of the test phrases.
    faults
        How many patients' scans carry a fault, by the code of the reason or remark that must be told of it.
    progress
        Called with (patients done, patients in all).

    Raises
    ------
    InputError
        No patients, a negative seed, an unknown fault, or a folder that cannot be written to or is not empty.
    """
    if patients < 1 or seed < 0:
        raise InputError("a hospital needs at least one patient, and a seed of 0 or more")
    planted = assign_faults(faults or {}, patients=patients, seed=seed)
    _make_empty(folder)
    places = {name: folder / name for name in ("scans", "records")}
    places["records"].mkdir()
    labels: list[list[object]] = []
    splits: list[list[object]] = []
    leaks: list[dict[str, object]] = []
    slices = notes = future_notes = 0

    def split_at(number: int) -> Split:
        return split_of(number, seed=seed, all_test=all_test)

    for number in range(patients):
        split = split_at(number)
        patient = draw_patient(number, seed=seed, dials=dials, pool=pool_of(split), split_at=split_at)
        scan = places["scans"] / opaque(seed, number, "scan")
        slices += write_series(scan, patient, seed=seed)
        if number in planted:
            plant(scan, planted[number], seed=seed)
        _write_json(places["records"] / f"{opaque(seed, number, 'record')}.json", make_bundle(patient, seed=seed))
        if not labels:
            labels.append(["patient_id", *patient.labels])
        labels.append([patient.patient_id, *patient.labels.values()])
        splits.append([patient.patient_id, split])
        leaks += _leaks(patient, seed)
        notes += patient.note is not None
        future_notes += patient.future_note is not None
        if progress:
            progress(number + 1, patients)
    write_csv(folder / "labels.csv", labels)
    write_csv(folder / "splits.csv", [["patient_id", "split"], *splits])
    _write_text(folder / "README.md", README.format(statement=STATEMENT, patients=patients, seed=seed))
    truth = _truth(patients, seed, dials, all_test=all_test)
    _write_json(folder / "truth.json", truth | {"leaks": leaks, "faults": _faults(planted, seed)})
    return Hospital(
        folder=folder,
        **places,
        labels=folder / "labels.csv",
        splits=folder / "splits.csv",
        truth=folder / "truth.json",
        patients=patients,
        series=patients,
        slices=slices,
        notes=notes,
        future_notes=future_notes,
    )


def _make_empty(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        empty = not any(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder}: cannot be made or read ({type(error).__name__}); name a new folder") from None
    if not empty:
        raise InputError(f"{folder}: is not empty; name a new folder, or empty this one first")


def _truth(patients: int, seed: int, dials: Dials, *, all_test: bool) -> dict[str, object]:
    ceilings = {
        finding: {view: round(auroc, 6) for view, auroc in views.items()}
        for finding, views in attainable(dials).items()
    }
    return {
        "synthetic": STATEMENT,
        "seed": seed,
        "patients": patients,
        "all_test": all_test,
        "dials": asdict(dials),
        "findings": {finding: {"role": role, "attainable_auroc": ceilings[finding]} for finding, role in ROLES.items()},
    }


def _leaks(patient: Patient, seed: int) -> list[dict[str, object]]:
    """Each leak that a patient carries, and the id of the patient with whom it is shared."""
    shared = "" if patient.partner is None else f"SYN{seed:03d}-{patient.partner:06d}"
    leaks: list[dict[str, object]] = []
    for kind in patient.planted:
        with_whom = {"shared_with": shared} if kind in SHARED else {}
        leaks.append({"kind": kind.replace("_", "-"), "patient_id": patient.patient_id, **with_whom})
    return leaks


def _faults(planted: Mapping[int, str], seed: int) -> list[dict[str, object]]:
    """Which scan carries which fault, and the codes of which one must be told."""
    return [
        {
            "folder": f"scans/{opaque(seed, number, 'scan')}",
            "series_uid": make_uid(seed, number, "series"),
            "fault": kind,
            "told_by": told_by(FAULTS[kind]),
            "quarantined": FAULTS[kind].remark is None,
        }
        for number, kind in sorted(planted.items())
    ]


def _write_json(path: Path, content: object) -> None:
    _write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
