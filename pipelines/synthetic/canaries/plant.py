"""Canaries: a word of its own in every field of a synthetic hospital's DICOM, FHIR, tables, file and folder names."""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_schemas.errors import InputError
from pipelines.synthetic.names import make_uuid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MARK = "KNRI"
# Text attributes of patient, visit, study, series, equipment and image modules; all are optional for a reader.
TAGS = (
    "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName", "PatientAddress", "PatientTelephoneNumbers",
    "MilitaryRank", "BranchOfService", "CountryOfResidence", "RegionOfResidence", "Occupation",
    "AdditionalPatientHistory", "PatientComments", "MedicalRecordLocator", "PatientReligiousPreference",
    "ResponsiblePerson", "ResponsibleOrganization", "MedicalAlerts", "Allergies", "AdmissionID",
    "CurrentPatientLocation", "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "StationName",
    "ReferringPhysicianName", "ReferringPhysicianAddress", "ReferringPhysicianTelephoneNumbers",
    "PhysiciansOfRecord", "PerformingPhysicianName", "NameOfPhysiciansReadingStudy", "OperatorsName",
    "AdmittingDiagnosesDescription", "StudyDescription", "SeriesDescription", "ProtocolName", "StudyID",
    "AccessionNumber", "DeviceSerialNumber", "ImageComments", "RequestedProcedureDescription",
    "RequestingPhysician", "RequestingService", "PerformedProcedureStepDescription", "PerformedProcedureStepID",
    "PerformedStationName", "DerivationDescription", "ContrastBolusAgent", "DeviceDescription", "PlateID",
)  # fmt: skip
SEQUENCES = {
    "RequestAttributesSequence": ("RequestedProcedureID", "ScheduledProcedureStepDescription"),
    "OtherPatientIDsSequence": ("PatientID", "IssuerOfPatientID"),
    "ReferencedStudySequence": ("ReferencedSOPInstanceUID",),
    "PerformingPhysicianIdentificationSequence": ("InstitutionName",),
}
UID_ROOT = "2.25.77177"  # followed by digits that stand nowhere else
# Words of a note's text that identify nobody: a release keeps them.
CONTENT = frozenset({"note text", "csv text", "csv stranger text", "fhir conclusion"})


@dataclass(frozen=True)
class Canaries:
    """Every planted word by the kind of place it was planted in."""

    words: dict[str, str]

    @property
    def identifying(self) -> dict[str, str]:
        """All but the words of a note's text that identify nobody."""
        return {kind: word for kind, word in self.words.items() if kind not in CONTENT}

    @property
    def kinds(self) -> int:
        """How many kinds of place; the same place in several patients' files is one kind."""
        return len({kind.rstrip("0123456789 ") for kind in self.words})


