"""Negations, sides and numbers of heard words, whatever the spelling."""

from __future__ import annotations

import pytest

from pipelines.notes.transcribe_words import (
    critical,
    like_a_negation,
    like_a_number,
    like_a_side,
    odd_numbers,
    side_of_nothing,
)


def values(text: str) -> list[str]:
    return [said.value for said in critical(text.split())]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("two nodules of 2.5 centimeters", "2 nodules of 2.5 cm"),
        ("sixty seven years", "67 years"),
        ("the seventh rib", "the 7th rib"),
        ("apex is unchanged", "apex isn't changed"),
        ("cannot be excluded", "can't be excluded"),
        ("the left-sided effusion", "the left sided effusion"),
        ("92 percent", "92%"),
    ],
)
def test_two_spellings_say_the_same(one: str, other: str) -> None:
    assert values(one) == values(other) != []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("No pneumothorax.", "Pneumothorax."),
        ("No effusion.", "New effusion."),
        ("2.5 centimeters", "25 centimeters"),
        ("5 millimeters", "5 centimeters"),
        ("on the left", "on the right"),
        ("bilateral opacities", "left opacities"),
        ("the left upper lobe", "the left lower lobe"),
        ("without fever", "with fever"),
        ("edema is absent", "edema is abundant"),
        ("seventeen", "seventy"),
    ],
)
def test_what_changes_the_meaning_is_told_apart(one: str, other: str) -> None:
    assert values(one) != values(other)


def test_a_word_without_such_a_meaning_says_nothing() -> None:
    assert values("There is free air under the diaphragm.") == []


def test_each_is_found_at_its_word() -> None:
    assert [(said.kind, said.word) for said in critical(["No", "nodule", "of", "2.5", "cm", "on", "the", "left."])] == [
        ("negation", 0),
        ("number", 3),
        ("number", 4),
        ("side", 7),
    ]


@pytest.mark.parametrize(
    "text", ["free nodules in the lung", "To nodules in the lung", "a mass of force centimeters", "for millimeters"]
)
def test_a_word_in_the_place_of_a_number_is_found(text: str) -> None:
    assert like_a_number(text.split())


@pytest.mark.parametrize(
    "text", ["three nodules", "a mass of 4 centimeters", "free air", "cough for three days", "due to effusions"]
)
def test_words_in_their_own_place_are_not(text: str) -> None:
    assert not like_a_number(text.split())


@pytest.mark.parametrize(
    "text", ["by basilar opacities", "Lateral opacities", "a lateral opacities", "the left or left fusion"]
)
def test_words_that_sound_like_a_side_are_found(text: str) -> None:
    assert like_a_side(text.split())


@pytest.mark.parametrize(
    "text", ["bilateral opacities", "left upper lobe and right base", "seen by computed tomography"]
)
def test_sides_in_their_own_place_are_not(text: str) -> None:
    assert not like_a_side(text.split())


@pytest.mark.parametrize("word", ["F2.5", "7-3", "3b"])
def test_a_garbled_number_is_found(word: str) -> None:
    assert odd_numbers(["nodule", word]) == (1,)


@pytest.mark.parametrize("word", ["2.5", "7th", "5mm", "67-year-old", "92%", "12."])
def test_a_whole_number_is_not(word: str) -> None:
    assert odd_numbers([word]) == ()


@pytest.mark.parametrize("text", ["The heart is hot and large", "Low effusion", "Neamer consolidation nor effusion"])
def test_words_that_sound_like_a_negation_are_found(text: str) -> None:
    assert like_a_negation(text.split())


@pytest.mark.parametrize("text", ["Low lung volumes", "Neither mass nor edema", "No mass nor edema", "Fever is low"])
def test_negations_in_their_own_place_are_not(text: str) -> None:
    assert not like_a_negation(text.split())


def test_a_side_of_nothing_known_is_found() -> None:
    known = {"lung", "nodule", "of", "the", "right"}
    assert side_of_nothing(["My", "masellaratic", "task", "is", "more", "on", "the", "right."], known)
    assert not side_of_nothing(["The", "right", "lung", "is", "clear."], known)
    assert not side_of_nothing(["My", "masellaratic", "task."], known)
