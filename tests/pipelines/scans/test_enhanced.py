"""Enhanced multi-frame objects: one slice a frame, held against pydicom and highdicom."""

from __future__ import annotations

import copy
import io
import struct
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import highdicom
import imagecodecs
import numpy as np
import pydicom
import pytest
from highdicom.legacy import LegacyConvertedEnhancedCTImage
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGLosslessSV1

from data_schemas.reasons import Reason
from data_schemas.scan import SeriesStatus
from pipelines.scans import enhanced
from pipelines.scans.headers import read_headers
from pipelines.scans.index import index_paths
from pipelines.scans.read import read_volume
from pipelines.scans.slice_header import SliceHeader

CT, MR = "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.4.1"
DIRECTIONS = (0.8, 0.6, 0.0, -0.48, 0.64, 0.6)
NORMAL = np.cross(DIRECTIONS[:3], DIRECTIONS[3:])
Edit = Callable[[Dataset], None]


def item(**attributes: object) -> Dataset:
    made = Dataset()
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def one(**attributes: object) -> Sequence:
    return Sequence([item(**attributes)])


def enhanced_object(*, frames: int = 6, rows: int = 8, columns: int = 10, edit: Edit | None = None) -> FileDataset:
    """An enhanced CT whose frames are stored out of order; orientation, spacing and rescale are shared."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", Dataset(), file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = CT, "1.2.3.4"
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    ds.ImageType, ds.Modality = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"], "CT"
    ds.PatientID, ds.PatientName, ds.PatientBirthDate, ds.PatientSex = "007", "Muster^Erika", "19600102", "F"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = "1.2.3.1", "1.2.3.2", "1.2.3.3"
    ds.StudyDate, ds.StudyTime, ds.AcquisitionDateTime = "20240301", "080000", "20240301091200"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns, ds.NumberOfFrames = rows, columns, str(frames)
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.SharedFunctionalGroupsSequence = one(
        PlaneOrientationSequence=one(ImageOrientationPatient=list(DIRECTIONS)),
        PixelMeasuresSequence=one(PixelSpacing=["0.8", "0.7"], SliceThickness="2.5"),
        PixelValueTransformationSequence=one(RescaleIntercept="-1024", RescaleSlope="1", RescaleType="HU"),
    )
    order = np.random.default_rng(3).permutation(frames)
    ds.PerFrameFunctionalGroupsSequence = Sequence(
        item(
            FrameContentSequence=one(StackID="1", InStackPositionNumber=int(place) + 1),
            PlanePositionSequence=one(ImagePositionPatient=[f"{value:.6g}" for value in NORMAL * 2.5 * place]),
        )
        for place in order
    )
    stored = np.random.default_rng(1).integers(0, 2000, (frames, rows, columns)).astype("<u2")
    ds.PixelData = stored[order].tobytes()
    ds["PixelData"].VR = "OW"
    if edit:
        edit(ds)
    return ds


def encoded(ds: FileDataset) -> bytes:
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def headers_of(*, frames: int = 6, edit: Edit | None = None) -> tuple[SliceHeader, ...]:
    return read_headers(encoded(enhanced_object(frames=frames, edit=edit)))


def accepted(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The affine and the volume of the one scan in a folder."""
    (series,) = index_paths(folder).series
    assert series.status is SeriesStatus.ACCEPTED, series.detail
    (scan,) = series.scans
    return np.array(scan.geometry.affine), read_volume(scan)


