"""A forgotten patient does not come back by an ingest, whatever the way, and everybody else does."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pydicom
import pytest

from data_schemas.cohort import IdMapping
from data_schemas.reasons import Reason
from data_schemas.scan import Index, SeriesStatus
from pipelines.cases import ingest as module
from pipelines.cases.ingest import Ingested, ingest, load_cases
from pipelines.cases.turned_away import gate_of, sift
from pipelines.delivery.forget import forget, lift
from pipelines.scans import manifest as manifests
from pipelines.scans.manifest import open_manifest
from pipelines.sources.outcome import Records
from pipelines.synthetic.write import Hospital, write_hospital
from pipelines.workspace import catalogue
from pipelines.workspace.identity import study_key
from pipelines.workspace.paths import Workspace, create_workspace
from pipelines.workspace.tombstones import blocked

PATIENTS = 2


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    return write_hospital(tmp_path_factory.mktemp("written") / "hospital", patients=PATIENTS, seed=3)


@pytest.fixture
def hospital(written: Hospital, tmp_path: Path) -> SimpleNamespace:
    """Two patients on disk, this test's own."""
    folder = tmp_path / "hospital"
    shutil.copytree(written.folder, folder)
    places = {
        name: folder / getattr(written, name).relative_to(written.folder) for name in ("scans", "records", "labels")
    }
    return SimpleNamespace(**places)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setattr(manifests, "SETTLE_SECONDS", -3600.0)
    return create_workspace(tmp_path / "workspace")


def read(workspace: Workspace, hospital: SimpleNamespace, **more: object) -> Ingested:
    return ingest(workspace, scans=[hospital.scans], notes=[hospital.records], labels=[hospital.labels], **more)


def somebody(workspace: Workspace) -> tuple[str, str]:
    """The id and the study UID of one of the patients."""
    scan = load_cases(workspace).cases[0].scan
    assert scan is not None
    return scan.patient.patient_id, scan.study_uid


def held(workspace: Workspace) -> set[str]:
    with workspace.database() as engine:
        people = {item.patient.patient_id for item in (*catalogue.scans(engine), *catalogue.notes(engine))}
        people |= {item.patient.patient_id for item in catalogue.observations(engine)}
        return people | {item.patient_id for item in catalogue.labels(engine)} - {""}


def rows_of(workspace: Workspace, patient: str) -> set[str]:
    """What the catalogue holds of a patient now."""
    with workspace.database() as engine:
        named = [*catalogue.scans(engine), *catalogue.notes(engine), *catalogue.observations(engine)]
        of_labels = {item.model_dump_json() for item in catalogue.labels(engine) if item.patient_id == patient}
    return of_labels | {item.model_dump_json() for item in named if item.patient.patient_id == patient}


def forget_meanwhile(monkeypatch: pytest.MonkeyPatch, workspace: Workspace, patient: str) -> None:
    """Forget a patient when the next ingest has asked who is forgotten, and has put nothing yet."""
    real: Callable[..., object] = module.leave_nothing

    def meanwhile(*arguments: object) -> None:
        real(*arguments)
        monkeypatch.setattr(module, "leave_nothing", real)
        forget(workspace, patient, actor="tester")

    monkeypatch.setattr(module, "leave_nothing", meanwhile)


def test_the_same_sources_bring_back_everybody_else_and_list_who_was_turned_away(
    workspace: Workspace, hospital: SimpleNamespace
) -> None:
    read(workspace, hospital)
    patient, _ = somebody(workspace)
    done = forget(workspace, patient, actor="tester")
    again = read(workspace, hospital)
    assert patient not in held(workspace)
    assert len(again.linked.cases) == PATIENTS - 1
    [series] = [series for series in again.index.series if series.reasons]
    assert (series.status, series.reasons) == (SeriesStatus.QUARANTINED, (Reason.FORGOTTEN,))
    turned = sum(line.reason is Reason.FORGOTTEN for line in again.refused)
    assert turned == sum(done.counts[kind] for kind in ("notes", "observations", "labels"))
    assert not any(patient in line.where + line.detail for line in again.refused)


def test_nothing_of_who_was_turned_away_is_stored(workspace: Workspace, hospital: SimpleNamespace) -> None:
    read(workspace, hospital)
    patient, study = somebody(workspace)
    forget(workspace, patient, actor="tester")
    read(workspace, hospital)
    database = b"".join(path.read_bytes() for path in workspace.root.glob("scanote.db*"))
    assert patient.encode() not in database
    assert study.encode() not in database
    with open_manifest(workspace.manifest) as manifest:
        owners = {owner for _, found in manifest.owners() for owner in found}
    assert len({owner.patient_id for owner in owners}) == PATIENTS - 1
    assert patient not in {owner.patient_id for owner in owners}


def test_once_lifted_the_next_ingest_takes_the_patient_in(workspace: Workspace, hospital: SimpleNamespace) -> None:
    before = read(workspace, hospital)
    patient, _ = somebody(workspace)
    forget(workspace, patient, actor="tester")
    lift(workspace, patient, reason="consent was given again", actor="tester")
    assert read(workspace, hospital).linked.cases == before.linked.cases


def test_a_later_study_of_the_patient_is_turned_away_too_and_known_from_then_on(
    workspace: Workspace, hospital: SimpleNamespace
) -> None:
    read(workspace, hospital)
    patient, study = somebody(workspace)
    forget(workspace, patient, actor="tester")
    for path in hospital.scans.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        if dataset.PatientID == patient:
            dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"{study}.9", f"{study}.9.1"
            dataset.save_as(path)
    read(workspace, hospital)
    assert len(load_cases(workspace).cases) == PATIENTS - 1
    with workspace.database() as engine:
        assert study_key(workspace.key, f"{study}.9") in blocked(engine).studies


