"""A case as the audit sees it: what reaches the model, and beside it what the catalogue holds of the patient."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo

from data_schemas.note import Note
from data_schemas.reasons import Reason
from data_schemas.scan import Scan
from pipelines.cases.examples import Example
from pipelines.cases.inputs import note_exclusion
from pipelines.cases.join import Held, accessions_of, study_uid_of

MOST_SHOWN = 10


@dataclass(frozen=True)
class AuditedCase:
    """``scan`` and ``held`` are what the catalogue holds, whatever its date; None where there is no catalogue.

    The audit never asks what the linker decided: it takes what reaches the model and traces it back. ``offsets`` and
    ``zone`` are those of the settings: what an offset lets in is watched, and no leak.
    """

    example: Example
    scan: Scan | None = None
    held: Held | None = None
    offsets: Mapping[str, timedelta] = field(default_factory=dict)
    zone: tzinfo | None = None

    @property
    def text(self) -> str:
        """All input text, a sentence a line."""
        return "\n".join(sentence.text for sentence in self.example.sentences)


def own_reports(case: AuditedCase) -> Iterator[Note]:
    """The notes of the catalogue that are reports of the study itself; none where there is no catalogue."""
    if case.scan is None or case.held is None:
        return
    accessions = accessions_of([case.scan])
    for note in case.held.notes:
        reason = note_exclusion(
            note,
            study_uid=study_uid_of(case.scan),
            cut_off=case.scan.acquired,
            accessions=accessions,
            offsets=case.offsets,
            zone=case.zone,
        )
        if reason is Reason.OWN_REPORT:
            yield note


def passages(example: Example) -> tuple[tuple[str, ...], ...]:
    """The sentences of the input text by note, and by section where a note has several; no passage twice."""
    notes: dict[str, list[str]] = {}
    sections: dict[str, list[str]] = {}
    for sentence in example.sentences:
        note, section, _ = sentence.source.split("/")
        notes.setdefault(note, []).append(sentence.text)
        sections.setdefault(f"{note}/{section}", []).append(sentence.text)
    return tuple(dict.fromkeys(tuple(part) for part in (*notes.values(), *sections.values())))


def first_of_patient(cases: Iterable[AuditedCase]) -> list[AuditedCase]:
    """One case a patient, the first by key: cases of one patient are not independent."""
    chosen: dict[str, AuditedCase] = {}
    for case in sorted(cases, key=lambda case: case.example.study_key):
        chosen.setdefault(case.example.patient_key, case)
    return [chosen[key] for key in sorted(chosen)]


def shown(keys: Iterable[str]) -> tuple[str, ...]:
    """The first few of some keys."""
    return tuple(sorted(set(keys))[:MOST_SHOWN])


def by_value(pairs: Iterable[tuple[str, AuditedCase]]) -> Mapping[str, Sequence[AuditedCase]]:
    """Cases by what they share."""
    found: defaultdict[str, list[AuditedCase]] = defaultdict(list)
    for value, case in pairs:
        found[value].append(case)
    return found
