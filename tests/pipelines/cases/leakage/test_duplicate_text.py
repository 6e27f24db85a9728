from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from pipelines.cases.leakage.case import AuditedCase
from pipelines.cases.leakage.duplicate_text import find_duplicate_texts

RNG = random.Random(0)


def words(count: int) -> str:
    return " ".join(f"w{RNG.randrange(10**9)}" for _ in range(count))


def test_two_patients_own_words_are_no_leak(case) -> None:
    check, leaks = find_duplicate_texts([case("1", text=words(60)), case("2", "test", text=words(60))])
    assert (check.compared, leaks) == (2, [])


def test_the_same_note_but_for_a_few_words_in_two_splits_is_a_leak(case) -> None:
    text = words(80)
    other = f"{text[: text.rindex(' ')]} changed"
    [leak] = find_duplicate_texts([case("1", text=text), case("2", "test", text=other)])[1]
    assert leak.where == ("study 1.2.1", "study 1.2.2")
    assert 0.9 < leak.value < 1.0


def test_a_note_of_which_half_is_anothers_is_no_duplicate(case) -> None:
    text = words(80)
    half = " ".join(text.split()[:40])
    assert find_duplicate_texts([case("1", text=text), case("2", "test", text=f"{half} {words(40)}")])[1] == []


def test_a_section_copied_into_another_note_is_a_leak(case) -> None:
    history = words(60)
    rows = [
        case("1", text=f"{words(60)}\nHistory: {history}"),
        case("2", "test", text=f"{words(60)}\nHistory: {history}"),
    ]
    assert len(find_duplicate_texts(rows)[1]) == 1


def test_within_one_split_or_one_patient_it_is_no_leak(case) -> None:
    text = words(80)
    assert find_duplicate_texts([case("1", text=text), case("2", text=text)])[1] == []
    assert find_duplicate_texts([case("1", text=text, study="1"), case("1", "test", text=text, study="2")])[1] == []


def test_a_template_that_many_patients_share_is_no_leak(case) -> None:
    template = words(80)
    rows = [case(str(n), ("train", "test")[n % 2], text=f"{template} {words(10)}") for n in range(1, 12)]
    assert find_duplicate_texts(rows)[1] == []


def test_a_template_does_not_hide_a_copy_of_what_was_written_into_it(case) -> None:
    template, own = words(80), words(60)
    rows = [case(str(n), ("train", "test")[n % 2], text=f"{template} {words(60)}") for n in range(1, 12)]
    rows += [case("a", "train", text=f"{template} {own}"), case("b", "test", text=f"{template} {own}")]
    [leak] = find_duplicate_texts(rows)[1]
    assert leak.where == ("study 1.2.a", "study 1.2.b")


@pytest.fixture(scope="module")
def ready() -> list[str]:
    """Sentences that everybody is written about with."""
    return [f"{words(6)}." for _ in range(100)]


@pytest.fixture
def assembled(case, ready: list[str]) -> Callable[..., list[AuditedCase]]:
    """Two hundred patients, each written about in so many of the ready sentences; the last two share them all."""

    def make(count: int) -> list[AuditedCase]:
        rng = random.Random(1)
        texts = [" ".join(rng.sample(ready, count)) for _ in range(199)]
        return [case(str(n), ("train", "test")[n % 2], text=text) for n, text in enumerate([*texts, texts[-1]], 1)]

    return make


def test_a_copy_of_a_text_that_is_put_together_from_ready_sentences_is_a_leak(assembled) -> None:
    rows = assembled(16)
    assert find_duplicate_texts(rows[:-1])[1] == []
    [leak] = find_duplicate_texts(rows)[1]
    assert (leak.severity, leak.where) == ("leak", ("study 1.2.199", "study 1.2.200"))


def test_a_copy_of_a_few_ready_sentences_is_watched(assembled) -> None:
    [leak] = find_duplicate_texts(assembled(5))[1]
    assert leak.severity == "watch"
    assert "template" in leak.evidence


def test_short_texts_are_alike_by_chance_and_left_out(case) -> None:
    check, leaks = find_duplicate_texts([case("1", text="Chest pain."), case("2", "test", text="Chest pain.")])
    assert (check.compared, leaks) == (0, [])
    assert check.skipped


def test_no_word_of_the_text_is_told(case) -> None:
    text = f"canary {words(80)}"
    [leak] = find_duplicate_texts([case("1", text=text), case("2", "test", text=text)])[1]
    assert "canary" not in leak.model_dump_json()
