"""Fields of HL7 v2 segments: who the patient is, when, which code, which unit."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts
from pipelines.sources.hl7_frames import Message, Segment
from pipelines.sources.hl7_text import unescape
from pipelines.sources.values import Sex, parse_moment

RECORD_NUMBERS = ("MR", "PI", "PT")  # HL7 table 0203: medical record number, then the patient's internal number
SEXES: dict[str, Sex] = {"M": "M", "F": "F", "O": "O", "A": "O"}
LOINC = ("LN", "LOINC")
UCUM = "UCUM"
_NO_TIME = "a time stamp that is not YYYYMMDDHHMMSS"
_TIME = re.compile(
    r"(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6}))?)?)?)?)?)?([+-]\d{4})?", re.ASCII
)


def pieces(message: Message, text: str) -> list[str]:
    """The components of a field or of one repetition, unescaped."""
    parts = text.split(message.separators.component)
    return ["" if part == '""' else unescape(part, message.separators, encoding=message.encoding) for part in parts]


def component(message: Message, segment: Segment, number: int, place: int = 1) -> str:
    """One component of a field's first repetition, unescaped and without padding; blank where there is none."""
    first = segment.raw(number).split(message.separators.repetition)[0]
    parts = pieces(message, first)
    return parts[place - 1].strip() if len(parts) >= place else ""


def repetitions(message: Message, segment: Segment, number: int) -> list[list[str]]:
    """All repetitions of a field that are not blank, each as its components."""
    parts = segment.raw(number).split(message.separators.repetition)
    return [pieces(message, part) for part in parts if part.strip() and part != '""']


def patient_of(message: Message, segment: Segment, *, identifier_system: str | None = None) -> PatientFacts:
    """The patient of a PID segment.

    The id is that of ``identifier_system`` where given (an assigning authority by name or OID), else the one of type
    MR, else PI or PT, else the only one; PID-2 counts where PID-3 is blank.

    Raises
    ------
    RefusedError
        No id (*missing-patient*), or several of which none is known to be the record number (*ambiguous-identity*).
    """
    given = repetitions(message, segment, 3) or repetitions(message, segment, 2)
    found = []
    for parts in given:
        parts += [""] * (5 - len(parts))
        namespace, oid, *_ = [*parts[3].split(message.separators.subcomponent), "", ""]
        if parts[0].strip():
            found.append((parts[0].strip(), oid.strip() or namespace.strip(), namespace.strip(), parts[4].strip()))
    if identifier_system is not None:
        wanted = identifier_system.removeprefix("urn:oid:")
        found = [item for item in found if wanted in item[1:3]]
    for kind in RECORD_NUMBERS:
        if chosen := {item[:2] for item in found if item[3] == kind}:
            break
    else:
        chosen = {item[:2] for item in found}
    if not chosen:
        raise RefusedError(Reason.MISSING_PATIENT, "PID without a patient id")
    if len(chosen) > 1:
        raise RefusedError(Reason.AMBIGUOUS_IDENTITY, "PID-3 with several ids; mark the record number with type MR")
    patient_id, issuer = chosen.pop()
    names = repetitions(message, segment, 5)
    name = [part.split(message.separators.subcomponent)[0].strip() for part in names[0][:3]] if names else []
    return PatientFacts(
        patient_id=patient_id,
        issuer=issuer,
        name="^".join(name).strip("^"),
        sex=SEXES.get(component(message, segment, 8).upper(), ""),
        birth_date=_day(component(message, segment, 7)),
    )


def moment_of(message: Message, text: str) -> datetime | None:
    """A time stamp (``YYYYMMDDHHMMSS+ZZZZ``); blank gives None.

    One that names no minute is the last instant of its hour, day, month or year. Where it names no zone, that of MSH-7
    holds for the whole message (HL7 v2.9 chapter 2.A.22).

    Raises
    ------
    RefusedError
        It cannot be read.
    """
    text = text.split(message.separators.component)[0].strip()
    if not text or text == '""':
        return None
    match = _TIME.fullmatch(text)
    if match is None:
        raise RefusedError(Reason.UNREADABLE_ROW, _NO_TIME)
    try:
        year, month, day, hour, minute, second, fraction, offset = match.groups()
        zone = _zone(offset) or _zone(_sent_zone(message))
        if day is None:
            found = parse_moment(f"{year}-{month}" if month else year)
        elif hour is None:
            found = parse_moment(f"{year}-{month}-{day}")
        elif minute is None:
            found = datetime.fromisoformat(f"{year}-{month}-{day}T{hour}:59:59.999999")
        else:
            found = parse_moment(f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}.{(fraction or '0'):<06}")
    except ValueError:
        raise RefusedError(Reason.UNREADABLE_ROW, _NO_TIME) from None
    return found.replace(tzinfo=zone) if found and zone else found


def sent(message: Message) -> datetime | None:
    """When a message was sent (MSH-7); None where that cannot be read."""
    try:
        return moment_of(message, message.segments[0].raw(7))
    except RefusedError:
        return None


def code_of(message: Message, segment: Segment, number: int) -> tuple[str, str, str]:
    """A coded field: its LOINC code, its local code (``GLU^L``), and its text; each may be blank."""
    parts = [part.strip() for part in pieces(message, segment.raw(number).split(message.separators.repetition)[0])]
    parts += [""] * (6 - len(parts))
    first, other = parts[:3], parts[3:6]
    loinc = next((item[0] for item in (first, other) if item[2].upper() in LOINC and item[0]), "")
    local = next((item for item in (first, other) if item[0] and item[2].upper() not in LOINC), ["", "", ""])
    local_code = "^".join(part for part in (local[0], local[2]) if part)
    return loinc, local_code, first[1] or other[1] or first[0]


def unit_of(message: Message, segment: Segment) -> str:
    """OBX-6: the UCUM code where one is named, else the first code, else its text."""
    parts = [part.strip() for part in pieces(message, segment.raw(6).split(message.separators.repetition)[0])]
    parts += [""] * (6 - len(parts))
    for start in (0, 3):
        if parts[start + 2].upper() == UCUM and parts[start]:
            return parts[start]
    return parts[0] or parts[1]


def _sent_zone(message: Message) -> str | None:
    match = _TIME.fullmatch(message.segments[0].raw(7).split(message.separators.component)[0].strip())
    return match[8] if match else None


def _zone(offset: str | None) -> timezone | None:
    if not offset:
        return None
    minutes = int(offset[1:3]) * 60 + int(offset[3:5])
    if minutes >= 24 * 60:
        raise ValueError
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text[:4]}-{text[4:6]}-{text[6:8]}")
    except ValueError:
        return None
