"""What HL7 v2 messages have said so far: of one order, document or value the message that was sent last counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.reasons import Reason, Remark
from pipelines.sources.outcome import Noticed, Refused

Place = tuple[str, ...]


@dataclass
class Reading:
    """Notes by their ids, values by their place (patient, order, code, sub-id) and moment.

    Messages may come in any order: each brings the moment at which it was sent, and an older one changes nothing that
    a later one has said. Only results are held, never messages.
    """

    notes: dict[str, Note] = field(default_factory=dict)
    values: dict[Place, dict[str, Observation]] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    noticed: dict[Noticed, None] = field(default_factory=dict)
    told: Counter[Remark] = field(default_factory=Counter)
    sent: dict[object, datetime] = field(default_factory=dict)

    def refuse(self, where: str, reason: Reason, detail: str) -> None:
        """List what was set aside."""
        self.refused.append(Refused(where, reason, detail))

    def put_note(self, note: Note, sent: datetime, *, again: bool) -> None:
        """A note; with ``again`` it is a further part of the same message's text."""
        if not self._is_last_word(note.note_id, sent):
            return
        held = self.notes.pop(note.note_id, None)
        if again and held is not None:
            note = replace_text(note, f"{held.text}\n\n{note.text}")
        self.notes[note.note_id] = note

    def drop_note(self, note_id: str, sent: datetime) -> bool:
        """Take a note away; whether there was one."""
        return self._is_last_word(note_id, sent) and self.notes.pop(note_id, None) is not None

    def put_value(self, place: Place, moment: str, value: Observation, sent: datetime) -> None:
        """A value of a place at a moment (as it is written)."""
        if sent >= self.sent.get(place, datetime.min) and self._is_last_word((*place, moment), sent):
            self.values.setdefault(place, {})[moment] = value

    def drop_values(self, place: Place, sent: datetime) -> None:
        """Take the values of a place away."""
        if self._is_last_word(place, sent):
            self.values.pop(place, None)

    def _is_last_word(self, key: object, sent: datetime) -> bool:
        if sent < self.sent.get(key, datetime.min):
            return False
        self.sent[key] = sent
        return True


def replace_text(note: Note, text: str) -> Note:
    """The note with another text."""
    return note.model_copy(update={"text": text})
