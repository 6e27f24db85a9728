"""One file, from the bytes of the source to the bytes that may be released; the pixels pass byte for byte."""

from __future__ import annotations

from dataclasses import dataclass, field

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.scans.elements import (
    DEFLATED,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    PIXEL_DATA,
    UNDEFINED,
    PixelSpan,
    data_set_offset,
    parse_elements,
)
from pipelines.scans.elements import Elements as Walked
from pipelines.scans.inflate import data_set
from pipelines.scans.release.actions import KINDS
from pipelines.scans.release.dataset import Context, deidentify
from pipelines.scans.release.encode import Elements, Order, Value, element_head, encode
from pipelines.scans.release.identifiers import Identifiers, identifiers_of
from pipelines.scans.release.keyed import keyed_uid, person
from pipelines.scans.release.parse import parse_data_set
from pipelines.scans.release.profile import Profile
from pipelines.scans.values import short, text
from pipelines.scans.window import Window
from pipelines.workspace.digests import sha256_bytes

# Of this software, for every file it writes (PS3.10 section 7.1).
IMPLEMENTATION_UID = "2.25.190817364528190374652837465019283746"
IMPLEMENTATION = "SCANOTE"
CAPTURES = "1.2.840.10008.5.1.4.1.1.7"
ENCAPSULATED = "1.2.840.10008.5.1.4.1.1.104."
_SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
_OVERLAY_BIT = 0x60000102


_SOP_CLASS, _SOP_UID, _STUDY, _SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
_CONVERSION, _BURNED_IN, _FACE, _PATIENT_ID = 0x00080064, 0x00280301, 0x00280302, 0x00100020
_FRAMES, _SAMPLES, _ROWS, _COLUMNS, _BITS = 0x00280008, 0x00280002, 0x00280010, 0x00280011, 0x00280100
_SHAPE = frozenset({_FRAMES, _SAMPLES, _ROWS, _COLUMNS, _BITS})


@dataclass(frozen=True, slots=True)
class Released:
    """A file ready to be written: header bytes, then the pixels as they lie in the source, then its end."""

    patient: str
    study_uid: str
    series_uid: str
    sop_uid: str
    head: bytes = field(repr=False)
    pixels: memoryview = field(repr=False)
    tail: bytes = field(repr=False)
    known: Identifiers = field(repr=False)
    shift_days: int = field(repr=False)


def release_object(
    data: bytes,
    *,
    key: bytes,
    profile: Profile,
    ignore_id_case: bool = False,
    ignore_leading_zeros: bool = False,
) -> Released:
    """De-identify one DICOM image file held in memory.

    Parameters
    ----------
    data
        The whole file.
    key
        The workspace's key.
    profile
        What is retained, and which series may hold text or a face in their pixels.
    ignore_id_case, ignore_leading_zeros
        The issuer's rule for patient ids, as in the settings.

    Raises
    ------
    RefusedError
        The file is damaged, no image that is released, or may show in its pixels who the patient is.
    """
    data = data_set(data)
    walked = parse_elements(data, _SHAPE, inflated=True)
    if walked.fault is not None:
        raise RefusedError(walked.fault, walked.detail)
    if walked.pixels is None or walked.pixels.tag != PIXEL_DATA:
        raise RefusedError(Reason.NO_PIXEL_DATA, "no pixel data of integers")
    source, pixel_vr = _read_header(data, walked, walked.pixels)
    kind = _accepted_kind(source, profile)
    _check_length(walked, walked.pixels)
    who = person(
        key,
        _told(source, _PATIENT_ID),
        _told(source, _STUDY),
        ignore_case=ignore_id_case,
        ignore_leading_zeros=ignore_leading_zeros,
    )
    known = identifiers_of(source)
    context = Context(key=key, person=who, profile=profile, kind=kind, little=walked.little_endian, known=known)
    elements = deidentify(source, context)
    study_uid, series_uid = (keyed_uid(key, _told(source, tag)) for tag in (_STUDY, _SERIES))
    if not study_uid or not series_uid:
        raise RefusedError(Reason.UNSUPPORTED_OBJECT, "no StudyInstanceUID or SeriesInstanceUID")
    # Real series were met whose SOPInstanceUIDs are empty: what stands for one is then made from the bytes.
    sop_uid = keyed_uid(key, _told(source, _SOP_UID) or f"bytes {sha256_bytes(data)}")
    elements[_SOP_UID] = Value("UI", sop_uid.encode())
    # What was deflated is written plain: its pixels were compressed by nothing else.
    syntax = EXPLICIT_LITTLE if walked.syntax == DEFLATED else walked.syntax
    implicit = syntax == IMPLICIT_LITTLE
    span = walked.pixels
    encapsulated = span.fragments is not None
    length = UNDEFINED if encapsulated else span.length
    return Released(
        patient=who.pseudonym,
        study_uid=study_uid,
        series_uid=series_uid,
        sop_uid=sop_uid,
        head=_meta(_told(source, _SOP_CLASS), sop_uid, syntax)
        + encode(elements, implicit=implicit, little=walked.little_endian)
        + element_head(PIXEL_DATA, pixel_vr, length, implicit=implicit, little=walked.little_endian),
        pixels=memoryview(data)[span.offset : span.offset + span.length],
        tail=_SEQUENCE_END if encapsulated else b"\0" * (span.length % 2),
        known=known,
        shift_days=who.shift_days,
    )


