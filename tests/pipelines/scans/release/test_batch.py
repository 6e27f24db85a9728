"""A release as a whole: a folder that is there complete or not at all, and what it tells of itself."""

from __future__ import annotations

import errno
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import FileDataset

from data_schemas.errors import InputError
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Scan
from pipelines.scans.index import index_paths
from pipelines.scans.read import read_volume
from pipelines.scans.release.batch import release_scans
from pipelines.scans.release.profile import Profile
from pipelines.scans.release.run import release
from pipelines.workspace import audit
from pipelines.workspace.catalogue import put_index
from pipelines.workspace.digests import sha256_bytes
from pipelines.workspace.paths import create_workspace

Series = Callable[..., Path]


def scans_of(folder: Path) -> list[Scan]:
    return [scan for series in index_paths([folder]).series for scan in series.scans]


def test_a_released_series_is_the_same_volume(series: Series, tmp_path: Path, key: bytes) -> None:
    scans = scans_of(series())
    done = release_scans(scans, tmp_path / "out", key=key, profile=Profile())
    again = scans_of(done.folder)
    assert (done.patients, done.studies, done.scans, done.files) == (1, 1, 1, 24)
    assert len(again) == 1
    assert again[0].geometry == scans[0].geometry
    np.testing.assert_array_equal(read_volume(again[0]), read_volume(scans[0]))
    assert again[0].patient.patient_id.startswith("P-")


def test_nothing_of_the_release_names_the_patient(series: Series, tmp_path: Path, key: bytes) -> None:
    done = release_scans(scans_of(series()), tmp_path / "out", key=key, profile=Profile())
    names = [str(path.relative_to(done.folder)) for path in done.folder.rglob("*") if path.is_file()]
    everything = b"".join(path.read_bytes() for path in done.folder.rglob("*") if path.is_file())
    assert all(re.fullmatch(r"release\.json|P-[0-9a-f]{14}(/2\.25\.\d+){3}\.dcm", name) for name in names)
    for value in (b"Muster", b"Erika", b"19600102", b"20240301", b"1.2.826.0.1.3680043.8.498"):
        assert value not in everything


def test_release_json_tells_profile_and_counts(series: Series, tmp_path: Path, key: bytes) -> None:
    done = release_scans(scans_of(series()), tmp_path / "out", key=key, profile=Profile(modified_dates=False))
    told = json.loads((done.folder / "release.json").read_text())
    assert [row["code"] for row in told["profile"]] == ["113100", "113108"]
    assert (told["files"], told["dates"], told["refused"]) == (24, "removed", {})
    assert "Clean Pixel Data Option" in told["not_claimed"]


def test_two_releases_agree(series: Series, tmp_path: Path, key: bytes) -> None:
    scans = scans_of(series())
    first, second = (release_scans(scans, tmp_path / name, key=key, profile=Profile()) for name in ("a", "b"))
    for path in sorted(first.folder.rglob("*.dcm")):
        assert (second.folder / path.relative_to(first.folder)).read_bytes() == path.read_bytes()


def test_a_folder_that_exists_is_not_touched(series: Series, tmp_path: Path, key: bytes) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="there already"):
        release_scans(scans_of(series()), tmp_path / "out", key=key, profile=Profile())


def test_a_folder_in_no_folder_is_refused(series: Series, tmp_path: Path, key: bytes) -> None:
    with pytest.raises(InputError, match="cannot be made"):
        release_scans(scans_of(series()), tmp_path / "none" / "out", key=key, profile=Profile())


def test_a_release_that_is_stopped_leaves_nothing(series: Series, tmp_path: Path, key: bytes) -> None:
    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    scans = scans_of(series())
    with pytest.raises(KeyboardInterrupt):
        release_scans(scans, tmp_path / "out", key=key, profile=Profile(), progress=stop)
    assert {path.name for path in tmp_path.iterdir()} == {"series"}


def test_one_refused_file_leaves_its_scan_out_and_the_others_in(
    writer: Callable[..., np.ndarray], tmp_path: Path, key: bytes
) -> None:
    def other(ds: FileDataset, _index: int) -> None:
        ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3.4.5.1", "1.2.3.4.5.2"
        ds.SOPInstanceUID = f"1.2.3.4.5.2.{ds.InstanceNumber}"
        ds.PatientID, ds.PatientName = "ANOTHER", "Nobody^Else"

    writer(tmp_path / "in" / "a", stem="a")
    writer(tmp_path / "in" / "b", stem="b", edit=other)
    scans = scans_of(tmp_path / "in")
    assert len(scans) == 2
    last = Path(scans[0].files[-1].path)
    last.write_bytes(last.read_bytes()[:-2] + b"\1\1")
    done = release_scans(scans, tmp_path / "out", key=key, profile=Profile())
    assert [refusal.reason for refusal in done.refused] == [Reason.DIGEST_CHANGED]
    assert (done.patients, done.scans, done.files) == (1, 1, 24)
    assert len(list(done.folder.rglob("*.dcm"))) == 24


