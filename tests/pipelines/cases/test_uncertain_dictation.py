"""What a dictation marks uncertain is no input and no label, and a transcript by another recipe is another input."""

from __future__ import annotations

from datetime import datetime

from data_schemas.case import Case
from data_schemas.dictation import UNCERTAIN, Dictation, Doubt
from data_schemas.note import Note
from data_schemas.reasons import Remark
from data_schemas.scan import PatientFacts
from pipelines.cases.examples import sentences_of
from pipelines.notes.concepts import read_concepts
from pipelines.notes.labels import labels_from_report

TEXT = f"Cough for 3 days.\n{UNCERTAIN} There is pneumothorax.\nSmall pleural effusion."
SECTIONS = ("body", "findings")


def case(recipe: str | None) -> Case:
    told = Dictation(audio_sha256="a", recipe=recipe, seconds=1.0, sentences=1) if recipe else None
    note = Note(
        note_id="n", patient=PatientFacts(patient_id="1"), written=datetime(2025, 1, 1), text="x", dictation=told
    )
    return Case(study_key="s", patient_key="p", notes=(note,))


def test_an_uncertain_sentence_is_no_input() -> None:
    found = sentences_of([TEXT], input_sections=SECTIONS)
    assert [sentence.text for sentence in found] == ["Cough for 3 days.", "Small pleural effusion."]


def test_the_others_keep_their_places() -> None:
    assert [sentence.source for sentence in sentences_of([TEXT], input_sections=SECTIONS)] == ["0/0/0", "0/0/2"]


def test_a_model_may_keep_them() -> None:
    assert len(sentences_of([TEXT], input_sections=SECTIONS, keep_uncertain=True)) == 3


def test_an_uncertain_sentence_tells_of_no_concept_and_gives_no_label() -> None:
    assert {concept.finding for concept in read_concepts(TEXT)} == {"pleural-effusion"}
    assert labels_from_report(TEXT)["pneumothorax"] is None
    assert labels_from_report(TEXT.replace(f"{UNCERTAIN} ", ""))["pneumothorax"] == 1


def test_a_transcript_by_another_recipe_is_another_input() -> None:
    digests = {case(recipe).inputs_digest for recipe in (None, "one", "two")}
    assert len(digests) == 3
    assert case("one").inputs_digest == case("one").inputs_digest


def test_a_case_with_a_transcript_says_so(joined, scan, note) -> None:
    doubt = Doubt(start=0, end=5, kinds=("negation",))
    sure, unsure = (
        Dictation(audio_sha256="a", recipe="r", seconds=1.0, sentences=1, doubts=doubts) for doubts in ((), (doubt,))
    )
    for dictation, remarks in (
        (None, set()),
        (sure, {Remark.TRANSCRIBED}),
        (unsure, {Remark.TRANSCRIBED, Remark.UNCERTAIN_DICTATION}),
    ):
        (made,) = joined([scan()], [note(dictation=dictation)], []).cases
        assert {Remark.TRANSCRIBED, Remark.UNCERTAIN_DICTATION} & set(made.remarks) == remarks