def oracle(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The same of highdicom, in our convention: RAS+, voxel (column, row, slice)."""
    volume = highdicom.imread(path).get_volume()
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.affine
    return affine[:, [2, 1, 0, 3]], np.asarray(volume.array, np.float32)


def same_space(ours: tuple[np.ndarray, np.ndarray], theirs: tuple[np.ndarray, np.ndarray]) -> None:
    affine, volume = theirs
    if ours[0][:3, 2] @ affine[:3, 2] < 0:
        volume = volume[::-1]
        affine = affine.copy()
        affine[:3, 3] += affine[:3, 2] * (len(volume) - 1)
        affine[:3, 2] *= -1
    np.testing.assert_allclose(ours[0], affine, atol=1e-4)
    np.testing.assert_array_equal(ours[1], volume)


def test_frames_out_of_order_make_the_volume_that_highdicom_makes(tmp_path: Path) -> None:
    path = tmp_path / "enhanced.dcm"
    path.write_bytes(encoded(enhanced_object()))

    same_space(accepted(tmp_path), oracle(path))


def test_a_converted_series_is_the_volume_that_it_was_made_of(
    tmp_path: Path, writer: Callable[..., np.ndarray]
) -> None:
    values = writer(tmp_path / "classic", orientation=DIRECTIONS)
    slices = [pydicom.dcmread(path) for path in sorted((tmp_path / "classic").iterdir())]
    for ds in slices:
        ds.StudyID, ds.SeriesNumber, ds.Manufacturer, ds.ReferringPhysicianName = "1", 1, "X", ""
        ds.PositionReferenceIndicator = ""
    converted = LegacyConvertedEnhancedCTImage(slices, "1.2.3.1", 2, "1.2.3.4", 1)
    (tmp_path / "legacy").mkdir()
    converted.save_as(tmp_path / "legacy" / "one.dcm")

    affine, volume = accepted(tmp_path / "legacy")

    np.testing.assert_array_equal(volume, values.astype(np.float32))
    np.testing.assert_allclose(affine, accepted(tmp_path / "classic")[0], atol=1e-4)
    same_space((affine, volume), oracle(tmp_path / "legacy" / "one.dcm"))


def test_each_frame_has_the_values_that_pydicom_finds() -> None:
    data = encoded(enhanced_object())
    expected = pydicom.dcmread(io.BytesIO(data))

    found = read_headers(data)

    assert [header.frame for header in found] == list(range(6))
    for header, group in zip(found, expected.PerFrameFunctionalGroupsSequence, strict=True):
        assert header.position == tuple(map(float, group.PlanePositionSequence[0].ImagePositionPatient))
        assert (header.orientation, header.pixel_spacing) == (DIRECTIONS, (0.8, 0.7))
        assert (header.slope, header.intercept, header.rescale_type, header.rescaled) == (1.0, -1024.0, "HU", True)
        assert (header.stack_id, header.thickness, header.frames) == ("1", 2.5, 6)
        assert (header.patient_id, header.sop_uid, header.series_uid) == ("007", "1.2.3.4", "1.2.3.2")


def test_each_native_frame_spans_its_own_bytes() -> None:
    data = encoded(enhanced_object())
    expected = pydicom.dcmread(io.BytesIO(data)).PixelData

    spans = [header.pixels for header in read_headers(data)]

    assert b"".join(data[span.offset : span.offset + span.length] for span in spans if span) == expected
    assert {span.length for span in spans if span} == {160}


def reencoded(syntax: str, *, undefined: bool) -> bytes:
    ds = enhanced_object()
    for sequence in (ds["SharedFunctionalGroupsSequence"], ds["PerFrameFunctionalGroupsSequence"]):
        sequence.is_undefined_length = undefined
        for group in sequence.value:
            group.is_undefined_length_sequence_item = undefined
            for macro in group:
                macro.is_undefined_length = undefined
                for attributes in macro.value:
                    attributes.is_undefined_length_sequence_item = undefined
    ds.file_meta.TransferSyntaxUID = syntax
    little, implicit = syntax != ExplicitVRBigEndian, syntax == ImplicitVRLittleEndian
    other = FileDataset(
        "", ds, file_meta=ds.file_meta, preamble=b"\0" * 128, is_implicit_VR=implicit, is_little_endian=little
    )
    buffer = io.BytesIO()
    other.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@pytest.mark.parametrize("undefined", [False, True], ids=["lengths", "delimiters"])
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_every_encoding_of_the_groups_says_the_same(syntax: str, undefined: bool) -> None:
    plain, found = headers_of(), read_headers(reencoded(syntax, undefined=undefined))

    for one_header, other in zip(plain, found, strict=True):
        assert other.fault is None
        for name in ("position", "orientation", "pixel_spacing", "slope", "intercept", "stack_id", "thickness"):
            assert getattr(other, name) == getattr(one_header, name), name


def test_what_stands_in_the_groups_of_the_frames_alone_is_read() -> None:
    def edit(ds: Dataset) -> None:
        shared = ds.SharedFunctionalGroupsSequence[0]
        for group in ds.PerFrameFunctionalGroupsSequence:
            for macro in shared:
                group.add(macro)
        del ds.SharedFunctionalGroupsSequence

    found = headers_of(edit=edit)

    assert {(header.orientation, header.pixel_spacing, header.slope) for header in found} == {
        (DIRECTIONS, (0.8, 0.7), 1.0)
    }


def test_what_tells_frames_apart_is_read() -> None:
    def edit(ds: Dataset) -> None:
        ds.SOPClassUID, ds.Modality = MR, "MR"
        ds.AcquisitionDateTime = "20240301090000"
        for index, group in enumerate(ds.PerFrameFunctionalGroupsSequence):
            content = group.FrameContentSequence[0]
            content.TemporalPositionIndex, content.FrameAcquisitionNumber = index + 1, 7
            content.FrameAcquisitionDateTime = f"202403010915{index:02d}.5"
            group.MREchoSequence = one(EffectiveEchoTime=4.5 + index)
            group.MRDiffusionSequence = one(DiffusionBValue=1000.0 * index)
            group.MRTimingAndRelatedParametersSequence = one(RepetitionTime="2000")
            group.MRModifierSequence = one(InversionTimes=[900.0])
            group.CardiacSynchronizationSequence = one(NominalCardiacTriggerDelayTime=30.0 * index)
            group.FrameAnatomySequence = one(FrameLaterality="R")
            group.MRImageFrameTypeSequence = one(
                FrameType=["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"], ComplexImageComponent="PHASE"
            )

    found = headers_of(edit=edit)[2]

    assert (found.temporal, found.acquisition_number, found.instance_number) == ("3", "7", "3")
    assert (found.echo_time, found.b_value, found.trigger_time) == (6.5, 2000.0, 60.0)
    assert (found.repetition_time, found.inversion_time) == (2000.0, 900.0)
    assert found.image_laterality == "R"
    assert found.image_type == ("ORIGINAL", "PRIMARY", "DIFFUSION", "NONE", "PHASE")
    assert (found.acquired, found.acquired_from) == (
        datetime(2024, 3, 1, 9, 15, 2, 500000),
        "frame_acquisition_date_time",
    )


def test_how_a_ct_frame_was_made_is_read() -> None:
    def edit(ds: Dataset) -> None:
        shared = ds.SharedFunctionalGroupsSequence[0]
        shared.CTReconstructionSequence = one(ConvolutionKernel="B30f")
        shared.CTAcquisitionDetailsSequence = one(GantryDetectorTilt="12.5")

    assert {(header.kernel, header.tilt) for header in headers_of(edit=edit)} == {("B30f", 12.5)}


def test_a_private_copy_speaks_where_no_group_does() -> None:
    def edit(ds: Dataset) -> None:
        del ds.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence
        for group in ds.PerFrameFunctionalGroupsSequence:
            group.add_new(0x20050014, "LO", "Philips MR Imaging DD 005")
            group.add_new(0x2005140F, "SQ", one(RescaleSlope="3", RescaleIntercept="5"))

    assert {(header.slope, header.intercept) for header in headers_of(edit=edit)} == {(3.0, 5.0)}


def test_a_private_copy_never_overrules_a_group() -> None:
    def edit(ds: Dataset) -> None:
        for group in ds.PerFrameFunctionalGroupsSequence:
            group.add_new(0x20050014, "LO", "Philips MR Imaging DD 005")
            group.add_new(0x2005140F, "SQ", one(RescaleSlope="3", ImagePositionPatient=[9, 9, 9]))

    found = headers_of(edit=edit)

    assert {header.slope for header in found} == {1.0}
    assert (9.0, 9.0, 9.0) not in {header.position for header in found}


def test_real_world_values_are_not_taken_for_the_rescale() -> None:
    def edit(ds: Dataset) -> None:
        mapping = one(RealWorldValueSlope=7.0, RealWorldValueIntercept=1.0)
        ds.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence = mapping

    assert {header.slope for header in headers_of(edit=edit)} == {1.0}


def contradicting(ds: Dataset) -> None:
    group = ds.PerFrameFunctionalGroupsSequence[3]
    group.PixelValueTransformationSequence = one(RescaleIntercept="0", RescaleSlope="2", RescaleType="HU")


def one_group_short(ds: Dataset) -> None:
    del ds.PerFrameFunctionalGroupsSequence[-1]


def without_groups(ds: Dataset) -> None:
    del ds.PerFrameFunctionalGroupsSequence


def two_positions(ds: Dataset) -> None:
    ds.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence.append(item(ImagePositionPatient=[0, 0, 0]))


def two_shared(ds: Dataset) -> None:
    ds.SharedFunctionalGroupsSequence.append(Dataset())


def too_many(ds: Dataset) -> None:
    ds.NumberOfFrames = "20001"


def short_pixels(ds: Dataset) -> None:
    ds.PixelData = ds.PixelData[:-160]


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (contradicting, Reason.MISSING_GEOMETRY),
        (one_group_short, Reason.MISSING_GEOMETRY),
        (without_groups, Reason.MISSING_GEOMETRY),
        (two_positions, Reason.NOT_DICOM),
        (two_shared, Reason.NOT_DICOM),
        (too_many, Reason.TOO_LARGE),
        (short_pixels, Reason.DECODE_FAILED),
    ],
)
def test_groups_that_do_not_describe_the_frames_are_a_fault(edit: Edit, reason: Reason) -> None:
    (header,) = headers_of(edit=edit)

    assert header.fault is reason
    assert header.series_uid == "1.2.3.2"


def test_a_frame_without_a_position_quarantines_the_series(tmp_path: Path) -> None:
    def edit(ds: Dataset) -> None:
        del ds.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence

    (tmp_path / "one.dcm").write_bytes(encoded(enhanced_object(edit=edit)))
    (series,) = index_paths(tmp_path).series

    assert Reason.MISSING_GEOMETRY in series.reasons


def compressed(*, fragments: int, table: str, frames: int = 6) -> tuple[bytes, list[bytes]]:
    """An encapsulated file of ``fragments`` a frame, and the frames' codestreams."""
    codes: list[bytes] = []

    def edit(ds: Dataset) -> None:
        stored = np.frombuffer(ds.PixelData, "<u2").reshape(frames, 8, 10)
        codes.extend(imagecodecs.jpeg8_encode(frame.copy(), lossless=True) for frame in stored)
        codes[:] = [code + b"\0" * (len(code) % 2) for code in codes]
        ds.file_meta.TransferSyntaxUID = JPEGLosslessSV1
        if table == "extended":
            ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(codes)
        else:
            ds.PixelData = encapsulate(codes, fragments_per_frame=fragments, has_bot=table == "basic")
        ds["PixelData"].VR = "OB"

    return encoded(enhanced_object(frames=frames, edit=edit)), codes


@pytest.mark.parametrize(
    ("fragments", "table"), [(1, "none"), (1, "basic"), (1, "extended"), (2, "basic"), (3, "basic")]
)
def test_the_fragments_of_each_frame_are_its_codestream(fragments: int, table: str) -> None:
    data, codes = compressed(fragments=fragments, table=table)

    spans = [header.pixels for header in read_headers(data)]

    found = [b"".join(data[at : at + size] for at, size in span.fragments or ()) for span in spans if span]
    assert [code.rstrip(b"\0") for code in found] == [code.rstrip(b"\0") for code in codes]


def test_a_compressed_enhanced_series_is_the_volume_that_highdicom_decodes(tmp_path: Path) -> None:
    data, _ = compressed(fragments=2, table="basic")
    (tmp_path / "one.dcm").write_bytes(data)
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "one.dcm").write_bytes(encoded(enhanced_object()))

    affine, volume = accepted(tmp_path / "one.dcm")

    np.testing.assert_array_equal(volume, accepted(plain)[1])
    same_space((affine, volume), oracle(plain / "one.dcm"))


