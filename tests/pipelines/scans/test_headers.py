from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from pipelines.scans.headers import patient_facts, read_header
from pipelines.scans.slice_header import SliceHeader


@pytest.fixture
def header(series: Callable[..., Path]) -> Callable[..., SliceHeader]:
    """Read the header of one slice with some attributes changed; None deletes."""

    def read(**changes: object) -> SliceHeader:
        def edit(ds: Dataset, _: int) -> None:
            for name, value in changes.items():
                if value is None:
                    delattr(ds, name)
                else:
                    setattr(ds, name, value)

        return read_header(min(series(edit=edit).iterdir()).read_bytes())

    return read


def test_facts_of_the_patient_are_read(header: Callable[..., SliceHeader]) -> None:
    facts = patient_facts(header(PatientID=" 0070", IssuerOfPatientID="CLINIC "))

    assert (facts.patient_id, facts.issuer, facts.name, facts.sex) == ("0070", "CLINIC", "Muster^Erika", "F")
    assert (str(facts.birth_date), facts.age_years) == ("1960-01-02", 64.0)


def test_acquisition_time_comes_before_study_time(header: Callable[..., SliceHeader]) -> None:
    found = header()

    assert found.acquired is not None
    assert found.acquired.hour == 9
    assert found.acquired_from == "acquisition_date and time"


def test_without_acquisition_time_the_study_time_counts(header: Callable[..., SliceHeader]) -> None:
    found = header(AcquisitionDate="", AcquisitionTime="")

    assert found.acquired == datetime(2024, 3, 1, 8)


def test_a_day_without_a_time_counts_as_its_first_instant(header: Callable[..., SliceHeader]) -> None:
    found = header(AcquisitionTime="", StudyTime="")

    assert found.acquired == datetime(2024, 3, 1)


def test_the_content_time_is_never_the_time_of_acquisition(header: Callable[..., SliceHeader]) -> None:
    found = header(AcquisitionDate="", AcquisitionTime="", StudyDate="", StudyTime="")

    assert found.acquired is None


def test_the_offset_from_utc_is_kept(header: Callable[..., SliceHeader]) -> None:
    found = header(TimezoneOffsetFromUTC="+0200")

    assert found.acquired is not None
    assert found.acquired.utcoffset() == timedelta(hours=2)


def test_nothing_of_the_patient_is_in_the_text_of_a_header(header: Callable[..., SliceHeader]) -> None:
    shown = repr(header())

    assert not any(secret in shown for secret in ("Muster", "007", "1960", "20240301", "datetime"))
