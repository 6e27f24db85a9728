"""Notes whose own words contradict whom they are filed under."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo

from data_schemas.note import Note
from data_schemas.observation import Observation
from data_schemas.reasons import Reason
from pipelines.cases.agree import Conflict, text_conflict
from pipelines.cases.join import Held, Study
from pipelines.cases.stated import Stated, stated_in


def notes_of_others(
    study: Study,
    held: Held,
    exclusions: Mapping[Note | Observation, Reason],
    read: dict[str, Stated | None],
    *,
    tolerance_years: float = 3.0,
    zone: tzinfo | None = None,
) -> dict[Note, Conflict]:
    """The notes among the inputs that speak of another patient than the study's, and in what.

    What is no input is not asked: a note of after the cut-off must not move a case, whatever it says.
    ``read`` holds what each text says, and is filled: a note of a patient with many studies is read once.
    """
    telling = [
        (note, stated)
        for note in held.notes
        if note not in exclusions and (stated := _stated(note.text, read)) is not None
    ]
    if not telling:
        return {}
    facts, personal = held.facts(), held.personal()
    found: dict[Note, Conflict] = {}
    for note, stated in telling:
        for scan in study.scans:
            conflict = text_conflict(
                stated,
                written=note.written,
                scan=scan,
                recorded=facts,
                observations=personal,
                tolerance_years=tolerance_years,
                zone=zone,
            )
            if conflict is not None:
                found[note] = conflict
    return found


def _stated(text: str, read: dict[str, Stated | None]) -> Stated | None:
    if text not in read:
        read[text] = stated_in(text)
    return read[text]
