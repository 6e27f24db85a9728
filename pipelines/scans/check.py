"""One series of slices: a right volume, or the reasons why it is none.

Each check is a small function from the headers of one series to the problems it finds; none of them mends anything.
A series is accepted only if all of them are silent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Geometry
from pipelines.scans.decode import MAX_PIXELS, SUPPORTED
from pipelines.scans.headers import SliceHeader
from pipelines.scans.intensity import intensity_problems
from pipelines.scans.problem import Problem
from pipelines.scans.stack import stack_slices

# Objects that are one slice each. Their enhanced, multi-frame relatives are not read yet.
SLICE_OBJECTS = {
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.128": "PT",
}
# Secondary captures: pictures of a screen or of paper.
CAPTURES = "1.2.840.10008.5.1.4.1.1.7"
# Modalities whose objects may hold pixels and still are no images of a patient.
NO_IMAGES = frozenset({"SR", "SEG", "RTSTRUCT", "RTPLAN", "RTDOSE", "RTRECORD", "PR", "KO", "REG", "DOC", "PLAN", "AU"})
# Words in Image Type that tell of a picture made from other pictures.
DERIVED_WORDS = frozenset(
    {"DERIVED", "SECONDARY", "MIP", "MINIP", "MPR", "REFORMATTED", "CSA MPR", "PROJECTION IMAGE", "SCREEN SAVE", "VRT"}
)
# A float volume of this size takes 4 GiB; whole-body CTs stay below a third of it.
MAX_VOXELS = 2**30

# After these nothing can be said of the geometry.
_UNREADABLE = frozenset({Reason.NOT_AN_IMAGE, Reason.NO_PIXEL_DATA})
_UID = re.compile(r"[0-9.]{1,64}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a series. ``slices`` (in slice order) and ``geometry`` are set only where it was accepted."""

    problems: tuple[Problem, ...]
    remarks: tuple[Remark, ...]
    slices: tuple[SliceHeader, ...] = ()
    geometry: Geometry | None = None

    @property
    def accepted(self) -> bool:
        """Whether the series is a right volume."""
        return self.geometry is not None


def check_series(headers: Sequence[SliceHeader]) -> Verdict:
    """Check the files of one SeriesInstanceUID.

    Returns
    -------
    Verdict
        Slices ordered by their position along the normal, and the geometry; or every problem that was found.
    """
    slices, remarks = _drop_copies(headers)
    problems = [problem for check in (_faults, _identity, _instances, _objects) for problem in check(slices)]
    images = [header for header in slices if "LOCALIZER" not in header.image_type]
    remarks += _remarks(images or slices)
    if any(problem.reason in _UNREADABLE for problem in problems) or any(header.fault for header in slices):
        return _verdict(problems, remarks)
    if not images:
        return _verdict([*problems, Problem(Reason.DERIVED, "localizers only")], remarks)
    if len(images) < len(slices):
        remarks.append(Remark.LOCALIZER_SET_ASIDE)
    stacked = stack_slices(images)
    problems += [problem for check in (_originals, _shapes, intensity_problems) for problem in check(images)]
    problems += stacked.problems
    if problems or stacked.geometry is None:
        return _verdict(problems, remarks)
    return Verdict((), tuple(remarks), stacked.slices, stacked.geometry)


def _verdict(problems: Sequence[Problem], remarks: Sequence[Remark]) -> Verdict:
    return Verdict(tuple(dict.fromkeys(problems)), tuple(remarks))


def _drop_copies(headers: Sequence[SliceHeader]) -> tuple[list[SliceHeader], list[Remark]]:
    unique = {header.sha256: header for header in headers}
    return list(unique.values()), [Remark.COPIES_DROPPED] if len(unique) < len(headers) else []


def _remarks(images: Sequence[SliceHeader]) -> Iterator[Remark]:
    if any(not _UID.fullmatch(uid) for header in images for uid in (header.series_uid, header.study_uid)):
        yield Remark.NONSTANDARD_UID
    if all(header.acquired is None for header in images):
        yield Remark.UNDATED
    if any(header.photometric == "MONOCHROME1" for header in images):
        yield Remark.MONOCHROME1_INVERTED
    if any(header.lossy for header in images):
        yield Remark.LOSSY


def _differing(
    headers: Sequence[SliceHeader], reason: Reason, what: str, key: Callable[[SliceHeader], Hashable]
) -> Iterator[Problem]:
    found = len({key(header) for header in headers})
    if found > 1:
        yield Problem(reason, f"{found} different {what} in {len(headers)} files")


def _faults(headers: Sequence[SliceHeader]) -> Iterator[Problem]:
    for reason in dict.fromkeys(header.fault for header in headers if header.fault):
        bad = [header for header in headers if header.fault is reason]
        yield Problem(reason, f"{len(bad)} of {len(headers)} files: {bad[0].fault_detail}")


