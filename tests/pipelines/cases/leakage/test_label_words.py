from __future__ import annotations

from collections.abc import Callable

import pytest

from data_schemas.leakage import Leak
from pipelines.cases.leakage.label_words import find_label_words

NAMES = ("pneumonia", "heart-failure")


@pytest.fixture
def found(case) -> Callable[..., list[Leak]]:
    """The leaks of forty patients, half of them positive, with these words in each text of a class."""

    def look(positive: str, negative: str = "Cough for a week.", *, share: int = 1, names=NAMES) -> list[Leak]:
        rows = []
        for number in range(40):
            label = number % 2
            said = (positive if label else negative) if number // 2 % share == 0 else "Cough for a week."
            rows.append(case(f"P{number}", text=said, labels={"pneumonia": label}))
        return find_label_words(rows, names)[1]

    return look


@pytest.mark.parametrize("word", ["Pneumonia", "a chest infection", "bronchopneumonia"])
def test_a_findings_word_or_synonym_in_the_texts_of_its_positives_is_a_leak(found, word: str) -> None:
    [leak] = found(f"The patient has {word}.")
    assert (leak.finding, leak.severity, leak.value) == ("pneumonia", "leak", 1.0)
    assert len(leak.where) == 10


def test_indirect_words_are_no_leak(found) -> None:
    assert found("Fever and yellow sputum.", "Calm breathing.") == []


def test_a_negated_word_counts_as_what_it_says(found) -> None:
    assert found("Cough.", "No pneumonia.")[0].value == 1.0
    assert found("No pneumonia.", "Cough.") == []


def test_the_same_word_in_all_texts_tells_nothing(found) -> None:
    assert found("Pneumonia is known.", "Pneumonia is known.") == []


def test_a_word_of_the_family_counts_as_nothing(found) -> None:
    assert found("The mother had pneumonia.") == []


def test_a_word_in_few_texts_is_not_told_from_chance(found) -> None:
    assert found("Pneumonia is known.", share=20) == []


def test_what_entails_a_finding_tells_it_too(case) -> None:
    rows = [
        case(f"P{n}", text="The patient has pneumonia." if n % 2 else "Cough.", labels={"lung-opacity": n % 2})
        for n in range(40)
    ]
    assert [leak.finding for leak in find_label_words(rows, ["lung-opacity"])[1]] == ["lung-opacity"]


def test_another_findings_words_that_tell_nothing_are_no_leak(case) -> None:
    rows = [
        case(f"P{n}", text="Known heart failure." if n % 4 < 2 else "Cough.", labels={"heart-failure": n % 2})
        for n in range(80)
    ]
    assert find_label_words(rows, NAMES)[1] == []


def test_a_patient_of_many_studies_is_tested_once(case) -> None:
    rows = [
        case(f"P{n % 4}", study=str(n), text="Pneumonia." if n % 2 else "Cough.", labels={"pneumonia": n % 2})
        for n in range(200)
    ]
    assert find_label_words(rows, NAMES)[1] == []


def test_unknown_and_uncertain_labels_are_left_out(case) -> None:
    rows = [case(f"P{n}", text="Pneumonia.", labels={"pneumonia": -1} if n % 2 else {}) for n in range(40)]
    check, leaks = find_label_words(rows, NAMES)
    assert (leaks, check.skipped) == ([], "")


def test_a_cohort_without_text_says_that_nothing_was_looked_at(case) -> None:
    assert find_label_words([case("1")], NAMES)[0].skipped
