"""Scans and records become cases: one a study, joined on identity, cut off in time, with a reason for all the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from types import MappingProxyType
from typing import Literal

from data_schemas.case import Case, Unlinked
from data_schemas.cohort import IdMapping
from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.reasons import Reason
from data_schemas.scan import Scan
from data_schemas.selection import ChannelRule, ScanRule
from pipelines.cases.agree import Conflict, age_conflict, person_conflict
from pipelines.cases.assemble import Timing, assemble
from pipelines.cases.clock import is_zoned, zone_text
from pipelines.cases.inputs import NO_OFFSETS, NO_TIME, exclusions_of
from pipelines.cases.join import Held, Joined, Study, join
from pipelines.cases.stated import Stated
from pipelines.cases.texts import notes_of_others
from pipelines.scans.identity import unproven_owners
from pipelines.workspace.identity import keyed_digest, patient_key, study_key

# Where a record was kept out of several cases for several reasons, the first of these is told.
WEIGHT = (
    Reason.IDENTITY_CONFLICT,
    Reason.AMBIGUOUS_IDENTITY,
    Reason.PLACEHOLDER_IDENTITY,
    Reason.OWN_REPORT,
    Reason.AFTER_CUT_OFF,
    Reason.UNDATED,
    Reason.MISSING_PATIENT,
    Reason.NO_SCAN,
)


@dataclass(frozen=True)
class LinkResult:
    """The cases by study key, everything that became part of none, with its reason, and what is to be said aloud."""

    cases: tuple[Case, ...]
    unlinked: tuple[Unlinked, ...]
    notices: tuple[str, ...] = ()


def link(
    scans: Sequence[Scan],
    notes: Sequence[Note],
    observations: Sequence[Observation],
    id_map: Sequence[IdMapping] = (),
    *,
    workspace_key: bytes,
    allow_undated_text: bool = False,
    ignore_id_case: bool = False,
    ignore_leading_zeros: bool = False,
    age_tolerance_years: float = 1.5,
    text_identity: Literal["quarantine", "refuse-note", "off"] = "quarantine",
    text_age_tolerance_years: float = 3.0,
    offsets: Mapping[str, timedelta] = NO_OFFSETS,
    zone: tzinfo | None = None,
    clock_skew: timedelta = NO_TIME,
    require: ScanRule | None = None,
    prefer: ScanRule | None = None,
    channels: Sequence[ChannelRule] = (),
    doubtful: Mapping[str, Conflict] = MappingProxyType({}),
) -> LinkResult:
    """Join scans and records into cases.

    A study is one case; of several scans it takes the best by ``require`` and ``prefer`` (without them, and between
    equals, the one with the most slices), or for each of the ``channels`` the best that meets its rule. The acquisition
    time of that scan, or of the first channel that is there, is the cut-off. Records come to it by patient (equal ids,
    or the id map), observations without a patient by study UID or accession number. Inputs are what is dated at or
    before the cut-off: every such note, and the latest value of every code. ``offsets`` move the cut-off by kind of
    record, ``clock_skew`` brings it nearer for all, and ``zone`` is that of moments which bear none (this machine's
    where it is None).

    Where a note that would be an input says another sex or age of its patient than is known, ``text_identity``
    decides: the case is quarantined, the note is refused, or nothing happens.

    ``doubtful`` are record ids, in their comparable form, of whom sources say what cannot be true, and what that is.

    A study whose identity is ambiguous or contradicted, or of which no scan passes what is required (*no-scan*), is
    quarantined: it is no case, and stands in ``unlinked`` as one. A study without any record stays a case and is
    listed once as *no-record*. A note or observation that no case could use is listed once, with the weightiest of its
    reasons; an older value of a code is not listed, but counted in the case's history.
    """
    joined = join(
        scans,
        [*notes, *observations],
        id_map,
        ignore_id_case=ignore_id_case,
        ignore_leading_zeros=ignore_leading_zeros,
        require=require,
        prefer=prefer,
        channels=channels,
    )
    conflicts = _person_conflicts(joined)
    borrowed = _borrowed_series(joined)
    timing = Timing(offsets=offsets, zone=zone, clock_skew=clock_skew)
    texts: dict[str, Stated | None] = {}
    cases: list[Case] = []
    listed: list[Unlinked] = []
    used: set[Note | Observation] = set()
    kept_out: dict[Note | Observation, set[Reason]] = {}
    for item, reason in joined.left:
        kept_out.setdefault(item, set()).add(reason)
    for study in joined.studies.values():
        key = study_key(workspace_key, study.uid)
        held = joined.of_study(study)
        everything = held.everything()
        quarantine = _doubt(study, joined, doubtful)
        quarantine = quarantine or _quarantine(study, held, joined, conflicts, borrowed, age_tolerance_years, zone)
        exclusions: dict[Note | Observation, Reason] = {}
        if quarantine is None:
            exclusions = exclusions_of(
                everything,
                study_uid=study.uid,
                cut_off=study.main.acquired,
                accessions=study.accessions,
                allow_undated_text=allow_undated_text,
                offsets=offsets,
                zone=zone,
                clock_skew=clock_skew,
            )
        if quarantine is None and text_identity != "off":
            wrong = notes_of_others(study, held, exclusions, texts, tolerance_years=text_age_tolerance_years, zone=zone)
            exclusions |= dict.fromkeys(wrong, Reason.IDENTITY_CONFLICT)
            if wrong and text_identity == "quarantine":
                quarantine = min(wrong.values(), key=lambda conflict: conflict.detail)
        if quarantine is not None:
            listed.append(Unlinked(subject=key, kind="case", reason=quarantine.reason, detail=quarantine.detail))
            exclusions = dict.fromkeys(everything, quarantine.reason)
        else:
            owner_key = _owner_key(study, workspace_key, ignore_id_case, ignore_leading_zeros)
            mapped = bool(everything) and bool(joined.people.mapped.intersection(study.owners))
            cases.append(assemble(study, held, exclusions, timing, key=key, owner_key=owner_key, mapped=mapped))
            if not everything:
                listed.append(Unlinked(subject=key, kind="case", reason=Reason.NO_RECORD))
        used.update(item for item in everything if item not in exclusions)
        for item, reason in exclusions.items():
            kept_out.setdefault(item, set()).add(reason)
    listed += [
        Unlinked(subject=_subject(item, workspace_key), kind=_kind(item), reason=min(reasons, key=WEIGHT.index))
        for item, reasons in kept_out.items()
        if item not in used
    ]
    order = sorted(dict.fromkeys(listed), key=lambda line: (line.kind, line.subject))
    notices = _notices(scans, notes, observations, zone)
    return LinkResult(tuple(sorted(cases, key=lambda case: case.study_key)), tuple(order), notices)


def _person_conflicts(joined: Joined) -> dict[str, Conflict | None]:
    """Whether scans and records of each person contradict each other, or prove nothing, by normalised scan id."""
    scanned: dict[str, list[Scan]] = {}
    held: dict[str, list[Held]] = {}
    for study in joined.studies.values():
        if len(study.owners) == 1:
            scanned.setdefault(study.owners[0], []).extend(study.scans)
            held.setdefault(study.owners[0], []).append(joined.of_study(study))
    return {
        owner: person_conflict(
            [scan.patient for scan in scans],
            [facts for part in held[owner] for facts in part.facts()],
            [item for part in held[owner] for item in part.observations],
        )
        or (
            Conflict(Reason.PLACEHOLDER_IDENTITY, "one id in studies of several people")
            if unproven_owners(scans)
            else None
        )
        for owner, scans in scanned.items()
    }


def _borrowed_series(joined: Joined) -> frozenset[str]:
    """Studies of which a series stands in another person's study as well: one of the two is not its own."""
    studies: dict[str, set[str]] = {}
    owners: dict[str, set[tuple[str, ...]]] = {}
    for study in joined.studies.values():
        for uid in {scan.series_uid for scan in study.scans} - {""}:
            studies.setdefault(uid, set()).add(study.uid)
            owners.setdefault(uid, set()).add(study.owners)
    return frozenset(study for uid, found in studies.items() if len(owners[uid]) > 1 for study in found)