def _identity(headers: Sequence[SliceHeader]) -> Iterator[Problem]:
    """A blank against a value counts as a difference: half an identity proves nothing."""
    readable = [header for header in headers if header.fault is None]
    patients = Reason.MIXED_PATIENTS
    yield from _differing(readable, patients, "patient ids", lambda header: header.patient_id)
    yield from _differing(readable, patients, "issuers of patient ids", lambda header: header.issuer)
    yield from _differing(readable, patients, "patient names", lambda header: header.patient_name.casefold())
    yield from _differing(readable, patients, "birth dates", lambda header: header.birth_date.replace(".", ""))
    yield from _differing(readable, patients, "sexes", lambda header: header.sex)
    yield from _differing(readable, Reason.MIXED_STUDIES, "studies", lambda header: header.study_uid)


def _instances(headers: Sequence[SliceHeader]) -> Iterator[Problem]:
    named = [header.sop_uid for header in headers if header.sop_uid]
    if len(set(named)) < len(named):
        yield Problem(Reason.DUPLICATE_SLICES, "different files claim to be the same instance")


def _objects(headers: Sequence[SliceHeader]) -> Iterator[Problem]:
    for header in headers:
        if header.fault is None:
            yield from _object(header)


def _object(header: SliceHeader) -> Iterator[Problem]:
    has_shape = header.rows is not None or header.pixels is not None
    if header.modality in NO_IMAGES or (not has_shape and header.sop_class not in SLICE_OBJECTS):
        yield Problem(Reason.NOT_AN_IMAGE, f"modality {_word(header.modality)}")
        return
    if header.pixels is None:
        yield Problem(Reason.NO_PIXEL_DATA, "an image object without pixels")
        return
    expected = SLICE_OBJECTS.get(header.sop_class)
    if header.sop_class == CAPTURES or header.sop_class.startswith(f"{CAPTURES}."):
        yield Problem(Reason.DERIVED, "a secondary capture")
    elif expected is None or header.frames != 1:
        yield Problem(Reason.UNSUPPORTED_OBJECT, "only single-frame CT, MR and PET images are read")
    elif header.modality != expected:
        yield Problem(Reason.UNSUPPORTED_OBJECT, f"a {expected} object of modality {_word(header.modality)}")
    if header.transfer_syntax not in SUPPORTED:
        yield Problem(Reason.UNSUPPORTED_TRANSFER_SYNTAX, _word(header.transfer_syntax))
    yield from _pixel_module(header)


def _pixel_module(header: SliceHeader) -> Iterator[Problem]:
    rows, columns, allocated = header.rows or 0, header.columns or 0, header.bits_allocated or 0
    monochrome = header.photometric in {"MONOCHROME1", "MONOCHROME2"}
    if header.samples not in {1, None} or header.photometric.startswith(("RGB", "YBR", "PALETTE", "HSV", "CMYK")):
        yield Problem(Reason.COLOUR, "coloured pixels")
    if not monochrome or header.samples != 1:
        yield Problem(Reason.PHOTOMETRIC_CONFLICT, f"{header.samples} samples of {_word(header.photometric)}")
    if not rows or not columns:
        yield Problem(Reason.MISSING_GEOMETRY, "no rows or columns")
    if rows * columns > MAX_PIXELS:
        yield Problem(Reason.TOO_LARGE, f"{rows} x {columns} pixels are beyond {MAX_PIXELS}")
    stored = header.bits_stored or 0
    if (
        allocated not in {8, 16}
        or not 0 < stored <= allocated
        or header.high_bit != stored - 1
        or header.signed is None
    ):
        yield Problem(Reason.UNSUPPORTED_OBJECT, f"{stored} bits stored of {allocated}, high bit {header.high_bit}")
    span = header.pixels
    needed = rows * columns * allocated // 8
    if span and span.fragments is None and header.samples == 1 and not needed <= span.length <= needed + needed % 2:
        yield Problem(Reason.DECODE_FAILED, f"the pixels take {span.length} bytes; their shape needs {needed}")


def _originals(images: Sequence[SliceHeader]) -> Iterator[Problem]:
    for header in images:
        if header.converted or DERIVED_WORDS & set(header.image_type):
            yield Problem(Reason.DERIVED, "the image type tells of a derived picture")
        if header.mosaic or "MOSAIC" in header.image_type:
            yield Problem(Reason.MOSAIC, "slices tiled into one image")


def _shapes(images: Sequence[SliceHeader]) -> Iterator[Problem]:
    yield from _differing(images, Reason.MIXED_SHAPE, "shapes", lambda header: (header.rows, header.columns))
    yield from _differing(images, Reason.MIXED_SHAPE, "pixel spacings", lambda header: header.pixel_spacing)
    yield from _differing(
        images,
        Reason.MIXED_SHAPE,
        "bit depths",
        lambda header: (header.bits_allocated, header.bits_stored, header.high_bit, header.signed, header.samples),
    )
    voxels = len(images) * max(((header.rows or 0) * (header.columns or 0) for header in images), default=0)
    if voxels > MAX_VOXELS:
        yield Problem(Reason.TOO_LARGE, f"{voxels} voxels are beyond {MAX_VOXELS}")


def _word(value: str) -> str:
    """A code string as it may be shown: codes hold no patient data, anything else might."""
    return value if re.fullmatch(r"[A-Z0-9_. ]{1,32}", value) else "of no known code"
