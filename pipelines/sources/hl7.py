"""HL7 v2: results and reports (ORU) and documents (MDM) become notes and observations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import inf
from pathlib import Path

from data_schemas.errors import RefusedError
from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import PatientFacts
from pipelines.sources.conventions import Conventions
from pipelines.sources.encodings import LARGEST, mojibake
from pipelines.sources.hl7_fields import component, moment_of, sent
from pipelines.sources.hl7_frames import Message, Unread, messages_in
from pipelines.sources.hl7_groups import Group, groups_of
from pipelines.sources.hl7_lines import DELETED, NO_VALUE, TEXT, heading_of, named_by, text_of, value_of
from pipelines.sources.hl7_reading import Reading
from pipelines.sources.observations import notices
from pipelines.sources.outcome import Noticed, Records
from pipelines.sources.tables import note_digest
from pipelines.sources.values import instant, parse_kind

RESULTS = ("ORU",)
DOCUMENTS = {"T02", "T04", "T06", "T08", "T10"}  # those that carry the text
CANCELLED = "T11"
# HL7 table 0270. "Emergency department report" is not the report of a study.
KINDS = {"DI": "report", "CN": "consultation", "DS": "discharge summary", "ED": "emergency department note"}
KINDS |= {"HP": "history and physical", "OP": "operative note", "PN": "procedure note", "PR": "progress note"}
KINDS |= {"SP": "pathology report", "TS": "transfer summary", "AR": "autopsy report", "PC": "psychiatric consultation"}


def read_hl7(
    paths: Sequence[Path], *, identifier_system: str | None = None, conventions: Conventions | None = None
) -> Records:
    """Notes and observations of HL7 v2 files, whatever the order of files and messages.

    ORU gives observations (NM, SN, ST, coded values) and notes (TX, FT, ED); those of imaging are *report*, with their
    numbers. MDM with text gives notes. Corrected results and edited documents replace what they correct; deleted ones
    (OBX-11 D or W, MDM^T11) take it away, and back where it was ingested before. Other types are passed over.

    Parameters
    ----------
    paths
        Files of one message or more.
    identifier_system
        The assigning authority (name or OID) of the id in PID-3 that is the patient's id.
    conventions
        Encoding, codes and units of the senders.
    """
    conventions = conventions or Conventions()
    reading = Reading()
    for path in paths:
        if (data := _bytes(path, reading)) is None:
            continue
        for item in messages_in(data, encoding=conventions.encoding):
            where = f"{path}: message {item.number}" if item.number else str(path)
            if isinstance(item, Unread):
                reading.refuse(where, item.problem.reason, item.problem.detail)
                continue
            if item.told:
                reading.noticed[Noticed(str(path), Remark.ENCODING_CHOSEN, item.told)] = None
            try:
                _read(item, where, reading, identifier_system, conventions)
            except RefusedError as error:
                reading.refuse(where, error.reason, error.detail)
    return Records(
        notes=tuple(reading.notes.values()),
        observations=tuple(value for place in reading.values.values() for value in place.values()),
        refused=tuple(reading.refused),
        noticed=(*reading.noticed, *notices("HL7 v2", reading.told)),
        taken_back=reading.taken_back(),
    )


def _bytes(path: Path, reading: Reading) -> bytes | None:
    try:
        if path.stat().st_size <= LARGEST:
            return path.read_bytes()
    except OSError as error:
        reading.refuse(str(path), Reason.FILE_MISSING, f"cannot be read ({type(error).__name__})")
    else:
        reading.refuse(str(path), Reason.TOO_LARGE, f"larger than {LARGEST // 2**30} GiB; split it")
    return None


def _read(
    message: Message, where: str, reading: Reading, identifier_system: str | None, conventions: Conventions
) -> None:
    header = message.segments[0]
    kind, event = component(message, header, 9), component(message, header, 9, 2)
    if kind not in (*RESULTS, "MDM") or (kind == "MDM" and event not in DOCUMENTS | {CANCELLED}):
        return
    if component(message, header, 11).upper() in ("T", "D"):
        raise RefusedError(Reason.NOT_A_RECORD, "a message for tests or training (MSH-11)")
    moment = sent(message)
    order = instant(moment) if moment else -inf
    seen: set[str] = set()
    for number, group in enumerate(groups_of(message, identifier_system=identifier_system), 1):
        place = f"{where}, group {number}"
        try:
            if isinstance(group.patient, RefusedError):
                raise group.patient
            if group.patient.sex:
                sex = Observation(patient=group.patient, code="sex", value=group.patient.sex)
                reading.put_value((group.patient.patient_id, "sex"), "", sex, order)
            note = _read_group(message, group, group.patient, place, order, reading, conventions)
        except RefusedError as error:
            reading.refuse(place, error.reason, error.detail)
            continue
        if note is not None:
            reading.put_note(note, order, again=note.note_id in seen)
            seen.add(note.note_id)


def _read_group(
    message: Message,
    group: Group,
    patient: PatientFacts,
    where: str,
    order: float,
    reading: Reading,
    conventions: Conventions,
) -> Note | None:
    """Put the values of a group, and give its note."""
    note_id = _note_id(message, group, patient)
    event = component(message, message.segments[0], 9, 2)
    gone = group.document is not None and component(message, group.document, 19) in ("CA", "OB")
    if event == CANCELLED or gone or (group.order and component(message, group.order, 25) == "X"):
        reading.drop_note(note_id, patient, order)
        raise RefusedError(Reason.WITHDRAWN, "cancelled by its source")
    texts: list[str] = []
    heading, text_deleted, has_text, with_comments = "", False, False, group.is_imaging or group.document is not None
    for number, line in enumerate(group.lines, 1):
        status = component(message, line, 11).upper() if line.name == "OBX" else ""
        is_text = with_comments or (line.name == "OBX" and line.raw(2).strip().upper() in (*TEXT, "ED", "RP"))
        is_text = is_text or (line.name == "NTE" and has_text)
        place = (patient.patient_id, _order_number(message, group), line.raw(3), line.raw(4))
        if status in DELETED:
            text_deleted = text_deleted or is_text
            if not is_text:
                reading.drop_values(place, order, named_by(message, line, group, patient, conventions=conventions))
                reading.refuse(f"{where}, line {number}", Reason.WITHDRAWN, f"marked {status} by its source")
            continue
        if status in NO_VALUE or (line.name == "NTE" and not is_text):
            continue
        try:
            if not is_text:
                value = value_of(message, line, group, patient, conventions=conventions, told=reading.told)
                if value is not None:
                    reading.put_value(place, line.raw(14), value, order)
                continue
            text = text_of(message, line, conventions=conventions)
        except RefusedError as error:
            if not is_text:
                wrong = named_by(message, line, group, patient, conventions=conventions) if status == "C" else ()
                reading.drop_value(place, line.raw(14), order, wrong)
            reading.refuse(f"{where}, line {number}", error.reason, error.detail)
            continue
        has_text = True
        if line.name == "OBX" and (named := heading_of(message, line)) != heading:
            heading = named
            texts += ["", f"{named}:"] if named else [""]
        texts.append(text)
    text = "\n".join(texts).strip("\n").replace("\0", " ")
    if not text.strip():
        if text_deleted:
            reading.drop_note(note_id, patient, order)
            raise RefusedError(Reason.WITHDRAWN, "all of its text is marked as deleted or wrong")
        if group.document is not None and not group.lines:
            raise RefusedError(Reason.NOT_A_RECORD, "a document without text")
        return None
    if places := mojibake(text):
        told = Noticed(where, Remark.MOJIBAKE_SUSPECTED, f"{places} places; is MSH-18 right?")
        reading.noticed[told] = None
    return Note(
        note_id=note_id,
        patient=patient,
        written=_written(message, group),
        kind=_kind(message, group),
        text=text,
        encounter_id=group.encounter_id,
        study_uid=group.study_uid,
        accession=group.accession,
    )


def _order_number(message: Message, group: Group) -> str:
    """What names an order from one message to the next: the filler's number, else the placer's, else the message's."""
    numbers = [component(message, group.order, place) for place in (3, 2)] if group.order else []
    numbers += [component(message, group.common, place) for place in (3, 2)] if group.common else []
    return next((text for text in numbers if text), component(message, message.segments[0], 10))


