"""One file: what is left of it, what its pixels are, and which files are refused."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    EncapsulatedPDFStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.scans.release.object import release_object
from pipelines.scans.release.profile import Profile

Edit = Callable[[FileDataset], None]
Make = Callable[..., Dataset]
BASIC = Profile(modified_dates=False, patient_characteristics=False)


def whole(data: bytes, key: bytes, profile: Profile | None = None) -> bytes:
    done = release_object(data, key=key, profile=profile or Profile())
    return done.head + bytes(done.pixels) + done.tail


def test_the_patient_is_a_pseudonym(released: Make) -> None:
    ds = released()
    assert ds.PatientName == ds.PatientID
    assert str(ds.PatientID).startswith("P-")
    assert ds.PatientBirthDate == ""


def test_the_profile_is_recorded_in_the_object(released: Make) -> None:
    ds = released(profile=Profile(safe_private=True))
    assert ds.PatientIdentityRemoved == "YES"
    assert ds.LongitudinalTemporalInformationModified == "MODIFIED"
    assert [item.CodeValue for item in ds.DeidentificationMethodCodeSequence] == [
        "113100",
        "113107",
        "113108",
        "113111",
    ]
    assert ds.DeidentificationMethod[1] == "Basic Application Confidentiality Profile"


def test_without_options_dates_and_characteristics_go(released: Make) -> None:
    ds = released(profile=BASIC)
    assert (ds.StudyDate, ds.StudyTime, ds.ContentDate, ds.PatientSex) == ("", "", "", "")
    assert "PatientAge" not in ds
    assert "AcquisitionDate" not in ds
    assert ds.LongitudinalTemporalInformationModified == "REMOVED"
    assert [item.CodeValue for item in ds.DeidentificationMethodCodeSequence] == ["113100"]


def test_with_options_characteristics_stay_and_dates_keep_their_distance(released: Make) -> None:
    ds = released()
    assert (ds.PatientSex, ds.PatientAge, ds.StudyTime) == ("F", "064Y", "080000")
    study, content = (np.datetime64(f"{d[:4]}-{d[4:6]}-{d[6:]}") for d in (ds.StudyDate, ds.ContentDate))
    assert content - study == 1
    assert ds.StudyDate < "20230302"


@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        RLELossless,
        JPEGLosslessSV1,
        JPEG2000Lossless,
    ],
)
def test_the_pixels_pass_byte_for_byte(ct_bytes: Callable[..., bytes], key: bytes, syntax: str) -> None:
    data = ct_bytes(syntax=syntax)
    before, after = dcmread(io.BytesIO(data)), dcmread(io.BytesIO(whole(data, key)))
    assert after.PixelData == before.PixelData
    assert after.file_meta.TransferSyntaxUID == syntax
    for keyword in ("ImagePositionPatient", "PixelSpacing", "RescaleIntercept", "Rows", "PixelRepresentation"):
        assert after[keyword].value == before[keyword].value


def test_a_deflated_file_is_written_plain(ct_bytes: Callable[..., bytes], key: bytes) -> None:
    ds = dcmread(io.BytesIO(ct_bytes()))
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    after = dcmread(io.BytesIO(whole(out.getvalue(), key)))
    assert after.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert after.PixelData == ds.PixelData


def test_preamble_and_file_meta_tell_nothing_of_the_source(ct_bytes: Callable[..., bytes], key: bytes) -> None:
    def edit(ds: FileDataset) -> None:
        ds.preamble = b"ERIKA MUSTER".ljust(128, b"!")
        ds.file_meta.SourceApplicationEntityTitle = "MUSTERKLINIK"
        ds.file_meta.PrivateInformationCreatorUID, ds.file_meta.PrivateInformation = "1.2.3", b"Muster"
        ds.file_meta.ImplementationVersionName = "MUSTERPACS"

    out = whole(ct_bytes(edit), key)
    after = dcmread(io.BytesIO(out))
    assert out[:128] == b"\0" * 128
    assert b"uster" not in out.lower()
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID
    assert {element.tag.element for element in after.file_meta} == {0, 1, 2, 3, 0x10, 0x12, 0x13}


def test_references_between_files_stay_true(released: Make) -> None:
    def edit(ds: FileDataset) -> None:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
        ds.ReferencedImageEvidenceSequence = [item]

    ds = released(edit)
    assert ds.ReferencedImageEvidenceSequence[0].ReferencedSOPInstanceUID == ds.SOPInstanceUID
    assert ds.ReferencedImageEvidenceSequence[0].ReferencedSOPClassUID == ds.SOPClassUID


def test_private_nested_unknown_and_trailing_elements_go(ct_bytes: Callable[..., bytes], key: bytes) -> None:
    def edit(ds: FileDataset) -> None:
        for group in (0x0009, 0x7FE1):
            ds.private_block(group, "KANARI OWNER", create=True).add_new(1, "LO", "KANARI 1")
        item = Dataset()
        item.PatientName, item.CodeMeaning = "KANARI^2", "Lung"
        item.private_block(0x0011, "KANARI", create=True).add_new(2, "LO", "KANARI 3")
        ds.AnatomicRegionSequence = [item]
        ds.RequestAttributesSequence = [item]
        ds.add_new(0x60003000, "OW", b"KANARI 4")
        ds.add_new(0x50003000, "OW", b"KANARI 5")
        ds.add_new(0x00100099, "LO", "KANARI 6")
        ds.add_new(0xFFFCFFFC, "OB", b"KANARI 7")

    out = whole(ct_bytes(edit), key)
    after = dcmread(io.BytesIO(out))
    assert b"KANARI" not in out
    assert after.AnatomicRegionSequence[0].CodeMeaning == "Lung"
    assert "RequestAttributesSequence" not in after


def test_a_name_in_a_word_that_stays_is_replaced(released: Make) -> None:
    def edit(ds: FileDataset) -> None:
        ds.Manufacturer, ds.ManufacturerModelName = "ACME", "Scanner of MUSTER"
        ds.ConvolutionKernel, ds.SoftwareVersions = "B30f", ["VA1", "1960-01-02"]

    ds = released(edit)
    assert (ds.Manufacturer, ds.ConvolutionKernel) == ("ACME", "B30f")
    assert (ds.ManufacturerModelName, ds.SoftwareVersions) == ("REMOVED", "REMOVED")


def test_a_value_without_the_form_of_its_kind_is_not_kept(released: Make) -> None:
    def edit(ds: FileDataset) -> None:
        ds.add_new(0x00180060, "LO", "120 kV, E. M.")  # KVP is a decimal string
        ds.add_new(0x00181210, "UN", b"B30f")

    ds = released(edit)
    assert "KVP" not in ds
    assert ds.ConvolutionKernel == "B30f"


def test_dates_that_cannot_be_moved_are_treated_as_without_the_option(released: Make) -> None:
    def edit(ds: FileDataset) -> None:
        ds.add_new(0x00080020, "DA", "")
        ds["StudyDate"]._value = "March 2024"
        ds["AcquisitionDate"]._value = "20249999"

    ds = released(edit)
    assert ds.StudyDate == ""
    assert "AcquisitionDate" not in ds


@pytest.mark.parametrize("wanted", [False, True])
def test_private_attributes_listed_as_safe_stay_only_if_asked(released: Make, wanted: bool) -> None:
    def edit(ds: FileDataset) -> None:
        block = ds.private_block(0x0019, "SIEMENS MR HEADER", create=True)
        block.add_new(0x0C, "IS", "1000")
        block.add_new(0x08, "CS", "IMAGE NUM 4")

    ds = released(edit, profile=Profile(safe_private=wanted))
    kept = {element.tag: element.value for element in ds if element.tag.is_private}
    assert kept == ({0x00190010: "SIEMENS MR HEADER", 0x0019100C: 1000} if wanted else {})


def test_an_instance_without_a_uid_gets_one(released: Make) -> None:
    def edit(ds: FileDataset) -> None:
        ds.SOPInstanceUID = ""
        ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3"

    assert released(edit).SOPInstanceUID.startswith("2.25.")


def test_uids_that_are_no_uids_become_some(released: Make) -> None:
    def edit(ds: FileDataset) -> None:
        ds.add_new(0x0020000D, "LO", "896911bf-1143-4c8d-8f04-f3cd1a7f6204")

    assert released(edit).StudyInstanceUID.is_valid


def test_an_age_of_a_hundred_is_ninety(released: Make) -> None:
    def edit(ds: FileDataset) -> None:
        ds.PatientAge = "101Y"

    assert released(edit).PatientAge == "090Y"


def burned_in(ds: FileDataset) -> None:
    ds.BurnedInAnnotation = "YES"


def face(ds: FileDataset) -> None:
    ds.RecognizableVisualFeatures = "YES"


def overlay_in_the_pixels(ds: FileDataset) -> None:
    ds.add_new(0x60000102, "US", 12)


def capture(ds: FileDataset) -> None:
    ds.SOPClassUID = SecondaryCaptureImageStorage


def converted(ds: FileDataset) -> None:
    ds.ConversionType = "WSD"


def document(ds: FileDataset) -> None:
    ds.SOPClassUID = EncapsulatedPDFStorage


def other_object(ds: FileDataset) -> None:
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.6.1"


def no_pixels(ds: FileDataset) -> None:
    del ds.PixelData


def longer_pixels(ds: FileDataset) -> None:
    ds.PixelData += b"ERIKA MUSTER"


def no_series(ds: FileDataset) -> None:
    ds.SeriesInstanceUID = ""


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (burned_in, Reason.BURNED_IN_TEXT),
        (face, Reason.BURNED_IN_TEXT),
        (overlay_in_the_pixels, Reason.BURNED_IN_TEXT),
        (capture, Reason.DERIVED),
        (converted, Reason.DERIVED),
        (document, Reason.NOT_AN_IMAGE),
        (other_object, Reason.UNSUPPORTED_OBJECT),
        (no_pixels, Reason.NO_PIXEL_DATA),
        (longer_pixels, Reason.DECODE_FAILED),
        (no_series, Reason.UNSUPPORTED_OBJECT),
    ],
)
def test_what_may_not_leave_is_refused(ct_bytes: Callable[..., bytes], key: bytes, edit: Edit, reason: Reason) -> None:
    with pytest.raises(RefusedError) as caught:
        release_object(ct_bytes(edit), key=key, profile=Profile())
    assert caught.value.reason is reason


def test_a_series_that_was_looked_at_may_be_allowed_by_name(ct_bytes: Callable[..., bytes], key: bytes) -> None:
    data = ct_bytes(burned_in)
    allowed = frozenset({str(dcmread(io.BytesIO(data)).SeriesInstanceUID)})
    after = dcmread(io.BytesIO(whole(data, key, Profile(allow_burned_in=allowed))))
    assert after.BurnedInAnnotation == "YES"


@pytest.mark.parametrize("keep", [0, 100, 140, 700, 1200])
def test_a_file_cut_short_is_refused(ct_bytes: Callable[..., bytes], key: bytes, keep: int) -> None:
    with pytest.raises(RefusedError):
        release_object(ct_bytes()[:keep], key=key, profile=Profile())


def test_what_must_have_a_value_gets_one_that_tells_nothing(released: Make) -> None:
    def edit(ds: FileDataset) -> None:
        ds.VerifyingObserverName, ds.Date, ds.Time, ds.DateTime = "KANARI^A", "20240301", "1015", "20240301101500"
        ds.SelectorASValue, ds.SelectorURValue, ds.SelectorOBValue = "064Y", "http://kanari/", b"KANARI"
        ds.AnnotationGroupUID, ds.FunctionalSyncPulse = "1.2.3.4.5.6.7.8", "20240301101500"
        person = Dataset()
        person.CodeValue, person.CodingSchemeDesignator, person.CodeMeaning = "KANARI7", "99K", "Dr. Kanari"
        note = Dataset()
        note.TextValue = "KANARI"
        ds.PersonIdentificationCodeSequence, ds.GraphicAnnotationSequence = [person], [note]

    ds = released(edit, profile=BASIC)
    assert (ds.VerifyingObserverName, ds.Date, ds.Time) == ("REMOVED", "19000101", "000000")
    assert ds.DateTime == ds.FunctionalSyncPulse == "19000101000000"
    assert (ds.SelectorASValue, ds.SelectorURValue, ds.SelectorOBValue) == ("000Y", "urn:removed", b"\0\0")
    assert ds.AnnotationGroupUID.startswith("2.25.")
    assert ds.PersonIdentificationCodeSequence[0].CodeValue == "REMOVED"
    assert len(ds.GraphicAnnotationSequence) == 1
    assert "TextValue" not in ds.GraphicAnnotationSequence[0]


def enhanced(ds: FileDataset) -> None:
    """Make the slice an enhanced CT of one frame, with references and times where its functional groups have them."""
    ds.SOPClassUID, ds.NumberOfFrames = "1.2.840.10008.5.1.4.1.1.2.1", "1"
    ds.AcquisitionDateTime, ds.DeviceSerialNumber = "20240301091200.5", "SN4711"
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    derivation, content, frame, shared = Dataset(), Dataset(), Dataset(), Dataset()
    derivation.SourceImageSequence = [reference]
    derivation.DerivationDescription = "by Muster"
    content.FrameAcquisitionDateTime, content.FrameComments = "20240301091201", "Muster"
    frame.FrameContentSequence, frame.DerivationImageSequence = [content], [derivation]
    shared.ReferencedImageSequence = [reference]
    ds.SharedFunctionalGroupsSequence, ds.PerFrameFunctionalGroupsSequence = [shared], [frame]
    ds.AcquisitionContextSequence = [content]
    ds.ReferencedPerformedProcedureStepSequence = [reference]


def test_an_enhanced_object_keeps_what_it_needs(released: Make) -> None:
    ds = released(enhanced, profile=BASIC)
    frame = ds.PerFrameFunctionalGroupsSequence[0]
    assert (ds.AcquisitionDateTime, ds.DeviceSerialNumber) == ("19000101000000", "REMOVED")
    assert len(ds.AcquisitionContextSequence) == 0
    assert frame.FrameContentSequence[0].FrameAcquisitionDateTime == "19000101000000"
    assert "FrameComments" not in frame.FrameContentSequence[0]
    assert "DerivationDescription" not in frame.DerivationImageSequence[0]
    for item in (
        frame.DerivationImageSequence[0].SourceImageSequence[0],
        ds.SharedFunctionalGroupsSequence[0].ReferencedImageSequence[0],
        ds.ReferencedPerformedProcedureStepSequence[0],
    ):
        assert item.ReferencedSOPInstanceUID == ds.SOPInstanceUID


def test_the_times_of_frames_move_with_their_study(released: Make) -> None:
    ds = released(enhanced)
    at = ds.PerFrameFunctionalGroupsSequence[0].FrameContentSequence[0].FrameAcquisitionDateTime
    assert at == f"{ds.StudyDate}091201"


def test_what_may_be_empty_stays_empty(released: Make) -> None:
    def edit(ds: FileDataset) -> None:
        ds.StudyDate, ds.AcquisitionTime, ds.PatientAge, ds.FrameOfReferenceUID = "", "", "", ""
        ds.TimezoneOffsetFromUTC = "Mustertal"

    ds = released(edit)
    assert (ds.StudyDate, ds.AcquisitionTime, ds.PatientAge, ds.FrameOfReferenceUID) == ("", "", "", "")
    assert "TimezoneOffsetFromUTC" not in ds


def test_an_age_that_is_none_goes(released: Make) -> None:
    def edit(ds: FileDataset) -> None:
        ds.add_new(0x00101010, "LO", "ninety")

    assert "PatientAge" not in released(edit)


def test_pixels_of_no_known_shape_are_refused(ct_bytes: Callable[..., bytes], key: bytes) -> None:
    def edit(ds: FileDataset) -> None:
        del ds.Rows

    with pytest.raises(RefusedError) as caught:
        release_object(ct_bytes(edit), key=key, profile=Profile())
    assert caught.value.reason is Reason.MISSING_GEOMETRY


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGLosslessSV1])
def test_a_mutated_file_is_released_or_refused_and_nothing_else(
    ct_bytes: Callable[..., bytes], key: bytes, syntax: str
) -> None:
    data, rng = ct_bytes(enhanced, syntax=syntax), np.random.default_rng(5)
    outcomes = set()
    for _ in range(100):
        mutant = bytearray(data)
        for at in rng.integers(128, 2000, rng.integers(1, 4)):
            mutant[at] = rng.integers(256)
        try:
            outcomes.add(release_object(bytes(mutant), key=key, profile=Profile()).patient[:2])
        except RefusedError:
            outcomes.add("refused")
    assert outcomes == {"P-", "refused"}
