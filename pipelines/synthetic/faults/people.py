"""Faults of whose slices they are: patient, study, frame of reference, instance, side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from pydicom.dataset import Dataset

from data_schemas.reasons import Reason
from pipelines.synthetic.faults.fault import CLASSIC_FORMS, EDIT, Fault, inner
from pipelines.synthetic.names import make_uid

Slices = list[Dataset]
Rng = np.random.Generator

STAND_INS = ("W/I", "UNKNOWN", "ANONYMOUS", "anon", "None", "N/A", "0", "000000", "123456", "TEST", "NO ID")
_OTHER: dict[str, Callable[[str], Sequence[str]]] = {
    "PatientID": lambda value: ("X" + value[1:], "0" + value, value.lower(), value[:-1], "", value + "1"),
    "PatientName": lambda value: ("Other^Person", "", value + "a", value.replace("^", "^^", 1) + "^Jr"),
    "PatientBirthDate": lambda value: ("19010101", "", value[:-1] + str((int(value[-1]) + 1) % 10)),
    "StudyDate": lambda value: ("20250311", ""),
    "PatientSex": lambda value: ("M" if value == "F" else "F", "O", ""),
}


def differing(keyword: str) -> EDIT:
    """Some slices, one or many, carry another value of one attribute of the patient."""

    def edit(slices: Slices, rng: Rng) -> Slices:
        value = str(slices[0][keyword].value)
        others = [other for other in _OTHER[keyword](value) if other != value]
        other = others[int(rng.integers(len(others)))]
        for ds in chosen(slices, rng):
            setattr(ds, keyword, other)
        return slices

    return edit


def chosen(slices: Slices, rng: Rng) -> Slices:
    """One slice, a run of them, or a scatter: some, never all."""
    kind = int(rng.integers(3))
    if kind == 0:
        return [slices[int(rng.integers(len(slices)))]]
    if kind == 1:
        return slices[inner(slices, rng) :]
    picked = rng.random(len(slices)) < 0.4
    picked[0], picked[-1] = False, True
    return [ds for ds, take in zip(slices, picked, strict=True) if take]


def _another_person(slices: Slices, rng: Rng) -> Slices:
    """Another patient's slices fill the places, pixels and all."""
    for ds in chosen(slices, rng):
        ds.PatientID, ds.PatientName = "Z999999", "Someone^Else"
        ds.PatientBirthDate, ds.PatientSex = "19440404", "M" if ds.PatientSex == "F" else "F"
        ds.PixelData = np.frombuffer(ds.PixelData, "<u2")[::-1].tobytes()
    return slices


def _uid(keyword: str) -> EDIT:
    def edit(slices: Slices, rng: Rng) -> Slices:
        for ds in chosen(slices, rng):
            setattr(ds, keyword, make_uid(ds[keyword].value, "another"))
        return slices

    return edit


def _second_series(slices: Slices, *, study: bool, name: str) -> Slices:
    others = []
    for ds in slices:
        other = Dataset()
        for element in ds:
            other.add_new(element.tag, element.VR, element.value)
        other.SOPInstanceUID = make_uid(ds.SOPInstanceUID, "second")
        other.SeriesInstanceUID = make_uid(ds.SeriesInstanceUID, "second")
        if study:
            other.StudyInstanceUID = make_uid(ds.StudyInstanceUID, "second")
            other.FrameOfReferenceUID = make_uid(ds.FrameOfReferenceUID, "second")
        other.PatientName = name
        others.append(other)
    return slices + others


def _stand_in(slices: Slices, rng: Rng) -> Slices:
    stand_in = STAND_INS[int(rng.integers(len(STAND_INS)))]
    for ds in slices:
        ds.PatientID = stand_in
    return _second_series(slices, study=True, name="Someone^Else")


def _shared_study(slices: Slices, rng: Rng) -> Slices:
    count = len(slices)
    both = _second_series(slices, study=False, name="Someone^Else")
    for ds in both[count:]:
        ds.PatientID = "Z999999"
    return both


