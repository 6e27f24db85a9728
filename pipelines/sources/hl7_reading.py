"""What HL7 v2 messages have said so far: of one order, document or value the message that was sent last counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf

from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import PatientFacts
from pipelines.sources.outcome import Noticed, Refused, TakenBack, known_by

Place = tuple[str, ...]


@dataclass
class Reading:
    """Notes by their ids, values by their place (patient, order, code, sub-id) and moment.

    Messages may come in any order: each brings the instant at which it was sent (seconds since 1970), and an older one
    changes nothing that a later one has said. Only results are held, never messages. ``gone`` is what was taken away:
    an ingest before this one may have put it.
    """

    notes: dict[str, Note] = field(default_factory=dict, repr=False)
    values: dict[Place, dict[str, Observation]] = field(default_factory=dict, repr=False)
    refused: list[Refused] = field(default_factory=list)
    noticed: dict[Noticed, None] = field(default_factory=dict)
    told: Counter[Remark] = field(default_factory=Counter)
    sent: dict[object, float] = field(default_factory=dict, repr=False)
    gone: dict[TakenBack, None] = field(default_factory=dict, repr=False)

    def refuse(self, where: str, reason: Reason, detail: str) -> None:
        """List what was set aside."""
        self.refused.append(Refused(where, reason, detail))

    def put_note(self, note: Note, sent: float, *, again: bool) -> None:
        """A note; with ``again`` it is a further part of the same message's text."""
        if not self._is_last_word(note.note_id, sent):
            return
        held = self.notes.pop(note.note_id, None)
        if again and held is not None:
            note = note.model_copy(update={"text": f"{held.text}\n\n{note.text}"})
        self.notes[note.note_id] = note

    def drop_note(self, note_id: str, patient: PatientFacts, sent: float) -> None:
        """Take a note away."""
        if self._is_last_word(note_id, sent):
            self.gone[TakenBack(patient.patient_id, note_id)] = None
            self.notes.pop(note_id, None)

    def put_value(self, place: Place, moment: str, value: Observation, sent: float) -> None:
        """A value of a place at a moment (as it is written)."""
        if sent >= self.sent.get(place, -inf) and self._is_last_word((*place, moment), sent):
            self.values.setdefault(place, {})[moment] = value
        else:
            self.gone[known_by(value)] = None

    def drop_values(self, place: Place, sent: float, named: Iterable[TakenBack]) -> None:
        """Take the values of a place away, and what the deletion itself names."""
        if self._is_last_word(place, sent):
            held = self.values.pop(place, {}).values()
            self.gone.update(dict.fromkeys([*map(known_by, held), *named]))

    def drop_value(self, place: Place, moment: str, sent: float, named: Iterable[TakenBack]) -> None:
        """Take away what earlier messages said of a place and a moment: a later one says what cannot be read."""
        if sent > self.sent.get((*place, moment), -inf) and self._is_last_word((*place, moment), sent):
            held = self.values.get(place, {}).pop(moment, None)
            self.gone.update(dict.fromkeys([*([known_by(held)] if held else []), *named]))

    def taken_back(self) -> tuple[TakenBack, ...]:
        """What was taken away and did not come back."""
        here = {known_by(value) for values in self.values.values() for value in values.values()}
        return tuple(item for item in self.gone if item.note_id not in self.notes and item not in here)

    def _is_last_word(self, key: object, sent: float) -> bool:
        if sent < self.sent.get(key, -inf):
            return False
        self.sent[key] = sent
        return True
