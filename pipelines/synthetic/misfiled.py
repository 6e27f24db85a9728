"""A synthetic hospital in which some notes are filed under a wrong patient; what of them is fused, and what is told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from data_schemas.note import Note
from data_schemas.reasons import Reason
from pipelines.cases.link import link
from pipelines.synthetic.audited import draw_patients
from pipelines.synthetic.patients import Patient
from pipelines.synthetic.records import notes_of, observations_of, scan_of
from pipelines.synthetic.truth import Dials
from pipelines.workspace.identity import study_key

KEY = bytes(32)
SURE_YEARS = 6
WORDS = {"F": "woman", "M": "man"}


@dataclass
class Misfiled:
    """Notes by what contradicts in them, and how many of each reached a case of another patient.

    ``clean`` are the patients with no wrong note, ``lost`` those of them whose case was quarantined.
    """

    notes: Counter[str] = field(default_factory=Counter)
    fused: Counter[str] = field(default_factory=Counter)
    clean: int = 0
    lost: int = 0


def misfiled_hospital(patients: int, *, share: float = 0.05, stating: float = 0.5, seed: int = 0) -> Misfiled:
    """Link a hospital of so many patients, of whose notes a share lies in the chart of another patient.

    Half of the wrong notes keep their author's header (birth date and sex) under the other's id, as records do that
    were corrected by hand; the others are the bare text in the other's chart. ``stating`` is the share of all notes
    that open with age and sex, as clinicians write them.
    """
    rng = np.random.default_rng([seed, patients])
    drawn = draw_patients(patients, seed=seed, dials=Dials())
    notes = {patient.number: notes_of(patient, seed=seed)[0] for patient in drawn if patient.note}
    for number, note in notes.items():
        if rng.random() < stating:
            notes[number] = note.model_copy(update={"text": f"{_opening(drawn[number])}\n\n{note.text}"})
    wrong: dict[int, tuple[Note, str]] = {}
    for number in sorted(notes):
        if rng.random() < share:
            author = drawn[(number + int(rng.integers(1, patients))) % patients]
            wrong[number] = _refiled(notes[author.number], author, drawn[number], keeps_header=bool(rng.random() < 0.5))
    filed = {number: wrong[number][0] if number in wrong else note for number, note in notes.items()}
    found = link(
        [scan_of(patient, seed=seed) for patient in drawn],
        list(filed.values()),
        [value for patient in drawn for value in observations_of(patient)],
        workspace_key=KEY,
    )
    cases = {case.study_key: case for case in found.cases}
    result = Misfiled()
    for patient in drawn:
        case = cases.get(study_key(KEY, scan_of(patient, seed=seed).study_uid))
        if patient.number not in wrong:
            result.clean += 1
            result.lost += case is None
            continue
        note, contradiction = wrong[patient.number]
        result.notes[contradiction] += 1
        result.fused[contradiction] += case is not None and note in case.notes
    told = Counter(line.reason for line in found.unlinked if line.kind == "case")
    if told - Counter({Reason.IDENTITY_CONFLICT: len(wrong)}):
        raise AssertionError(f"cases were quarantined for other reasons: {told}")
    return result


def _opening(patient: Patient) -> str:
    return f"{patient.age_years}-year-old {WORDS[patient.sex]}."


def _refiled(note: Note, author: Patient, owner: Patient, *, keeps_header: bool) -> tuple[Note, str]:
    """The author's note in the owner's chart, dated when the owner's own would be, and what contradicts in it."""
    facts = note.patient if keeps_header else scan_of(owner, seed=0).patient.model_copy(update={"age_years": None})
    moved = note.model_copy(
        update={"patient": facts.model_copy(update={"patient_id": owner.patient_id}), "written": owner.noted}
    )
    if keeps_header and (author.sex, author.birth_date) != (owner.sex, owner.birth_date):
        return moved, "header (birth date or sex)"
    apart = abs((author.birth_date - owner.birth_date).days) > 365 * SURE_YEARS
    if note.text.startswith(_opening(author)) and (apart or author.sex != owner.sex):
        return moved, "text (age or sex)"
    return moved, "nothing"
