"""What is set aside is remarked and the rest is judged; what is no slice of a patient makes no volume."""

from __future__ import annotations

from dataclasses import replace

import pytest

from data_schemas.reasons import Reason, Remark
from pipelines.scans.check import Verdict, check_series
from pipelines.scans.objects import sort_out

ASIDE = "1.2.840.10008.5.1.4.1.1.7"
STORAGE = "1.2.840.10008.5.1.4.1.1"


def reasons(verdict: Verdict) -> set[Reason]:
    return {problem.reason for problem in verdict.problems}


HONEST = [
    ("ORIGINAL", "PRIMARY", "AXIAL"),
    ("DERIVED", "PRIMARY", "AXIAL"),
    ("DERIVED", "PRIMARY", "AXIAL", "CT_SOM5 SPI"),
    ("DERIVED", "PRIMARY", "DIXON", "WATER"),
    ("DERIVED", "PRIMARY", "IP", "IP", "DERIVED"),
    ("DERIVED", "PRIMARY", "DIFFUSION", "ADC", "NORM"),
    ("ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"),
    ("DERIVED", "PRIMARY", "VOLUME", "NONE"),
    (),
]
DERIVED = [
    ("DERIVED", "SECONDARY", "AXIAL"),
    ("ORIGINAL", "SECONDARY"),
    ("DERIVED", "PRIMARY", "MIP"),
    ("DERIVED", "PRIMARY", "PROJECTION IMAGE"),
    ("ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 MIP"),
    ("DERIVED", "PRIMARY", "CSA MPR"),
    ("DERIVED", "PRIMARY", "REFORMATTED", "AVERAGE"),
    ("DERIVED", "PRIMARY", "VOLUME", "MAXIMUM"),
    ("DERIVED", "PRIMARY", "SCREEN SAVE"),
    ("DERIVED", "PRIMARY", "VRT"),
    ("DERIVED", "PRIMARY", "VOLUME", "MAX_IP"),
]


@pytest.mark.parametrize("image_type", HONEST, ids=str)
def test_an_honest_volume_is_accepted_whatever_made_its_pixels(slices, changed, image_type) -> None:
    assert check_series(changed(slices, image_type=image_type)).accepted


@pytest.mark.parametrize("image_type", DERIVED, ids=str)
def test_a_series_of_derived_pictures_is_refused(slices, changed, image_type) -> None:
    assert reasons(check_series(changed(slices, image_type=image_type))) == {Reason.DERIVED}


@pytest.mark.parametrize(
    ("fields", "remark"),
    [
        ({"image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")}, Remark.LOCALIZER_SET_ASIDE),
        ({"sop_class": ASIDE, "position": None, "photometric": "RGB", "samples": 3}, Remark.CAPTURE_SET_ASIDE),
        ({"sop_class": f"{ASIDE}.4"}, Remark.CAPTURE_SET_ASIDE),
        ({"converted": True}, Remark.CAPTURE_SET_ASIDE),
        ({"image_type": ("DERIVED", "SECONDARY", "MIP")}, Remark.CAPTURE_SET_ASIDE),
    ],
    ids=["localizer", "colour capture", "multi-frame capture", "film", "projection"],
)
def test_a_picture_among_slices_is_set_aside(slices, another, fields, remark) -> None:
    verdict = check_series([*slices, *another(slices[3:5], **fields)])

    assert verdict.problems == ()
    assert verdict.remarks == verdict.stacks[0].remarks == (remark,)
    assert verdict.stacks[0].slices == tuple(slices)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"patient_id": "008"}, Reason.MIXED_PATIENTS), ({"study_uid": "1.2"}, Reason.MIXED_STUDIES)],
)
def test_a_picture_of_another_patient_or_study_is_not_set_aside(slices, another, fields, reason) -> None:
    verdict = check_series([*slices, *another(slices[:1], sop_class=ASIDE, **fields)])

    assert reasons(verdict) == {reason}


def test_too_few_slices_beside_captures_are_no_series(slices, another) -> None:
    captures = another(slices, sop_class=ASIDE)

    assert check_series([*slices[:5], *captures]).accepted
    assert reasons(check_series([*slices[:4], *captures])) == {Reason.DERIVED}


NO_IMAGES = ["4.2", "9.1.1", "11.1", "66", "66.4", "67", "88.11", "104.1", "481.2", "481.3"]


@pytest.mark.parametrize("end", NO_IMAGES)
def test_an_object_that_is_no_image_refuses_the_series_by_its_class(slices, another, end: str) -> None:
    verdict = check_series([*slices, *another(slices[:1], sop_class=f"{STORAGE}.{end}")])

    assert reasons(verdict) == {Reason.NOT_AN_IMAGE}


