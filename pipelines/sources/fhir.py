"""FHIR R4: bundles and bulk exports become notes and observations, validated resource by resource."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from data_schemas.errors import RefusedError
from data_schemas.note import Note
from data_schemas.observation import Observation, Origin
from data_schemas.patient_link import PatientLink
from data_schemas.reasons import Reason, Remark
from pipelines.sources.bulk import Entry, Manifest, entries_of, is_export, load, manifest_of
from pipelines.sources.bundle import entries_in, read_document
from pipelines.sources.conventions import Conventions
from pipelines.sources.fhir_index import Index
from pipelines.sources.fhir_links import link_of, merge_linked
from pipelines.sources.fhir_model import OtherVersionError, validate
from pipelines.sources.fhir_notes import note_id_of, note_of
from pipelines.sources.fhir_origin import CORRECTED, Versions, origin_of
from pipelines.sources.fhir_patient import patient_facts
from pipelines.sources.fhir_values import observations_of, sex_of, values_of
from pipelines.sources.observations import notices
from pipelines.sources.outcome import Records, Refused, TakenBack, known_by, merge

NOTES = ("DocumentReference", "DiagnosticReport", "Condition", "ServiceRequest")
READ = ("Patient", "Observation", *NOTES)
REFERRED_TO = ("Encounter", "ImagingStudy", "Binary")
USED = (*READ, *REFERRED_TO)
WITHDRAWN = {"entered-in-error", "cancelled", "superseded", "revoked"}
USABLE = {"current", "final", "amended", "corrected", "appended", "preliminary", "partial", "registered", "unknown"}
USABLE |= {"active", "completed", "on-hold", "draft"}
SUFFIXES = (".json", ".xml")
STANDARD = Conventions()


def is_fhir(path: Path) -> bool:
    """Whether a file is read as FHIR: JSON and XML by their endings, files of JSON lines by what is in them."""
    return path.suffix.lower() in SUFFIXES or is_export(path)


def read_fhir(
    paths: Sequence[Path], *, identifier_system: str | None = None, conventions: Conventions = STANDARD
) -> Records:
    """Everything that scanote uses of FHIR R4 bundles (JSON, XML) and of bulk exports (NDJSON, packed or not).

    Within a bundle, and within all the export's files of one folder, references lead from one resource to another;
    they lead nowhere else. DocumentReference, DiagnosticReport, Condition and ServiceRequest give notes, Observation
    and Patient.gender give observations; Encounter, ImagingStudy and Binary are what these refer to. Other types are
    passed over. What cannot be used is refused with the number of its entry or line, and the rest is kept. Of two
    versions of one resource the later one counts.

    Parameters
    ----------
    paths
        Files for which `is_fhir` holds.
    identifier_system
        The system of the identifier that is the patient's id (default: the one of type *MR*, else the only one).
    conventions
        How the source writes codes and units.

    Raises
    ------
    InputError
        A file of an export cannot be opened.
    """
    parts: list[Records] = []
    manifests: dict[Path, Manifest] = {}
    exports: dict[Path, list[Path]] = {}
    for path in paths:
        if path.suffix.lower() not in SUFFIXES:
            exports.setdefault(path.parent, []).append(path)
            continue
        try:
            content = read_document(path)
        except RefusedError as error:
            parts.append(Records(refused=(Refused(str(path), error.reason, error.detail),)))
            continue
        if manifest := manifest_of(content):
            manifests[path.parent] = manifest
        else:
            parts.append(_read_bundle(path, content, identifier_system, conventions))
    for folder, files in exports.items():
        parts.append(_read_export(folder, files, manifests.get(folder, Manifest()), identifier_system, conventions))
    return merge(parts)


def _read_bundle(path: Path, content: Any, identifier_system: str | None, conventions: Conventions) -> Records:
    try:
        entries = entries_in(path, content)
    except RefusedError as error:
        return Records(refused=(Refused(str(path), error.reason, error.detail),))
    return _read_set(lambda: entries, Index(identifier_system), str(path), conventions)


def _read_export(
    folder: Path, files: list[Path], manifest: Manifest, identifier_system: str | None, conventions: Conventions
) -> Records:
    with TemporaryFile() as spool:
        index = Index(identifier_system, manifest.base, partial(load, spool=spool))
        seen: Counter[str] = Counter()

        def first_pass() -> Iterator[Entry]:
            for entry in entries_of(files, spool=spool):
                if entry.resource:
                    seen[entry.resource["resourceType"]] += 1
                yield entry

        passes = iter([first_pass, lambda: entries_of(files)])
        records = _read_set(lambda: next(passes)(), index, str(folder), conventions)
    lacking = [
        Refused(
            str(folder), Reason.FILE_MISSING, f"the manifest lists {count} {kind}, {seen[kind]} are here; export again"
        )
        for kind, count in sorted(manifest.counts.items())
        if kind in USED and seen[kind] < count
    ]
    return merge([records, Records(refused=tuple(lacking))])


def _read_set(entries: Callable[[], Iterable[Entry]], index: Index, where: str, conventions: Conventions) -> Records:
    """Read a set in two passes: what others refer to, then the records."""
    problems: dict[str, RefusedError] = {}
    versions = Versions(index.base)
    linked: list[Entry] = []
    for number, entry in enumerate(entries()):
        if entry.resource is None:
            continue
        _note_deletions(entry.resource, index)
        if entry.resource["resourceType"] == "Observation":
            versions.see(number, entry.resource, entry.full_url)
        if entry.resource["resourceType"] == "Patient" and entry.resource.get("link"):
            linked.append(entry)
        if entry.resource["resourceType"] in USED:
            try:
                index.add(entry.resource, full_url=entry.full_url, place=entry.place)
            except RefusedError as error:
                problems[entry.where] = error
    merge_linked(linked, index)
    links: list[PatientLink] = []
    notes: list[Note] = []
    observations: list[Observation] = []
    refused: list[Refused] = []
    others: dict[str, list[Refused]] = {}
    told: Counter[Remark] = Counter()
    taken_back = _deleted_values(index)
    for number, entry in enumerate(entries()):
        try:
            if problem := entry.problem or problems.get(entry.where):
                raise problem
            if _is_other_version(number, entry, versions):
                continue
            for item in _read(entry, index, conventions, told, taken_back):
                if isinstance(item, Note):
                    notes.append(item)
                else:
                    observations.append(item)
            if link := link_of(entry, index):
                links.append(link)
        except OtherVersionError as error:
            others.setdefault(error.version, []).append(Refused(entry.where, error.reason, error.detail))
        except RefusedError as error:
            refused.append(Refused(entry.where, error.reason, error.detail))
    refused += [_other_version(version, lines, where) for version, lines in others.items()]
    return Records(
        notes=tuple(notes),
        observations=tuple(observations),
        refused=tuple(refused),
        noticed=notices(where, told),
        taken_back=tuple(taken_back),
        links=tuple(links),
    )


def _read(
    entry: Entry, index: Index, conventions: Conventions, told: Counter[Remark], taken_back: list[TakenBack]
) -> list[Note | Observation]:
    content = entry.resource
    if content is None or content["resourceType"] not in READ or index.is_outdated(content, entry.full_url):
        return []
    resource, kind = validate(content), content["resourceType"]
    origin_for = partial(origin_of, content, entry.full_url, index.base)
    if kind == "Patient":
        return [*sex_of(patient_facts(resource, index.identifier_system))]
    inner = index.within(content.get("contained"))
    try:
        _check_status(kind, resource, deleted=bool(index.names(content, entry.full_url) & index.deleted))
        given = _given(content, resource, inner, conventions, told)
    except RefusedError as error:
        # What a correction made unreadable is not what it was either.
        is_corrected = kind == "Observation" and resource.status in CORRECTED
        if error.reason in (Reason.WITHDRAWN, Reason.IDENTITY_CONFLICT) or is_corrected:
            taken_back += _taken_back(kind, resource, inner, conventions, origin_for)
        raise
    if kind != "Observation":
        return given
    if not given and resource.status in CORRECTED:  # it said something before, and says nothing any more
        taken_back += _taken_back(kind, resource, inner, conventions, origin_for)
    return [item.model_copy(update={"origin": origin_for(item.patient.patient_id)}) for item in given]


def _given(
    content: dict[str, Any], resource: Any, index: Index, conventions: Conventions, told: Counter[Remark]
) -> list[Note | Observation]:
    patient = index.patient_of(resource.subject)
    if content["resourceType"] == "Observation":
        return [*observations_of(resource, patient, index, conventions=conventions, told=told)]
    note = note_of(content, resource, patient, index)
    return [note] if note else []


def _is_other_version(number: int, entry: Entry, versions: Versions) -> bool:
    """Whether an entry is a version of an Observation that does not count; ``RefusedError`` where nothing tells."""
    content = entry.resource
    if content is None or content["resourceType"] != "Observation":
        return False
    if versions.is_unclear(content, entry.full_url):
        detail = "versions of one Observation, and neither meta.lastUpdated nor meta.versionId says which is the last"
        raise RefusedError(Reason.NOT_A_RECORD, detail)
    return versions.is_outdated(number, content, entry.full_url)


def _deleted_values(index: Index) -> list[TakenBack]:
    """The Observations that the server has deleted: where its address is known, no more than their names is needed."""
    names = sorted(name for name in index.deleted if index.base and name.startswith("Observation/"))
    return [TakenBack("", origin=Origin(resource=f"{index.base}/{name}")) for name in names]


def _taken_back(
    kind: str,
    resource: Any,
    index: Index,
    conventions: Conventions,
    origin_for: Callable[[str], Origin | None],
) -> list[TakenBack]:
    """What a resource that is withdrawn by now may have given when it was not."""
    origin = origin_for("") if kind == "Observation" else None
    try:
        patient = index.patient_of(resource.subject)
        origin = origin_for(patient.patient_id) if kind == "Observation" else None
        if kind != "Observation":
            return [TakenBack(patient.patient_id, note_id_of(resource, patient))] if resource.id else []
        values = values_of(resource, patient, conventions=conventions, told=Counter())
    except RefusedError:
        values = []
    known = [replace(known_by(item), origin=origin) for item in values]
    return known or ([TakenBack("", origin=origin)] if origin else [])


def _check_status(kind: str, resource: Any, *, deleted: bool) -> None:
    """Refuse what its source took back, a status that R4 does not know, and what a modifier may turn around."""
    if deleted:
        raise RefusedError(Reason.WITHDRAWN, f"{kind} is among what the server deleted")
    if resource.modifierExtension:
        detail = f"{kind} with a modifierExtension, which may turn its meaning around"
        raise RefusedError(Reason.NOT_A_RECORD, detail)
    if kind == "Condition":
        concept = resource.verificationStatus
        status = {coding.code for coding in (concept.coding if concept else None) or []}
        if status & {"entered-in-error", "refuted"}:
            raise RefusedError(Reason.WITHDRAWN, f"{kind} is marked as withdrawn by its source")
        return
    if resource.status in WITHDRAWN or getattr(resource, "docStatus", None) in WITHDRAWN:
        raise RefusedError(Reason.WITHDRAWN, f"{kind} is marked as withdrawn by its source")
    if resource.status not in USABLE:
        raise RefusedError(Reason.NOT_A_RECORD, f"no valid R4 {kind}: status")


def _note_deletions(resource: dict[str, Any], index: Index) -> None:
    """The resources that a bundle of deletions (in an export, of the manifest's ``deleted`` files) takes back."""
    if resource["resourceType"] == "Bundle":
        for entry in resource.get("entry") or []:
            request = entry.get("request") if isinstance(entry, dict) else None
            if isinstance(request, dict) and request.get("method") == "DELETE":
                index.deleted.add(index.name(request.get("url")))


def _other_version(version: str, lines: list[Refused], where: str) -> Refused:
    first, more = lines[0], len(lines) - 1
    detail = f"{first.detail}; it is FHIR {version}, and scanote reads R4: have the server export fhirVersion 4.0"
    if not more:
        return Refused(first.where, first.reason, detail)
    return Refused(where, first.reason, f"{len(lines)} resources are of FHIR {version}; the first: {detail}")
