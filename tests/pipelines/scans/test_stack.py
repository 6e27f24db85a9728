"""Order, spacing, tilt and uneven gaps, by hand-computed grids; and that no single wrong header bends a volume."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from data_schemas.reasons import Reason, Remark
from pipelines.scans.check import Verdict, check_series
from pipelines.scans.grid import fit_line, grown
from pipelines.scans.slice_header import SliceHeader
from pipelines.scans.stack import Stack, places, stack_slices

Slices = list[SliceHeader]


def reasons(found: Verdict | Stack) -> set[Reason]:
    return {problem.reason for problem in found.problems}


def tilted(slices: Slices, degrees: float, stated: float | None = None, gap: float = 2.5) -> Slices:
    """Slices of a gantry turned about the patient's left-right axis while the table moves along z."""
    turn = math.radians(degrees)
    direction = (1.0, 0.0, 0.0, 0.0, math.cos(turn), -math.sin(turn))
    return [
        replace(header, orientation=direction, position=(-40.0, -30.0, 100.0 + gap * at), tilt=stated)
        for at, header in enumerate(slices)
    ]


def at_heights(slices: Slices, heights: list[float]) -> Slices:
    return [replace(header, position=(-40.0, -30.0, height)) for header, height in zip(slices, heights, strict=False)]


@pytest.mark.parametrize("stated", [None, 15.0, -15.0, 15.3])
@pytest.mark.parametrize("degrees", [15.0, -15.0])
def test_a_tilted_gantry_makes_a_grid_at_right_angles(slices, degrees: float, stated: float | None) -> None:
    verdict = check_series(tilted(slices, degrees, stated))

    assert verdict.problems == ()
    assert verdict.remarks == (Remark.TILT_CORRECTED,)
    stack = verdict.stacks[0]
    assert stack.geometry is not None
    affine = np.array(stack.geometry.affine)[:3, :3]
    spacing = stack.geometry.spacing_mm
    # The table's 2.5 mm are the hypotenuse: the slices lie 2.5 cos(15) apart and shift 2.5 sin(15) in the plane.
    assert spacing == pytest.approx((2.5 * math.cos(math.radians(15)), 0.8, 0.7))
    np.testing.assert_allclose(affine.T @ affine, np.diag([0.7**2, 0.8**2, spacing[0] ** 2]), atol=1e-9)
    assert stack.geometry.shape == (24, 64 + math.ceil(23 * 2.5 * math.sin(math.radians(15)) / 0.8), 60)
    np.testing.assert_allclose(stack.stored_origins[3], (40, 30, 107.5))
    assert "19 rows" in stack.history[0]


def test_every_stored_pixel_lies_inside_the_grid_of_a_tilt(slices) -> None:
    for degrees in (30.0, -30.0):
        stack = check_series(tilted(slices, degrees)).stacks[0]
        assert stack.geometry is not None
        across, down, place = (
            np.linalg.inv(np.array(stack.geometry.affine)) @ np.c_[np.array(stack.stored_origins), np.ones(24)].T
        )[:3]
        np.testing.assert_allclose(place, np.arange(24), atol=1e-6)
        np.testing.assert_allclose(across, 0, atol=1e-6)
        assert down.min() >= -1e-3
        assert down.max() + 63 <= stack.geometry.shape[1] - 1 + 1e-3


@pytest.mark.parametrize(
    ("degrees", "stated"),
    [(0.0, 15.0), (15.0, 0.0), (15.0, 8.0), (50.0, None), (15.0, float("nan"))],
    ids=["stated only", "positions only", "another angle", "beyond any gantry", "no number"],
)
def test_a_tilt_that_header_and_positions_do_not_share_is_refused(slices, degrees: float, stated: float | None) -> None:
    assert reasons(check_series(tilted(slices, degrees, stated))) == {Reason.TILTED}


@pytest.mark.parametrize("other", [None, 14.0, float("nan")])
def test_a_tilt_that_one_slice_states_otherwise_is_refused(slices, changed, other: float | None) -> None:
    headers = changed(tilted(slices, 15.0, 15.0), (4,), tilt=other)

    assert reasons(check_series(headers)) == {Reason.TILTED}


