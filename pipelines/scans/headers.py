"""What the checks need of one DICOM file, read once: who, what, where, in which numbers, and the file's digest."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, datetime, time

from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts
from pipelines.scans import values
from pipelines.scans.elements import DEFLATED, MEDIA_SOP_CLASS, Elements, parse_elements
from pipelines.scans.enhanced import ENHANCED, SEQUENCES, frame_headers
from pipelines.scans.inflate import MAX_DEFLATED_BYTES, inflate
from pipelines.scans.slice_header import SliceHeader
from pipelines.scans.window import Window

_CHARSET = 0x00080005
_TAGS = {
    "image_type": 0x00080008, "sop_class": 0x00080016, "sop_uid": 0x00080018, "study_date": 0x00080020,
    "series_date": 0x00080021, "acquisition_date": 0x00080022, "acquisition_date_time": 0x0008002A,
    "study_time": 0x00080030, "series_time": 0x00080031, "acquisition_time": 0x00080032, "accession": 0x00080050,
    "modality": 0x00080060, "conversion": 0x00080064, "zone": 0x00080201, "name": 0x00100010, "id": 0x00100020,
    "issuer": 0x00100021, "birth_date": 0x00100030, "sex": 0x00100040, "age": 0x00101010, "tilt": 0x00181120,
    "patient_position": 0x00185100, "mosaic_creator": 0x00190010, "mosaic_count": 0x0019100A, "study_uid": 0x0020000D,
    "series_uid": 0x0020000E, "position": 0x00200032, "orientation": 0x00200037, "frame_of_reference": 0x00200052,
    "samples": 0x00280002, "photometric": 0x00280004, "frames": 0x00280008, "rows": 0x00280010,
    "columns": 0x00280011, "pixel_spacing": 0x00280030, "bits_allocated": 0x00280100, "bits_stored": 0x00280101,
    "high_bit": 0x00280102, "signed": 0x00280103, "intercept": 0x00281052, "slope": 0x00281053,
    "rescale_type": 0x00281054, "lossy": 0x00282110, "modality_lut": 0x00283000, "manufacturer": 0x00080070,
    "description": 0x0008103E, "body_part": 0x00180015, "contrast": 0x00180010, "sequence": 0x00180024,
    "thickness": 0x00180050, "kernel": 0x00181210, "echo": 0x00180086, "echo_time": 0x00180081,
    "kvp": 0x00180060, "repetition_time": 0x00180080, "inversion_time": 0x00180082,
    "b_value": 0x00189087, "trigger_time": 0x00181060, "temporal": 0x00200100, "acquisition_number": 0x00200012,
    "laterality": 0x00200060, "image_laterality": 0x00200062, "burned_in": 0x00280301, "instance_number": 0x00200013,
    "recognizable": 0x00280302, "units": 0x00541001, "decay": 0x00541102,
    "concatenation": 0x00209161, "concatenated": 0x00209162, "concatenated_of": 0x00209163,
    "images_in_acquisition": 0x00201002, "number_of_slices": 0x00540081,
}  # fmt: skip
_TIMES = (
    "zone", "acquisition_date_time", "acquisition_date", "acquisition_time", "study_date", "study_time",
    "series_date", "series_time",
)  # fmt: skip
WANTED = frozenset({_CHARSET, *SEQUENCES, *_TAGS.values()})


def read_header(data: bytes, *, path: str = "", sha256: str | None = None) -> SliceHeader:
    """Read the header of one DICOM file held in memory, of its first frame where it has several; see `read_headers`."""
    return read_headers(data, path=path, sha256=sha256)[0]


def read_headers(data: bytes | Window, *, path: str = "", sha256: str | None = None) -> tuple[SliceHeader, ...]:
    """Read the headers of the slices of one DICOM file: one, or one a frame of an enhanced multi-frame file.

    Parameters
    ----------
    data
        The whole file; or a window on it, of which no more is read than the header, and the whole of a deflated file.
    path, sha256
        Where it lies, and its digest where already known; carried along. Without a digest that of ``data`` is taken;
        of a window none is, and ``sha256`` stays empty.

    Returns
    -------
    tuple of SliceHeader
        One a frame, in the order of the file. A damaged file comes back as one header with its ``fault``.

    Raises
    ------
    OSError
        The file behind a window cannot be read.
    """
    window = data if isinstance(data, Window) else Window(data)
    if sha256 is None:
        sha256 = "" if isinstance(data, Window) else hashlib.sha256(data).hexdigest()
    elements = _elements(window)
    header = _header(elements, path=path, sha256=sha256, size=window.size)
    if header.sop_class not in ENHANCED:
        return (header,)
    return frame_headers(elements, header, values.offset(values.text(elements.values.get(_TAGS["zone"]))))


def _elements(window: Window) -> Elements:
    found = parse_elements(window, WANTED, SEQUENCES)
    if found.syntax != DEFLATED:
        return found
    if window.size > MAX_DEFLATED_BYTES:
        return replace(found, fault=Reason.TOO_LARGE, detail=f"a deflated file of {window.size} bytes")
    whole, refused = inflate(window.slice(0, window.size))
    found = parse_elements(whole, WANTED, SEQUENCES, inflated=True)
    return replace(found, fault=refused.reason, detail=refused.detail) if refused else found


def _header(elements: Elements, *, path: str, sha256: str, size: int) -> SliceHeader:
    raw = {name: elements.values.get(tag) for name, tag in _TAGS.items()}
    charset = elements.values.get(_CHARSET)
    little = elements.little_endian

    def plain(name: str) -> str:
        value = raw[name]
        return values.text(value, charset) if value else ""

    def number(name: str) -> int | None:
        return values.short(raw[name], little)

    acquired, source = _acquired({name: values.text(raw[name]) for name in _TIMES})
    representation = number("signed")
    frames = values.decimal(raw["frames"])
    return SliceHeader(
        path=path,
        sha256=sha256,
        size=size,
        transfer_syntax=elements.syntax,
        little_endian=little,
        fault=elements.fault,
        fault_detail=elements.detail,
        pixels=elements.pixels,
        patient_id=plain("id"),
        issuer=plain("issuer"),
        patient_name=values.person(raw["name"], charset),
        birth_date=plain("birth_date"),
        sex=plain("sex").upper(),
        age=plain("age").upper(),
        study_uid=plain("study_uid"),
        series_uid=plain("series_uid"),
        sop_uid=plain("sop_uid"),
        sop_class=plain("sop_class") or values.text(elements.values.get(MEDIA_SOP_CLASS)),
        accession=plain("accession"),
        modality=plain("modality"),
        image_type=tuple(part.upper() for part in values.words(raw["image_type"])),
        converted=bool(plain("conversion")),
        mosaic=plain("mosaic_creator").startswith("SIEMENS MR") and bool((raw["mosaic_count"] or b"").strip(b"\0 ")),
        acquired=acquired,
        acquired_from=source,
        frame_of_reference=plain("frame_of_reference"),
        patient_position=plain("patient_position"),
        position=values.decimals(raw["position"], 3),
        orientation=values.decimals(raw["orientation"], 6),
        pixel_spacing=values.decimals(raw["pixel_spacing"], 2),
        tilt=values.decimal(raw["tilt"]),
        rows=number("rows"),
        columns=number("columns"),
        frames=int(frames) if frames is not None and 0 < frames < 1e9 else 1,
        samples=number("samples"),
        photometric=plain("photometric").upper(),
        bits_allocated=number("bits_allocated"),
        bits_stored=number("bits_stored"),
        high_bit=number("high_bit"),
        signed=bool(representation) if representation in {0, 1} else None,
        slope=values.decimal(raw["slope"]),
        intercept=values.decimal(raw["intercept"]),
        rescale_type=plain("rescale_type").upper(),
        rescaled=bool(raw["slope"] or raw["intercept"]),
        modality_lut=raw["modality_lut"] is not None,
        lossy=plain("lossy") == "01",
        echo=plain("echo"),
        echo_time=values.decimal(raw["echo_time"]),
        repetition_time=values.decimal(raw["repetition_time"]),
        inversion_time=values.decimal(raw["inversion_time"]),
        b_value=values.double(raw["b_value"], little),
        trigger_time=values.decimal(raw["trigger_time"]),
        temporal=plain("temporal"),
        acquisition_number=plain("acquisition_number"),
        instance_number=plain("instance_number"),
        images_in_acquisition=values.whole(raw["images_in_acquisition"]),
        number_of_slices=number("number_of_slices"),
        concatenation=plain("concatenation"),
        concatenated=number("concatenated"),
        concatenated_of=number("concatenated_of"),
        description=plain("description"),
        body_part=plain("body_part").upper(),
        laterality=plain("laterality").upper(),
        image_laterality=plain("image_laterality").upper(),
        kernel=plain("kernel"),
        kvp=values.decimal(raw["kvp"]),
        units=plain("units").upper(),
        decay=plain("decay").upper(),
        study_date=plain("study_date"),
        contrast=plain("contrast"),
        thickness=values.decimal(raw["thickness"]),
        manufacturer=plain("manufacturer"),
        sequence=plain("sequence"),
        burned_in=plain("burned_in").upper(),
        recognizable=plain("recognizable").upper(),
    )


def _acquired(raw: dict[str, str]) -> tuple[datetime | None, str]:
    """Return the time of acquisition and the element it was taken from.

    Content dates are never used: they may lie after the acquisition, and would let later text in. A day without a
    time counts as its first instant, for the same reason.
    """
    zone = values.offset(raw["zone"])
    found = values.date_time(raw["acquisition_date_time"], zone)
    if found:
        return found, "acquisition_date_time"
    for name in ("acquisition", "study", "series"):
        found = values.moment(raw[f"{name}_date"], raw[f"{name}_time"], zone)
        if found:
            return found, f"{name}_date and time"
    for name in ("acquisition", "study", "series"):
        on = values.day(raw[f"{name}_date"])
        if on:
            return datetime.combine(on, time(0), tzinfo=zone), f"{name}_date alone, taken as 00:00"
    return None, ""


def patient_facts(header: SliceHeader) -> PatientFacts:
    """Return what the header says of the patient, in the words of the schema."""
    born: date | None = values.day(header.birth_date)
    return PatientFacts(
        patient_id=header.patient_id,
        issuer=header.issuer,
        name=header.patient_name,
        sex=header.sex if header.sex in {"M", "F", "O"} else "",
        birth_date=born,
        age_years=values.age_years(header.age),
    )
