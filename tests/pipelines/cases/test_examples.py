from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.case import Case
from pipelines.cases.examples import SECTION_NUMBER, Example, Sentence, sentences_of, values_of
from pipelines.notes.sections import split_sections

NOON = datetime(2024, 3, 5, 12)
ALL = tuple(SECTION_NUMBER)


def case(*observations, cut_off=NOON) -> Case:
    return Case(study_key="s", patient_key="p", cut_off=cut_off, observations=observations)


def test_sentences_of_input_sections_are_taken_in_order_and_named_by_their_place():
    texts = ["HISTORY: Cough. Fever.\nIMPRESSION: Pneumonia.", "INDICATION: Dyspnoea."]
    found = sentences_of(texts, input_sections=("history", "indication"))
    assert [(row.text, row.source, row.number) for row in found] == [
        ("Cough.", "0/0/0", 0),
        ("Fever.", "0/0/1", 1),
        ("Dyspnoea.", "1/0/0", 0),
    ]
    assert [row.section for row in found] == [SECTION_NUMBER[name] for name in ("history", "history", "indication")]


def test_a_section_that_is_no_input_never_becomes_one():
    text = "FINDINGS: Effusion.\nIMPRESSION: Heart failure.\nHISTORY: Cough."
    assert [row.text for row in sentences_of([text], input_sections=("history",))] == ["Cough."]


def test_a_section_left_out_does_not_move_the_places_of_the_others():
    [found] = sentences_of(["IMPRESSION: Pneumonia.\nHISTORY: Cough."], input_sections=("history",))
    assert found.source == "0/1/0"


@given(st.lists(st.text(max_size=80), max_size=4))
def test_every_source_leads_back_to_its_sentence(texts):
    for row in sentences_of(texts, input_sections=ALL):
        note, place, number = map(int, row.source.split("/"))
        assert split_sections(texts[note])[place].sentences[number] == row.text


def test_numbers_pass_and_sex_becomes_a_number(value):
    found = values_of(case(value("age", 64.0), value("sex", " f ")), codes=("age", "sex"))
    assert [(row.code, row.value) for row in found] == [("age", 64.0), ("sex", 0.0)]
    assert values_of(case(value("sex", "M")), codes=("sex",))[0].value == 1.0


@pytest.mark.parametrize("given_value", ["unknown", "", "O", float("nan"), float("inf"), float("-inf")])
def test_what_is_no_finite_number_is_left_out(value, given_value):
    assert values_of(case(value("sex", given_value)), codes=("sex",)) == ()


def test_a_code_that_the_model_does_not_know_is_left_out(value):
    assert values_of(case(value("mood", 3.0)), codes=("age",)) == ()


@pytest.mark.parametrize(
    ("taken", "cut_off", "days"),
    [
        (datetime(2024, 3, 4), NOON, 1.5),
        (None, NOON, 0.0),
        (datetime(2024, 3, 4), None, 0.0),
        (datetime(2024, 3, 6), NOON, 0.0),
    ],
)
def test_the_age_of_a_value_is_days_before_the_cut_off(value, taken, cut_off, days):
    [found] = values_of(case(value("age", 64.0, taken=taken), cut_off=cut_off), codes=("age",))
    assert found.age_days == pytest.approx(days)


def test_no_text_and_no_value_stands_in_a_repr(value):
    row = Example(
        study_key="s",
        patient_key="p",
        scan=None,
        sentences=(Sentence("Secret cough.", "0/0/0", 1, 0),),
        values=values_of(case(value("weight", 81.25)), codes=("weight",)),
    )
    assert "Secret" not in repr(row)
    assert "81.25" not in repr(row)
    assert np.isfinite(row.values[0].value)