def _note_id(message: Message, group: Group, patient: PatientFacts) -> str:
    if group.document is None:
        test = component(message, group.order, 4) if group.order else ""
        return note_digest(patient.patient_id, "ORU", _order_number(message, group), test)
    # A replacement (T10) stands for the document that it names as its parent.
    replaces = component(message, message.segments[0], 9, 2) == "T10"
    number = (component(message, group.document, 13) if replaces else "") or component(message, group.document, 12)
    return note_digest(patient.patient_id, "MDM", number or component(message, message.segments[0], 10))


def _written(message: Message, group: Group) -> datetime | None:
    """When a text became known: never earlier than it was written.

    Of a document the latest of origination, transcription and edits (TXA-6, 7, 8), of a result its status change
    (OBR-22); else when the message was sent. The time of the examination (OBR-7) is before its report.
    """
    stamps = []
    if group.document is not None:
        edits = group.document.raw(8).split(message.separators.repetition)
        stamps = [group.document.raw(6), group.document.raw(7), *edits]
    elif group.order is not None:
        stamps = [group.order.raw(22)]
    moments = [moment for stamp in stamps if (moment := moment_of(message, stamp))]
    return max(moments, key=instant) if moments else sent(message)


def _kind(message: Message, group: Group) -> str:
    if group.is_imaging:
        return "report"
    if group.document is not None:
        code, words = component(message, group.document, 2), component(message, group.document, 2, 2)
        return KINDS.get(code.upper()) or parse_kind(words or code)
    section = component(message, group.order, 24) if group.order else ""
    words = component(message, group.order, 4, 2) if group.order else ""
    # Without a section it may be the report of a study: that is the safe side.
    return parse_kind(words) if section and words else "report"