def test_a_missing_slice_of_a_tilted_stack_is_missing(slices) -> None:
    headers = tilted(slices, 15.0)

    assert reasons(check_series([*headers[:9], *headers[10:]])) == {Reason.MISSING_SLICES}


UNEVEN = [100 + 2.5 * at + (0.8 if at % 3 == 1 else 0.0) for at in range(24)]


def test_uneven_gaps_are_refused_unless_the_settings_allow_them(slices) -> None:
    headers = at_heights(slices, UNEVEN)
    verdict = check_series(headers, resample_irregular=True)

    assert reasons(check_series(headers)) == {Reason.IRREGULAR_SPACING}
    assert verdict.remarks == (Remark.RESAMPLED_IRREGULAR,)
    geometry = verdict.stacks[0].geometry
    assert geometry is not None
    # Gaps of 3.3, 1.7 and 2.5 mm; the 57.5 mm from end to end are 23 of the median gap.
    assert geometry.shape == (24, 64, 60)
    assert geometry.spacing_mm[0] == pytest.approx(2.5)
    assert [origin[2] for origin in verdict.stacks[0].stored_origins] == pytest.approx(UNEVEN)


@pytest.mark.parametrize(
    ("heights", "reason"),
    [
        ([0, 2, 4, 6.7, 8.5, 10, 16.5, 18], Reason.IRREGULAR_SPACING),
        ([0, 5, 11, 16, 26.5, 31, 36], Reason.IRREGULAR_SPACING),
        ([0, 2, 4, 6, 10, 12, 14], Reason.MISSING_SLICES),
        ([0, 2, 4, 6.3, 6.301, 8, 10], Reason.DUPLICATE_SLICES),
    ],
    ids=["above three medians", "above 10 mm", "one is missing", "one twice"],
)
def test_what_no_resampling_may_mend_stays_refused(slices, heights: list[float], reason: Reason) -> None:
    assert reasons(check_series(at_heights(slices, heights), resample_irregular=True)) == {reason}


def test_an_even_series_is_not_resampled_where_the_settings_allow_it(slices) -> None:
    verdict = check_series(slices, resample_irregular=True)

    assert verdict == check_series(slices)
    assert verdict.stacks[0].stored_origins == ()


def test_a_tilted_stack_of_uneven_gaps_is_both(slices) -> None:
    headers = [
        replace(header, position=(-40.0, -30.0, height))
        for header, height in zip(tilted(slices, 10.0), UNEVEN, strict=True)
    ]
    verdict = check_series(headers, resample_irregular=True)

    assert verdict.remarks == (Remark.TILT_CORRECTED, Remark.RESAMPLED_IRREGULAR)


@pytest.mark.parametrize(("gap", "accepted"), [(0.01, False), (0.06, True), (24.0, True), (26.0, False)])
def test_the_distance_between_slices_is_that_of_a_patient(slices, gap: float, accepted: bool) -> None:
    verdict = check_series(at_heights(slices, [gap * at for at in range(24)]))

    assert verdict.accepted == accepted
    if not accepted:
        assert reasons(verdict) <= {Reason.IMPLAUSIBLE_GEOMETRY, Reason.DUPLICATE_SLICES}


def test_a_first_slice_that_lies_aside_is_no_tilt(slices) -> None:
    aside = [replace(slices[0], position=(-39.7, -30.0, 100.0)), *slices[1:]]
    near = [replace(slices[0], position=(-39.83, -30.0, 100.0)), *slices[1:]]

    assert reasons(check_series(aside)) == {Reason.IRREGULAR_SPACING}
    assert check_series(near).stacks[0].geometry == check_series(slices).stacks[0].geometry


def test_places_are_counted_along_the_normal() -> None:
    assert places(np.array([5.0, 0.0, 2.5, 5.005, 0.0])).tolist() == [2, 0, 1, 2, 0]


