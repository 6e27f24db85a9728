"""Lines of HL7 v2 (OBX, NTE): their text, or their value."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from datetime import datetime

from data_schemas.errors import RefusedError
from data_schemas.observation import Observation
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import PatientFacts
from pipelines.sources.codes import loinc_words, plain_code, quantities
from pipelines.sources.conventions import Conventions
from pipelines.sources.encodings import decode
from pipelines.sources.hl7_fields import code_of, moment_of, pieces, unit_of
from pipelines.sources.hl7_frames import Message, Segment
from pipelines.sources.hl7_groups import Group
from pipelines.sources.hl7_text import unescape
from pipelines.sources.markup import MarkupError, html_to_text, looks_like_html
from pipelines.sources.observations import make_observation
from pipelines.sources.outcome import TakenBack
from pipelines.sources.values import with_point

TEXT, ENCAPSULATED = ("TX", "FT"), ("ED",)
DELETED, NO_VALUE = {"D", "W"}, {"X", "N", "I", "O"}
# Suffixes of OBX-3 (HL7 v2.9 chapter 7.1.3) and LOINC codes of sections, as the headings that sections are cut by.
HEADINGS = {"IMP": "IMPRESSION", "REC": "RECOMMENDATION", "59776-5": "FINDINGS", "19005-8": "IMPRESSION"}
HEADINGS |= {"18834-2": "COMPARISON", "55111-9": "TECHNIQUE", "11329-0": "HISTORY", "18785-6": "INDICATION"}


def heading_of(message: Message, line: Segment) -> str:
    """The heading of the section that a line belongs to; blank where it names none."""
    loinc, local, _ = code_of(message, line, 3)
    suffix = local.partition("^")[0].rpartition(message.separators.subcomponent)[2]
    return HEADINGS.get(loinc) or HEADINGS.get(suffix, "")


def text_of(message: Message, line: Segment, *, conventions: Conventions) -> str:
    """The text of an OBX or NTE segment; a repetition of the field is another line.

    Raises
    ------
    RefusedError
        It holds a document that is no text (PDF, RTF, a picture), or is not what it says.
    """
    signs = message.separators
    if line.name == "NTE":
        return _lines(message, line.raw(3))
    kind = line.raw(2).strip().upper()
    if kind in ENCAPSULATED:
        return _document(message, line.raw(5), conventions)
    if kind in ("RP", "HD", "OID"):
        raise RefusedError(Reason.NOT_A_RECORD, f"OBX of type {kind} points to a document elsewhere")
    if kind in (*TEXT, "ST", ""):
        return _lines(message, line.raw(5))
    value = " ".join(filter(None, pieces(message, line.raw(5).replace(signs.repetition, signs.component))[:2]))
    _, _, name = code_of(message, line, 3)
    return f"{name}: {value} {unit_of(message, line)}".strip() if value else ""


def value_of(
    message: Message,
    line: Segment,
    group: Group,
    patient: PatientFacts,
    *,
    conventions: Conventions,
    told: Counter[Remark],
) -> Observation | None:
    """The value of an OBX segment; None where it has none.

    Raises
    ------
    RefusedError
        Its type, number, unit, code or moment cannot be read.
    """
    kind, raw = line.raw(2).strip().upper(), line.raw(5).split(message.separators.repetition)[0]
    parts = [part.strip() for part in pieces(message, raw)]
    if not any(parts):
        return None
    if kind == "SN":
        value = _structured([*parts, "", "", ""])
    elif kind in ("CE", "CWE", "CNE", "CF"):
        value = parts[1] if len(parts) > 1 and parts[1] else parts[0]
    elif kind in ("NM", "ST", "IS", "ID", "SI"):
        value = parts[0]
    else:
        raise RefusedError(Reason.NOT_A_RECORD, "OBX of a type that scanote does not read")
    if conventions.decimal == "," and kind != "SN":
        value = _with_point(value)
    loinc, local, _ = code_of(message, line, 3)
    code = _code(loinc, local, conventions, told)
    try:
        return make_observation(
            patient,
            taken=_taken(message, line, group),
            code=code,
            value=value,
            unit=unit_of(message, line),
            conventions=conventions,
            told=told,
        )
    except RefusedError:
        raise
    except ValueError as error:
        raise RefusedError(Reason.UNREADABLE_ROW, f"OBX: {error}") from None


def named_by(
    message: Message, line: Segment, group: Group, patient: PatientFacts, *, conventions: Conventions
) -> list[TakenBack]:
    """What the value of a deleted OBX segment was known by: its code, in all its units, and its moment."""
    try:
        loinc, local, _ = code_of(message, line, 3)
        code = plain_code(_code(loinc, local, conventions, Counter()), codes=conventions.codes)
        taken = _taken(message, line, group)
    except RefusedError:
        return []
    words = tuple(quantities()[code].parts.values()) if code in quantities() else ()
    moment = taken.isoformat() if taken else ""
    return [TakenBack(patient.patient_id, code=word, taken=moment) for word in words or (code,)]


def _taken(message: Message, line: Segment, group: Group) -> datetime | None:
    return moment_of(message, line.raw(14) or (group.order.raw(7) if group.order else ""))


def _with_point(value: str) -> str:
    """A number with its comma as a point; HL7 itself asks for a point, so one that has it stays."""
    try:
        return str(with_point(value, decimal=","))
    except ValueError:
        return value


def _code(loinc: str, local: str, conventions: Conventions, told: Counter[Remark]) -> str:
    """The code of a value: the settings' word for the local code, LOINC's, or the local code as it is.

    The text beside a local code is never taken: "Glucose" may be that of urine.
    """
    for name in (local, local.partition("^")[0], loinc):
        if name and name in conventions.codes:
            return name
    if loinc:
        return loinc_words().get(loinc, loinc)
    if not local:
        raise RefusedError(Reason.NOT_A_RECORD, "OBX without a code")
    told[Remark.CODE_UNKNOWN] += 1
    return f"{local}^local" if local.lower() in quantities() else local


def _structured(parts: list[str]) -> str:
    """A structured number (SN): ``comparator ^ number ^ sign ^ number``."""
    comparator, first, sign, second = parts[:4]
    if sign in ("", ".") and not second:
        return f"{'' if comparator in ('', '=') else comparator}{first}"
    if sign in (":", "/") and comparator in ("", "="):
        return f"{first}{sign}{second}"  # a ratio or a titre stays text
    if sign == "+":
        return f"{first}+"
    raise RefusedError(Reason.UNREADABLE_ROW, "OBX: a range instead of a value")


def _lines(message: Message, raw: str) -> str:
    return "\n".join(
        unescape(part, message.separators, encoding=message.encoding)
        for part in ("" if raw == '""' else raw).split(message.separators.repetition)
    )


def _document(message: Message, raw: str, conventions: Conventions) -> str:
    """The text of encapsulated data (ED): ``source ^ type ^ subtype ^ encoding ^ data``."""
    parts = [*raw.split(message.separators.component, 4), "", "", "", "", ""]
    subtype, packing, content = parts[2].strip().upper(), parts[3].strip().upper(), parts[4]
    if packing == "BASE64":
        try:
            data = base64.b64decode("".join(content.split()), validate=True)
        except (binascii.Error, ValueError):
            raise RefusedError(Reason.NOT_A_RECORD, "OBX of type ED that is not Base64") from None
    elif packing == "HEX":
        try:
            data = bytes.fromhex(content)
        except ValueError:
            raise RefusedError(Reason.NOT_A_RECORD, "OBX of type ED that is not Hex") from None
    else:
        data = unescape(content, message.separators, encoding=message.encoding).encode()
    form = _form(data, subtype)
    if form:
        raise RefusedError(Reason.NOT_A_RECORD, f"OBX of type ED holds {form}; send text or HTML")
    stated = None if message.encoding in ("utf-8", "ascii") else message.encoding
    text = decode(data, encoding=conventions.encoding or stated).text
    if subtype not in ("HTML", "XHTML") and not looks_like_html(text):
        return text
    try:
        return html_to_text(text)
    except MarkupError as error:
        raise RefusedError(Reason.NOT_A_RECORD, f"OBX of type ED: {error}") from None


def _form(data: bytes, subtype: str) -> str:
    """What a document is that is no text; blank where it is one."""
    if data.startswith(b"%PDF") or subtype == "PDF":
        return "a PDF"
    if data.startswith(b"{\\rtf") or subtype == "RTF":
        return "RTF"
    if (data.lstrip()[:5] == b"<?xml" and subtype not in ("HTML", "XHTML")) or subtype in (
        "XML",
        "X-HL7-CDA-LEVEL-ONE",
    ):
        return "XML"
    if data[:4] in (b"PK\x03\x04", b"\x89PNG", b"\xd0\xcf\x11\xe0") or data[:3] == b"\xff\xd8\xff":
        return "a picture or an office document"
    return ""