class _Aviary:
    """Gives each kind of place one word, the same whenever it is asked again."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.words: dict[str, str] = {}

    def word(self, kind: str) -> str:
        """Fourteen letters: the shortest value representation that is planted (SH) holds sixteen."""
        if kind not in self.words:
            # Letters that no hexadecimal number holds, so that no digest is one by chance.
            letters = str(make_uuid(self.seed, "canary", kind).int).translate(str.maketrans("0123456789", "QWRTYZPSVX"))
            self.words[kind] = f"{MARK}{letters[:10]}"
        return self.words[kind]

    def uid(self, kind: str) -> str:
        self.words[kind] = f"{UID_ROOT}{make_uuid(self.seed, 'canary', kind).int % 10**15:015d}"
        return self.words[kind]


def plant_canaries(folder: Path, *, seed: int) -> Canaries:
    """Plant canaries in a hospital that `pipelines.synthetic.write.write_hospital` wrote; its story stays the same.

    Patients keep their scans, notes and labels, under ids, names, UIDs and file names that are canaries. Tables of
    notes and observations with a canary in every column that takes text are added.

    Raises
    ------
    InputError
        The folder holds no such hospital.
    """
    if not (folder / "truth.json").is_file():
        raise InputError(f"{folder}: no synthetic hospital; write one with: scanote synth {folder}")
    aviary = _Aviary(seed)
    ids: dict[str, str] = {}
    for number, scan in enumerate(sorted(path for path in (folder / "scans").iterdir() if path.is_dir())):
        _plant_scan(scan, aviary, number, ids)
    for number, path in enumerate(sorted((folder / "records").glob("*.json"))):
        _plant_record(path, aviary, number, ids)
    for name in ("labels.csv", "splits.csv"):
        rows = list(csv.reader((folder / name).read_text(encoding="utf-8").splitlines()))
        _write_csv(folder / name, ([ids.get(row[0], row[0]), *row[1:]] for row in rows))
    _plant_tables(folder, aviary, next(iter(ids.values())))
    return Canaries(dict(aviary.words))


def _plant_scan(folder: Path, aviary: _Aviary, number: int, ids: dict[str, str]) -> None:
    from pydicom import dcmread

    place = folder.rename(folder.with_name(aviary.word(f"scan folder {number}")))
    study, series = aviary.uid(f"study uid {number}"), aviary.uid(f"series uid {number}")
    for index, path in enumerate(sorted(place.iterdir())):
        ds = dcmread(path)
        new = ids.setdefault(str(ds.PatientID), aviary.word(f"patient id {number}"))
        ds.PatientID, ds.StudyInstanceUID, ds.SeriesInstanceUID = new, study, series
        ds.PatientName = f"{aviary.word(f'family name {number}')}^{aviary.word(f'given name {number}')}"
        ds.FrameOfReferenceUID = aviary.uid("frame of reference uid")
        ds.SOPInstanceUID = f"{aviary.uid('instance uid')}.{number + 1}.{index + 1}"
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        _plant_data_set(ds, aviary)
        ds.preamble = aviary.word("preamble").encode().ljust(128, b"\0")
        ds.file_meta.SourceApplicationEntityTitle = aviary.word("application entity")
        ds.save_as(path, enforce_file_format=True)
        path.rename(path.with_name(f"{aviary.word('file name')}{path.name}"))


def _plant_data_set(ds: Dataset, aviary: _Aviary) -> None:
    from pydicom.dataset import Dataset

    for keyword in TAGS:
        setattr(ds, keyword, aviary.word(f"tag {keyword}"))
    for keyword, inner in SEQUENCES.items():
        item = Dataset()
        for name in inner:
            kind = f"sequence {keyword}.{name}"
            setattr(item, name, aviary.uid(kind) if name.endswith("UID") else aviary.word(kind))
        setattr(ds, keyword, [item])
    block = ds.private_block(0x0029, aviary.word("private creator"), create=True)
    block.add_new(0x01, "LO", aviary.word("private text"))
    block.add_new(0x02, "UN", aviary.word("private bytes").encode())
    child = Dataset()
    child.PatientName = aviary.word("private sequence")
    block.add_new(0x03, "SQ", [child])


def _plant_record(path: Path, aviary: _Aviary, number: int, ids: dict[str, str]) -> None:
    bundle = json.loads(path.read_text(encoding="utf-8"))
    old = next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient")
    owner = list(ids).index(old["identifier"][0]["value"])
    for entry in bundle["entry"]:
        _RESOURCES[entry["resource"]["resourceType"]](entry["resource"], aviary, owner, ids)
        entry["resource"]["text"] = {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{aviary.word("fhir narrative")}</div>',
        }
    path.write_text(json.dumps(bundle, ensure_ascii=False), encoding="utf-8")
    path.rename(path.with_name(f"{aviary.word('record file name')}{number}.json"))


def _patient(resource: dict[str, Any], aviary: _Aviary, owner: int, ids: dict[str, str]) -> None:
    resource["identifier"][0]["value"] = list(ids.values())[owner]
    resource["identifier"].append({"use": "secondary", "system": "urn:ssn", "value": aviary.word("fhir ssn")})
    resource["name"] = [
        {"family": aviary.word(f"family name {owner}"), "given": [aviary.word(f"given name {owner}")],
         "prefix": [aviary.word("fhir name prefix")]}
    ]  # fmt: skip
    resource["telecom"] = [
        {"system": "phone", "value": aviary.word("fhir phone")},
        {"system": "email", "value": f"{aviary.word('fhir mail')}@example.org"},
    ]
    resource["address"] = [
        {"line": [aviary.word("fhir address line")], "city": aviary.word("fhir city"),
         "postalCode": aviary.word("fhir postal code"), "text": aviary.word("fhir address text")}
    ]  # fmt: skip
    resource["contact"] = [{"name": {"text": aviary.word("fhir contact")}}]
    resource["maritalStatus"] = {"text": aviary.word("fhir marital status")}
    resource["managingOrganization"] = {"display": aviary.word("fhir organization")}


def _document(resource: dict[str, Any], aviary: _Aviary, owner: int, ids: dict[str, str]) -> None:
    resource["description"] = aviary.word("fhir description")
    resource["author"] = [{"display": aviary.word("fhir author")}]
    resource["custodian"] = {"display": aviary.word("fhir custodian")}
    resource["identifier"] = [{"value": aviary.word("fhir document number")}]
    attachment = resource["content"][0]["attachment"]
    attachment["title"] = f"{aviary.word('fhir attachment title')}.txt"
    text = base64.b64decode(attachment["data"]).decode()
    told = "\n\nHISTORY:\n" + _told(aviary, "note", f"family name {owner}", list(ids.values())[owner])
    attachment["data"] = base64.b64encode(f"{text}{told}".encode()).decode()


def _told(aviary: _Aviary, source: str, name: str, patient_id: str) -> str:
    """Sentences of a note with identifiers of the patient and of others, and with one word that is none."""
    return (
        f"Mr. {aviary.word(name)} (MRN {patient_id}) was sent by Dr. {aviary.word(f'{source} text doctor')}. "
        f"His wife {aviary.word(f'{source} text wife')} lives in {aviary.word(f'{source} text town')}. "
        f"Mail: {aviary.word(f'{source} text mail')}@example.org. "
        f"Accession number: {aviary.word(f'{source} text accession')}4711. "
        f"A word of {aviary.word(f'{source} text')} was said.\n"
        f"Electronically signed by: {aviary.word(f'{source} text signature')}, MD"
    )


def _report(resource: dict[str, Any], aviary: _Aviary, owner: int, ids: dict[str, str]) -> None:
    resource["conclusion"] = aviary.word("fhir conclusion")
    resource["performer"] = [{"display": aviary.word("fhir performer")}]
    uid = aviary.words[f"study uid {owner}"]
    resource["imagingStudy"] = [{"identifier": {"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}}]


def _observation(resource: dict[str, Any], aviary: _Aviary, owner: int, ids: dict[str, str]) -> None:
    resource["note"] = [{"text": aviary.word("fhir observation note")}]
    resource["device"] = {"display": aviary.word("fhir device")}


_RESOURCES = {
    "Patient": _patient,
    "DocumentReference": _document,
    "DiagnosticReport": _report,
    "Observation": _observation,
}


def _plant_tables(folder: Path, aviary: _Aviary, patient_id: str) -> None:
    """A table of notes, and one with rows that cannot be read: what is told of them must not quote them."""
    tables = folder / aviary.word("table folder")
    tables.mkdir()
    columns = ["patient_id", "datetime", "type", "text", "note_id", "encounter_id", "study_uid"]
    text = f"HISTORY:\n{_told(aviary, 'csv', 'family name 0', patient_id)}"
    good = [patient_id, "2024-01-02T03:04:05+00:00", "progress note", text, aviary.word("csv note id"),
            aviary.word("csv encounter id"), aviary.uid("csv study uid")]  # fmt: skip
    bad = [aviary.word(f"csv bad {column}") for column in columns[:4]]
    stranger = [aviary.word("csv stranger"), "2024-01-02", aviary.word("csv type"), aviary.word("csv stranger text")]
    blank = [""] * 3
    rows = [columns, good, [*bad, *blank], [*stranger, *blank]]
    _write_csv(tables / f"{aviary.word('notes table name')}.csv", rows)
    values = [
        ["patient_id", "datetime", "code", "value", "unit"],
        [patient_id, "2024-01-02T03:04:05+00:00", aviary.word("csv code"), "7", ""],
        [patient_id, "2024-01-02T03:04:05+00:00", "weight", aviary.word("csv bad value"), aviary.word("csv bad unit")],
    ]
    _write_csv(folder / f"{aviary.word('observations table name')}.csv", values)


def _write_csv(path: Path, rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)
