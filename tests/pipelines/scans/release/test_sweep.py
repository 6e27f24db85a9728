"""The last look finds what a release would have left, and nothing else."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from pydicom import dcmread
from pydicom.dataset import FileDataset

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.scans.release.object import Released, release_object
from pipelines.scans.release.profile import Profile
from pipelines.scans.release.sweep import sweep


@pytest.fixture
def clean(ct_bytes: Callable[..., bytes], key: bytes) -> Released:
    def edit(ds: FileDataset) -> None:
        ds.PatientName, ds.AccessionNumber = "Musterfrau^Erika", "ACC0099"

    return release_object(ct_bytes(edit), key=key, profile=Profile())


def spoiled(clean: Released, edit: Callable[[FileDataset], None]) -> bytes:
    ds = dcmread(io.BytesIO(clean.head + bytes(clean.pixels) + clean.tail))
    edit(ds)
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


def name(ds: FileDataset) -> None:
    ds.ImageComments = "seen with MUSTERFRAU today"


def first_name(ds: FileDataset) -> None:
    ds.PatientComments = "erika"


def accession(ds: FileDataset) -> None:
    ds.private_block(0x0011, "OWNER", create=True).add_new(1, "LO", "xACC0099x")


def birth_date(ds: FileDataset) -> None:
    ds.PatientBirthDate = "19600102"


def birth_date_with_signs(ds: FileDataset) -> None:
    ds.StudyDescription = "born 1960-01-02"


def uid(ds: FileDataset) -> None:
    ds.FrameOfReferenceUID = "1.2.826.0.1.3680043.8.498.3"


def meta(ds: FileDataset) -> None:
    ds.file_meta.SourceApplicationEntityTitle = "MUSTERFRAU"


def pixels(ds: FileDataset) -> None:
    ds.PixelData = b"MUSTERFRAU" + ds.PixelData[10:]


@pytest.mark.parametrize("edit", [name, first_name, accession, birth_date, birth_date_with_signs, uid, meta, pixels])
def test_an_identifying_value_is_found_wherever_it_stands(clean: Released, edit: Callable[[FileDataset], None]) -> None:
    with pytest.raises(RefusedError) as caught:
        sweep(spoiled(clean, edit), clean.known, shift_days=clean.shift_days)
    assert caught.value.reason is Reason.IDENTIFIER_LEFT
    assert "muster" not in str(caught.value).lower()


def test_a_clean_file_passes(clean: Released) -> None:
    sweep(spoiled(clean, lambda _ds: None), clean.known, shift_days=clean.shift_days)


def test_a_patient_who_is_called_like_a_code_or_like_our_own_words_passes(
    ct_bytes: Callable[..., bytes], key: bytes
) -> None:
    def edit(ds: FileDataset) -> None:
        ds.PatientName, ds.PatientID = "Axial^Patient", "Basic"

    done = release_object(ct_bytes(edit), key=key, profile=Profile())
    sweep(done.head + bytes(done.pixels) + done.tail, done.known, shift_days=done.shift_days)


def test_a_name_in_another_script_is_found(ct_bytes: Callable[..., bytes], key: bytes) -> None:
    def edit(ds: FileDataset) -> None:
        ds.SpecificCharacterSet, ds.PatientName = "ISO_IR 192", "Yamada^Tarou=山田^太郎"

    done = release_object(ct_bytes(edit), key=key, profile=Profile())

    def spoil(ds: FileDataset) -> None:
        ds.ImageComments = "患者 山田"

    with pytest.raises(RefusedError):
        sweep(spoiled(done, spoil), done.known, shift_days=done.shift_days)
