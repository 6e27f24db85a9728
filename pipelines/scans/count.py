"""What headers count, held against the slices that are there.

Positions find every slice that is missing inside a stack. At its ends, and where a whole share of the slices is gone
evenly, only a count can tell; few scanners write one honestly, so each is believed only where it cannot mean anything
else.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from data_schemas.reasons import Reason
from pipelines.scans.problem import Problem
from pipelines.scans.slice_header import SliceHeader

# Of the thickness: slices of a CT further apart than this have something between them that was not sent.
FURTHER_APART = 1.5


def miscounted(slices: Sequence[SliceHeader], *, in_series: int) -> Iterator[Problem]:
    """Find that a series of one stack (in slice order) has fewer slices than its headers count.

    * Number of Slices, which a PET image must state.
    * Images in Acquisition, where the series is one acquisition whose instance numbers follow the slices one by one
      and stay within that count.
    * Instance numbers of a CT that follow the slices in steps of two or more, while the slices lie further apart than
      one and a half times their thickness: the ones between were acquired. (Interleaved echoes have such steps too,
      but CT has no echoes; slices without gaps in steps of two are one half of a dual-energy pair, and right.)
    """
    first, numbers = slices[0], _numbers(slices)
    stated = {header.number_of_slices for header in slices}
    if first.modality == "PT" and len(stated) == 1 and (first.number_of_slices or 0) > len(slices):
        yield Problem(Reason.MISSING_SLICES, f"{len(slices)} slices; the headers count {first.number_of_slices}")
    step = _step(numbers)
    counts = {(header.images_in_acquisition, header.acquisition_number) for header in slices}
    counted = first.images_in_acquisition or 0
    if abs(step) == 1 and numbers is not None and len(counts) == 1 and counted > in_series and numbers.max() <= counted:
        yield Problem(Reason.MISSING_SLICES, f"{in_series} slices; the headers count {counted}")
    if abs(step) > 1 and first.modality == "CT" and _apart(slices):
        yield Problem(Reason.MISSING_SLICES, f"instance numbers and positions both go in steps of {abs(step)} slices")


def misplaced(slices: Sequence[SliceHeader]) -> Iterator[Problem]:
    """Find an end slice (in slice order) that belongs to the other end, by its instance number.

    A wrong position that leaves no hole can only have carried a slice from one end of the stack beyond the other.
    """
    numbers = _numbers(slices)
    if numbers is None or len(numbers) < 3:
        return
    for rolled in (np.roll(numbers, 1), np.roll(numbers, -1)):
        if abs(_step(rolled)) >= 1 and _step(numbers) == 0:
            yield Problem(Reason.IRREGULAR_SPACING, "the instance numbers place an end slice at the other end")
            return


def alternating(slices: Sequence[SliceHeader]) -> Iterator[Problem]:
    """Find two acquisitions of a CT whose slices (in slice order) take turns: two stacks, each with gaps.

    Step-and-shoot goes through space in several acquisitions, one after the other. An MR interleaves them on purpose.
    """
    numbers = [header.acquisition_number for header in slices]
    runs = sum(one != after for one, after in pairwise(numbers)) + 1
    if slices[0].modality == "CT" and runs > len(set(numbers)):
        yield Problem(Reason.SEVERAL_STACKS, f"the slices of {len(set(numbers))} acquisitions take turns in space")


def lopsided(stacks: Sequence[Sequence[SliceHeader]]) -> Iterator[Problem]:
    """Find that of the stacks of one acquisition (echoes, b-values, times, kinds) some have fewer slices than others.

    Acquisitions differ in extent on purpose, and so do the stacks of an enhanced object.
    """
    counts: dict[Hashable, set[int]] = {}
    for slices in filter(None, stacks):
        acquisitions = frozenset(header.acquisition_number for header in slices)
        counts.setdefault((acquisitions, slices[0].stack_id, slices[0].kernel), set()).add(len(slices))
    for found in counts.values():
        if len(found) > 1:
            yield Problem(Reason.MISSING_SLICES, f"stacks of one acquisition have {min(found)} to {max(found)} slices")


def _numbers(slices: Sequence[SliceHeader]) -> np.ndarray | None:
    found = [header.instance_number for header in slices]
    if not all(number.isascii() and number.isdigit() and len(number) < 10 for number in found):
        return None
    return np.array([int(number) for number in found])


def _step(numbers: np.ndarray | None) -> int:
    """The constant step of instance numbers in slice order, or 0."""
    steps = np.diff(numbers) if numbers is not None else np.array([])
    return int(steps[0]) if steps.size and (steps == steps[0]).all() else 0


def _apart(slices: Sequence[SliceHeader]) -> bool:
    thickness = slices[0].thickness or 0.0
    extent = np.linalg.norm(np.subtract(slices[-1].position or (), slices[0].position or ()))
    return thickness > 0 and bool(extent > FURTHER_APART * thickness * (len(slices) - 1))
