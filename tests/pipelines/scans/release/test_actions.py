"""The table of actions against the standard: by hand, and against a table that a third party generated from it."""

from __future__ import annotations

import pytest
from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector
from pydicom.datadict import tag_for_keyword

from pipelines.scans.release.actions import KINDS, Action, action_of, rule_of, safe_private

# Copied by hand from PS3.15 Table E.1-1 (2026c), column "Basic Profile", with the type that PS3.3 gives in a CT image.
BY_HAND = {
    "AccessionNumber": "Z",
    "AcquisitionDate": "X",  # X/Z, type 3
    "AcquisitionDateTime": "X",  # X/Z/D, type 3
    "AdmittingDiagnosesDescription": "X",
    "ContentDate": "Z",  # Z/D, type 2C
    "ContrastBolusAgent": "Z",  # Z/D, type 2
    "DerivationDescription": "X",
    "DeviceSerialNumber": "X",  # X/Z/D, type 3
    "DeviceUID": "U",
    "FrameOfReferenceUID": "U",
    "IconImageSequence": "X",
    "ImageComments": "X",
    "InstitutionName": "X",  # X/Z/D, type 3
    "IssuerOfPatientID": "X",
    "OperatorsName": "X",  # X/Z/D, type 3
    "OtherPatientIDs": "X",
    "PatientAge": "X",
    "PatientBirthDate": "Z",
    "PatientComments": "X",
    "PatientID": "Z",  # Z/D, type 2
    "PatientName": "Z",
    "PatientSex": "Z",
    "ProtocolName": "X",  # X/D, type 3
    "ReferencedImageSequence": "X",  # X/Z/U*, type 3
    "ReferencedSOPInstanceUID": "U",
    "ReferringPhysicianName": "Z",
    "RequestAttributesSequence": "X",
    "SOPInstanceUID": "U",
    "SeriesDescription": "X",
    "SeriesInstanceUID": "U",
    "StationName": "X",  # X/Z/D, type 3
    "StudyDate": "Z",
    "StudyID": "Z",
    "StudyInstanceUID": "U",
    "VerifyingObserverName": "D",
    "PersonName": "D",
}


def basic(keyword: str, *, parent: str | None = None, kind: str = "classic") -> str:
    tag = tag_for_keyword(keyword)
    above = tag_for_keyword(parent) if parent else None
    return action_of(tag, above, kind, modified_dates=False, patient_characteristics=False)[0].value


@pytest.mark.parametrize(("keyword", "action"), BY_HAND.items())
def test_the_action_is_the_one_that_the_standard_prints(keyword: str, action: str) -> None:
    assert basic(keyword) == action


def listed_elsewhere() -> dict[int, str]:
    tables = dicom_anonymization_database_selector("dicomfields_2026c")
    return {
        group << 16 | element: name.removesuffix("_TAGS").replace("_STAR", "*").replace("_", "/")
        for name, tags in tables.items()
        if name != "ALL_TAGS"
        for group, element, *mask in tags
        if not mask and group > 0x0002
    }


def test_every_listed_attribute_has_the_action_of_the_table_that_others_made_of_the_standard() -> None:
    ours = {tag: rule_of(tag).choice or rule_of(tag).action.value for tag in listed_elsewhere()}
    assert ours == listed_elsewhere()


def test_nothing_is_kept_that_the_standard_lists() -> None:
    kept = {Action.KEEP, Action.KEEP_TEXT, Action.KEEP_UID}
    assert not [hex(tag) for tag in listed_elsewhere() if rule_of(tag).action in kept]


@pytest.mark.parametrize(
    ("keyword", "parent", "kind", "action"),
    [
        ("AcquisitionDateTime", None, "enhanced", "D"),
        ("ContentTime", None, "enhanced", "D"),
        ("DeviceSerialNumber", None, "enhanced", "D"),
        ("DeviceSerialNumber", "AnatomicRegionSequence", "enhanced", "X"),
        ("SeriesDate", None, "pet", "D"),
        ("SeriesDate", None, "enhanced", "X"),
        ("AcquisitionTime", None, "pet", "Z"),
        ("AcquisitionContextSequence", None, "enhanced", "Z"),
        ("ReferencedImageSequence", "SharedFunctionalGroupsSequence", "enhanced", "U"),
        ("SourceImageSequence", "DerivationImageSequence", "enhanced", "U"),
        ("SourceImageSequence", None, "enhanced", "X"),
    ],
)
def test_an_attribute_that_the_object_needs_is_not_removed(
    keyword: str, parent: str | None, kind: str, action: str
) -> None:
    assert basic(keyword, parent=parent, kind=kind) == action


@pytest.mark.parametrize("tag", [0x00091001, 0x50000010, 0x60003000, 0x60020022, 0x00100099, 0xFFFCFFFC, 0x00080000])
def test_what_no_list_names_is_removed(tag: int) -> None:
    found = action_of(tag, None, "classic", modified_dates=True, patient_characteristics=True)
    assert found == (Action.REMOVE, Action.REMOVE)


def test_dates_are_moved_but_the_birth_date() -> None:
    options = {"modified_dates": True, "patient_characteristics": False}
    for keyword in ("StudyDate", "AcquisitionDateTime", "ContentTime", "TimezoneOffsetFromUTC"):
        assert action_of(tag_for_keyword(keyword), None, "classic", **options)[0] is Action.SHIFT
    for keyword in ("PatientBirthDate", "PatientBirthTime"):
        assert action_of(tag_for_keyword(keyword), None, "classic", **options)[0] in {Action.EMPTY, Action.REMOVE}


def test_every_kind_of_image_that_is_read_is_released() -> None:
    assert set(KINDS.values()) == {"classic", "pet", "enhanced"}
    assert all(vr in {"DS", "IS", "FL", "FD", "CS"} for vr in safe_private().values())