def _duplicate_uid(slices: Slices, rng: Rng) -> Slices:
    at = inner(slices, rng)
    slices[at].SOPInstanceUID = slices[int(rng.integers(at))].SOPInstanceUID
    return slices


def _one_uid_for_all(slices: Slices, _: Rng) -> Slices:
    for ds in slices:
        ds.SOPInstanceUID = slices[0].SOPInstanceUID
    return slices


def _sides_differ(slices: Slices, rng: Rng) -> Slices:
    for ds in slices:
        ds.ImageLaterality = "R"
    for ds in chosen(slices, rng):
        ds.ImageLaterality = "L"
    return slices


def _side_against_words(slices: Slices, rng: Rng) -> Slices:
    for ds in slices:
        ds.BodyPartExamined = "KNEE"
        ds.Laterality = "R"
        ds.SeriesDescription = "Left knee"
    return slices


def _side_against_side(slices: Slices, rng: Rng) -> Slices:
    for ds in slices:
        ds.Laterality, ds.ImageLaterality = "R", "L"
    return slices


_PATIENTS = frozenset({Reason.MIXED_PATIENTS})
_SIDE = frozenset({Reason.LATERALITY_CONFLICT})

PEOPLE = {
    "other-patient-id": Fault("slices with another patient id", _PATIENTS, edit=differing("PatientID"),
                              forms=CLASSIC_FORMS, identity=True),
    "other-name": Fault("slices with another name", _PATIENTS, edit=differing("PatientName"),
                        forms=CLASSIC_FORMS, identity=True),
    "other-birth-date": Fault("slices with another birth date", _PATIENTS, edit=differing("PatientBirthDate"),
                              forms=CLASSIC_FORMS, identity=True),
    "other-sex": Fault("slices with another sex", _PATIENTS, edit=differing("PatientSex"),
                       forms=CLASSIC_FORMS, identity=True),
    "other-person": Fault("slices of another person", _PATIENTS, edit=_another_person,
                          forms=CLASSIC_FORMS, identity=True),
    "stand-in-id": Fault('two people behind one id such as "W/I"', frozenset({Reason.PLACEHOLDER_IDENTITY}),
                         edit=_stand_in, identity=True),
    "shared-study": Fault("a study whose series belong to two people", _PATIENTS, edit=_shared_study, identity=True),
    "other-study": Fault("slices of another study", frozenset({Reason.MIXED_STUDIES}),
                         edit=_uid("StudyInstanceUID"), forms=CLASSIC_FORMS, identity=True),
    "other-study-date": Fault("slices of another day", frozenset({Reason.MIXED_STUDIES}),
                              edit=differing("StudyDate"), forms=CLASSIC_FORMS, identity=True),
    "other-frame-of-reference": Fault("slices in another frame of reference",
                                      frozenset({Reason.MIXED_FRAMES_OF_REFERENCE}),
                                      edit=_uid("FrameOfReferenceUID"), forms=CLASSIC_FORMS, identity=True),
    "duplicate-uid": Fault("two slices under one SOPInstanceUID", frozenset({Reason.DUPLICATE_UID}),
                           edit=_duplicate_uid, forms=CLASSIC_FORMS, identity=True),
    "one-uid-for-all": Fault("all slices under one SOPInstanceUID", frozenset({Reason.DUPLICATE_UID}),
                             edit=_one_uid_for_all, forms=CLASSIC_FORMS, identity=True),
    "sides-differ": Fault("slices of the left and of the right side", _SIDE, edit=_sides_differ, identity=True),
    "side-against-words": Fault("laterality right, description left", _SIDE, edit=_side_against_words,
                                forms=CLASSIC_FORMS, identity=True),
    "side-against-side": Fault("laterality right, image laterality left", _SIDE, edit=_side_against_side,
                               forms=CLASSIC_FORMS, identity=True),
}  # fmt: skip
