"""Records from everywhere: files and folders of notes, observations, labels and the id map, by suffix."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from data_schemas.note import Note
from data_schemas.reasons import Reason
from pipelines.sources import observations as observation_tables
from pipelines.sources import tables
from pipelines.sources.fhir import read_bundle
from pipelines.sources.folder import walk
from pipelines.sources.outcome import Records, Refused, merge
from pipelines.sources.rows import SUFFIXES
from pipelines.sources.text import MANIFEST, read_text_notes
from pipelines.workspace.identity import normalise_id

HOW_TO_MEND = f"give a FHIR bundle (.json), a table ({', '.join(SUFFIXES)}) or text files with a {MANIFEST}"


def read_records(
    *,
    notes: Sequence[Path] = (),
    observations: Sequence[Path] = (),
    labels: Sequence[Path] = (),
    id_map: Path | None = None,
    observation_columns: Collection[str] = ("sex", "age", "weight_kg"),
    known_findings: Collection[str] | None = None,
    identifier_system: str | None = None,
) -> Records:
    """Read files, and all files of folders, by suffix.

    ``.json`` is a FHIR bundle (it gives notes and observations, wherever it was named, and is read once); tables are
    what the argument says they are; a file ``manifest.csv`` among notes belongs to the text files beside it. A file of
    any other kind is refused as *not-a-record*. A note id that two patients share is refused as *ambiguous-identity*.

    Raises
    ------
    InputError
        A path does not exist, or a table cannot be read as a whole: encoding, columns, unknown findings.
    """
    bundles: dict[Path, None] = {}
    parts: list[Records] = []
    for path in walk(notes):
        if path.suffix.lower() == ".json":
            bundles[path] = None
        else:
            parts.append(_notes(path))
    for path in walk(observations):
        if path.suffix.lower() == ".json":
            bundles[path] = None
        elif path.suffix.lower() in SUFFIXES:
            parts.append(observation_tables.read_observations(path, columns=observation_columns))
        else:
            parts.append(_no_record(path))
    for path in walk(labels):
        known = path.suffix.lower() in SUFFIXES
        parts.append(tables.read_labels(path, known=known_findings) if known else _no_record(path))
    if id_map is not None:
        parts.append(tables.read_id_map(id_map))
    parts += [read_bundle(path, identifier_system=identifier_system) for path in bundles]
    return _without_shared_note_ids(merge(parts))


def _notes(path: Path) -> Records:
    if path.name == MANIFEST:
        return read_text_notes(path)
    if path.suffix.lower() in SUFFIXES:
        return tables.read_notes(path)
    if path.suffix.lower() == ".txt":
        if any((folder / MANIFEST).exists() for folder in path.parents):
            return Records()  # the manifest reads it, or lists it as unnamed
        detail = f"no {MANIFEST} says whose it is"
        return Records(refused=(Refused(str(path), Reason.MISSING_PATIENT, detail),))
    return _no_record(path)


def _no_record(path: Path) -> Records:
    return Records(refused=(Refused(str(path), Reason.NOT_A_RECORD, HOW_TO_MEND),))


def _without_shared_note_ids(records: Records) -> Records:
    """Drop notes whose id stands for notes of two patients: one would replace the other in the catalogue."""
    owners: dict[str, set[str]] = {}
    for note in records.notes:
        owners.setdefault(note.note_id, set()).add(normalise_id(note.patient.patient_id))
    shared = {note_id for note_id, patients in owners.items() if len(patients) > 1}
    if not shared:
        return records
    return Records(
        notes=tuple(note for note in records.notes if note.note_id not in shared),
        observations=records.observations,
        labels=records.labels,
        id_map=records.id_map,
        refused=(*records.refused, *_refuse_shared(records.notes, shared)),
    )


def _refuse_shared(notes: tuple[Note, ...], shared: set[str]) -> Iterator[Refused]:
    detail = "two patients share a note_id; make the ids unique"
    yield from (
        Refused(f"note {number}", Reason.AMBIGUOUS_IDENTITY, detail)
        for number, note in enumerate(notes, 1)
        if note.note_id in shared
    )
