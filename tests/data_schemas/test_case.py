"""The digest of a case's inputs, and what a repr shows."""

from __future__ import annotations

from datetime import datetime

from data_schemas.case import Case
from data_schemas.finding import findings
from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.scan import Geometry, PatientFacts, Scan, ScanFile

PATIENT = PatientFacts(patient_id="CANARY-ID", name="CANARY-NAME")


def note(text: str = "CANARY text", written: datetime | None = datetime(2025, 1, 1, 8)) -> Note:
    return Note(note_id="n", patient=PATIENT, text=text, written=written)


def value(number: float = 70.0) -> Observation:
    return Observation(patient=PATIENT, code="weight", value=number, unit="kg", taken=datetime(2025, 1, 1))


def case(*notes: Note, values: tuple[Observation, ...] = ()) -> Case:
    return Case(study_key="s", patient_key="p", notes=notes, observations=values)


def test_the_order_of_notes_does_not_change_the_digest() -> None:
    one, two = note("one"), note("two")
    assert case(one, two).inputs_digest == case(two, one).inputs_digest


def test_text_date_and_values_change_the_digest() -> None:
    variants = [
        case(note()),
        case(note("other")),
        case(note(written=None)),
        case(note(), note()),
        case(note(), values=(value(),)),
        case(note(), values=(value(71.0),)),
    ]
    assert len({item.inputs_digest for item in variants}) == len(variants)


def test_two_scans_of_one_multi_frame_file_are_two_inputs() -> None:
    def scan(*frames: int) -> Scan:
        return Scan(
            scan_id="s",
            format="dicom",
            patient=PATIENT,
            study_uid="1",
            series_uid="2",
            modality="MR",
            transfer_syntax="1.2.840.10008.1.2.1",
            geometry=Geometry(shape=(2, 1, 1), spacing_mm=(1, 1, 1), affine=((0, 0, 0, 0),) * 4),
            files=tuple(ScanFile(path="x", sha256="a" * 64, size=1, frame=frame) for frame in frames),
        )

    first, second = (case().model_copy(update={"scan": scan(*frames)}) for frames in ((0, 1), (2, 3)))
    assert first.inputs_digest != second.inputs_digest


def test_a_repr_shows_no_patient_data() -> None:
    text = repr(case(note(), values=(value(),)))
    assert "CANARY" not in text
    assert "2025" not in text
    assert "70" not in text


def test_every_parent_of_a_finding_is_a_finding() -> None:
    assert all(parent in findings() for item in findings().values() for parent in item.parents)
