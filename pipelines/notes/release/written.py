"""De-identified notes as JSON Lines: one object a note, by pseudonym; dates moved, sections in their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from data_schemas.errors import RefusedError
from data_schemas.note import Note
from data_schemas.reasons import Reason
from pipelines.notes.release.dates import Clock
from pipelines.notes.release.deidentify import METHOD, deidentify
from pipelines.notes.release.identifiers import Known, known_of
from pipelines.notes.release.roster import Roster
from pipelines.notes.sections import split_sections
from pipelines.workspace.digests import canonical_json
from pipelines.workspace.identity import keyed_digest


@dataclass(frozen=True, slots=True)
class Subject:
    """One released patient: the pseudonym, the move of the dates, all that is known, and the notes to release.

    ``studies`` gives the new UID of each released study; ``shift_days`` is None where dates are removed.
    """

    pseudonym: str
    shift_days: int | None = field(repr=False)
    known: Known = field(repr=False)
    notes: tuple[Note, ...] = field(repr=False)
    studies: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Written:
    """The lines of a release, and what became of its notes, in counts."""

    lines: bytes = field(repr=False)
    notes: int
    patients: int
    replaced: dict[str, int]
    refused: dict[str, int]


def write_notes(
    subjects: Iterable[Subject],
    *,
    key: bytes,
    roster: Roster,
    day_first: bool = False,
) -> Written:
    """De-identify the notes of released patients.

    Parameters
    ----------
    subjects
        The patients, each with the notes that are the patient's own.
    key
        The workspace's key, for the names of notes.
    roster
        All patients of the workspace, for notes that name another.
    day_first
        The order of 03/05/2021 in notes that do not tell.

    Returns
    -------
    Written
        Lines sorted by patient, date and note. A note in which an identifier of its patient is left is refused.
    """
    rows: list[dict[str, Any]] = []
    replaced: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for subject in subjects:
        for note in subject.notes:
            try:
                row, counts = _row(subject, note, key=key, roster=roster, day_first=day_first)
                rows.append(row)
                replaced.update(counts)
            except RefusedError as error:
                refused[error.reason.value] += 1
    rows.sort(key=lambda row: (row["patient"], row["written"] or "", row["note"]))
    lines = b"".join(canonical_json(row) + b"\n" for row in rows)
    people = len({row["patient"] for row in rows})
    return Written(lines, len(rows), people, dict(sorted(replaced.items())), dict(sorted(refused.items())))


def _row(
    subject: Subject, note: Note, *, key: bytes, roster: Roster, day_first: bool
) -> tuple[dict[str, Any], dict[str, int]]:
    known = _with_note(subject.known, note)
    clock = Clock(
        shift_days=subject.shift_days,
        written=note.written.date() if note.written else None,
        day_first=day_first,
    )
    cleaned = deidentify(note.text, known=known, clock=clock, roster=roster)
    kind = deidentify(note.kind, known=known, clock=clock, roster=roster)
    row = {
        "patient": subject.pseudonym,
        "note": f"N-{keyed_digest(key, 'release-note', note.patient.patient_id, note.note_id)[:14]}",
        "study": subject.studies.get(note.study_uid),
        "written": _moved(note.written, subject.shift_days),
        "kind": kind.text,
        "sections": [
            {"name": section.name, "sentences": list(section.sentences)} for section in split_sections(cleaned.text)
        ],
        "replaced": cleaned.counts,
        "method": METHOD,
    }
    return row, cleaned.counts


def _with_note(known: Known, note: Note) -> Known:
    own = known_of([note.patient], ids=(note.note_id, note.encounter_id, note.study_uid, note.accession))
    return replace(
        known,
        names=known.names | own.names,
        ids=known.ids | own.ids,
        birth_dates=known.birth_dates | own.birth_dates,
    )


def _moved(moment: datetime | None, days: int | None) -> str | None:
    """The moment moved back, its time of day and zone kept as headers keep them; None without a date or a move."""
    if moment is None or days is None:
        return None
    try:
        return (moment - timedelta(days=days)).isoformat()
    except OverflowError:
        raise RefusedError(Reason.UNREADABLE_ROW, "the date of a note cannot be moved") from None