@pytest.mark.parametrize("modality", ["SR", "SEG", "RTSTRUCT", "RTDOSE", "PR", "KO"])
def test_an_object_that_is_no_image_refuses_the_series_by_its_modality(slices, changed, modality: str) -> None:
    assert reasons(check_series(changed(slices, modality=modality))) == {Reason.NOT_AN_IMAGE}


def frames(slices, count: int):
    """The slices as frames of one enhanced file that states ``count`` of them."""
    return [
        replace(header, sop_class=f"{STORAGE}.2.1", path="e", sha256="e" * 64, sop_uid="1.2", frame=at, frames=count)
        for at, header in enumerate(slices)
    ]


def test_frames_of_an_enhanced_file_are_slices(slices) -> None:
    verdict = check_series(frames(slices, 24))

    assert verdict.problems == ()
    assert [header.frame for header in verdict.stacks[0].slices] == list(range(24))


def test_frames_that_an_enhanced_file_states_and_lacks_are_missing(slices) -> None:
    assert reasons(check_series(frames(slices, 25))) == {Reason.MISSING_SLICES}


@pytest.mark.parametrize("stated", [2, None])
def test_a_part_that_a_concatenation_lacks_is_missing(slices, stated: int | None) -> None:
    parts = [
        replace(header, concatenation="1.9", concatenated=1 + at // 12, concatenated_of=stated, path=f"e{at // 12}")
        for at, header in enumerate(frames(slices, 12))
    ]
    parts = [
        replace(header, sha256=f"{at // 12:064}", frame=at % 12, sop_uid=f"1.{at // 12}")
        for at, header in enumerate(parts)
    ]

    assert check_series(parts).accepted
    assert reasons(check_series(parts[12:])) == {Reason.MISSING_SLICES}


def test_a_frame_that_is_set_aside_is_there(slices) -> None:
    among = frames(slices, 24)
    among[0] = replace(among[0], image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"))

    assert check_series(among).remarks == (Remark.LOCALIZER_SET_ASIDE,)


def test_a_classic_object_of_several_frames_is_not_read(slices, changed) -> None:
    assert reasons(check_series(changed(slices, frames=2))) == {Reason.UNSUPPORTED_OBJECT}


def test_a_transfer_syntax_that_is_not_read_is_named(slices, changed) -> None:
    verdict = check_series(changed(slices, (4,), transfer_syntax="1.2.840.10008.1.2.4.100"))

    assert reasons(verdict) == {Reason.UNSUPPORTED_TRANSFER_SYNTAX}


def test_a_damaged_file_refuses_its_series(slices, changed) -> None:
    verdict = check_series(changed(slices, (4,), fault=Reason.TRUNCATED, fault_detail="cut"))

    assert reasons(verdict) == {Reason.TRUNCATED}
    assert verdict.problems[0].detail == "1 of 24 files: cut"


def test_files_without_a_digest_are_no_copies(slices, changed) -> None:
    verdict = check_series(changed(slices, sha256="", path=lambda at: f"{at}"))

    assert verdict.remarks == ()
    assert len(verdict.stacks[0].slices) == 24


@pytest.mark.parametrize("fields", [{"burned_in": "YES"}, {"recognizable": "YES"}])
def test_a_header_that_tells_of_text_in_the_picture_is_a_remark(slices, changed, fields) -> None:
    assert check_series(changed(slices, (3,), **fields)).remarks == (Remark.BURNED_IN_TEXT_SUSPECTED,)


def test_jpeg_baseline_is_lossy_whatever_the_header_says(slices, changed) -> None:
    headers = changed(slices, transfer_syntax="1.2.840.10008.1.2.4.50")

    assert Remark.LOSSY in check_series(headers).remarks


def test_a_localizer_that_is_also_derived_is_a_localizer(slices, changed) -> None:
    found = sort_out(changed(slices, (0,), image_type=("DERIVED", "SECONDARY", "LOCALIZER")))

    assert [len(part) for part in found] == [23, 1, 0]


@pytest.mark.parametrize(
    "fields", [{"modality": "MUSTER"}, {"photometric": "MUSTER"}, {"transfer_syntax": "MUSTER"}], ids=str
)
def test_a_name_in_a_code_is_not_told(slices, changed, fields) -> None:
    assert "MUSTER" not in " ".join(problem.detail for problem in check_series(changed(slices, **fields)).problems)
