"""Future notes at ten per cent: none reaches a tensor, seen on the token ids that the note encoder is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from data_schemas.case import Case
from data_schemas.recipes import ModelRecipe
from data_schemas.scan import Scan
from pipelines.cases import inputs
from pipelines.cases.examples import Example
from pipelines.cases.inputs import note_exclusion
from pipelines.cases.join import join
from pipelines.cases.leakage.audit import audit
from pipelines.cases.leakage.case import AuditedCase
from pipelines.cases.link import link
from pipelines.cases.prepare import prepare
from pipelines.models.weights import PACKAGED, WINDOW_SHORT, resolve_note_encoder
from pipelines.notes.sections import split_sections
from pipelines.notes.windows import cut_windows
from pipelines.sources.outcome import Records
from pipelines.synthetic.audited import draw_patients
from pipelines.synthetic.patients import Patient
from pipelines.synthetic.records import notes_of, observations_of, scan_of
from pipelines.synthetic.truth import Dials
from pipelines.workspace.identity import study_key

KEY, SEED, PATIENTS = bytes(32), 21, 400
RECIPE = ModelRecipe()
Ids = tuple[tuple[int, ...], ...]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(resolve_note_encoder(PACKAGED), local_files_only=True)


def linked(patients: Sequence[Patient]) -> list[Case]:
    scans = [scan_of(row, seed=SEED) for row in patients]
    notes = [note for row in patients for note in notes_of(row, seed=SEED)]
    values = [item for row in patients for item in observations_of(row)]
    cases = {case.study_key: case for case in link(scans, notes, values, workspace_key=KEY).cases}
    return [cases[study_key(KEY, scan.study_uid)] for scan in scans]


def prepared(case: Case) -> Example:
    """The example of a case; what a scan's pixels are does not matter here, and they are left out."""
    return prepare(case.model_copy(update={"scan": None}), recipe=RECIPE)


def windows(example: Example, tokenizer: Any) -> Ids:
    """What the note encoder is given, as `pipelines.models.features` cuts it."""
    return cut_windows(
        [sentence.text for sentence in example.sentences],
        tokenizer=tokenizer,
        window=RECIPE.note.window or WINDOW_SHORT,
        stride=RECIPE.note.stride,
        windows_at_most=RECIPE.note.windows_at_most,
        unit=RECIPE.note.unit,
    ).ids


def pieces(text: str, tokenizer: Any) -> list[list[int]]:
    """The token ids of every sentence of a note."""
    sentences = [sentence for section in split_sections(text) for sentence in section.sentences]
    return [tokenizer(sentence, add_special_tokens=False)["input_ids"] for sentence in sentences]


def holds(ids: Ids, piece: Sequence[int]) -> bool:
    mark = ",".join(map(str, ["", *piece, ""]))
    return any(mark in ",".join(map(str, ["", *row, ""])) for row in ids)


def own_pieces(patient: Patient, tokenizer: Any) -> Iterable[list[int]]:
    """What the future note alone says; a sentence that stands in the earlier note too proves nothing."""
    early = pieces(patient.note or "", tokenizer)
    return (piece for piece in pieces(patient.future_note or "", tokenizer) if piece not in early)


def with_future_notes(share: float = 0.1, count: int = PATIENTS) -> list[Patient]:
    return draw_patients(count, seed=SEED, dials=Dials(future_notes=share))


def test_no_token_of_a_future_note_is_in_a_window(tokenizer: Any) -> None:
    patients = with_future_notes()
    future = [row for row in patients if row.future_note]
    assert 25 <= len(future) <= 60
    ids = {row.number: windows(prepared(case), tokenizer) for row, case in zip(patients, linked(patients), strict=True)}
    assert all(any(holds(ids[row.number], piece) for piece in pieces(row.note or "", tokenizer)) for row in future)
    found = [row.number for row in future for piece in own_pieces(row, tokenizer) if holds(ids[row.number], piece)]
    assert found == []


def test_the_token_ids_and_values_are_those_of_a_hospital_without_future_notes(tokenizer: Any) -> None:
    given, plain = ([prepared(case) for case in linked(with_future_notes(share))] for share in (0.1, 0.0))
    assert [windows(row, tokenizer) for row in given] == [windows(row, tokenizer) for row in plain]
    assert [row.values for row in given] == [row.values for row in plain]


def test_through_files_no_token_of_a_future_note_is_in_a_window_either(
    tokenizer: Any, scans: list[Scan], records: Records, patients: dict[str, Patient]
) -> None:
    cases = link(scans, records.notes, records.observations, workspace_key=KEY).cases
    seen = 0
    for case in cases:
        assert case.scan is not None
        patient = patients[case.scan.patient.patient_id]
        ids = windows(prepare(case, recipe=RECIPE), tokenizer)
        for piece in own_pieces(patient, tokenizer):
            seen += 1
            assert not holds(ids, piece)
    assert seen > 0


def test_were_the_linker_to_let_them_in_the_token_ids_and_the_audit_would_show_it(
    tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    patients = with_future_notes(share=0.3, count=30)
    monkeypatch.setattr(inputs, "note_exclusion", lambda *_given, **_rules: None)
    assert inputs.note_exclusion is not note_exclusion
    cases = linked(patients)
    examples = [prepared(case) for case in cases]
    future = [number for number, row in enumerate(patients) if row.future_note]
    assert future
    for number in future:
        ids = windows(examples[number], tokenizer)
        assert any(holds(ids, piece) for piece in own_pieces(patients[number], tokenizer))
    scans = [scan_of(row, seed=SEED) for row in patients]
    notes = [note for row in patients for note in notes_of(row, seed=SEED)]
    studies = join(scans, notes, [])
    audited = [
        AuditedCase(example, scan, studies.of_study(studies.studies[scan.study_uid]))
        for example, scan in zip(examples, scans, strict=True)
    ]
    report = audit(audited, findings=RECIPE.findings)
    assert "future-input" in report.found
    [leak] = [leak for leak in report.leaks if leak.kind == "future-input" and leak.severity == "leak"]
    assert leak.count == len(future)
