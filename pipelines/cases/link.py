"""Scans and records become cases: one a study, joined on identity, cut off in time, with a reason for all the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from data_schemas.case import Case, Unlinked
from data_schemas.cohort import IdMapping
from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Scan
from data_schemas.selection import ChannelRule, ScanRule
from pipelines.cases.agree import age_conflict, person_conflict
from pipelines.cases.clock import order_of
from pipelines.cases.inputs import TIMELESS, is_undated, latest_values, note_exclusion, observation_exclusion
from pipelines.cases.join import Held, Joined, Study, join
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
    """The cases by study key, and everything that became part of none, with its reason."""

    cases: tuple[Case, ...]
    unlinked: tuple[Unlinked, ...]


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
    require: ScanRule | None = None,
    prefer: ScanRule | None = None,
    channels: Sequence[ChannelRule] = (),
) -> LinkResult:
    """Join scans and records into cases.

    A study is one case; of several scans it takes the best by ``require`` and ``prefer`` (without them, and between
    equals, the one with the most slices), or for each of the ``channels`` the best that meets its rule. The acquisition
    time of that scan, or of the first channel that is there, is the cut-off. Records come to it by patient (equal ids,
    or the id map), observations without a patient by study UID. Inputs are what is dated at or before the cut-off:
    every such note, and the latest value of every code.

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
        quarantine = _quarantine(study, held, joined, conflicts, borrowed, age_tolerance_years)
        if quarantine is not None:
            listed.append(Unlinked(subject=key, kind="case", reason=quarantine))
            exclusions: dict[Note | Observation, Reason] = dict.fromkeys(everything, quarantine)
        else:
            exclusions = dict(_exclusions(study, held, allow_undated_text=allow_undated_text))
            cases.append(
                _case(
                    study,
                    held,
                    exclusions,
                    key=key,
                    owner_key=_owner_key(study, workspace_key, ignore_id_case, ignore_leading_zeros),
                    mapped=bool(everything) and bool(joined.people.mapped.intersection(study.owners)),
                )
            )
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
    return LinkResult(tuple(sorted(cases, key=lambda case: case.study_key)), tuple(order))


def _person_conflicts(joined: Joined) -> dict[str, Reason | None]:
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
        or (Reason.PLACEHOLDER_IDENTITY if unproven_owners(scans) else None)
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


def _quarantine(
    study: Study,
    held: Held,
    joined: Joined,
    conflicts: Mapping[str, Reason | None],
    borrowed: Set[str],
    age_tolerance_years: float,
) -> Reason | None:
    if len(study.owners) > 1 or study.uid in joined.contested or study.uid in borrowed:
        return Reason.IDENTITY_CONFLICT
    if joined.people.ambiguous_scans.intersection(study.owners):
        return Reason.AMBIGUOUS_IDENTITY
    facts = held.facts()
    if study.owners:
        conflict = conflicts[study.owners[0]]
    else:
        conflict = person_conflict([scan.patient for scan in study.scans], facts, held.observations)
    if not conflict and not study.usable:
        return Reason.NO_SCAN
    return conflict or next(
        (
            reason
            for scan in study.scans
            if (reason := age_conflict(scan, facts, held.observations, age_tolerance_years=age_tolerance_years))
        ),
        None,
    )


def _exclusions(study: Study, held: Held, *, allow_undated_text: bool) -> Iterator[tuple[Note | Observation, Reason]]:
    cut_off = study.main.acquired
    for note in held.notes:
        reason = note_exclusion(note, study_uid=study.uid, cut_off=cut_off, allow_undated_text=allow_undated_text)
        if reason is not None:
            yield note, reason
    for item in held.observations:
        reason = observation_exclusion(
            item, study_uid=study.uid, cut_off=cut_off, allow_undated_text=allow_undated_text
        )
        if reason is not None:
            yield item, reason


def _case(
    study: Study,
    held: Held,
    exclusions: Mapping[Note | Observation, Reason],
    *,
    key: str,
    owner_key: str,
    mapped: bool,
) -> Case:
    cut_off = study.main.acquired
    notes = [note for note in held.notes if note not in exclusions]
    allowed = [item for item in held.observations if item not in exclusions]
    values = latest_values(allowed)
    undated = [note for note in notes if is_undated(note.written, cut_off)]
    undated_values = [item for item in values if item.code not in TIMELESS and is_undated(item.taken, cut_off)]
    noted = {
        Remark.SEVERAL_SCANS: len(study.scans) > 1,
        Remark.CHANNEL_MISSING: bool(study.channels.absent or study.channels.elsewhere),
        Remark.ID_MAPPED: mapped,
        Remark.UNDATED: cut_off is None,
        Remark.UNDATED_TEXT: bool(undated or undated_values),
        Remark.NO_NOTE: not notes,
        Remark.NO_OBSERVATION: not values,
    }
    used = [channel.scan for channel in study.channels.present] or [study.main]
    of_scans = [remark for scan in used for remark in scan.remarks]
    remarks = dict.fromkeys([*of_scans, *(remark for remark, holds in noted.items() if holds)])
    return Case(
        study_key=key,
        patient_key=owner_key,
        cut_off=cut_off,
        scan=study.main,
        channels=study.channels.present,
        notes=tuple(sorted(notes, key=lambda note: (order_of(note.written), note.note_id))),
        observations=values,
        remarks=tuple(remarks),
        history=(
            *study.main.history,
            f"linked: scans {len(used)} of {len(study.scans)}",
            *_chosen(study),
            *study.channels.history,
            f"linked: notes {len(notes)} of {len(held.notes)}{_told(held.notes, exclusions)}",
            f"linked: values {len(values)} of {len(held.observations)}{_told(held.observations, exclusions)}",
        ),
    )


def _chosen(study: Study) -> tuple[str, ...]:
    """Why this scan, where there was a choice; of channels, their rules are the choice."""
    if len(study.ranking) < 2 or study.channels.present:
        return ()
    return (f"selected: first of {len(study.ranking)}: {study.ranking[0].explained}",)


def _told(items: Iterable[Note | Observation], exclusions: Mapping[Note | Observation, Reason]) -> str:
    counts = Counter(exclusions[item].value for item in items if item in exclusions)
    return "".join(f", {reason} {count}" for reason, count in sorted(counts.items()))


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
    parts = (item.patient.patient_id, item.study_uid, item.code, str(item.value), item.unit, taken)
    return keyed_digest(workspace_key, "observation", *parts)
