"""Slices that only a count can miss: at the ends, or every second one; and counts that mean something else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from data_schemas.reasons import Reason
from pipelines.scans.check import Verdict, check_series

MISSING = {Reason.MISSING_SLICES}
PT = {"modality": "PT", "sop_class": "1.2.840.10008.5.1.4.1.1.128", "intercept": 0.0, "rescale_type": "BQML"}


def reasons(verdict: Verdict) -> set[Reason]:
    return {problem.reason for problem in verdict.problems}


@pytest.mark.parametrize("gone", [0, 23])
def test_an_end_slice_that_the_acquisition_counts_is_missing(slices, changed, gone: int) -> None:
    counted = changed(slices, images_in_acquisition=24)

    assert check_series(counted).accepted
    assert reasons(check_series([*counted[:gone], *counted[gone + 1 :]])) == MISSING


OTHERWISE = [
    {"images_in_acquisition": lambda at: 30 + at % 2},
    {"images_in_acquisition": 30, "acquisition_number": lambda at: str(at // 12)},
    {"images_in_acquisition": 30, "instance_number": lambda at: str(40 + at)},
    {"images_in_acquisition": 30, "instance_number": lambda at: str(1 + at * 2 % 23)},
    {"images_in_acquisition": 20},
    {"images_in_acquisition": 30, "instance_number": ""},
]


@pytest.mark.parametrize("fields", OTHERWISE, ids=range(len(OTHERWISE)))
def test_a_count_that_may_mean_something_else_is_not_believed(slices, changed, fields) -> None:
    assert check_series(changed(slices, **fields)).accepted


def test_a_localizer_counts_as_an_image_of_the_acquisition(slices, changed, another) -> None:
    scout = another(slices[:1], image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"))

    assert check_series([*slices, *scout]).accepted
    assert check_series(changed([*slices, *scout], images_in_acquisition=25)).accepted


def test_a_pet_states_its_number_of_slices(slices, changed) -> None:
    pet = changed(slices, number_of_slices=24, **PT)

    assert check_series(pet).accepted
    assert reasons(check_series(pet[1:])) == MISSING
    assert check_series(changed(slices, number_of_slices=30)).accepted


def every(slices, step: int, thickness: float) -> list:
    return [replace(header, thickness=thickness) for header in slices[::step]]


@pytest.mark.parametrize("step", [2, 3])
def test_every_second_slice_of_a_ct_gone_is_noticed_by_its_instance_numbers(slices, step: int) -> None:
    assert reasons(check_series(every(slices, step, 2.5))) == MISSING


def test_steps_without_gaps_are_one_half_of_a_pair(slices) -> None:
    assert check_series(every(slices, 2, 5.0)).accepted


def test_steps_of_an_mr_are_interleaved_echoes(slices, changed) -> None:
    mr = changed(slices, modality="MR", sop_class="1.2.840.10008.5.1.4.1.1.4")

    assert check_series(every(mr, 2, 2.5)).accepted


def test_thin_slices_far_apart_are_right_where_they_are_numbered_one_by_one(slices, changed) -> None:
    assert check_series(changed(slices, thickness=1.0)).accepted


@pytest.mark.parametrize("backwards", [False, True])
def test_an_end_slice_carried_to_the_other_end_is_noticed(slices, changed, backwards: bool) -> None:
    numbered = changed(slices, instance_number=lambda at: str(24 - at if backwards else 1 + at))
    z = 100.0 + 2.5 * 24
    carried = [replace(numbered[0], position=(-40.0, -30.0, z)), *numbered[1:]]

    assert reasons(check_series(carried)) == {Reason.IRREGULAR_SPACING}


def test_acquisitions_of_a_ct_that_take_turns_are_two_stacks(slices, changed) -> None:
    turns = changed(slices, acquisition_number=lambda at: str(at % 2))
    in_turn = changed(slices, acquisition_number=lambda at: str(at // 6))

    assert reasons(check_series(turns)) == {Reason.SEVERAL_STACKS}
    assert check_series(in_turn).accepted


def test_an_mr_interleaves_its_acquisitions_on_purpose(slices, changed) -> None:
    mr = {"modality": "MR", "sop_class": "1.2.840.10008.5.1.4.1.1.4", "rescale_type": ""}

    assert check_series(changed(slices, acquisition_number=lambda at: str(at % 2), **mr)).accepted


def test_an_echo_of_fewer_slices_than_the_other_lacks_some(slices, changed, another) -> None:
    first, second = changed(slices, echo="1"), another(slices, echo="2")

    assert len(check_series([*first, *second]).stacks) == 2
    assert reasons(check_series([*first, *second[:-3]])) == MISSING
    assert reasons(check_series([*first, *second[::2]])) == MISSING


def test_acquisitions_may_differ_in_extent(slices, changed, another) -> None:
    first, second = changed(slices, acquisition_number="1"), another(slices[:12], acquisition_number="2")

    assert [len(stack.slices) for stack in check_series([*first, *second]).stacks] == [24, 12]
