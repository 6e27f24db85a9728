"""A synthetic hospital with records of after the scan in every disguise that a clock gives them, each with a mark.

A mark is a number of nine digits that stands in one record alone: in the text of a note, or as a value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from data_schemas.case import Case
from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.scan import Scan
from pipelines.cases.link import link
from pipelines.synthetic.audited import draw_patients
from pipelines.synthetic.patients import Patient
from pipelines.synthetic.records import notes_of, scan_of
from pipelines.synthetic.truth import Dials
from pipelines.workspace.identity import study_key

KEY = bytes(32)
FIRST_MARK = 100_000_007
LAST_INSTANT = time(23, 59, 59, 999999)
# Nights in which an hour is there twice; scans of some patients are moved into it.
CHANGES = {
    "UTC": datetime(2025, 10, 26, 1, 30),
    "Europe/Berlin": datetime(2025, 10, 26, 2, 30),
    "America/New_York": datetime(2025, 11, 2, 1, 30),
}


@dataclass(frozen=True)
class FutureHospital:
    """The linked cases; by study key, the mark of what was known before, and kind and mark of what came after."""

    cases: tuple[Case, ...]
    past: dict[str, str]
    planted: dict[str, list[tuple[str, str]]]


def future_hospital(patients: int, *, share: float = 0.1, zone: str = "Europe/Berlin", seed: int = 0) -> FutureHospital:
    """Draw and link a hospital whose wall clocks are those of a zone.

    Half of the scans, and half of the records, bear their offset from UTC; the others are wall clocks. One patient in
    ten is scanned in the night in which an hour is there twice. Of every kind of future record a share of the patients
    has one.
    """
    rng = np.random.default_rng([seed, patients])
    clock = ZoneInfo(zone)
    scans: list[Scan] = []
    notes: list[Note] = []
    values: list[Observation] = []
    past: dict[str, str] = {}
    planted: dict[str, list[tuple[str, str]]] = {}
    mark = FIRST_MARK
    for patient in draw_patients(patients, seed=seed, dials=Dials()):
        scanned = patient.scanned.replace(tzinfo=clock)
        if rng.random() < 0.1:
            fold = int(rng.integers(2))
            scanned = CHANGES[zone].replace(tzinfo=clock, fold=fold) + timedelta(minutes=int(rng.integers(-15, 15)))
        scan = scan_of(patient, seed=seed)
        facts = scan.patient.model_copy(update={"age_years": None})  # that of another day, where the scan was moved
        scan = scan.model_copy(update={"acquired": _written(scanned, rng), "patient": facts})
        key = study_key(KEY, scan.study_uid)
        scans.append(scan)
        mark += 1
        first = notes_of(patient, seed=seed)[0]
        before = (scanned.astimezone(UTC) - timedelta(hours=int(rng.integers(3, 72)))).astimezone(clock)
        notes.append(first.model_copy(update={"text": _marked(first.text, mark), "written": _written(before, rng)}))
        values.append(Observation(patient=first.patient, taken=before, code="early", value=float(mark)))
        past[key], planted[key] = str(mark), []
        for kind, make in KINDS.items():
            if rng.random() < share:
                mark += 1
                planted[key].append((kind, str(mark)))
                record = make(patient, first, scanned, mark, rng)
                (notes if isinstance(record, Note) else values).append(record)  # type: ignore[arg-type]
    found = link(scans, notes, values, workspace_key=KEY, zone=clock)
    return FutureHospital(found.cases, past, planted)


def is_in(text: str, mark: str) -> bool:
    """Whether a mark stands in a text that was put together from sub-words, blanks aside."""
    return mark in text.replace(" ", "").replace("##", "")


def _written(moment: datetime, rng: np.random.Generator) -> datetime:
    """A moment as some system writes it: with the offset, in UTC, or as a wall clock without either."""
    return (moment, moment.astimezone(UTC), moment.replace(tzinfo=None))[int(rng.choice(3, p=[0.25, 0.25, 0.5]))]


def _marked(text: str, mark: int) -> str:
    return text.replace("COMPLAINT:\n", f"COMPLAINT:\nEntry {mark}. ", 1)


def _after(scanned: datetime, rng: np.random.Generator, *, most: timedelta) -> datetime:
    """Some time after the scan, a second at least: by the instants, not by the wall clocks."""
    seconds = int(rng.integers(1, int(most.total_seconds())))
    return (scanned.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(scanned.tzinfo)


def _note(first: Note, mark: int, written: datetime, **changes: str) -> Note:
    return first.model_copy(
        update={"note_id": f"{first.note_id} {mark}", "text": _marked(first.text, mark), "written": written, **changes}
    )


def _days_later(_: Patient, first: Note, scanned: datetime, mark: int, rng: np.random.Generator) -> Note:
    return _note(first, mark, _written(_after(scanned, rng, most=timedelta(days=30)), rng))


def _soon(_: Patient, first: Note, scanned: datetime, mark: int, rng: np.random.Generator) -> Note:
    return _note(first, mark, _written(_after(scanned, rng, most=timedelta(minutes=50)), rng))


def _same_day(_: Patient, first: Note, scanned: datetime, mark: int, rng: np.random.Generator) -> Note:
    return _note(first, mark, datetime.combine(scanned.date(), LAST_INSTANT))


def _copied(patient: Patient, first: Note, scanned: datetime, mark: int, rng: np.random.Generator) -> Note:
    later = _days_later(patient, first, scanned, mark, rng)
    return later.model_copy(update={"text": f"{first.text}\n\nHISTORY:\nEntry {mark}. Seen again.", "kind": "addendum"})


def _own_report(_: Patient, first: Note, scanned: datetime, mark: int, rng: np.random.Generator) -> Note:
    before = datetime.combine(scanned.date(), time(0, 0, 1))  # filed under the time of the order
    return _note(first, mark, before, kind="report")


def _undated(_: Patient, first: Note, scanned: datetime, mark: int, rng: np.random.Generator) -> Note:
    return _note(first, mark, scanned).model_copy(update={"written": None})


def _value(patient: Patient, first: Note, scanned: datetime, mark: int, rng: np.random.Generator) -> Observation:
    taken = _written(_after(scanned, rng, most=timedelta(hours=36)), rng)
    return Observation(patient=first.patient, taken=taken, code="marker", value=float(mark))


def _soon_value(patient: Patient, first: Note, scanned: datetime, mark: int, rng: np.random.Generator) -> Observation:
    taken = _written(_after(scanned, rng, most=timedelta(minutes=50)), rng)
    return Observation(patient=first.patient, taken=taken, code="marker", value=float(mark))


KINDS: dict[str, Callable[[Patient, Note, datetime, int, np.random.Generator], Note | Observation]] = {
    "note, days later": _days_later,
    "note, within the hour": _soon,
    "note, a date without a time, of the day": _same_day,
    "addendum that repeats the earlier note": _copied,
    "report of the study, dated before it": _own_report,
    "note, undated": _undated,
    "value, hours later": _value,
    "value, within the hour": _soon_value,
}
