"""Cases: one study with everything known about that patient before its cut-off."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from pydantic import Field

from data_schemas.base import Record
from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Scan


class ChannelScan(Record):
    """The scan that a study has for one channel of a model which reads several sequences."""

    name: str
    scan: Scan = Field(repr=False)


class Case(Record):
    """What the model may see of one study. Keys are HMACs of the workspace; raw ids stay inside ``repr=False`` fields.

    ``channels`` are the sequences of the study that the settings name, in their order; ``scan`` is the first of them.
    ``observations`` holds at most one value a code, the latest before the cut-off. ``timezone`` (an IANA name; blank:
    this machine's) is that of moments which bear none.
    """

    study_key: str
    patient_key: str
    cut_off: datetime | None = Field(default=None, repr=False)
    timezone: str = ""
    scan: Scan | None = Field(default=None, repr=False)
    channels: tuple[ChannelScan, ...] = Field(default=(), repr=False)
    notes: tuple[Note, ...] = Field(default=(), repr=False)
    observations: tuple[Observation, ...] = Field(default=(), repr=False)
    remarks: tuple[Remark, ...] = ()
    history: tuple[str, ...] = ()

    @property
    def inputs_digest(self) -> str:
        """SHA-256 over everything that reaches the model: scan files, notes and observations used."""
        files = [file.mark for file in self.scan.files] if self.scan else []
        notes = [[note.kind, _iso(note.written), note.text, *_transcribed(note)] for note in self.notes]
        values = [[item.code, item.value, item.unit, _iso(item.taken)] for item in self.observations]
        inputs: list[object] = [files, sorted(notes, key=str), sorted(values, key=str)]
        if self.channels:
            inputs.append([[channel.name, [file.mark for file in channel.scan.files]] for channel in self.channels])
        text = json.dumps(inputs, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


class Unlinked(Record):
    """Something that did not become part of a case, and why.

    ``subject`` is a key, never an identifier; ``detail`` says in words what contradicts, never what it is.
    """

    subject: str
    kind: str
    reason: Reason
    detail: str = ""


def _transcribed(note: Note) -> list[str]:
    """What made a transcript, where the note is one: by other settings, or another model, it is another input."""
    return [note.dictation.recipe] if note.dictation else []


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
