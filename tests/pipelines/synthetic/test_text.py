"""The phrase book and the notes: indirect clues only, and frames of their own for the test split."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from data_schemas.finding import findings
from data_schemas.recipes import NoteRecipe
from pipelines.notes.sections import split_sections
from pipelines.synthetic.text import phrases, write_note
from pipelines.synthetic.truth import Truth

CLUES = ("cardiac", "infection", "breathless")


def strings(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for branch in tree.values():
            yield from strings(branch)
    else:
        for branch in tree:
            yield from strings(branch)


def own_words() -> list[str]:
    words = {word for item in findings().values() for word in (item.name, item.display, *item.synonyms)}
    words |= {word.replace("-", " ") for word in words} | {"effusion", "opacity", "mass", "pneumonia", "lesion"}
    return sorted(words)


def sentences(note: str) -> set[str]:
    body = " ".join(line for line in note.splitlines() if line and not line.endswith(":"))
    return {part.strip() + "." for part in body.split(".") if part.strip()}


def told_with(pool: str) -> set[str]:
    """Every sentence that the frames of a pool can make."""
    book = phrases()
    signs = [sign for entry in book["clues"].values() for answer in ("yes", "no") for sign in entry[answer]]
    made = {
        frame.format(sign=sign, Sign=sign[0].upper() + sign[1:]) for frame in book["frames"][pool] for sign in signs
    }
    return made | {place.format(side=side) for place in book["places"][pool] for side in ("left", "right")}


@pytest.mark.parametrize("word", own_words())
def test_no_findings_own_word_stands_in_a_phrase(word: str) -> None:
    told = [text for text in strings(phrases()) if re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE)]
    assert told == []


def test_no_sign_is_told_for_yes_and_for_no() -> None:
    answers = {answer: {s for entry in phrases()["clues"].values() for s in entry[answer]} for answer in ("yes", "no")}
    assert not answers["yes"] & answers["no"]


def test_train_and_test_share_no_sentence() -> None:
    assert not told_with("train") & told_with("test")


@pytest.mark.parametrize("pool", ["train", "test"])
def test_a_note_tells_its_clues_and_its_place_with_frames_of_its_own_pool_only(
    pool: str, truth: Callable[..., Truth]
) -> None:
    other = {"train": "test", "test": "train"}[pool]
    for seed in range(40):
        note = write_note(truth(cardiac=seed % 2 == 0), pool=pool, rng=np.random.default_rng(seed))
        told = sentences(note)
        assert len(told & told_with(pool)) == 2 * (len(CLUES) + 1)
        assert not told & told_with(other)


@pytest.mark.parametrize("clue", CLUES)
@pytest.mark.parametrize("present", [True, False])
def test_a_note_tells_each_clue_twice_and_never_its_opposite(
    clue: str, present: bool, truth: Callable[..., Truth]
) -> None:
    entry = phrases()["clues"][clue]
    own, opposite = (entry["yes"], entry["no"]) if present else (entry["no"], entry["yes"])
    for seed in range(40):
        note = write_note(truth(**{clue: present}), pool="train", rng=np.random.default_rng(seed)).lower()
        assert sum(sign.lower() in note for sign in own) >= 2
        assert not [sign for sign in opposite if re.search(rf"\b{re.escape(sign.lower())}\b", note)]


@pytest.mark.parametrize(("side", "other"), [("right", "left"), ("left", "right")])
def test_a_note_names_the_side_of_the_complaint_twice_and_no_other(
    side: str, other: str, truth: Callable[..., Truth]
) -> None:
    for seed in range(20):
        note = write_note(truth(complaint_side=side), pool="train", rng=np.random.default_rng(seed))
        complaint = note.partition("\n\n")[0]
        assert len(re.findall(rf"\b{side} (?:chest|ribs)", complaint)) == 2
        assert not re.search(rf"\b{other} (chest|ribs)", complaint)


def test_the_clues_stand_in_sections_that_are_inputs_by_default(truth: Callable[..., Truth]) -> None:
    sections = split_sections(write_note(truth(), pool="train", rng=np.random.default_rng(0)))
    inputs = [section for section in sections if section.name in NoteRecipe().input_sections]
    told = {sentence for section in inputs for sentence in section.sentences}
    assert len(told & told_with("train")) == 2 * (len(CLUES) + 1)