def test_fragments_that_no_table_shares_out_are_a_fault() -> None:
    data, _ = compressed(fragments=2, table="none")
    (header,) = read_headers(data)

    assert header.fault is Reason.DECODE_FAILED


def test_an_extended_table_shares_out_fragments() -> None:
    data, codes = compressed(fragments=2, table="basic")
    places = [header.pixels.fragments[0][0] for header in read_headers(data) if header.pixels]  # type: ignore[index]
    firsts = [place - places[0] for place in places]
    table = struct.pack(f"<{len(codes)}Q", *firsts)
    # The basic table is emptied, the extended one stands before the pixels instead.
    at = data.index(struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF))
    size = struct.unpack_from("<I", data, at + 16)[0]
    extended = struct.pack("<HH2sHI", 0x7FE0, 0x0001, b"OV", 0, len(table)) + table
    moved = data[:at] + extended + data[at : at + 16] + struct.pack("<I", 0) + data[at + 20 + size :]

    found = read_headers(moved)

    assert [header.fault for header in found] == [None] * 6
    assert [len(header.pixels.fragments or ()) for header in found if header.pixels] == [2] * 6


@pytest.mark.parametrize("change", [1, 2**31])
def test_a_table_that_points_elsewhere_is_a_fault(change: int) -> None:
    data, _ = compressed(fragments=2, table="basic")
    at = data.index(struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)) + 20 + 8
    second = struct.unpack_from("<I", data, at - 4)[0]
    broken = data[: at - 4] + struct.pack("<I", second + change & 0xFFFFFFFF) + data[at:]

    (header,) = read_headers(broken)

    assert header.fault is Reason.DECODE_FAILED


