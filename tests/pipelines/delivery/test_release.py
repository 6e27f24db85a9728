from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from data_schemas.scan import PatientFacts
from pipelines.cases.ingest import ingest
from pipelines.delivery.release import NOTES_FILE, release
from pipelines.notes.release.deidentify import METHOD
from pipelines.scans.release.profile import Profile
from pipelines.synthetic.canaries.plant import Canaries, plant_canaries
from pipelines.synthetic.canaries.search import search_folder
from pipelines.synthetic.truth import Dials
from pipelines.synthetic.write import Hospital, write_hospital
from pipelines.workspace import audit, catalogue
from pipelines.workspace.paths import Workspace, create_workspace


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Hospital, Canaries]:
    folder = tmp_path_factory.mktemp("release") / "hospital"
    hospital = write_hospital(folder, patients=2, seed=11, dials=Dials(reports=1.0))
    return hospital, plant_canaries(folder, seed=3)


@pytest.fixture(scope="module")
def workspace(planted: tuple[Hospital, Canaries], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    hospital, _ = planted
    made = create_workspace(tmp_path_factory.mktemp("release") / "workspace")
    ingest(made, scans=[hospital.scans], notes=[hospital.records])
    return made


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / NOTES_FILE).read_text(encoding="utf-8").splitlines()]


def test_notes_and_headers_of_a_patient_move_by_the_same_days(workspace: Workspace, tmp_path: Path) -> None:
    done = release(workspace, tmp_path / "out", actor="test")
    assert done.notes is not None
    assert (done.notes.notes, done.notes.refused) == (4, {})
    with workspace.database() as engine:
        gaps = {note.text[:40]: None for note in catalogue.notes(engine)}
        scanned = {scan.patient.patient_id: scan.acquired for scan in catalogue.scans(engine)}
        before = sorted(
            (note.written - scanned[note.patient.patient_id]).total_seconds()
            for note in catalogue.notes(engine)
            if note.written and scanned[note.patient.patient_id]
        )
    assert len(gaps) > 1
    after = []
    for row in lines(tmp_path / "out"):
        ds = dcmread(next((tmp_path / "out" / row["patient"]).rglob("*.dcm")), stop_before_pixels=True)
        moment = datetime.strptime(f"{ds.AcquisitionDate}{ds.AcquisitionTime}+0000", "%Y%m%d%H%M%S%z")
        after.append((datetime.fromisoformat(row["written"]) - moment).total_seconds())
    assert sorted(after) == before


def test_no_identifier_of_any_field_is_in_the_release(
    workspace: Workspace, planted: tuple[Hospital, Canaries], tmp_path: Path
) -> None:
    release(workspace, tmp_path / "out", actor="test")
    assert search_folder(planted[1].identifying, tmp_path / "out") == ()


def test_the_release_tells_how_the_notes_were_made(workspace: Workspace, tmp_path: Path) -> None:
    release(workspace, tmp_path / "out", actor="test")
    told = json.loads((tmp_path / "out" / "release.json").read_text())["notes"]
    assert (told["method"], told["notes"]) == (METHOD, 4)
    assert {"NAME", "PLACE", "EMAIL"} <= told["replaced"].keys()
    assert {row["method"] for row in lines(tmp_path / "out")} == {METHOD}
    with workspace.database() as engine:
        assert audit.events(engine, action="release", subject="notes")[-1].detail["notes"] == 4


def test_a_report_points_at_its_released_study(workspace: Workspace, tmp_path: Path) -> None:
    release(workspace, tmp_path / "out", actor="test")
    reports = [row for row in lines(tmp_path / "out") if row["kind"] == "report"]
    assert len(reports) == 2
    for row in reports:
        assert (tmp_path / "out" / row["patient"] / row["study"]).is_dir()


def test_the_same_release_twice_gives_the_same_bytes(workspace: Workspace, tmp_path: Path) -> None:
    for name in ("one", "two"):
        release(workspace, tmp_path / name, actor="test")
    assert (tmp_path / "one" / NOTES_FILE).read_bytes() == (tmp_path / "two" / NOTES_FILE).read_bytes()


def test_where_dates_are_removed_notes_have_none(workspace: Workspace, tmp_path: Path) -> None:
    release(workspace, tmp_path / "out", actor="test", profile=Profile(modified_dates=False))
    assert {row["written"] for row in lines(tmp_path / "out")} == {None}


def test_notes_can_be_left_out(workspace: Workspace, tmp_path: Path) -> None:
    assert release(workspace, tmp_path / "out", actor="test", notes=False).notes is None
    assert not (tmp_path / "out" / NOTES_FILE).exists()


def test_notes_of_a_record_that_contradicts_the_scan_stay_behind(
    planted: tuple[Hospital, Canaries], tmp_path: Path
) -> None:
    hospital, _ = planted
    made = create_workspace(tmp_path / "w")
    ingest(made, scans=[hospital.scans], notes=[hospital.records])
    with made.database() as engine:
        note = next(note for note in catalogue.notes(engine) if note.kind == "report")
        other = PatientFacts(**note.patient.model_dump() | {"sex": "F" if note.patient.sex == "M" else "M"})
        catalogue.put_notes(engine, made.key, [note.model_copy(update={"patient": other, "note_id": "x"})])
    done = release(made, tmp_path / "out", actor="test")
    assert done.notes is not None
    assert done.notes.patients == 1
