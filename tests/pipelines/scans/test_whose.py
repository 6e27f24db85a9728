"""Whose a file is can be told from the manifest, or from the file itself, and can be left out of the manifest."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from data_schemas.scan import Series, SeriesStatus
from pipelines.scans import manifest as module
from pipelines.scans.index import index_paths
from pipelines.scans.manifest import open_manifest
from pipelines.scans.whose import owners_of_series
from pipelines.synthetic.write import write_hospital


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_hospital(tmp_path_factory.mktemp("hospital") / "h", patients=2, seed=5).scans


@pytest.fixture
def scans(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "SETTLE_SECONDS", -3600.0)
    return Path(shutil.copytree(written, tmp_path / "scans"))


def test_the_manifest_tells_whom_each_file_names_and_keeps_nothing_that_was_left_out(
    scans: Path, tmp_path: Path
) -> None:
    path = tmp_path / "headers.db"
    with open_manifest(path) as manifest:
        index = index_paths(scans, manifest=manifest)
    told = {(scan.patient.patient_id, scan.study_uid, scan.series_uid) for s in index.series for scan in s.scans}
    with open_manifest(path) as manifest:
        held = dict(manifest.owners())
        assert {tuple(owner) for owners in held.values() for owner in owners} == told
        first, second = sorted({owner.patient_id for owners in held.values() for owner in owners})
        manifest.leave_out(name for name, owners in held.items() if {owner.patient_id for owner in owners} == {first})
    with open_manifest(path) as manifest:
        assert {owner.patient_id for _, owners in manifest.owners() for owner in owners} == {second}
    assert first.encode() not in path.read_bytes()


def test_a_quarantined_series_is_the_one_whom_its_files_name(scans: Path) -> None:
    accepted = index_paths(scans).series[0]
    stuck = Series(
        series_uid=accepted.series_uid,
        study_uid="",
        modality="CT",
        files=1,
        transfer_syntax="",
        status=SeriesStatus.QUARANTINED,
        where=str(scans),
    )
    [owner] = owners_of_series(stuck)
    assert owner.patient_id == accepted.scans[0].patient.patient_id
    assert owners_of_series(stuck.model_copy(update={"where": str(scans / "gone")})) == frozenset()
