"""A table says whose NIfTI files and stacks of pictures are; a name never does."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from data_schemas.errors import InputError
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Index, Scan, SeriesStatus
from pipelines.scans.gather import index_sources
from pipelines.scans.read import read_volume
from pipelines.scans.scan_table_draft import draft_scan_table

RANDOM = np.random.default_rng(0)


def nifti(path: Path, shape: tuple[int, int, int] = (6, 7, 8)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(RANDOM.integers(0, 900, shape).astype(np.int16), np.diag([2.0, 2.0, 3.0, 1.0]))
    image.set_sform(image.affine, code=1)
    nibabel.save(image, path)
    return path


def pictures(folder: Path, count: int = 5) -> np.ndarray:
    folder.mkdir(parents=True)
    values = RANDOM.integers(0, 255, (count, 9, 11)).astype(np.uint8)
    for number, plane in enumerate(values):
        Image.fromarray(plane).save(folder / f"{number}.png")
    return values


def index(tmp_path: Path, table: str) -> Index:
    (tmp_path / "in").mkdir(exist_ok=True)
    (tmp_path / "in" / "scanote-scans.csv").write_text(table, encoding="utf-8")
    return index_sources(tmp_path / "in", unpacked=tmp_path / "unpacked")


def only(found: Index) -> Scan:
    (series,) = found.series
    assert series.status is SeriesStatus.ACCEPTED, series.detail
    (scan,) = series.scans
    return scan


def test_a_nifti_is_of_the_patient_whom_its_row_names(tmp_path: Path) -> None:
    nifti(tmp_path / "in" / "a" / "brain.nii.gz")
    row = "a/brain.nii.gz,007,f,1950-02-03,71.5,1.2.3,mr,2024-03-05T10:00:00,T1 gd,head"
    scan = only(
        index(
            tmp_path,
            f"file,patient_id,sex,birth_date,age_years,study_uid,modality,acquired,description,body_part\n{row}\n",
        )
    )
    assert (scan.patient.patient_id, scan.patient.sex, scan.patient.age_years) == ("007", "F", 71.5)
    assert (scan.study_uid, scan.modality, scan.acquired) == ("1.2.3", "MR", datetime(2024, 3, 5, 10))
    assert (scan.facts.description, scan.facts.body_part) == ("T1 gd", "HEAD")
    assert Remark.UNDATED not in scan.remarks


def test_a_day_without_a_time_counts_from_its_first_instant(tmp_path: Path) -> None:
    nifti(tmp_path / "in" / "x.nii")
    scan = only(index(tmp_path, "file,patient_id,acquired\nx.nii,7,2024-03-05\n"))
    assert scan.acquired == datetime(2024, 3, 5)


def test_a_table_that_a_spreadsheet_saved_with_semicolons_and_capitals_is_read(tmp_path: Path) -> None:
    nifti(tmp_path / "in" / "x.nii")
    scan = only(index(tmp_path, "File;Patient_ID;acquired\nx.nii;007;2024-03-05\n"))
    assert (scan.patient.patient_id, scan.acquired) == ("007", datetime(2024, 3, 5))


def test_stated_pictures_are_not_counted_as_ignored_however_their_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures(tmp_path / "in" / "p1")
    table = "file,patient_id,modality,plane,slice_mm,row_mm,column_mm\np1,8,MR,axial,1,1,1\n"
    (tmp_path / "in" / "scanote-scans.csv").write_text(table)
    monkeypatch.chdir(tmp_path)
    found = index_sources("in", unpacked=tmp_path / "unpacked")
    assert [series.status for series in found.series] == [SeriesStatus.ACCEPTED]
    assert found.ignored == {}


def test_a_nifti_without_a_row_belongs_to_nobody(tmp_path: Path) -> None:
    nifti(tmp_path / "in" / "x.nii")
    nifti(tmp_path / "in" / "y.nii")
    found = index(tmp_path, "file,patient_id\nx.nii,7\n")
    assert [series.scans[0].patient.patient_id for series in found.series] == ["7", ""]


@pytest.mark.parametrize(
    ("plane", "axes"),
    [
        ("axial", [[-0.7, 0, 0], [0, -0.8, 0], [0, 0, 2.5]]),
        ("-axial", [[-0.7, 0, 0], [0, -0.8, 0], [0, 0, -2.5]]),
        ("coronal", [[-0.7, 0, 0], [0, 0, -2.5], [0, -0.8, 0]]),
        ("sagittal", [[0, 0, 2.5], [-0.7, 0, 0], [0, -0.8, 0]]),
    ],
)
def test_a_folder_of_pictures_lies_as_its_row_states(tmp_path: Path, plane: str, axes: list[list[float]]) -> None:
    """The columns of the affine are the steps of a column (0.7 mm), a row (0.8 mm) and a slice (2.5 mm)."""
    values = pictures(tmp_path / "in" / "p1")
    row = f"p1,7,CT,{plane},2.5,0.8,0.7,2,-1000"
    scan = only(
        index(
            tmp_path,
            f"file,patient_id,modality,plane,slice_mm,row_mm,column_mm,rescale_slope,rescale_intercept\n{row}\n",
        )
    )
    steps = np.array(scan.geometry.affine)[:3, :3]
    expected = np.array(axes)
    np.testing.assert_allclose(steps, expected)
    np.testing.assert_array_equal(read_volume(scan), values * 2.0 - 1000)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("../x.nii,7,,,", Reason.UNREADABLE_ROW),
        ("gone.nii,7,,,", Reason.FILE_MISSING),
        ("x.nii,,,,", Reason.MISSING_PATIENT),
        ("x.nii,7,axial,,", Reason.NOT_A_RECORD),
        ("p1,7,,1,1", Reason.MISSING_GEOMETRY),
        ("p1,7,axial,0,1", Reason.MISSING_GEOMETRY),
        ("p1,7,oblique,1,1", Reason.MISSING_GEOMETRY),
    ],
)
def test_a_row_that_cannot_be_used_is_listed_with_its_number(tmp_path: Path, row: str, reason: Reason) -> None:
    nifti(tmp_path / "in" / "x.nii")
    pictures(tmp_path / "in" / "p1")
    nifti(tmp_path / "x.nii")
    found = index(tmp_path, f"file,patient_id,plane,slice_mm,row_mm\n{row}\n")
    (refused,) = [series for series in found.series if series.reasons]
    assert refused.reasons == (reason,)
    assert refused.where.endswith("row 1")


def test_a_file_that_two_rows_name_is_refused_once(tmp_path: Path) -> None:
    nifti(tmp_path / "in" / "x.nii")
    found = index(tmp_path, "file,patient_id\nx.nii,7\n./x.nii,8\n")
    assert [series.reasons for series in found.series] == [(), (Reason.NOT_A_RECORD,)]


def test_a_stack_is_stated_by_a_row_or_by_a_sidecar_not_by_both(tmp_path: Path) -> None:
    pictures(tmp_path / "in" / "p1")
    (tmp_path / "in" / "p1" / "scanote-stack.yaml").write_text(
        "modality: MR\norder: name\nspacing_mm: [1, 1, 1]\norientation: [1, 0, 0, 0, 1, 0]\npatient_id: '7'\n"
    )
    found = index(tmp_path, "file,patient_id,modality,plane,slice_mm,row_mm,column_mm\np1,8,MR,axial,1,1,1\n")
    assert [series.reasons for series in found.series] == [(), (Reason.NOT_A_RECORD,)]


def test_a_table_with_a_strange_column_is_one_line(tmp_path: Path) -> None:
    nifti(tmp_path / "in" / "x.nii")
    with pytest.raises(InputError, match="1 unknown columns"):
        index(tmp_path, "file,patient_id,Mrs Miller\nx.nii,7,\n")


def test_a_draft_is_read_again_as_it_was_meant(tmp_path: Path) -> None:
    for patient in ("01", "02"):
        nifti(tmp_path / "in" / f"sub-{patient}" / f"sub-{patient}_T1w.nii.gz")
    text = draft_scan_table(tmp_path / "in", pattern="sub-{patient_id}/*_{description}.nii.gz", modality="MR")
    found = index(tmp_path, text)
    assert [scan.patient.patient_id for series in found.series for scan in series.scans] == ["01", "02"]
    assert {scan.facts.description for series in found.series for scan in series.scans} == {"T1w"}


def test_a_draft_without_a_pattern_leaves_the_patient_blank(tmp_path: Path) -> None:
    nifti(tmp_path / "in" / "x.nii")
    pictures(tmp_path / "in" / "p1")
    lines = draft_scan_table(tmp_path / "in").splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [["p1", ""], ["x.nii", ""]]


@pytest.mark.parametrize(
    "pattern", ["*.nii", "{patient}.nii", "{patient_id}_{patient_id}.nii", "other-{patient_id}.nii"]
)
def test_a_pattern_that_does_not_name_every_patient_is_refused(tmp_path: Path, pattern: str) -> None:
    nifti(tmp_path / "in" / "x.nii")
    with pytest.raises(InputError):
        draft_scan_table(tmp_path / "in", pattern=pattern)


def test_a_name_that_would_be_a_formula_is_not_written(tmp_path: Path) -> None:
    nifti(tmp_path / "in" / "=cmd.nii")
    with pytest.raises(InputError, match="= "):
        draft_scan_table(tmp_path / "in")
