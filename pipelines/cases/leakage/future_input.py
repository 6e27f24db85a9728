"""Inputs from after the cut-off: traced from what reaches the model back to the catalogue's own dates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo
from functools import partial

from data_schemas.leakage import Check, Leak
from data_schemas.note import Note
from pipelines.cases.clock import is_after
from pipelines.cases.examples import number_of
from pipelines.cases.inputs import TIMELESS, is_about, note_offset, observation_offset
from pipelines.cases.join import Held, study_uid_of
from pipelines.cases.leakage.case import AuditedCase, shown
from pipelines.notes.sections import split_sections

_KEYWORD = r"(?:addend(?:um|ed)|late entry|amended|amendment|edited|updated|dictated|signed|entered|entry)"
_DATE = r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})|(?P<one>\d{1,2})[./](?P<two>\d{1,2})[./](?P<long>\d{4})"
# A stamp of an entry, not a date that is spoken of: behind a word that marks one, or first in a sentence with a time.
_STAMPS = (
    re.compile(rf"\b{_KEYWORD}\b[\s:,(]*(?:on|at|of)?\s*(?:{_DATE})(?!\d)", re.IGNORECASE),
    re.compile(rf"^\W*(?:{_DATE})[ T,]+\d{{1,2}}:\d{{2}}"),
)


def find_future_inputs(cases: Sequence[AuditedCase]) -> tuple[Check, list[Leak]]:
    """Look for input text and values whose only source in the catalogue is dated after the scan, and for late entries.

    Every sentence that reaches the model is looked up in all the notes that the catalogue holds of the patient, every
    value in all the observations; what the linker decided is not asked. A sentence that is stamped as an entry of a
    later day ("Addendum 2025-03-01: …") came after the cut-off too, whatever date its note bears. What cannot be
    dated, or is not found in the catalogue, is watched.
    """
    dated = [case for case in cases if case.scan is not None and case.held is not None]
    late, stamped, allowed, unknown = [], [], [], []
    for case in dated:
        cut_off = case.scan.acquired if case.scan else None
        found = set(_ages(case, case.held or Held(), cut_off))
        late += [case.example.study_key] * ("late" in found)
        allowed += [case.example.study_key] * ("allowed" in found)
        unknown += [case.example.study_key] * ("unknown" in found)
        stamped += [case.example.study_key] * (cut_off is not None and _has_late_entry(case, cut_off))
    check = Check(
        kind="future-input",
        compared=len(dated),
        what="cases traced to the catalogue's dates",
        skipped="" if dated else "no case stands in the catalogue",
    )
    told = (
        (late, "leak", "the only source of an input in the catalogue is dated after the scan"),
        (stamped, "leak", "an input sentence is stamped as an entry of a day after the scan"),
        (allowed, "watch", "the only source of an input is dated after the scan, as link.offsets allows"),
        (unknown, "watch", "an input, or the scan, bears no date, or the catalogue does not hold the input"),
    )
    return check, [
        Leak(
            kind="future-input",
            severity="leak" if severity == "leak" else "watch",
            evidence=evidence,
            count=len(keys),
            value=float(len(keys)),
            limit=0.0,
            where=shown(keys),
        )
        for keys, severity, evidence in told
        if keys
    ]


def _ages(case: AuditedCase, held: Held, cut_off: datetime | None) -> Iterator[str]:
    written = _sentence_notes(held)
    about = partial(is_about, study_uid=study_uid_of(case.scan) if case.scan else "")
    for sentence in case.example.sentences:
        notes = written.get(sentence.text, ())
        yield _age(
            [(note.written, note_offset(note, case.offsets, about_study=about(note) is True)) for note in notes],
            cut_off,
            case.zone,
        )
    for value in case.example.values:
        if value.code not in TIMELESS:
            taken = [i for i in held.observations if i.code == value.code and number_of(i.value) == value.value]
            yield _age(
                [
                    (item.taken, observation_offset(item, case.offsets, about_study=about(item) is True))
                    for item in taken
                ],
                cut_off,
                case.zone,
            )


def _age(moments: Sequence[tuple[datetime | None, timedelta]], cut_off: datetime | None, zone: tzinfo | None) -> str:
    """``late`` where every source is dated after the cut-off; one dated before it makes an input sound."""
    if cut_off is None or not moments:
        return "unknown"
    known = [(moment, offset) for moment, offset in moments if moment is not None]
    if any(not is_after(moment, cut_off, zone=zone) for moment, _ in known):
        return "sound"
    if any(not is_after(moment, cut_off, zone=zone, allowed=offset) for moment, offset in known):
        return "allowed"
    return "late" if len(known) == len(moments) else "unknown"


def _sentence_notes(held: Held) -> dict[str, list[Note]]:
    found: dict[str, list[Note]] = {}
    for note in held.notes:
        for sentence in {sentence for section in split_sections(note.text) for sentence in section.sentences}:
            found.setdefault(sentence, []).append(note)
    return found


def _has_late_entry(case: AuditedCase, cut_off: datetime) -> bool:
    return any(
        days and all(day > cut_off.date() for day in days)
        for sentence in case.example.sentences
        for pattern in _STAMPS
        for match in pattern.finditer(sentence.text)
        if (days := _days(match)) is not None
    )


def _days(match: re.Match[str]) -> list[date]:
    """The days that a stamp may mean: of "3/4/2025" both, for nothing says which is the month."""
    parts = match.groupdict()
    if parts["year"]:
        tries = [(parts["year"], parts["month"], parts["day"])]
    else:
        tries = [(parts["long"], parts["two"], parts["one"]), (parts["long"], parts["one"], parts["two"])]
    days = []
    for year, month, day in tries:
        try:
            days.append(date(int(year), int(month), int(day)))
        except ValueError:
            continue
    return days