def test_the_study_under_another_id_is_turned_away(workspace: Workspace, hospital: SimpleNamespace) -> None:
    read(workspace, hospital)
    patient, study = somebody(workspace)
    forget(workspace, patient, actor="tester")
    for path in hospital.scans.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        if dataset.StudyInstanceUID == study:
            dataset.PatientID = "PSEUDONYM-1"
            dataset.save_as(path)
    read(workspace, hospital)
    assert len(load_cases(workspace).cases) == PATIENTS - 1


def test_records_that_name_only_the_study_are_turned_away(
    workspace: Workspace, hospital: SimpleNamespace, tmp_path: Path
) -> None:
    read(workspace, hospital)
    patient, study = somebody(workspace)
    forget(workspace, patient, actor="tester")
    (tmp_path / "more.csv").write_text(f"study_uid,pneumonia\n{study},1\n")
    done = ingest(workspace, labels=[tmp_path / "more.csv"])
    assert [line.reason for line in done.refused] == [Reason.FORGOTTEN]


def test_an_id_that_only_the_map_leads_to_is_turned_away(
    workspace: Workspace, hospital: SimpleNamespace, tmp_path: Path
) -> None:
    read(workspace, hospital)
    patient, study = somebody(workspace)
    forget(workspace, patient, actor="tester")
    for path in hospital.scans.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        if dataset.PatientID == patient:
            dataset.PatientID, dataset.StudyInstanceUID = "NEW-SCAN-ID", f"{study}.8"
            dataset.SeriesInstanceUID = f"{study}.8.1"
            dataset.save_as(path)
    (tmp_path / "map.csv").write_text(f"scan_patient_id,record_patient_id\nNEW-SCAN-ID,{patient}\n")
    done = read(workspace, hospital, id_map=tmp_path / "map.csv")
    assert len(done.linked.cases) == PATIENTS - 1
    assert "NEW-SCAN-ID" not in held(workspace)


def test_a_copy_that_came_in_again_is_removed_and_the_source_outside_is_not(
    workspace: Workspace, hospital: SimpleNamespace
) -> None:
    read(workspace, hospital)
    patient, study = somebody(workspace)
    forget(workspace, patient, actor="tester")
    own = [path for path in sorted(hospital.scans.rglob("*.dcm")) if pydicom.dcmread(path).PatientID == patient]
    batch = workspace.incoming / "received" / study_key(workspace.key, study) / "batch"
    batch.mkdir(parents=True)
    for path in own:
        shutil.copy(path, batch)
    ingest(workspace, scans=[batch.parent])
    assert not batch.exists()
    assert all(path.is_file() for path in own)


def test_a_quarantined_series_of_the_patient_is_not_stored(workspace: Workspace, hospital: SimpleNamespace) -> None:
    read(workspace, hospital)
    patient, study = somebody(workspace)
    forget(workspace, patient, actor="tester")
    own = [path for path in sorted(hospital.scans.rglob("*.dcm")) if pydicom.dcmread(path).PatientID == patient]
    own[len(own) // 2].unlink()
    for path in own:
        if path.exists():
            dataset = pydicom.dcmread(path)
            dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"{study}.7", f"{study}.7.1"
            dataset.save_as(path)
    read(workspace, hospital)
    with workspace.database() as engine:
        assert catalogue.quarantined(engine) == ()


def test_who_is_forgotten_while_an_ingest_runs_is_not_brought_back_by_it(
    workspace: Workspace, hospital: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(workspace, hospital)
    patient, _ = somebody(workspace)
    forget_meanwhile(monkeypatch, workspace, patient)
    read(workspace, hospital)
    assert patient not in held(workspace)
    assert len(load_cases(workspace).cases) == PATIENTS - 1


def test_records_that_were_put_meanwhile_are_taken_out_and_nothing_else_of_whoever_they_name(
    workspace: Workspace, hospital: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A note of another patient about the forgotten study, a label by study, and a row of the id map."""
    read(workspace, hospital)
    patient, study = somebody(workspace)
    [other] = held(workspace) - {patient}
    forget_meanwhile(monkeypatch, workspace, patient)
    (tmp_path / "notes.csv").write_text(
        f"patient_id,datetime,type,text,study_uid\n{other},2024-01-01,note,Cough,{study}\n"
    )
    (tmp_path / "labels.csv").write_text(f"study_uid,covid\n{study},1\n")
    (tmp_path / "map.csv").write_text(f"scan_patient_id,record_patient_id\n{patient},REC-1\n")
    before = rows_of(workspace, other)
    ingest(workspace, notes=[tmp_path / "notes.csv"], labels=[tmp_path / "labels.csv"], id_map=tmp_path / "map.csv")
    assert rows_of(workspace, other) == before
    with workspace.database() as engine:
        assert catalogue.id_map(engine) == ()
        assert all(label.patient_id == other for label in catalogue.labels(engine))


def test_a_long_id_map_is_followed_in_one_pass(workspace: Workspace, hospital: SimpleNamespace) -> None:
    read(workspace, hospital)
    patient, _ = somebody(workspace)
    forget(workspace, patient, actor="tester")
    rows = [IdMapping(scan_patient_id=f"S{number}", record_patient_id=f"R{number}") for number in range(20_000)]
    rows.append(IdMapping(scan_patient_id="NEW", record_patient_id=patient))
    with workspace.database() as engine:
        gate = gate_of(workspace, engine)
    began = time.process_time()
    turned = sift(Index(), Records(id_map=tuple(rows)), gate).turned.id_map
    assert turned == (rows[-1],)
    assert time.process_time() - began < 10.0
