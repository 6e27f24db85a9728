"""A release out of a workspace: scans, and beside them the notes of their patients, de-identified alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_schemas.note import Note
from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts, Scan
from pipelines.cases.ingest import load_cases
from pipelines.cases.people import match_people
from pipelines.notes.release.deidentify import METHOD
from pipelines.notes.release.identifiers import known_of
from pipelines.notes.release.roster import roster_of
from pipelines.notes.release.written import Subject, Written, write_notes
from pipelines.scans.release.batch import Report
from pipelines.scans.release.keyed import keyed_uid, person
from pipelines.scans.release.profile import Profile
from pipelines.scans.release.run import release as release_scans
from pipelines.workspace import audit, catalogue
from pipelines.workspace.identity import keyed_digest, normalise_id
from pipelines.workspace.paths import Workspace

NOTES_FILE = "notes.jsonl"
NOT_CLAIMED = "every name: rules find those with a context; read a sample before the notes leave"
_NOBODY_KNOWS_WHOSE = frozenset({Reason.IDENTITY_CONFLICT, Reason.AMBIGUOUS_IDENTITY, Reason.PLACEHOLDER_IDENTITY})


@dataclass(frozen=True, slots=True)
class Released:
    """What a release did: to the scans, and to the notes where they were asked for."""

    scans: Report
    notes: Written | None = None


def release(
    workspace: Workspace,
    out: Path,
    *,
    actor: str,
    profile: Profile = Profile(),  # noqa: B008 - frozen
    paths: Sequence[Path] = (),
    notes: bool = True,
    day_first: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Released:
    """Release the accepted scans of the catalogue with their patients' notes, or the scans under some paths.

    ``notes.jsonl`` lies beside the folders of the scans, and appears with them. It holds every current note of a
    released patient whom scan and record agree on: reports and later notes as well. A note keeps the pseudonym and the
    move of dates of the patient's headers. Where ``paths`` are released there are no notes: nothing says whose.

    Parameters
    ----------
    workspace
        Its key, its rules for patient ids and its catalogue are used.
    out
        The folder to make.
    actor
        Who asked for it, for the audit log.
    profile
        What is retained of the headers; where dates are removed, they are removed from notes too.
    paths
        Files and folders to release instead of the catalogue.
    notes
        Whether notes are released.
    day_first
        The order of 03/05/2021 in notes that do not tell.
    progress
        Called with (scans done, scans in all).

    Raises
    ------
    InputError
        As `pipelines.scans.release.batch.release_scans`.
    WorkspaceError
        The catalogue or the audit log cannot be used.
    """
    written: list[Written] = []

    def beside(folder: Path, scans: Sequence[Scan]) -> tuple[Sequence[Path], Mapping[str, Any]]:
        done = _write(workspace, scans, dates=profile.modified_dates, day_first=day_first)
        written.append(done)
        path = folder / NOTES_FILE
        path.write_bytes(done.lines)
        return [path], {"notes": _record(done)}

    wanted = notes and not paths
    report = release_scans(
        workspace,
        out,
        actor=actor,
        profile=profile,
        paths=paths,
        progress=progress,
        beside=beside if wanted else None,
    )
    if not written:
        return Released(report)
    with workspace.database() as engine:
        audit.record(engine, actor, "release", "notes", _record(written[0]))
    return Released(report, written[0])


def _record(done: Written) -> dict[str, Any]:
    """What ``release.json`` and the audit log hold of the notes."""
    return {
        "method": METHOD,
        "notes": done.notes,
        "patients": done.patients,
        "replaced": done.replaced,
        "refused": done.refused,
        "not_claimed": NOT_CLAIMED,
    }


def _write(workspace: Workspace, scans: Sequence[Scan], *, dates: bool, day_first: bool) -> Written:
    with workspace.database() as engine:
        notes, observations, id_map = catalogue.notes(engine), catalogue.observations(engine), catalogue.id_map(engine)
        every = catalogue.scans(engine)
    rule = workspace.settings.link
    rules = {"ignore_id_case": rule.ignore_id_case, "ignore_leading_zeros": rule.ignore_leading_zeros}
    key = workspace.key
    doubted = {
        line.subject
        for line in load_cases(workspace).unlinked
        if line.kind == "note" and line.reason in _NOBODY_KNOWS_WHOSE
    }
    people = match_people((scan.patient.patient_id for scan in every), id_map, **rules)
    by_record: dict[str, list[Note]] = {}
    facts_of: dict[str, list[PatientFacts]] = {}
    for facts in (*(note.patient for note in notes), *(item.patient for item in observations)):
        facts_of.setdefault(_plain(facts.patient_id, rules), []).append(facts)
    for note in notes:
        if keyed_digest(key, "note", note.note_id) not in doubted:
            by_record.setdefault(_plain(note.patient.patient_id, rules), []).append(note)
    roster = roster_of(
        {(facts.patient_id, facts.name) for facts in (*(s.patient for s in every), *(n.patient for n in notes))}
    )
    subjects = []
    for owner, owned in _by_owner(scans, rules).items():
        record = people.record_id.get(owner)
        if not record or not by_record.get(record):
            continue
        who = person(
            key,
            owned[0].patient.patient_id,
            owned[0].study_uid,
            ignore_case=rule.ignore_id_case,
            ignore_leading_zeros=rule.ignore_leading_zeros,
        )
        subjects.append(
            Subject(
                pseudonym=who.pseudonym,
                shift_days=who.shift_days if dates else None,
                known=known_of(
                    (*(scan.patient for scan in owned), *facts_of[record]),
                    ids=[text for scan in owned for text in (scan.study_uid, scan.series_uid, scan.accession)],
                ),
                notes=tuple(by_record[record]),
                studies={scan.study_uid: keyed_uid(key, scan.study_uid) for scan in owned},
            )
        )
    return write_notes(subjects, key=key, roster=roster, day_first=day_first)


def _by_owner(scans: Iterable[Scan], rules: Mapping[str, bool]) -> dict[str, list[Scan]]:
    found: dict[str, list[Scan]] = {}
    for scan in scans:
        found.setdefault(_plain(scan.patient.patient_id, rules), []).append(scan)
    return found


def _plain(raw: str, rules: Mapping[str, bool]) -> str:
    return normalise_id(raw, ignore_case=rules["ignore_id_case"], ignore_leading_zeros=rules["ignore_leading_zeros"])
