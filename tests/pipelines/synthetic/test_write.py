"""The hospital on disk: its files, its tables, and that its bytes follow from the seed alone."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from data_schemas.errors import InputError
from pipelines.sources.outcome import Records
from pipelines.synthetic.patients import Patient
from pipelines.synthetic.split import split_of
from pipelines.synthetic.truth import ROLES, Dials, attainable
from pipelines.synthetic.write import Hospital, write_hospital

ROOT = Path(__file__).parents[3]
Digests = Callable[[Path], dict[str, str]]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_same_seed_gives_the_same_bytes_in_another_process_and_time_zone(
    write: Callable[..., Hospital], digests: Digests, tmp_path: Path
) -> None:
    here = write(patients=3)
    code = (
        "from pathlib import Path; from pipelines.synthetic.write import write_hospital;"
        "from pipelines.synthetic.truth import Dials;"
        "write_hospital(Path('there'), patients=3, seed=11, dials=Dials(missing_notes=0.2, future_notes=0.4))"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=tmp_path, env=environment)
    assert digests(tmp_path / "there") == digests(here.folder)


def test_another_seed_gives_other_scans_records_and_labels(write: Callable[..., Hospital], digests: Digests) -> None:
    first, other = digests(write(patients=2).folder), digests(write(patients=2, seed=12).folder)
    assert not set(first.values()) & set(other.values())


def test_more_patients_change_nobody(write: Callable[..., Hospital], hospital: Hospital, digests: Digests) -> None:
    few, all_files = digests(write(patients=2).folder), digests(hospital.folder)
    alone = {path for path in few if path.startswith(("scans/", "records/"))}
    assert {path: few[path] for path in alone} == {path: all_files[path] for path in alone}


def test_file_and_folder_names_tell_nothing_of_the_patient(hospital: Hospital, patients: dict[str, Patient]) -> None:
    names = {part for path in hospital.folder.rglob("*") for part in path.relative_to(hospital.folder).parts}
    for patient_id, patient in patients.items():
        told = (patient_id, f"{patient.number:06d}", f"{patient.birth_date:%Y%m%d}")
        assert not [name for name in names if any(word in name for word in told)]


def test_what_was_written_is_counted(hospital: Hospital, patients: dict[str, Patient]) -> None:
    assert hospital.patients == hospital.series == len(list(hospital.scans.iterdir())) == len(patients)
    assert hospital.slices == len(list(hospital.scans.rglob("*.dcm")))
    assert hospital.notes == sum(patient.note is not None for patient in patients.values()) < len(patients)
    assert hospital.future_notes == sum(patient.future_note is not None for patient in patients.values()) > 0
    assert len(list(hospital.records.iterdir())) == len(patients)


def test_the_labels_are_read_back_as_drawn(records: Records, patients: dict[str, Patient]) -> None:
    assert records.refused == ()
    found: dict[str, dict[str, int]] = {}
    for label in records.labels:
        found.setdefault(label.patient_id, {})[label.finding] = int(label.value)
    assert found == {patient_id: patient.labels for patient_id, patient in patients.items()}


def test_the_splits_are_listed_by_patient(hospital: Hospital, patients: dict[str, Patient]) -> None:
    expected = {patient_id: split_of(patient.number, seed=11) for patient_id, patient in patients.items()}
    assert {row["patient_id"]: row["split"] for row in rows(hospital.splits)} == expected


def test_all_patients_can_be_written_as_test(write: Callable[..., Hospital]) -> None:
    hospital = write(patients=4, all_test=True)
    assert {row["split"] for row in rows(hospital.splits)} == {"test"}


def test_the_truth_tells_seed_dials_roles_and_what_is_attainable(hospital: Hospital) -> None:
    truth = json.loads(hospital.truth.read_text(encoding="utf-8"))
    assert (truth["seed"], truth["patients"], truth["dials"]["future_notes"]) == (11, hospital.patients, 0.4)
    assert "synthetic" in truth["synthetic"]
    expected = attainable(Dials(missing_notes=0.2, future_notes=0.4))
    for finding, role in ROLES.items():
        assert truth["findings"][finding]["role"] == role
        assert truth["findings"][finding]["attainable_auroc"] == pytest.approx(expected[finding], abs=1e-6)


def test_the_readme_says_that_it_is_synthetic(hospital: Hospital) -> None:
    assert "synthetic" in (hospital.folder / "README.md").read_text(encoding="utf-8")


def test_progress_is_told_patient_by_patient(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_hospital(tmp_path / "new", patients=2, seed=0, progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 2), (2, 2)]


@pytest.mark.parametrize(("patients", "seed"), [(0, 0), (-3, 0), (1, -1)])
def test_no_patients_or_a_negative_seed_is_refused_before_anything_is_written(
    patients: int, seed: int, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="at least one patient"):
        write_hospital(tmp_path / "new", patients=patients, seed=seed)
    assert not (tmp_path / "new").exists()


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="is not empty"):
        write_hospital(tmp_path, patients=1, seed=0)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="name a new folder"):
        write_hospital(tmp_path / "file", patients=1, seed=0)