def test_three_hundred_frames_are_read_in_a_moment() -> None:
    """30 ms on a machine of its own; a test run shares its processors, and may be traced."""
    data = encoded(enhanced_object(frames=300))
    times = []
    for _ in range(5):
        began = time.perf_counter()
        found = read_headers(data, sha256="")
        times.append(time.perf_counter() - began)

    assert len(found) == 300
    assert min(times) < 0.4


def test_a_tower_of_sequences_in_a_frame_is_a_fault_and_no_recursion() -> None:
    level = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    level += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    end = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    group = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + level * 5000 + end * 5000
    group += struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
    data = encoded(enhanced_object(frames=1))
    at = data.index(struct.pack("<HH2s", 0x5200, 0x9230, b"SQ"))
    length = struct.unpack_from("<I", data, at + 8)[0]
    tower = struct.pack("<HH2sHI", 0x5200, 0x9230, b"SQ", 0, len(group)) + group

    (header,) = read_headers(data[:at] + tower + data[at + 12 + length :])

    assert header.fault is Reason.TOO_LARGE
    assert "nested" in header.fault_detail


@pytest.fixture(scope="module")
def whole() -> bytes:
    return encoded(enhanced_object(frames=5, rows=2, columns=2))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_flipped_bytes_never_raise(whole: bytes, data: st.DataObject) -> None:
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(132, len(whole) - 1))] = data.draw(st.integers(0, 255))

    assert len(read_headers(bytes(changed))) in {1, 5}