def test_a_release_of_nothing_says_why_and_leaves_nothing(series: Series, tmp_path: Path, key: bytes) -> None:
    def edit(ds: FileDataset, _index: int) -> None:
        ds.RecognizableVisualFeatures = "YES"

    with pytest.raises(InputError, match="1 burned-in-text"):
        release_scans(scans_of(series(edit=edit)), tmp_path / "out", key=key, profile=Profile())
    assert not (tmp_path / "out").exists()


def test_the_catalogue_is_released_and_the_audit_log_knows(series: Series, tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path / "workspace")
    with workspace.database() as engine:
        put_index(engine, workspace.key, index_paths([series()]))
    done = release(workspace, tmp_path / "out", actor="someone")
    with workspace.database() as engine:
        (event,) = audit.events(engine, action="release")
    assert done.files == 24
    assert event.detail == {
        "profile": ["113100", "113107", "113108"], "patients": 1, "scans": 1, "files": 24, "refused": {},
    }  # fmt: skip


def test_paths_are_released_without_the_catalogue_and_quarantined_series_are_told(
    series: Series, writer: Callable[..., np.ndarray], tmp_path: Path
) -> None:
    def edit(ds: FileDataset, index: int) -> None:
        ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3.4.5.1", "1.2.3.4.5.2"
        ds.SOPInstanceUID, ds.PatientID = f"1.2.3.4.5.2.{index}", f"ID{index % 2}"

    writer(tmp_path / "mixed", edit=edit)
    workspace = create_workspace(tmp_path / "workspace")
    done = release(workspace, tmp_path / "out", actor="someone", paths=[series(), tmp_path / "mixed"])
    assert done.scans == 1
    assert [refusal.reason for refusal in done.refused] == [Reason.MIXED_PATIENTS]


@pytest.mark.services
def test_dciodvfy_finds_no_error_that_the_source_did_not_have(series: Series, tmp_path: Path, key: bytes) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (Debian: dicom3tools) is not installed")
    folder = series()
    done = release_scans(scans_of(folder), tmp_path / "out", key=key, profile=Profile())

    def errors(path: Path) -> set[str]:
        ran = subprocess.run(["dciodvfy", "-new", path], capture_output=True, text=True, check=False)
        return {line for line in (ran.stdout + ran.stderr).splitlines() if line.startswith("Error")}

    before = errors(next(folder.glob("*.dcm")))
    after = errors(next(done.folder.rglob("*.dcm")))
    assert after <= before
    assert dcmread(next(done.folder.rglob("*.dcm"))).PatientIdentityRemoved == "YES"


def test_two_files_that_claim_one_instance_are_not_both_released(series: Series, tmp_path: Path, key: bytes) -> None:
    scans = scans_of(series())
    ds = dcmread(scans[0].files[0].path)
    ds.ConvolutionKernel = "B30f"
    (tmp_path / "other").mkdir()
    ds.save_as(tmp_path / "other" / "a.dcm", enforce_file_format=True)
    data = (tmp_path / "other" / "a.dcm").read_bytes()
    file = (
        scans[0]
        .files[0]
        .model_copy(update={"path": str(tmp_path / "other" / "a.dcm"), "sha256": sha256_bytes(data), "size": len(data)})
    )
    twin = scans[0].model_copy(update={"files": (file,), "scan_id": "twin"})
    done = release_scans([scans[0], twin], tmp_path / "out", key=key, profile=Profile())
    assert [refusal.reason for refusal in done.refused] == [Reason.DUPLICATE_UID]
    assert done.files == 24


def test_a_scan_with_suspected_text_or_of_another_format_is_refused(series: Series, tmp_path: Path, key: bytes) -> None:
    scan = scans_of(series())[0]
    suspected = scan.model_copy(update={"remarks": (Remark.BURNED_IN_TEXT_SUSPECTED,)})
    nifti = scan.model_copy(update={"format": "nifti"})
    done = release_scans([suspected, nifti, scan], tmp_path / "out", key=key, profile=Profile())
    assert done.reasons == {"burned-in-text": 1, "unsupported-object": 1}
    assert done.scans == 1
    allowed = Profile(allow_burned_in=frozenset({scan.series_uid}))
    assert release_scans([suspected], tmp_path / "again", key=key, profile=allowed).scans == 1


def test_a_file_in_which_an_identifier_was_left_is_not_released(series: Series, tmp_path: Path, key: bytes) -> None:
    def edit(ds: FileDataset, index: int) -> None:
        ds.PatientName = "Musterfrau^Erika"
        if index == 20:
            ds.PixelData = b"MUSTERFRAU" + ds.PixelData[10:]

    with pytest.raises(InputError, match="1 identifier-left"):
        release_scans(scans_of(series(edit=edit)), tmp_path / "out", key=key, profile=Profile())
    assert {path.name for path in tmp_path.iterdir()} == {"series"}


def test_a_disk_that_is_full_is_one_line_and_leaves_nothing(
    series: Series, tmp_path: Path, key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    scans = scans_of(series())
    monkeypatch.setattr("pipelines.workspace.files.os.fsync", full)
    with pytest.raises(InputError, match="No space left"):
        release_scans(scans, tmp_path / "out", key=key, profile=Profile())
    assert {path.name for path in tmp_path.iterdir()} == {"series"}
