"""Sides of the body that contradict each other, and words that only look like sides."""

from __future__ import annotations

import pytest

from data_schemas.reasons import Reason
from pipelines.scans.check import check_series
from pipelines.scans.laterality import laterality_problems, side_of

SIDES = {
    "KNEE LEFT": "L",
    "Right Shoulder": "R",
    "Knie rechts": "R",
    "genou_gauche": "L",
    "LEFT TO RIGHT": "",
    "LEFT DECUBITUS": "",
    "Right atrium": "",
    "bright field": "",
    "LEFTOVER": "",
    "": "",
}


@pytest.mark.parametrize("text", SIDES)
def test_only_a_word_for_one_side_names_it(text: str) -> None:
    assert side_of(text) == SIDES[text]


CONFLICTS = [
    {"laterality": "L", "image_laterality": "R"},
    {"laterality": "L", "body_part": "RIGHT KNEE"},
    {"image_laterality": "R", "description": "Knie links"},
    {"body_part": "LEFT HAND", "description": "Hand right"},
]


@pytest.mark.parametrize("fields", CONFLICTS, ids=str)
def test_sides_that_contradict_each_other_are_refused(slices, changed, fields) -> None:
    problems = check_series(changed(slices, **fields)).problems

    assert [problem.reason for problem in problems] == [Reason.LATERALITY_CONFLICT]


@pytest.mark.parametrize("field", ["laterality", "image_laterality"])
def test_a_side_that_differs_between_slices_is_refused(slices, changed, field: str) -> None:
    headers = changed(slices, **{field: lambda at: "LR"[at % 2]})

    assert [problem.reason for problem in laterality_problems(headers)] == [Reason.LATERALITY_CONFLICT]


HARMONIES = [
    {"laterality": "L", "image_laterality": "L", "body_part": "KNEE", "description": "LEFT KNEE"},
    {"laterality": "R", "image_laterality": "B"},
    {"image_laterality": "U", "body_part": "HEAD"},
    {"laterality": "R", "description": "Thorax left decubitus"},
    {"description": "Lung right and left"},
]


@pytest.mark.parametrize("fields", HARMONIES, ids=str)
def test_sides_that_agree_or_say_nothing_pass(slices, changed, fields) -> None:
    assert check_series(changed(slices, **fields)).accepted


def test_the_detail_tells_nothing_of_the_description(slices, changed) -> None:
    (problem,) = laterality_problems(changed(slices, laterality="L", description="Frau Muster right"))

    assert "Muster" not in problem.detail