def test_an_enhanced_file_cut_anywhere_is_a_fault(whole: bytes) -> None:
    for length in range(400, len(whole), 11):
        (header,) = read_headers(whole[:length])
        assert header.fault is Reason.TRUNCATED or header.pixels is None


def test_only_the_listed_objects_are_read_frame_by_frame() -> None:
    def edit(ds: Dataset) -> None:
        ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.20"

    (header,) = headers_of(edit=edit)

    assert (header.frames, header.fault) == (6, None)
    assert header.sop_class not in enhanced.ENHANCED


def test_a_projection_says_so_in_an_attribute_of_its_own() -> None:
    def edit(ds: Dataset) -> None:
        ds.SharedFunctionalGroupsSequence[0].CTImageFrameTypeSequence = one(
            FrameType=["DERIVED", "PRIMARY", "VOLUME", "NONE"], VolumeBasedCalculationTechnique="MAX_IP"
        )

    assert headers_of(edit=edit)[0].image_type == ("DERIVED", "PRIMARY", "VOLUME", "NONE", "MAX_IP")


def test_repeated_frames_are_told_apart_by_their_own_times(tmp_path: Path) -> None:
    def edit(ds: Dataset) -> None:
        groups = list(ds.PerFrameFunctionalGroupsSequence)
        again = [copy.deepcopy(group) for group in groups]
        for minute, stack in enumerate((groups, again)):
            for group in stack:
                group.FrameContentSequence[0].FrameAcquisitionDateTime = f"202403010912{minute:02d}"
        ds.NumberOfFrames, ds.PixelData = "12", ds.PixelData * 2
        ds.PerFrameFunctionalGroupsSequence = Sequence(groups + again)

    (tmp_path / "one.dcm").write_bytes(encoded(enhanced_object(edit=edit)))

    assert [scan.stack for scan in index_paths(tmp_path).series[0].scans] == ["time 1", "time 2"]


def test_the_part_of_a_concatenation_is_read() -> None:
    def edit(ds: Dataset) -> None:
        ds.ConcatenationUID, ds.InConcatenationNumber, ds.InConcatenationTotalNumber = "1.9", 2, 3

    header = headers_of(edit=edit)[0]

    assert (header.concatenation, header.concatenated, header.concatenated_of) == ("1.9", 2, 3)
