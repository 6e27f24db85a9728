"""The scans on disk: conforming CT series that come back as the very phantom, whatever their order."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from highdicom import _standard_utils as standard

from data_schemas.recipes import ScanRecipe
from data_schemas.scan import Index, Scan, SeriesStatus
from pipelines.scans.index import series_json
from pipelines.scans.preprocess import preprocess
from pipelines.scans.read import read_volume
from pipelines.synthetic.patients import Patient
from pipelines.synthetic.write import Hospital


@pytest.fixture(scope="module")
def headers(hospital: Hospital) -> list[list[pydicom.Dataset]]:
    """The headers of every series, in the order of file names."""
    return [
        [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(folder.iterdir())]
        for folder in sorted(hospital.scans.iterdir())
    ]


def missing(dataset: pydicom.Dataset) -> Iterator[str]:
    """Attributes of the mandatory modules of CT Image Storage that a data set lacks."""
    attributes = standard.get_module_attribute_map()
    for module in standard.get_iod_module_map()["ct-image"]:
        if module["usage"] == "M":
            for item in attributes[module["key"]]:
                if not item["path"] and item["type"] in {"1", "2"} and item["keyword"] not in dataset:
                    yield item["keyword"]


def test_every_series_is_accepted_without_a_remark(index: Index, patients: dict[str, Patient]) -> None:
    assert [series.status for series in index.series] == [SeriesStatus.ACCEPTED] * len(patients)
    assert index.ignored == {}
    assert all(series.remarks == () for series in index.series)
    assert "quarantined" not in json.dumps(series_json(index))


def test_every_volume_is_the_phantom_voxel_by_voxel_and_where_it_lies(
    scans: list[Scan], patients: dict[str, Patient]
) -> None:
    for scan in scans:
        phantom = patients[scan.patient.patient_id].phantom
        np.testing.assert_array_equal(read_volume(scan), phantom.volume.astype(np.float32))
        assert scan.geometry.shape == phantom.geometry.shape
        np.testing.assert_allclose(scan.geometry.spacing_mm, phantom.geometry.spacing_mm, atol=1e-9)
        np.testing.assert_allclose(scan.geometry.affine, phantom.geometry.affine, atol=1e-9)


def test_the_way_through_dicom_gives_the_same_tensor_as_the_way_in_memory(
    scans: list[Scan], patients: dict[str, Patient]
) -> None:
    recipe = ScanRecipe()
    grid = {"shape": recipe.shape, "spacing_mm": recipe.spacing_mm, "windows_hu": recipe.windows_hu}
    for scan in scans:
        phantom = patients[scan.patient.patient_id].phantom
        through_files = preprocess(read_volume(scan), scan.geometry, **grid)
        in_memory = preprocess(phantom.volume, phantom.geometry, **grid)
        assert np.abs(through_files.values - in_memory.values).max() <= 1e-6
        np.testing.assert_allclose(through_files.affine, in_memory.affine, atol=1e-9)


def test_dcm2niix_agrees_on_voxels_and_place(scans: list[Scan], tmp_path: Path) -> None:
    scan = scans[0]
    command = ["-b", "n", "-f", "scan", "-o", str(tmp_path), str(Path(scan.files[0].path).parent)]
    program = Path(__import__("dcm2niix").bin)
    subprocess.run([program, *command], check=True, capture_output=True)
    image = nibabel.as_closest_canonical(nibabel.load(tmp_path / "scan.nii"))
    ours = nibabel.Nifti1Image(read_volume(scan).transpose(2, 1, 0), np.array(scan.geometry.affine))
    ours = nibabel.as_closest_canonical(ours)
    np.testing.assert_array_equal(np.asarray(image.dataobj), np.asarray(ours.dataobj))
    np.testing.assert_allclose(image.affine, ours.affine, atol=1e-3)


def test_the_headers_tell_the_patient_as_drawn(scans: list[Scan], patients: dict[str, Patient]) -> None:
    for scan in scans:
        patient = patients[scan.patient.patient_id]
        assert (scan.patient.sex, scan.patient.birth_date) == (patient.sex, patient.birth_date)
        assert scan.patient.age_years == patient.age_years
        assert scan.patient.name.startswith("SYNTHETIC^")
        assert scan.acquired is not None
        assert scan.acquired.replace(tzinfo=None) == patient.scanned
        assert scan.acquired.utcoffset() is not None


def test_no_attribute_of_a_mandatory_module_is_missing(headers: list[list[pydicom.Dataset]]) -> None:
    assert [list(missing(series[0])) for series in headers] == [[]] * len(headers)


def test_every_uid_is_valid_and_every_instance_has_its_own(headers: list[list[pydicom.Dataset]]) -> None:
    slices = [dataset for series in headers for dataset in series]
    instances = [dataset.SOPInstanceUID for dataset in slices]
    assert len(set(instances)) == len(slices)
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert all(dataset[keyword].value.is_valid and dataset[keyword].value.startswith("2.25.") for dataset in slices)
    assert len({dataset.StudyInstanceUID for dataset in slices}) == len(headers)


def test_file_names_and_instance_numbers_follow_the_slices_in_some_series_only(
    headers: list[list[pydicom.Dataset]],
) -> None:
    by_name = [np.argsort([float(item.SliceLocation) for item in series]).tolist() for series in headers]
    by_number = [
        np.argsort([float(item.SliceLocation) for item in sorted(series, key=lambda item: int(item.InstanceNumber))])
        for series in headers
    ]
    forward = list(range(40))
    assert any(order not in (forward, forward[::-1]) for order in by_name)
    assert any(order in (forward, forward[::-1]) for order in by_name)
    assert {tuple(order) for order in by_number} == {tuple(forward), tuple(forward[::-1])}


def test_scanners_differ_in_how_they_store_hounsfield_units(headers: list[list[pydicom.Dataset]]) -> None:
    stored = {
        (item.Manufacturer, item.PixelRepresentation, item.BitsStored, int(item.RescaleIntercept))
        for series in headers
        for item in series
    }
    assert stored == {("SCANOTE-A", 0, 12, -1024), ("SCANOTE-B", 1, 16, 0), ("SCANOTE-C", 0, 16, -1024)}
