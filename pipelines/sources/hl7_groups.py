"""What an HL7 v2 message says: its groups, each an order or a document with its lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts
from pipelines.sources.hl7_fields import code_of, component, patient_of
from pipelines.sources.hl7_frames import Message, Segment

# HL7 table 0074: sections that make pictures. Their texts are reports of studies, and their numbers part of these.
IMAGING = {
    "RAD",
    "RX",
    "RUS",
    "CT",
    "CTH",
    "NMR",
    "NMS",
    "VUS",
    "OUS",
    "CUS",
    "XRC",
    "RT",
    "MRI",
    "MR",
    "US",
    "XR",
    "PET",
}
STUDY_CODES = ("113014", "110180")  # DICOM Study, Study Instance UID
NO_OBJECTS = ("113015", "113016")  # DICOM Series, Performed Procedure Step


@dataclass
class Group:
    """An order (OBR) or a document (TXA) with its lines (OBX) and comments (NTE)."""

    patient: PatientFacts | RefusedError = field(repr=False)
    encounter_id: str = field(default="", repr=False)
    order: Segment | None = field(default=None, repr=False)
    common: Segment | None = field(default=None, repr=False)
    document: Segment | None = field(default=None, repr=False)
    lines: list[Segment] = field(default_factory=list, repr=False)
    study_uid: str = field(default="", repr=False)
    accession: str = field(default="", repr=False)
    is_imaging: bool = False


def groups_of(message: Message, *, identifier_system: str | None = None) -> Iterator[Group]:
    """The groups of an ORU or MDM message in their order; a patient that cannot be told stands as the problem."""
    patient: PatientFacts | RefusedError = RefusedError(Reason.MISSING_PATIENT, "a message without PID")
    encounter, study = "", ""
    common: Segment | None = None
    found: list[Group] = []
    group: Group | None = None
    for segment in message.segments:
        name = segment.name
        if name == "PID":
            encounter, group, common = "", None, None
            try:
                patient = patient_of(message, segment, identifier_system=identifier_system)
            except RefusedError as error:
                patient = error
        elif name == "PV1":
            encounter = component(message, segment, 19)
        elif name == "ORC":
            common, group = segment, None
        elif name in ("OBR", "TXA"):
            is_order = name == "OBR"
            if group is not None and group.document is not None and is_order:
                group.order = segment
                continue
            group = Group(patient, encounter, order=segment if is_order else None, common=common)
            group.document = None if is_order else segment
            found.append(group)
        elif name in ("OBX", "NTE"):
            if group is None:
                group = Group(patient, encounter, common=common)
                found.append(group)
            group.lines.append(segment)
        elif name in ("ZDS", "IPC"):
            study = component(message, segment, 1 if name == "ZDS" else 3) or study
            if group is not None and name == "IPC":
                group.accession = component(message, segment, 1)
                group.study_uid = component(message, segment, 3)
    for group in found:
        _place(message, group, study)
        if group.lines or group.document is not None:
            yield group


def _place(message: Message, group: Group, study: str) -> None:
    """Which study and order a group is about."""
    kept = []
    for line in group.lines:
        loinc, local, _ = code_of(message, line, 3) if line.name == "OBX" else ("", "", "")
        bare = local.partition("^")[0]
        if bare in STUDY_CODES:
            group.study_uid = component(message, line, 5)
        elif bare not in NO_OBJECTS or loinc:
            kept.append(line)
    group.lines = kept
    section = component(message, group.order, 24).upper() if group.order else ""
    kind = component(message, group.document, 2).upper() if group.document else ""
    group.study_uid = group.study_uid or study
    group.is_imaging = section in IMAGING or kind == "DI" or bool(group.study_uid or group.accession)
    if group.is_imaging and not group.accession:
        filler = component(message, group.document, 15) if group.document else ""
        ordered = (component(message, group.order, place) for place in (18, 3)) if group.order else ()
        group.accession = next((text for text in (*ordered, filler) if text), "")