def _read_header(data: bytes, walked: Walked, span: PixelSpan) -> tuple[Elements, str]:
    """The data set in front of the pixels, and the value representation to write the pixels with."""
    head = 8 if walked.implicit else 12
    start = span.offset - head
    order: Order = "little" if walked.little_endian else "big"
    tag = (PIXEL_DATA >> 16).to_bytes(2, order) + (PIXEL_DATA & 0xFFFF).to_bytes(2, order)
    if data[start : start + 4] != tag:
        raise RefusedError(Reason.NOT_DICOM, "pixel data of no valid value representation")
    vr = "OW" if walked.implicit else data[start + 4 : start + 6].decode("ascii", "replace")
    _, begin = data_set_offset(Window(data))
    source = parse_data_set(data[begin:start], implicit=walked.implicit, little=walked.little_endian)
    if span.fragments is not None:
        return source, "OB"
    return source, vr if vr in {"OB", "OW"} else "OW"


def _accepted_kind(source: Elements, profile: Profile) -> str:
    sop_class = _told(source, _SOP_CLASS)
    if sop_class == CAPTURES or sop_class.startswith(f"{CAPTURES}.") or _told(source, _CONVERSION):
        raise RefusedError(Reason.DERIVED, "a secondary capture; its pixels may hold text")
    if sop_class.startswith(ENCAPSULATED):
        raise RefusedError(Reason.NOT_AN_IMAGE, "an encapsulated document")
    if sop_class not in KINDS:
        raise RefusedError(Reason.UNSUPPORTED_OBJECT, "only CT, MR and PET images are released")
    if _told(source, _SERIES) not in profile.allow_burned_in:
        if _told(source, _BURNED_IN).upper() == "YES":
            raise RefusedError(
                Reason.BURNED_IN_TEXT, "the header tells of text in the picture; look at it, then allow it"
            )
        if _told(source, _FACE).upper() == "YES":
            raise RefusedError(
                Reason.BURNED_IN_TEXT, "the header tells of a recognisable face; look at it, then allow it"
            )
    for tag, value in source.items():
        if tag & 0xFF00FFFF == _OVERLAY_BIT and any(value.data):
            raise RefusedError(Reason.BURNED_IN_TEXT, "an overlay is drawn in unused bits of the pixels")
    return KINDS[sop_class]


def _check_length(walked: Walked, span: PixelSpan) -> None:
    """Native pixels must be exactly as long as their shape says: nothing else may travel behind them."""
    numbers = [short(walked.values.get(tag), walked.little_endian) for tag in (_ROWS, _COLUMNS, _BITS, _SAMPLES)]
    rows, columns, bits, samples = (number or 0 for number in numbers)
    frames = text(walked.values.get(_FRAMES)) or "1"
    if not frames.isdecimal() or not rows or not columns or bits % 8:
        raise RefusedError(Reason.MISSING_GEOMETRY, "no readable rows, columns, bits or frames")
    needed = rows * columns * (bits // 8) * max(samples, 1) * int(frames)
    if span.fragments is None and span.length not in {needed, needed + needed % 2}:
        raise RefusedError(Reason.DECODE_FAILED, f"the pixels take {span.length} bytes; their shape needs {needed}")


def _told(source: Elements, tag: int) -> str:
    return text(source[tag].data) if tag in source else ""


def _meta(sop_class: str, sop_uid: str, syntax: str) -> bytes:
    """Preamble, prefix and file meta group (PS3.10 section 7.1); nothing of the source's but class and syntax."""
    body = encode(
        {
            0x00020001: Value("OB", b"\0\1"),
            0x00020002: Value("UI", sop_class.encode()),
            0x00020003: Value("UI", sop_uid.encode()),
            0x00020010: Value("UI", syntax.encode()),
            0x00020012: Value("UI", IMPLEMENTATION_UID.encode()),
            0x00020013: Value("SH", IMPLEMENTATION.encode()),
        },
        implicit=False,
        little=True,
    )
    length = encode({0x00020000: Value("UL", len(body).to_bytes(4, "little"))}, implicit=False, little=True)
    return b"\0" * 128 + b"DICM" + length + body
