from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.cases.stated import Stated, stated_in


@pytest.mark.parametrize(
    ("text", "age", "sex"),
    [
        ("67-year-old woman with cough.", 67, "F"),
        ("HISTORY:\nA 67 year old right-handed white male presents with chest pain.", 67, "M"),
        ("Indication: 45 y/o F with dyspnea.", 45, "F"),
        ("45yo M, smoker", 45, "M"),
        ("The patient is a 45-year-old gentleman.", 45, "M"),
        ("Patient: 45 y.o. female", 45, "F"),
        ("This is an 80 years old lady.", 80, "F"),
        ("Mrs Smith is a 71-year-old retired teacher.", 71, ""),
        ("67-year-old with fever.", 67, ""),
        ("45F with chest pain", 45, "F"),
        ("45 M, fell from a ladder", 45, "M"),
        ("Cough for a week. 45-year-old man.", 45, "M"),
    ],
)
def test_the_patients_age_and_sex_are_read(text: str, age: int, sex: str) -> None:
    assert stated_in(text) == Stated(float(age), sex)  # type: ignore[arg-type]


def test_an_age_in_months_is_read_to_the_month() -> None:
    assert stated_in("18-month-old boy with cough") == Stated(1.5, "M", 1 / 12)


@pytest.mark.parametrize(
    "text",
    [
        "Her 45-year-old brother has the same.",
        "45-year-old brother has asthma.",
        "45-year-old female friend drove her in.",
        "45-year-old woman's husband.",
        "FAMILY HISTORY:\n45-year-old man with stroke.",
        "SOCIAL HISTORY: 45-year-old man lives with her.",
        "Lives with a 45-year-old man.",
        "Smoker for 45 years.",
        "Fracture 45 years ago.",
        "45 year history of smoking",
        "45-year-old man at that time, he had pneumonia.",
        "45-year-old fracture of the hip in 1979.",
        "98F and coughing",
        "102F with chills",
        "5 mg daily",
        "145-year-old man",
        "XXXX-year-old woman",
        "He is a 45-year-old smoker.",
        "67-year-old woman. 45-year-old man.",
        "",
    ],
)
def test_what_may_be_of_another_person_or_time_is_not_believed(text: str) -> None:
    assert stated_in(text) is None


def test_of_two_sentences_that_agree_the_one_that_says_more_counts() -> None:
    assert stated_in("45-year-old with cough. 45-year-old man.") == Stated(45.0, "M")


@given(
    st.text(max_size=200)
    | st.from_regex(r"(A )?\d{1,4}[- ]?(year|yo|M|F)[- ]?(old)? ?\w* ?(man|woman)?", fullmatch=True)
)
def test_any_text_is_read_without_fail(text: str) -> None:
    stated = stated_in(text)
    assert stated is None or 0 <= stated.age_years <= 120


def test_a_word_of_a_million_letters_takes_no_time() -> None:
    assert stated_in("45-year-old " + "x" * 1_000_000) in (None, Stated(45.0))
