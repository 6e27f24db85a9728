"""What may be an input of a case: the cut-off with its offsets, and the study's own report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType

from data_schemas.linking import plain_kind
from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.reasons import Reason
from pipelines.cases.clock import is_after, on_day_of, order_of
from pipelines.scans.identity import is_stand_in
from pipelines.workspace.identity import normalise_id

REPORT = "report"
TIMELESS = frozenset({"sex"})
"""Codes that hold at any time: they need no date."""
NO_TIME = timedelta(0)
NO_OFFSETS: Mapping[str, timedelta] = MappingProxyType({})


def exclusions_of(
    items: Iterable[Note | Observation],
    *,
    study_uid: str,
    cut_off: datetime | None,
    accessions: Set[str] = frozenset(),
    allow_undated_text: bool = False,
    offsets: Mapping[str, timedelta] = NO_OFFSETS,
    zone: tzinfo | None = None,
    clock_skew: timedelta = NO_TIME,
) -> dict[Note | Observation, Reason]:
    """Which of some records are no inputs of a study, and why."""
    found: dict[Note | Observation, Reason] = {}
    for item in items:
        excluded = note_exclusion if isinstance(item, Note) else observation_exclusion
        reason = excluded(
            item,  # type: ignore[arg-type]
            study_uid=study_uid,
            cut_off=cut_off,
            accessions=accessions,
            allow_undated_text=allow_undated_text,
            offsets=offsets,
            zone=zone,
            clock_skew=clock_skew,
        )
        if reason is not None:
            found[item] = reason
    return found


def note_exclusion(
    note: Note,
    *,
    study_uid: str,
    cut_off: datetime | None,
    accessions: Set[str] = frozenset(),
    allow_undated_text: bool = False,
    offsets: Mapping[str, timedelta] = NO_OFFSETS,
    zone: tzinfo | None = None,
    clock_skew: timedelta = NO_TIME,
) -> Reason | None:
    """Why a note is no input of a study; None where it is one.

    A report of the study is never an input, whatever the offsets: one that names the study or one of its
    ``accessions``, or names none and is dated on the study's day, or later and within its offset. A report that names
    no study and cannot be dated against it (either is undated) may be its own, so it counts as its own, whatever the
    settings allow.
    """
    about = is_about(note, study_uid=study_uid, accessions=accessions)
    if note.kind == REPORT and _is_own_report(note, about, cut_off, offsets, zone, clock_skew):
        return Reason.OWN_REPORT
    allowed = note_offset(note, offsets, about_study=about is True) - clock_skew
    undated = allow_undated_text and about is not False
    return _date_exclusion(note.written, cut_off=cut_off, allow_undated=undated, allowed=allowed, zone=zone)


def observation_exclusion(
    item: Observation,
    *,
    study_uid: str,
    cut_off: datetime | None,
    accessions: Set[str] = frozenset(),
    allow_undated_text: bool = False,
    offsets: Mapping[str, timedelta] = NO_OFFSETS,
    zone: tzinfo | None = None,
    clock_skew: timedelta = NO_TIME,
) -> Reason | None:
    """Why a value is no input of a study; None where it is one. Sex needs no date."""
    if item.code in TIMELESS:
        return None
    about = is_about(item, study_uid=study_uid, accessions=accessions)
    allowed = observation_offset(item, offsets, about_study=about is True) - clock_skew
    undated = allow_undated_text and about is not False
    return _date_exclusion(item.taken, cut_off=cut_off, allow_undated=undated, allowed=allowed, zone=zone)


def note_offset(note: Note, offsets: Mapping[str, timedelta], *, about_study: bool = False) -> timedelta:
    """How long after the cut-off a note may be dated; negative: how long before it at least.

    An offset of its kind goes first. One of all notes lets no report in, and nothing that is about the study itself:
    what is written of a scan after it was made tells what it shows.
    """
    own = offsets.get(f"note/{plain_kind(note.kind)}")
    if own is not None:
        return own
    common = offsets.get("note", NO_TIME)
    return min(common, NO_TIME) if about_study or note.kind == REPORT else common


def observation_offset(item: Observation, offsets: Mapping[str, timedelta], *, about_study: bool = False) -> timedelta:
    """How long after the cut-off a value may be taken; an offset of all values lets in nothing of the study itself."""
    own = offsets.get(f"observation/{item.code.lower()}")
    if own is not None:
        return own
    common = offsets.get("observation", NO_TIME)
    return min(common, NO_TIME) if about_study else common


def is_about(item: Note | Observation, *, study_uid: str, accessions: Set[str] = frozenset()) -> bool | None:
    """Whether a record names this study, by its UID or an accession number; None where it names none.

    One that names this study by one of the two is about it, whatever the other says.
    """
    uid, accession = normalise_id(item.study_uid), accession_of(item)
    if (uid and uid == normalise_id(study_uid)) or accession in accessions:
        return True
    return False if uid or (accession and accessions) else None


def accession_of(item: Note | Observation) -> str:
    """The accession number of a record without padding; blank where it is a stand-in for one ("0", "NONE")."""
    return "" if not item.accession or is_stand_in(item.accession) else normalise_id(item.accession)


def latest_values(observations: Iterable[Observation], *, zone: tzinfo | None = None) -> tuple[Observation, ...]:
    """The latest value of every code, by code; an undated one only where there is no dated one.

    Between values of one moment the choice is by their text, so that it does not depend on an order.
    """
    latest: dict[str, tuple[tuple[object, ...], Observation]] = {}
    for item in observations:
        key = (order_of(item.taken, zone=zone), str(item.value), item.unit)
        known = latest.get(item.code)
        if known is None or _goes_before(key, item, *known):
            latest[item.code] = key, item
    return tuple(latest[code][1] for code in sorted(latest))


def _goes_before(key: tuple[object, ...], item: Observation, known: tuple[object, ...], other: Observation) -> bool:
    return item.model_dump_json() > other.model_dump_json() if key == known else key > known


def is_undated(moment: datetime | None, cut_off: datetime | None) -> bool:
    """Whether something counts as undated: it is, or the study is."""
    return moment is None or cut_off is None


def _is_own_report(
    note: Note,
    about: bool | None,
    cut_off: datetime | None,
    offsets: Mapping[str, timedelta],
    zone: tzinfo | None,
    clock_skew: timedelta,
) -> bool:
    if about is not None or note.written is None or cut_off is None:
        return about is not False
    if on_day_of(note.written, cut_off, zone=zone, clock_skew=clock_skew):
        return True
    late = is_after(note.written, cut_off, zone=zone, allowed=-clock_skew)
    return late and not is_after(note.written, cut_off, zone=zone, allowed=note_offset(note, offsets) - clock_skew)


def _date_exclusion(
    moment: datetime | None,
    *,
    cut_off: datetime | None,
    allow_undated: bool,
    allowed: timedelta,
    zone: tzinfo | None,
) -> Reason | None:
    if moment is None or cut_off is None:
        return None if allow_undated else Reason.UNDATED
    return Reason.AFTER_CUT_OFF if is_after(moment, cut_off, zone=zone, allowed=allowed) else None
