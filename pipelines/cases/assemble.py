"""A case put together: its inputs, its remarks, and a history that says what was kept out, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from data_schemas.case import Case
from data_schemas.durations import duration_text
from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.reasons import Reason, Remark
from pipelines.cases.clock import is_after, is_zoned, order_of, zone_text
from pipelines.cases.inputs import NO_TIME, TIMELESS, is_undated, latest_values
from pipelines.cases.join import Held, Study

CLASSES = {"note": "notes", "observation": "values"}


@dataclass(frozen=True)
class Timing:
    """How moments are compared: offsets by kind of record, the zone of wall clocks, and how far clocks may disagree."""

    offsets: Mapping[str, timedelta] = field(default_factory=dict)
    zone: tzinfo | None = None
    clock_skew: timedelta = NO_TIME


def assemble(
    study: Study,
    held: Held,
    exclusions: Mapping[Note | Observation, Reason],
    timing: Timing,
    *,
    key: str,
    owner_key: str,
    mapped: bool,
) -> Case:
    """The case of a study: everything held of it but what is excluded."""
    cut_off = study.main.acquired
    notes = [note for note in held.notes if note not in exclusions]
    allowed = [item for item in held.observations if item not in exclusions]
    values = latest_values(allowed, zone=timing.zone)
    undated = [note for note in notes if is_undated(note.written, cut_off)]
    undated_values = [item for item in values if item.code not in TIMELESS and is_undated(item.taken, cut_off)]
    dated = [note.written for note in notes] + [item.taken for item in values if item.code not in TIMELESS]
    late = any(offset > NO_TIME for offset in timing.offsets.values()) and any(
        is_after(moment, cut_off, zone=timing.zone) for moment in dated if moment and cut_off
    )
    noted = {
        Remark.SEVERAL_SCANS: len(study.scans) > 1,
        Remark.CHANNEL_MISSING: bool(study.channels.absent or study.channels.elsewhere),
        Remark.ID_MAPPED: mapped,
        Remark.UNDATED: cut_off is None,
        Remark.UNDATED_TEXT: bool(undated or undated_values),
        Remark.LATE_INPUT: late,
        Remark.TRANSCRIBED: any(note.dictation for note in notes),
        Remark.UNCERTAIN_DICTATION: any(note.dictation and note.dictation.doubts for note in notes),
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
        timezone=str(timing.zone) if timing.zone is not None else "",
        scan=study.main,
        channels=study.channels.present,
        notes=_in_order(notes, timing.zone),
        observations=values,
        remarks=tuple(remarks),
        history=(
            *study.main.history,
            f"linked: scans {len(used)} of {len(study.scans)}",
            *_chosen(study),
            *study.channels.history,
            f"linked: notes {len(notes)} of {len(held.notes)}{_told(held.notes, exclusions)}",
            f"linked: values {len(values)} of {len(held.observations)}{_told(held.observations, exclusions)}",
            *_timed(timing, [cut_off, *dated]),
        ),
    )


def _in_order(notes: Iterable[Note], zone: tzinfo | None) -> tuple[Note, ...]:
    def place(note: Note) -> tuple[object, ...]:
        return order_of(note.written, zone=zone), note.note_id, note.kind, note.text, note.patient.patient_id

    return tuple(sorted(notes, key=place))


def _chosen(study: Study) -> tuple[str, ...]:
    """Why this scan, where there was a choice; of channels, their rules are the choice."""
    if len(study.ranking) < 2 or study.channels.present:
        return ()
    return (f"selected: first of {len(study.ranking)}: {study.ranking[0].explained}",)


def _told(items: Iterable[Note | Observation], exclusions: Mapping[Note | Observation, Reason]) -> str:
    counts = Counter(exclusions[item].value for item in items if item in exclusions)
    return "".join(f", {reason} {count}" for reason, count in sorted(counts.items()))


def _timed(timing: Timing, moments: Iterable[datetime | None]) -> tuple[str, ...]:
    """What was allowed of time, where it is not the plain cut-off; and the zone, where one was said or was needed."""
    parts = [f"{_name(key)} {_reach(offset)}" for key, offset in sorted(timing.offsets.items())]
    if timing.clock_skew:
        parts.append(f"clocks may disagree by {duration_text(timing.clock_skew)}")
    if timing.zone is not None or len({is_zoned(moment) for moment in moments if moment}) > 1:
        parts.append(f"moments without a zone read in {zone_text(timing.zone)}")
    return (f"time: {'; '.join(parts)}",) if parts else ()


def _name(key: str) -> str:
    head, _, kind = key.partition("/")
    return f"{CLASSES[head]} of {kind}" if kind else CLASSES[head]


def _reach(offset: timedelta) -> str:
    if not offset:
        return "up to the cut-off"
    return f"up to {duration_text(offset)} {'after' if offset > NO_TIME else 'before'} the cut-off"
