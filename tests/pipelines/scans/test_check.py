"""Each fault, planted in one series, is named; nothing is accepted that is not a right volume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from data_schemas.reasons import Reason, Remark
from pipelines.scans.check import Verdict, check_series
from pipelines.scans.headers import read_header
from pipelines.scans.slice_header import SliceHeader

Changes = dict[str, object]


def headers_of(folder: Path) -> list[SliceHeader]:
    return [read_header(path.read_bytes(), path=str(path)) for path in sorted(folder.iterdir())]


@pytest.fixture
def judged(series: Callable[..., Path]) -> Callable[..., Verdict]:
    """Judge a series with attributes changed on some of its 24 slices (all by default); None deletes."""

    def judge(changes: Changes, on: range | tuple[int, ...] = range(24), **arguments: object) -> Verdict:
        def edit(ds: Dataset, index: int) -> None:
            if index in on:
                for name, value in changes.items():
                    if value is None:
                        delattr(ds, name)
                    else:
                        setattr(ds, name, value)

        return check_series(headers_of(series(edit=edit, **arguments)))

    return judge


def reasons(verdict: Verdict) -> set[Reason]:
    return {problem.reason for problem in verdict.problems}


def position(index: int, *, z: float = 0.0, x: float = 0.0) -> list[str]:
    return [f"{-40.0 + x:.4f}", "-30.0", f"{100.0 + 2.5 * index + z:.4f}"]


ONE = (11,)
FAULTS: list[tuple[str, Reason, Changes, range | tuple[int, ...]]] = [
    ("another patient id", Reason.MIXED_PATIENTS, {"PatientID": "008"}, ONE),
    ("a patient id in another case", Reason.MIXED_PATIENTS, {"PatientID": "7"}, ONE),
    ("a blank patient id", Reason.MIXED_PATIENTS, {"PatientID": ""}, ONE),
    ("another issuer", Reason.MIXED_PATIENTS, {"IssuerOfPatientID": "OTHER"}, ONE),
    ("another name", Reason.MIXED_PATIENTS, {"PatientName": "Muster^Erik"}, ONE),
    ("another birth date", Reason.MIXED_PATIENTS, {"PatientBirthDate": "19600103"}, ONE),
    ("another sex", Reason.MIXED_PATIENTS, {"PatientSex": "M"}, ONE),
    ("another study", Reason.MIXED_STUDIES, {"StudyInstanceUID": "1.2.3"}, ONE),
    ("another frame of reference", Reason.MIXED_FRAMES_OF_REFERENCE, {"FrameOfReferenceUID": "1.2.3"}, ONE),
    ("another plane", Reason.MIXED_ORIENTATION, {"ImageOrientationPatient": [1, 0, 0, 0, 0.999, 0.0447]}, ONE),
    ("feet first", Reason.MIXED_ORIENTATION, {"PatientPosition": "FFS"}, ONE),
    ("another pixel spacing", Reason.MIXED_SHAPE, {"PixelSpacing": ["0.9", "0.7"]}, ONE),
    ("other bits", Reason.MIXED_SHAPE, {"BitsStored": 16, "HighBit": 15}, ONE),
    ("rows and columns exchanged", Reason.MIXED_SHAPE, {"Rows": 60, "Columns": 64}, ONE),
    ("another intercept", Reason.MIXED_INTENSITY_SCALE, {"RescaleIntercept": "-1000"}, ONE),
    ("another slope", Reason.MIXED_INTENSITY_SCALE, {"RescaleSlope": "2"}, ONE),
    ("one without rescale", Reason.MIXED_INTENSITY_SCALE, {"RescaleSlope": None, "RescaleIntercept": None}, ONE),
    ("one MONOCHROME1", Reason.MIXED_INTENSITY_SCALE, {"PhotometricInterpretation": "MONOCHROME1"}, ONE),
    ("all MONOCHROME1", Reason.PHOTOMETRIC_CONFLICT, {"PhotometricInterpretation": "MONOCHROME1"}, range(24)),
    ("no photometry", Reason.PHOTOMETRIC_CONFLICT, {"PhotometricInterpretation": None}, range(24)),
    ("no rescale", Reason.IMPLAUSIBLE_INTENSITY, {"RescaleSlope": None, "RescaleIntercept": None}, range(24)),
    ("an intercept without slope", Reason.IMPLAUSIBLE_INTENSITY, {"RescaleSlope": None}, range(24)),
    ("slope 0", Reason.IMPLAUSIBLE_INTENSITY, {"RescaleSlope": "0"}, range(24)),
    ("a negative slope", Reason.IMPLAUSIBLE_INTENSITY, {"RescaleSlope": "-1"}, range(24)),
    ("no room for air", Reason.IMPLAUSIBLE_INTENSITY, {"RescaleIntercept": "0"}, range(24)),
    ("another unit", Reason.IMPLAUSIBLE_INTENSITY, {"RescaleType": "Z_EFF"}, range(24)),
    ("a look-up table", Reason.UNSUPPORTED_OBJECT, {"ModalityLUTSequence": [Dataset()]}, range(24)),
    ("no position", Reason.MISSING_GEOMETRY, {"ImagePositionPatient": None}, ONE),
    ("no orientation", Reason.MISSING_GEOMETRY, {"ImageOrientationPatient": None}, range(24)),
    ("no pixel spacing", Reason.MISSING_GEOMETRY, {"PixelSpacing": None}, ONE),
    ("no rows", Reason.MISSING_GEOMETRY, {"Rows": None}, ONE),
    ("no spacing between pixels", Reason.IMPLAUSIBLE_GEOMETRY, {"PixelSpacing": ["0", "0.7"]}, range(24)),
    ("negative pixel spacing", Reason.IMPLAUSIBLE_GEOMETRY, {"PixelSpacing": ["-0.8", "0.7"]}, range(24)),
    ("pixels of 80 mm", Reason.IMPLAUSIBLE_GEOMETRY, {"PixelSpacing": ["80", "70"]}, range(24)),
    ("axes askew", Reason.IMPLAUSIBLE_GEOMETRY, {"ImageOrientationPatient": [1, 0, 0, 0.1, 0.995, 0]}, range(24)),
    ("axes of length 2", Reason.IMPLAUSIBLE_GEOMETRY, {"ImageOrientationPatient": [2, 0, 0, 0, 1, 0]}, range(24)),
    ("axes of length 0", Reason.IMPLAUSIBLE_GEOMETRY, {"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}, range(24)),
    ("a slice on the place of the next", Reason.DUPLICATE_SLICES, {"ImagePositionPatient": position(12)}, ONE),
    ("all at one place", Reason.DUPLICATE_SLICES, {"ImagePositionPatient": position(0)}, range(24)),
    ("one instance twice", Reason.DUPLICATE_UID, {"SOPInstanceUID": "1.2.3"}, (3, 9)),
    ("a slice off its place", Reason.IRREGULAR_SPACING, {"ImagePositionPatient": position(11, z=0.3)}, ONE),
    ("a slice shifted sideways", Reason.IRREGULAR_SPACING, {"ImagePositionPatient": position(11, x=4.0)}, ONE),
    ("a stated tilt", Reason.TILTED, {"GantryDetectorTilt": "12.5"}, range(24)),
    ("a mosaic", Reason.MOSAIC, {"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]}, range(24)),
    ("a derived series", Reason.DERIVED, {"ImageType": ["DERIVED", "SECONDARY", "MPR"]}, range(24)),
    ("one derived slice", Reason.DERIVED, {"ImageType": ["DERIVED", "PRIMARY", "AXIAL"]}, ONE),
    ("a digitised film", Reason.DERIVED, {"ConversionType": "DF"}, range(24)),
    ("a capture in the place of a slice", Reason.MISSING_SLICES, {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, ONE),
    ("captures only", Reason.DERIVED, {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, range(24)),
    ("captures but for four", Reason.DERIVED, {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, range(20)),
    ("a projection", Reason.DERIVED, {"ImageType": ["DERIVED", "PRIMARY", "PROJECTION IMAGE"]}, range(24)),
    ("raw data", Reason.NOT_AN_IMAGE, {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66"}, range(24)),
    ("two sides", Reason.LATERALITY_CONFLICT, {"Laterality": "L", "BodyPartExamined": "RIGHT KNEE"}, range(24)),
    ("one slice of another kernel", Reason.MIXED_INTENSITY_SCALE, {"ConvolutionKernel": "B70f"}, ONE),
    ("one slice of another echo", Reason.MIXED_INTENSITY_SCALE, {"EchoNumbers": "2"}, ONE),
    ("one slice of another patient's age", Reason.MIXED_PATIENTS, {"PatientAge": "031Y"}, ONE),
    ("localizers only", Reason.DERIVED, {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, range(24)),
    ("colour", Reason.COLOUR, {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, range(24)),
    ("a palette", Reason.COLOUR, {"PhotometricInterpretation": "PALETTE COLOR"}, ONE),
    ("three grey samples", Reason.PHOTOMETRIC_CONFLICT, {"SamplesPerPixel": 3}, range(24)),
    ("a huge frame", Reason.TOO_LARGE, {"Rows": 65535, "Columns": 65535}, range(24)),
    ("no pixels", Reason.NO_PIXEL_DATA, {"PixelData": None}, ONE),
    ("a report", Reason.NOT_AN_IMAGE, {"Modality": "SR"}, ONE),
    ("a segmentation", Reason.NOT_AN_IMAGE, {"Modality": "SEG"}, range(24)),
    ("an X-ray", Reason.UNSUPPORTED_OBJECT, {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1"}, range(24)),
    ("several frames", Reason.UNSUPPORTED_OBJECT, {"NumberOfFrames": 2}, range(24)),
    ("a CT that says MR", Reason.UNSUPPORTED_OBJECT, {"Modality": "MR"}, range(24)),
    ("a high bit below the top", Reason.UNSUPPORTED_OBJECT, {"HighBit": 15}, range(24)),
    ("fewer pixels than rows", Reason.DECODE_FAILED, {"Rows": 70}, range(24)),
]


@pytest.mark.parametrize(("reason", "changes", "on"), [fault[1:] for fault in FAULTS], ids=[f[0] for f in FAULTS])
def test_a_planted_fault_is_named(
    judged: Callable[..., Verdict], reason: Reason, changes: Changes, on: range | tuple[int, ...]
) -> None:
    verdict = judged(changes, on)

    assert not verdict.accepted
    assert reason in reasons(verdict)


@pytest.mark.parametrize("name", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope"])
@pytest.mark.parametrize("word", ["nan", "inf", "-inf", "1e300", "x"])
def test_no_number_that_is_none_passes(series: Callable[..., Path], name: str, word: str) -> None:
    whole = headers_of(series())
    broken = float(word) if word != "x" else None
    fields = {
        "ImagePositionPatient": ("position", 3),
        "ImageOrientationPatient": ("orientation", 6),
        "PixelSpacing": ("pixel_spacing", 2),
    }
    if name == "RescaleSlope":
        bent = replace(whole[5], slope=broken)
    else:
        field, count = fields[name]
        bent = replace(whole[5], **{field: None if broken is None else (broken,) * count})

    assert not check_series([*whole[:5], bent, *whole[6:]]).accepted


def test_a_right_series_is_accepted_in_the_order_of_its_positions(judged: Callable[..., Verdict]) -> None:
    verdict = judged({})

    assert verdict.problems == ()
    assert verdict.remarks == ()
    z = [header.position[2] for header in verdict.stacks[0].slices if header.position]
    assert z == sorted(z)


def test_spacing_comes_from_positions_and_never_from_the_thickness(judged: Callable[..., Verdict]) -> None:
    geometry = judged({"SliceThickness": "9"}).stacks[0].geometry

    assert geometry is not None
    assert geometry.shape == (24, 64, 60)
    assert geometry.spacing_mm == pytest.approx((2.5, 0.8, 0.7))


def test_the_affine_takes_column_row_slice_to_ras(judged: Callable[..., Verdict]) -> None:
    geometry = judged({}).stacks[0].geometry

    assert geometry is not None
    expected = [[-0.7, 0, 0, 40], [0, -0.8, 0, 30], [0, 0, 2.5, 100], [0, 0, 0, 1]]
    np.testing.assert_allclose(geometry.affine, expected)


def test_missing_slices_are_counted(series: Callable[..., Path]) -> None:
    headers = headers_of(series())
    inside = sorted(headers, key=lambda header: header.position or ())
    verdict = check_series([*inside[:8], *inside[10:]])

    assert reasons(verdict) == {Reason.MISSING_SLICES}
    assert "2 slices" in verdict.problems[0].detail


def test_every_missing_inner_slice_is_noticed(series: Callable[..., Path]) -> None:
    inside = sorted(headers_of(series()), key=lambda header: header.position or ())

    for gone in range(1, 23):
        assert not check_series(inside[:gone] + inside[gone + 1 :]).accepted


def test_a_tilted_gantry_is_noticed_by_its_positions(series: Callable[..., Path]) -> None:
    def edit(ds: Dataset, index: int) -> None:
        ds.ImagePositionPatient = [-40, f"{-30 + 0.4 * index:.3f}", f"{100 + 2.5 * index:.3f}"]

    assert reasons(check_series(headers_of(series(edit=edit)))) == {Reason.TILTED}


def test_four_slices_are_too_few(series: Callable[..., Path]) -> None:
    inside = sorted(headers_of(series()), key=lambda header: header.position or ())

    assert reasons(check_series(inside[:4])) == {Reason.TOO_FEW_SLICES}
    assert check_series(inside[:5]).accepted


def test_identical_copies_are_dropped_with_a_remark(series: Callable[..., Path]) -> None:
    headers = headers_of(series())
    verdict = check_series([*headers, headers[3], headers[3]])

    assert verdict.accepted
    assert verdict.remarks == (Remark.COPIES_DROPPED,)
    assert len(verdict.stacks[0].slices) == 24


def test_a_localizer_between_slices_is_set_aside_with_a_remark(judged: Callable[..., Verdict]) -> None:
    changes = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"], "ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}
    verdict = judged(changes, on=(0,))

    assert verdict.accepted
    assert verdict.remarks == (Remark.LOCALIZER_SET_ASIDE,)
    assert len(verdict.stacks[0].slices) == 23


def test_a_localizer_of_another_patient_is_not_set_aside(judged: Callable[..., Verdict]) -> None:
    verdict = judged({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"], "PatientID": "008"}, on=(0,))

    assert reasons(verdict) == {Reason.MIXED_PATIENTS}


def test_a_uid_with_letters_is_a_remark_only(judged: Callable[..., Verdict]) -> None:
    verdict = judged({})
    headers = [replace(header, series_uid="09bc8aea-ff9c") for header in verdict.stacks[0].slices]

    assert check_series(headers).remarks == (Remark.NONSTANDARD_UID,)


def test_padding_blanks_and_trailing_carets_do_not_make_another_patient(judged: Callable[..., Verdict]) -> None:
    assert judged({"PatientID": " 007 ", "PatientName": "Muster^Erika^^ "}, on=ONE).accepted


def test_positions_rounded_to_two_decimals_pass(series: Callable[..., Path]) -> None:
    def edit(ds: Dataset, index: int) -> None:
        ds.ImagePositionPatient = [-40, -30, f"{100 + 0.625 * index:.2f}"]

    assert check_series(headers_of(series(edit=edit))).accepted


def test_a_slow_drift_of_the_spacing_is_noticed(series: Callable[..., Path]) -> None:
    def edit(ds: Dataset, index: int) -> None:
        ds.ImagePositionPatient = [-40, -30, f"{100 + 2.5 * index + 0.002 * index**2:.4f}"]

    assert reasons(check_series(headers_of(series(edit=edit)))) == {Reason.IRREGULAR_SPACING}


def test_no_detail_tells_of_the_patient(series: Callable[..., Path]) -> None:
    headers = headers_of(series())
    other = replace(headers[3], patient_id="008", patient_name="Beispiel", modality="Erika", sop_uid=headers[4].sop_uid)
    told = " ".join(problem.detail for problem in check_series([*headers[:3], other, *headers[4:]]).problems)

    assert told
    assert not any(secret in told for secret in ("007", "008", "Muster", "Beispiel", "Erika"))


@given(st.permutations(range(24)))
def test_the_order_of_the_files_changes_nothing(headers_once: list[SliceHeader], order: list[int]) -> None:
    assert check_series([headers_once[index] for index in order]) == check_series(headers_once)


@given(st.lists(st.floats(-0.45, 0.45), min_size=24, max_size=24))
def test_whatever_is_accepted_lies_on_an_even_grid(headers_once: list[SliceHeader], jitter: list[float]) -> None:
    moved = [
        replace(header, position=(*(header.position or ())[:2], (header.position or ())[2] + offset))
        for header, offset in zip(headers_once, jitter, strict=True)
    ]
    verdict = check_series(moved)
    if verdict.accepted:
        z = np.array([(header.position or ())[2] for header in verdict.stacks[0].slices])
        assert np.abs(z - np.linspace(z[0], z[-1], 24)).max() <= 0.25


@pytest.fixture(scope="module")
def headers_once(tmp_path_factory: pytest.TempPathFactory, writer: Callable[..., object]) -> list[SliceHeader]:
    folder = tmp_path_factory.mktemp("once")
    writer(folder)
    return headers_of(folder)
