from __future__ import annotations

import pytest

from pipelines.notes.sentences import split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Cough. Fever! Pain? None", ("Cough.", "Fever!", "Pain?", "None")),
        ("CRP 12.5 mg/L. Temp. 38.5 today.", ("CRP 12.5 mg/L.", "Temp. 38.5 today.")),
        ("Seen by Dr. Smith. Well.", ("Seen by Dr. Smith.", "Well.")),
        ("64 y.o. man on 5 mg b.i.d. and rest.", ("64 y.o. man on 5 mg b.i.d. and rest.",)),
        ("Aspirin 100 mg q.d. Metoprolol stopped.", ("Aspirin 100 mg q.d.", "Metoprolol stopped.")),
        ("Bed no. 5. Pain? No. Fever.", ("Bed no. 5.", "Pain?", "No.", "Fever.")),
        ("Signed J. Smith. End.", ("Signed J. Smith.", "End.")),
        ("He said “no.” Then left.", ("He said “no.”", "Then left.")),
        ("Wait... then cough.", ("Wait... then cough.",)),
        ("e.g. Asthma vs. COPD.", ("e.g. Asthma vs. COPD.",)),
    ],
)
def test_sentences_end_where_a_clinician_would_end_them(text: str, sentences: tuple[str, ...]) -> None:
    assert split_sentences(text) == sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("BP 120/80\nHR 80", ("BP 120/80", "HR 80")),
        ("cough for two weeks\nand worse at night.", ("cough for two weeks\nand worse at night.",)),
        ("- copd\n- asthma\n", ("- copd", "- asthma")),
        ("1. Diabetes\n2. hypertension", ("1. Diabetes", "2. hypertension")),
        ("a) cough\nb) fever", ("a) cough", "b) fever")),
        ("cough\n\nand fever", ("cough", "and fever")),
    ],
)
def test_list_items_and_paragraphs_end_a_sentence_and_wrapped_lines_do_not(
    text: str, sentences: tuple[str, ...]
) -> None:
    assert split_sentences(text) == sentences
