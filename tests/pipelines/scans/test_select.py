"""Which scan is taken: rules that pass, fail or cannot tell, and one order for every order of the files."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from data_schemas.scan import Geometry, PatientFacts, Scan, ScanFile, SeriesFacts
from data_schemas.selection import ChannelRule, ScanRule, SelectSettings
from pipelines.scans.select import Verdict, meets, plane_of, rank

CANARY = "Muster^Erika thorax lung"


def scan_of(number: int = 1, *, slices: int = 50, axes: np.ndarray | None = None, **changes: Any) -> Scan:
    columns = np.diag([1.0, 1.0, 2.5]) if axes is None else axes
    affine = np.eye(4)
    affine[:3, :3] = columns
    spacing = np.linalg.norm(columns, axis=0)[::-1]
    facts = {name: changes.pop(name) for name in SeriesFacts.model_fields if name in changes}
    values = {
        "scan_id": f"{number:064x}",
        "format": "dicom",
        "patient": PatientFacts(patient_id="7"),
        "study_uid": "1.2.3",
        "series_uid": f"1.2.3.{number}",
        "modality": "CT",
        "transfer_syntax": "1.2.840.10008.1.2.1",
        "geometry": Geometry(
            shape=(slices, 64, 64), spacing_mm=tuple(spacing), affine=tuple(map(tuple, affine.tolist()))
        ),
        "files": (ScanFile(path="x", sha256=f"{number:064x}", size=1),),
        "facts": SeriesFacts(**facts),
    }
    return Scan.model_validate(values | changes)


CORONAL = np.array([[1.0, 0, 0], [0, 0, 2.5], [0, -1, 0]])
SAGITTAL = np.array([[0.0, 0, 2.5], [1, 0, 0], [0, -1, 0]])


def turned(degrees: float) -> np.ndarray:
    a = np.radians(degrees)
    return np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])


@pytest.mark.parametrize(
    ("axes", "plane"),
    [
        (np.eye(3), "axial"),
        (-np.eye(3), "axial"),
        (CORONAL, "coronal"),
        (SAGITTAL, "sagittal"),
        (turned(30), "axial"),
        (turned(45), "oblique"),
        (turned(60), "coronal"),
        # A tilted gantry shears the stack: the plane is that of the slices, not of the way they follow each other.
        (np.array([[1, 0, 0], [0, 1, 2.0], [0, 0, 1.0]]), "axial"),
    ],
)
def test_the_plane_is_that_of_the_slices_normal(axes: np.ndarray, plane: str) -> None:
    assert plane_of(scan_of(axes=axes).geometry) == plane


PASSED, FAILED, UNKNOWN = Verdict.PASSED, Verdict.FAILED, Verdict.UNKNOWN
NOON, LATER = datetime(2024, 3, 5, 12), datetime(2024, 3, 5, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "changes", "verdict"),
    [
        ({"modality": ("MR", "CT")}, {}, PASSED),
        ({"modality": ("MR",)}, {}, FAILED),
        ({"modality": ("MR",)}, {"modality": ""}, UNKNOWN),
        ({"plane": ("axial",)}, {"axes": CORONAL}, FAILED),
        ({"plane": ("coronal", "sagittal")}, {"axes": CORONAL}, PASSED),
        ({"original": True}, {"image_type": ("ORIGINAL", "PRIMARY", "AXIAL")}, PASSED),
        ({"original": True}, {"image_type": ("DERIVED", "PRIMARY")}, FAILED),
        ({"original": True}, {"image_type": ("ORIGINAL", "SECONDARY")}, FAILED),
        ({"original": False}, {"image_type": ("DERIVED", "PRIMARY")}, PASSED),
        ({"original": True}, {}, UNKNOWN),
        ({"slice_mm": (1, 2.5)}, {}, PASSED),
        ({"slice_mm": (1, 2.4)}, {}, FAILED),
        ({"thickness_mm": (0, 3)}, {"thickness_mm": 3.0}, PASSED),
        ({"thickness_mm": (0, 3)}, {"thickness_mm": 5.0}, FAILED),
        ({"thickness_mm": (0, 3)}, {}, UNKNOWN),
        ({"slices": (40, 60)}, {}, PASSED),
        ({"slices": (51, 60)}, {}, FAILED),
        ({"kernel": ("b7?f", "lung")}, {"kernel": "B70f"}, PASSED),
        ({"kernel": ("b7?f", "lung")}, {"kernel": "B30f"}, FAILED),
        ({"kernel": ("b*",)}, {}, UNKNOWN),
        ({"contrast": "yes"}, {"contrast": "OMNIPAQUE"}, PASSED),
        ({"contrast": "yes"}, {}, FAILED),
        ({"contrast": "no"}, {}, PASSED),
        ({"contrast": "no"}, {"contrast": "none "}, PASSED),
        ({"contrast": "no"}, {"contrast": "OMNIPAQUE"}, FAILED),
        ({"contrast": "no"}, {"format": "nifti"}, UNKNOWN),
        ({"words": ("lung", "chest")}, {"description": CANARY}, PASSED),
        ({"words": ("lun",)}, {"description": CANARY}, FAILED),
        ({"words": ("lun*",)}, {"description": CANARY}, PASSED),
        ({"words": ("t2",)}, {"description": "AX_T2_FLAIR"}, PASSED),
        ({"words": ("lung",)}, {}, UNKNOWN),
        ({"words_not": ("scout",)}, {"description": CANARY}, PASSED),
        ({"words_not": ("LUNG",)}, {"description": CANARY}, FAILED),
        ({"body_part": ("chest",)}, {"body_part": "CHEST"}, PASSED),
        ({"body_part": ("chest",)}, {"body_part": "HEAD"}, FAILED),
        ({"sequence": ("tse*",)}, {"sequence": "TSE2D1_11"}, PASSED),
        ({"echo_ms": (80, 120)}, {"echo_ms": 95.0}, PASSED),
        ({"echo_ms": (80, 120)}, {"echo_ms": 9.0}, FAILED),
        ({"repetition_ms": (80, 120)}, {"repetition_ms": 9000.0}, FAILED),
        ({"inversion_ms": (2000, 3000)}, {"inversion_ms": 2500.0}, PASSED),
        ({"inversion_ms": (2000, 3000)}, {}, UNKNOWN),
        ({"time": "earliest"}, {"acquired": NOON}, PASSED),
        ({"time": "latest"}, {"acquired": NOON}, FAILED),
        ({"time": "latest"}, {}, UNKNOWN),
    ],
)
def test_each_rule_passes_fails_or_cannot_tell(rule: dict[str, Any], changes: dict[str, Any], verdict: Verdict) -> None:
    scan, other = scan_of(**changes), scan_of(2, acquired=LATER)
    [row] = [row for row in rank([scan, other], require=ScanRule(**rule)) if row.scan is scan]

    assert [check.verdict for check in row.why] == [verdict]
    assert row.eligible == (verdict is not FAILED)
    assert meets(scan, ScanRule(**rule), [scan, other]) == (verdict is PASSED)


def test_without_rules_the_most_slices_win_as_they_always_did() -> None:
    scans = [scan_of(number, slices=slices) for number, slices in enumerate((30, 90, 60), 1)]
    assert [row.scan.geometry.shape[0] for row in rank(scans)] == [90, 60, 30]


def test_what_is_required_goes_before_what_is_preferred_and_that_before_slices() -> None:
    thick = scan_of(1, slices=20, axes=np.diag([1, 1, 12.0]), image_type=("ORIGINAL", "PRIMARY"))
    coronal = scan_of(2, slices=400, axes=CORONAL, image_type=("DERIVED", "PRIMARY"))
    thin = scan_of(3, slices=100, image_type=("ORIGINAL", "PRIMARY"))
    other = scan_of(4, slices=900, image_type=("ORIGINAL", "PRIMARY"), modality="MR")
    order = rank([thick, coronal, thin, other], require=ScanRule(modality=("CT",)), prefer=SelectSettings().prefer)

    assert [row.scan for row in order] == [thin, thick, coronal, other]
    assert [row.rank for row in order] == [1, 2, 3, 4]
    assert [row.score for row in order] == [3, 1, -1, 3]
    assert [row.eligible for row in order] == [True, True, True, False]


@given(st.lists(st.tuples(st.integers(3, 5), st.sampled_from(["CT", "MR", ""])), min_size=1, max_size=7), st.randoms())
def test_the_order_does_not_depend_on_the_order_of_the_scans(
    kinds: list[tuple[int, str]], shuffler: random.Random
) -> None:
    scans = [scan_of(number, slices=slices, modality=name) for number, (slices, name) in enumerate(kinds)]
    rules = {"require": ScanRule(modality=("CT",)), "prefer": SelectSettings().prefer}
    first = [row.scan.scan_id for row in rank(scans, **rules)]
    shuffler.shuffle(scans)

    assert [row.scan.scan_id for row in rank(scans, **rules)] == first


def test_the_explanation_names_the_rules_and_nothing_that_a_header_says() -> None:
    scan = scan_of(description=CANARY, kernel="CANARY", contrast="CANARY", body_part="CANARY")
    rule = ScanRule(words=("lung",), kernel=("b*",), contrast="yes", body_part=("chest",), slice_mm=(0, 1))
    [row] = rank([scan], require=rule, prefer=ScanRule(plane=("axial",)))

    assert row.explained == (
        "required slice mm failed, required kernel failed, required contrast passed, required words passed, "
        "required body part failed, preferred plane passed, 50 slices"
    )


@pytest.mark.parametrize(
    "values",
    [
        {"require": {"slice_mm": (5, 1)}},
        {"channels": [{"name": "T1", "rule": {"words": ["t1"]}}, {"name": "T1", "rule": {"words": ["t2"]}}]},
        {"channels": [{"name": "T1"}]},
        {"channels": [{"name": "T 1", "rule": {"words": ["t1"]}}]},
        {"prefer": {"plane": ["transverse"]}},
    ],
)
def test_rules_that_contradict_themselves_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SelectSettings.model_validate(values)


def test_a_rule_asks_what_differs_from_its_default() -> None:
    assert ScanRule().asked == ()
    assert ScanRule(original=False, words=("a",)).asked == ("original", "words")
    assert ChannelRule(name="T1", rule=ScanRule(words=("t1",))).rule.asked == ("words",)
