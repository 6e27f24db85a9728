"""Records from everywhere: files and folders of notes, observations, labels and the id map, by suffix."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from data_schemas.note import Note
from data_schemas.reasons import Reason
from data_schemas.target import TargetRecipe
from pipelines.sources import observations as observation_tables
from pipelines.sources import tables
from pipelines.sources.conventions import Conventions
from pipelines.sources.dictation import SUFFIXES as RECORDINGS
from pipelines.sources.dictation import Transcriber
from pipelines.sources.fhir import is_fhir, read_fhir
from pipelines.sources.folder import walk
from pipelines.sources.hl7 import read_hl7
from pipelines.sources.labels import read_labels
from pipelines.sources.mixed_units import without_mixed_units
from pipelines.sources.outcome import Records, Refused, merge
from pipelines.sources.rows import SUFFIXES
from pipelines.sources.text import MANIFEST, read_text_notes
from pipelines.workspace.identity import normalise_id

HOW_TO_MEND = (
    f"give FHIR (.json, .xml, .ndjson), HL7 v2 (.hl7), a table ({', '.join(SUFFIXES)}) or text files with a {MANIFEST}"
)
WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".ods")


def read_records(
    *,
    notes: Sequence[Path] = (),
    observations: Sequence[Path] = (),
    labels: Sequence[Path] = (),
    id_map: Path | None = None,
    observation_columns: Collection[str] = ("sex", "age", "weight_kg"),
    own_findings: Collection[str] = (),
    targets: Mapping[str, TargetRecipe] | None = None,
    identifier_system: str | None = None,
    conventions: Conventions = observation_tables.DEFAULT,
    transcribe: Transcriber | None = None,
) -> Records:
    """Read files, and all files of folders, by suffix.

    ``.json``, ``.xml`` and JSON lines that say their resourceType are FHIR (they give notes and observations, wherever
    they were named, and are read once), ``.hl7`` is HL7 v2; tables are what the argument says they are; a file
    ``manifest.csv`` among notes belongs to the text files beside it. A file of any other kind is refused as
    *not-a-record*, a note id that two patients share as *ambiguous-identity*, the values of a code that scanote does
    not know as *mixed-units* where they come in several. ``conventions`` say how the sources are written;
    ``transcribe`` makes the text of recordings that a ``manifest.csv`` names.

    Raises
    ------
    InputError
        A path does not exist, or a table cannot be read as a whole: encoding, columns, columns that are no finding.
    """
    fhir: dict[Path, None] = {}
    messages: dict[Path, None] = {}
    parts: list[Records] = []
    for path in walk(notes):
        if is_fhir(path):
            fhir[path] = None
        elif path.suffix.lower() == ".hl7":
            messages[path] = None
        else:
            parts.append(_notes(path, encoding=conventions.encoding, transcribe=transcribe))
    for path in walk(observations):
        if is_fhir(path):
            fhir[path] = None
        elif path.suffix.lower() == ".hl7":
            messages[path] = None
        elif path.suffix.lower() in SUFFIXES:
            table = observation_tables.read_observations(path, columns=observation_columns, conventions=conventions)
            parts.append(table)
        else:
            parts.append(_no_record(path))
    for path in walk(labels):
        if path.suffix.lower() in SUFFIXES:
            parts.append(
                read_labels(
                    path,
                    own=own_findings,
                    targets=targets,
                    encoding=conventions.encoding,
                    decimal=conventions.decimal,
                )
            )
        else:
            parts.append(_no_record(path))
    if id_map is not None:
        parts.append(tables.read_id_map(id_map, encoding=conventions.encoding))
    parts.append(read_hl7(tuple(messages), identifier_system=identifier_system, conventions=conventions))
    parts.append(read_fhir(tuple(fhir), identifier_system=identifier_system, conventions=conventions))
    return without_mixed_units(_without_shared_note_ids(merge(parts)))


def _notes(path: Path, *, encoding: str | None, transcribe: Transcriber | None) -> Records:
    if path.name == MANIFEST:
        return read_text_notes(path, encoding=encoding, transcribe=transcribe)
    if path.suffix.lower() in SUFFIXES:
        return tables.read_notes(path, encoding=encoding)
    if path.suffix.lower() in (".txt", *RECORDINGS):
        if any((folder / MANIFEST).exists() for folder in path.parents):
            return Records()  # the manifest reads it, or lists it as unnamed
        detail = f"no {MANIFEST} says whose it is"
        return Records(refused=(Refused(str(path), Reason.MISSING_PATIENT, detail),))
    return _no_record(path)


def _no_record(path: Path) -> Records:
    is_workbook = path.suffix.lower() in WORKBOOKS
    detail = "a workbook; save each sheet as CSV UTF-8" if is_workbook else HOW_TO_MEND
    return Records(refused=(Refused(str(path), Reason.NOT_A_RECORD, detail),))


def _without_shared_note_ids(records: Records) -> Records:
    """Drop notes whose id stands for notes of two patients: one would replace the other in the catalogue."""
    owners: dict[str, set[str]] = {}
    for note in records.notes:
        owners.setdefault(note.note_id, set()).add(normalise_id(note.patient.patient_id))
    shared = {note_id for note_id, patients in owners.items() if len(patients) > 1}
    if not shared:
        return records
    return replace(
        records,
        notes=tuple(note for note in records.notes if note.note_id not in shared),
        refused=(*records.refused, *_refuse_shared(records.notes, shared)),
    )


def _refuse_shared(notes: tuple[Note, ...], shared: set[str]) -> Iterator[Refused]:
    detail = "two patients share a note_id; make the ids unique"
    yield from (
        Refused(f"note {number}", Reason.AMBIGUOUS_IDENTITY, detail)
        for number, note in enumerate(notes, 1)
        if note.note_id in shared
    )
