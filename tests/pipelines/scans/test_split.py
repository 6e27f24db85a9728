"""Stacks of one series are told apart by what the headers say of them, and by nothing less."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from data_schemas.reasons import Reason, Remark
from pipelines.scans.check import Verdict, check_series
from pipelines.scans.slice_header import SliceHeader

Slices = list[SliceHeader]
Change = Callable[..., Slices]


def reasons(verdict: Verdict) -> set[Reason]:
    return {problem.reason for problem in verdict.problems}


def labels(verdict: Verdict) -> list[str]:
    return [stack.label for stack in verdict.stacks]


KEYS = [
    ("echo numbers", {"echo": "1"}, {"echo": "2"}, ["echo 1", "echo 2"]),
    ("echo times", {"echo_time": 4.92}, {"echo_time": 2.46}, ["echo 1", "echo 2"]),
    ("b-values", {"b_value": 0.0}, {"b_value": 1000.0}, ["b 0", "b 1000"]),
    ("a b-value and none", {"b_value": None}, {"b_value": 800.0}, ["b unknown", "b 800"]),
    ("times", {"temporal": "1"}, {"temporal": "2"}, ["time 1", "time 2"]),
    ("acquisitions", {"acquisition_number": "3"}, {"acquisition_number": "12"}, ["acquisition 3", "acquisition 12"]),
    ("stack ids", {"stack_id": "1"}, {"stack_id": "2"}, ["stack 1", "stack 2"]),
    ("free text", {"stack_id": "Frau Muster"}, {"stack_id": "x"}, ["stack 1", "stack 2"]),
    ("kernels", {"kernel": "B30f"}, {"kernel": "B70f"}, ["kernel B30f", "kernel B70f"]),
    ("magnitude and phase", {"image_type": ("ORIGINAL", "PRIMARY", "M", "ND")},
     {"image_type": ("ORIGINAL", "PRIMARY", "P", "ND")}, ["magnitude", "phase"]),
    ("water and fat", {"image_type": ("DERIVED", "PRIMARY", "DIXON", "WATER")},
     {"image_type": ("DERIVED", "PRIMARY", "DIXON", "FAT")}, ["fat", "water"]),
    ("a map", {"image_type": ("ORIGINAL", "PRIMARY", "DIFFUSION")},
     {"image_type": ("DERIVED", "PRIMARY", "DIFFUSION", "ADC")}, ["plain", "adc"]),
]  # fmt: skip


@pytest.mark.parametrize(("one", "two", "expected"), [key[1:] for key in KEYS], ids=[key[0] for key in KEYS])
def test_two_stacks_at_the_same_places_become_two_scans(slices, changed, another, one, two, expected) -> None:
    both = [*changed(slices, **one), *another(slices, **two)]
    verdict = check_series(random.Random(1).sample(both, len(both)))

    assert verdict.problems == ()
    assert labels(verdict) == expected
    assert [len(stack.slices) for stack in verdict.stacks] == [24, 24]
    assert verdict.stacks[0].geometry == verdict.stacks[1].geometry == check_series(slices).stacks[0].geometry


def test_keys_combine_until_every_place_is_taken_once(slices, another) -> None:
    four = [
        header
        for number, (echo, time) in enumerate([("1", "1"), ("1", "2"), ("2", "1"), ("2", "2")])
        for header in another(slices, number + 1, echo=echo, temporal=time)
    ]

    assert labels(check_series(four)) == ["echo 1, time 1", "echo 1, time 2", "echo 2, time 1", "echo 2, time 2"]


def test_stacks_of_one_series_may_differ_in_what_only_a_stack_must_share(slices, another) -> None:
    slope = another(slices, echo="2", slope=2.0, intercept=-2048.0, rows=32, pixels=None)
    halved = [replace(header, pixels=replace(slices[0].pixels, length=32 * 60 * 2)) for header in slope]

    assert labels(check_series([*slices, *halved])) == ["echo 1", "echo 2"]


def test_two_acquisitions_that_continue_each_other_stay_one_volume(slices, changed) -> None:
    verdict = check_series(changed(slices, range(12, 24), acquisition_number="2"))

    assert labels(verdict) == [""]
    assert len(verdict.stacks[0].slices) == 24


def test_a_second_range_over_part_of_the_first_is_a_scan_of_its_own(slices, changed, another) -> None:
    verdict = check_series([*changed(slices, acquisition_number="1"), *another(slices[8:20], acquisition_number="2")])

    assert [len(stack.slices) for stack in verdict.stacks] == [24, 12]


def test_a_missing_slice_of_one_echo_quarantines_the_series(slices, changed, another) -> None:
    second = another(slices, echo="2")
    verdict = check_series([*changed(slices, echo="1"), *second[:9], *second[10:]])

    assert reasons(verdict) == {Reason.MISSING_SLICES}
    assert verdict.problems[0].detail.startswith("echo 2: ")


def test_stacks_that_nothing_tells_apart_are_refused(slices, another) -> None:
    assert reasons(check_series([*slices, *another(slices)])) == {Reason.SEVERAL_STACKS}


def test_one_place_taken_twice_is_a_duplicate_and_no_stack(slices, another) -> None:
    assert reasons(check_series([*slices, *another(slices[4:5])])) == {Reason.DUPLICATE_SLICES}


def test_a_key_that_differs_in_every_slice_splits_nothing(slices, changed, another) -> None:
    both = changed([*slices, *another(slices)], acquisition_number=str)

    assert reasons(check_series(both)) == {Reason.SEVERAL_STACKS}


def phases(slices: Slices, another: Change, count: int = 3) -> Slices:
    """A cine: at every place the phases follow each other, their trigger times are not quite the same."""
    found = [another(slices, number + 1) for number in range(count)]
    return [
        replace(header, trigger_time=40.0 * phase + 0.1 * place, instance_number=str(place * count + phase))
        for phase, members in enumerate(found)
        for place, header in enumerate(members)
    ]


def test_trigger_times_that_waver_are_ranked_at_every_place(slices, another) -> None:
    verdict = check_series(phases(slices, another))

    assert labels(verdict) == ["time 1", "time 2", "time 3"]
    spans = [[header.trigger_time for header in stack.slices] for stack in verdict.stacks]
    assert max(spans[0]) < min(spans[1]) < max(spans[1]) < min(spans[2])


def test_one_wrong_trigger_time_carries_no_slice_into_another_phase(slices, another) -> None:
    cine = phases(slices, another)
    for wrong in (35.0, 85.0, 500.0, None):
        bent = [replace(cine[7], trigger_time=wrong), *cine[:7], *cine[8:]]
        verdict = check_series(bent)
        if verdict.accepted:
            assert cine[7].sha256 in {header.sha256 for header in verdict.stacks[0].slices}
        else:
            assert reasons(verdict) == {Reason.SEVERAL_STACKS}


def test_a_phase_that_lacks_a_slice_is_refused(slices, another) -> None:
    assert reasons(check_series(phases(slices, another)[1:])) == {Reason.DUPLICATE_SLICES}


def test_repeated_scans_are_told_apart_by_their_acquisition_times(slices, another) -> None:
    start = datetime(2024, 3, 1, 9, 0)
    runs = [
        replace(header, acquired=start + timedelta(minutes=run, seconds=place))
        for run, members in enumerate([slices, another(slices)])
        for place, header in enumerate(members)
    ]

    assert labels(check_series(runs)) == ["time 1", "time 2"]
    undated = [replace(header, acquired_from="study_date and time") for header in runs]
    assert reasons(check_series(undated)) == {Reason.SEVERAL_STACKS}


def test_planes_that_differ_are_split_by_stack_id_only(slices, another) -> None:
    turned = [
        replace(header, orientation=(1.0, 0.0, 0.0, 0.0, 0.0, -1.0), position=(-40.0, 2.5 * place, 60.0))
        for place, header in enumerate(another(slices))
    ]

    assert reasons(check_series([*slices, *turned])) == {Reason.MIXED_ORIENTATION}
    named = [replace(header, stack_id=str(at // 24)) for at, header in enumerate([*slices, *turned])]
    assert labels(check_series(named)) == ["stack 0", "stack 1"]


STRANGERS = [{"echo": "2"}, {"echo_time": 80.0}, {"b_value": 1000.0}, {"kernel": "B70f"}, {"kvp": 80.0}]
STRANGERS += [{"contrast": "OMNIPAQUE"}, {"manufacturer": "ANOTHER"}]
STRANGERS += [{"repetition_time": 9000.0}, {"inversion_time": 2500.0}]
STRANGERS += [{"image_type": ("ORIGINAL", "PRIMARY", "AXIAL", "P")}]


@pytest.mark.parametrize("fields", STRANGERS, ids=[next(iter(fields)) for fields in STRANGERS])
def test_a_slice_of_another_kind_in_the_place_of_one_is_refused(slices, changed, fields) -> None:
    plain = changed(slices, echo_time=20.0, b_value=0.0, repetition_time=lambda at: 700.0 + 20 * at)

    assert reasons(check_series(changed(plain, (7,), **fields))) == {Reason.MIXED_INTENSITY_SCALE}


def test_a_derived_slice_among_originals_is_refused(slices, changed) -> None:
    verdict = check_series(changed(slices, (7,), image_type=("DERIVED", "PRIMARY", "AXIAL")))

    assert reasons(verdict) == {Reason.DERIVED}


def test_a_remark_of_one_stack_is_not_of_the_other(slices, changed, another) -> None:
    mr = {"modality": "MR", "sop_class": "1.2.840.10008.5.1.4.1.1.4"}
    dark = another(slices, echo="2", photometric="MONOCHROME1", **mr)
    verdict = check_series([*changed(slices, echo="1", **mr), *dark])

    assert verdict.remarks == (Remark.MONOCHROME1_INVERTED,)
    assert [stack.remarks for stack in verdict.stacks] == [(), (Remark.MONOCHROME1_INVERTED,)]