@pytest.mark.parametrize("count", [5, 6, 64, 65, 300])
def test_a_line_is_not_bent_by_one_wrong_point(count: int) -> None:
    at = np.arange(count, dtype=float)
    right = np.array([1.0, 2.0, 3.0]) + np.outer(at, [0.0, 0.1, 2.5])
    for wrong in (0, count // 2, count - 1):
        bent = right.copy()
        bent[wrong] += (0.3, -0.2, 1.0)
        line = fit_line(bent, at)
        np.testing.assert_allclose(line.start, (1, 2, 3), atol=1e-9)
        np.testing.assert_allclose(line.step, (0.0, 0.1, 2.5), atol=1e-9)


def test_the_ends_of_an_even_stack_are_the_line() -> None:
    points = np.round(np.outer(np.arange(24), [0, 0, 0.625]), 2)
    line = fit_line(points, np.arange(24.0))

    assert line.start.tolist() == points[0].tolist()
    assert line.step[2] == points[-1, 2] / 23


def test_a_grid_grows_to_hold_the_shifted_and_no_further() -> None:
    assert grown(np.array([0.0, 1.0, 2.1]), 0.7, 60) == (0, 63)
    assert grown(np.array([0.0, -0.8, -1.0]), 0.8, 64) == (-2, 66)
    assert grown(np.zeros(3), 0.8, 64) == (0, 64)


def test_ten_thousand_slices_are_judged_within_a_second_and_three_hundred_within_30_ms(slices) -> None:
    import time

    for count, limit in ((300, 0.03), (10_000, 1.0)):
        many = [
            replace(
                slices[0], sha256=f"{at:064x}", sop_uid=str(at), position=(0.0, 0.0, 0.5 * at), rows=16, pixels=None
            )
            for at in range(count)
        ]
        many = [replace(header, pixels=replace(slices[0].pixels, length=16 * 60 * 2)) for header in many]
        best = math.inf
        for _ in range(3):
            start = time.perf_counter()
            verdict = check_series(many)
            best = min(best, time.perf_counter() - start)
        assert verdict.accepted
        assert best < 3 * limit  # three times: the machine may be busy


# The invariant: one mutated header of a series never changes the volume unnoticed.

NUMBER = st.floats(-1e4, 1e4)
SMALL = st.floats(-0.5, 0.5)


def nudged(name: str, size: int) -> st.SearchStrategy[tuple[str, Callable[[SliceHeader], object]]]:
    """One component of a position, direction or spacing moved by little, or replaced by anything."""

    def build(at: int, by: float, anew: bool) -> tuple[str, Callable[[SliceHeader], object]]:
        def value(header: SliceHeader) -> tuple[float, ...]:
            old = list(getattr(header, name))
            old[at] = by * 1e4 if anew else old[at] + by
            return tuple(old)

        return name, value

    little = SMALL | st.floats(-0.17, 0.17) | st.floats(-0.02, 0.02) | st.floats(-5e-4, 5e-4)
    return st.builds(build, st.integers(0, size - 1), little, st.integers(0, 9).map(lambda tenth: tenth == 9))


def to(name: str, values: st.SearchStrategy) -> st.SearchStrategy[tuple[str, Callable[[SliceHeader], object]]]:
    return values.map(lambda value: (name, lambda header: value))


GEOMETRIC = nudged("position", 3) | nudged("orientation", 6) | nudged("pixel_spacing", 2)
MUTATIONS = st.one_of(
    st.integers(-30, 30).map(
        lambda gaps: ("position", lambda header: (*header.position[:2], header.position[2] + 2.5 * gaps))
    ),
    to("patient_id", st.sampled_from(["", "7", "008", "007 "])),
    to("patient_name", st.sampled_from(["", "X", "MUSTER^ERIKA"])),
    to("birth_date", st.sampled_from(["", "19600103", "1960.01.02"])),
    to("sex", st.sampled_from(["", "M", "O"])),
    to("study_uid", st.just("1.2")),
    to("frame_of_reference", st.sampled_from(["", "1.2"])),
    to("patient_position", st.sampled_from(["", "FFS"])),
    to("slope", st.none() | NUMBER),
    to("intercept", st.none() | NUMBER),
    to("rescale_type", st.sampled_from(["", "US", "X"])),
    to("photometric", st.sampled_from(["MONOCHROME1", "RGB", ""])),
    to("signed", st.sampled_from([True, None])),
    to("bits_stored", st.integers(1, 16)),
    to("rows", st.integers(1, 128)),
    to("columns", st.integers(1, 128)),
    to("modality", st.sampled_from(["MR", "PT", ""])),
    to("tilt", st.none() | st.floats(-90, 90) | st.just(float("nan"))),
    to("echo", st.sampled_from(["", "2"])),
    to("b_value", st.just(1000.0)),
    to("acquisition_number", st.sampled_from(["2", "3"])),
    to("temporal", st.just("2")),
    to("instance_number", st.sampled_from(["", "1", "24", "25", "99"])),
    to("image_type", st.sampled_from([(), ("ORIGINAL", "PRIMARY", "LOCALIZER"), ("DERIVED", "PRIMARY", "AXIAL")])),
)


CASES = (st.sampled_from([0, 0, 1, 11, 22, 23, 23]), GEOMETRIC | MUTATIONS, st.sampled_from([5, 24]), st.booleans())


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(*CASES)
def test_one_mutated_header_never_changes_the_volume_unnoticed(slices, which, mutation, count, allow) -> None:
    refused_or_the_same(slices, which, mutation, count, allow)


@pytest.mark.slow
@settings(max_examples=5_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(*CASES)
def test_five_thousand_mutated_headers_never_change_a_volume_unnoticed(slices, which, mutation, count, allow) -> None:
    refused_or_the_same(slices, which, mutation, count, allow)


def refused_or_the_same(slices: Slices, which: int, mutation: tuple, count: int, allow: bool) -> None:
    name, value = mutation
    whole = slices[:count]
    at = min(which, count - 1)
    bent = replace(whole[at], **{name: value(whole[at])})
    assume(bent != whole[at])
    before = check_series(whole).stacks[0]
    verdict = check_series([*whole[:at], bent, *whole[at + 1 :]], resample_irregular=allow)

    if not verdict.accepted or verdict.remarks:
        return
    (after,) = verdict.stacks
    assert before.geometry is not None
    assert after.geometry is not None
    assert [header.sha256 for header in after.slices] == [header.sha256 for header in before.slices]
    assert after.geometry.shape == before.geometry.shape
    old, new = np.array(before.geometry.affine), np.array(after.geometry.affine)
    assert np.abs(new[:3, 3] - old[:3, 3]).max() <= 0.01
    assert np.abs(np.subtract(after.geometry.spacing_mm, before.geometry.spacing_mm)).max() <= 0.01
    lengths = np.linalg.norm(old[:3, :3], axis=0) * np.linalg.norm(new[:3, :3], axis=0)
    cosines = np.clip((old[:3, :3] * new[:3, :3]).sum(axis=0) / lengths, -1, 1)
    assert np.degrees(np.arccos(cosines)).max() <= 0.1
    assert {(header.slope, header.intercept, header.signed, header.bits_stored) for header in after.slices} == {
        (whole[0].slope, whole[0].intercept, whole[0].signed, whole[0].bits_stored)
    }
    assert {header.patient_id.strip() for header in after.slices} == {"007"}


@given(st.lists(st.tuples(SMALL, SMALL, SMALL), min_size=12, max_size=12))
def test_what_is_stacked_lies_where_its_grid_says(slices, jitter) -> None:
    headers = [
        replace(header, position=tuple(np.add(header.position or (), np.multiply(moved, 0.1))))
        for header, moved in zip(slices, jitter, strict=False)
    ]
    stack = stack_slices(headers, resample_irregular=True)
    if stack.geometry is None or stack.stored_origins:
        return
    affine = np.array(stack.geometry.affine)
    for place, header in enumerate(stack.slices):
        stated = np.multiply(header.position or (), (-1, -1, 1))
        assert np.abs(affine[:3, 3] + place * affine[:3, 2] - stated).max() <= 0.25