def _doubt(study: Study, joined: Joined, doubtful: Mapping[str, Conflict]) -> Conflict | None:
    people = (joined.people.record_id.get(owner, owner) for owner in study.owners)
    return next((doubtful[person] for person in people if person in doubtful), None)


def _quarantine(
    study: Study,
    held: Held,
    joined: Joined,
    conflicts: Mapping[str, Conflict | None],
    borrowed: Set[str],
    age_tolerance_years: float,
    zone: tzinfo | None,
) -> Conflict | None:
    if len(study.owners) > 1:
        return Conflict(Reason.IDENTITY_CONFLICT, "scans of several patients in one study")
    if study.uid in joined.contested:
        return Conflict(Reason.IDENTITY_CONFLICT, "a record of this study names another patient")
    if study.uid in borrowed:
        return Conflict(Reason.IDENTITY_CONFLICT, "a series of this study stands in another patient's study")
    if joined.people.ambiguous_scans.intersection(study.owners):
        return Conflict(Reason.AMBIGUOUS_IDENTITY, "the id map gives several candidates")
    facts = held.facts()
    if study.owners:
        conflict = conflicts[study.owners[0]]
    else:
        conflict = person_conflict([scan.patient for scan in study.scans], facts, held.observations)
    if not conflict and not study.usable:
        return Conflict(Reason.NO_SCAN, "no scan passes what select.require asks for")
    personal = held.personal()
    return conflict or next(
        (
            ages
            for scan in study.scans
            if (ages := age_conflict(scan, facts, personal, age_tolerance_years=age_tolerance_years, zone=zone))
        ),
        None,
    )


def _notices(
    scans: Sequence[Scan], notes: Sequence[Note], observations: Sequence[Observation], zone: tzinfo | None
) -> tuple[str, ...]:
    """That moments with and without a zone are compared, where nobody has said which zone the latter are of."""
    if zone is not None:
        return ()
    moments = (
        [scan.acquired for scan in scans] + [note.written for note in notes] + [item.taken for item in observations]
    )
    if len({is_zoned(moment) for moment in moments if moment is not None}) < 2:
        return ()
    return (
        f"some dates bear a time zone and some do not; those without are read in {zone_text(None)}: "
        "set link.timezone (such as Europe/Berlin), so that no other machine reads them otherwise",
    )


def _owner_key(study: Study, workspace_key: bytes, ignore_case: bool, ignore_leading_zeros: bool) -> str:
    if not study.owners:  # a patient without an id is nobody else: such studies must not share a key
        return keyed_digest(workspace_key, "patient-of-study", study.uid)
    return patient_key(
        workspace_key, study.owners[0], ignore_case=ignore_case, ignore_leading_zeros=ignore_leading_zeros
    )


def _kind(item: Note | Observation) -> str:
    return "note" if isinstance(item, Note) else "observation"


def _subject(item: Note | Observation, workspace_key: bytes) -> str:
    if isinstance(item, Note):
        return keyed_digest(workspace_key, "note", item.note_id)
    taken = item.taken.isoformat() if item.taken else ""
    parts = [item.patient.patient_id, item.study_uid, item.code, str(item.value), item.unit, taken]
    return keyed_digest(workspace_key, "observation", *parts, *filter(None, [item.accession]))
