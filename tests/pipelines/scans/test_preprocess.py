from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.scan import Geometry
from pipelines.scans.kernel import axis_weights, coverage, lattice
from pipelines.scans.preprocess import Grid, preprocess, recorded, standardise
from pipelines.scans.resample import grid_affine, resample

WIDE = ((-1000.0, 1000.0),)


def geometry(shape: tuple[int, int, int], axes: np.ndarray, origin: tuple[float, ...] = (5.0, -7.0, 11.0)) -> Geometry:
    """Geometry of a volume whose columns of ``axes`` are the steps of (column, row, slice) in RAS mm."""
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = axes, origin
    spacing = np.linalg.norm(axes, axis=0)
    return Geometry(shape=shape, spacing_mm=tuple(spacing[::-1]), affine=tuple(map(tuple, affine.tolist())))


def hu(grid: Grid, window: tuple[float, float] = WIDE[0]) -> np.ndarray:
    return grid.values[0].astype(float) * (window[1] - window[0]) + window[0]


def reference(volume: np.ndarray, where: Geometry, grid: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """The definition in float64, by brute force: mean of the trilinear interpolant over boxes along the input axes."""
    air = -1000.0
    into = np.linalg.inv(np.array(where.affine)) @ grid
    padded = np.pad(volume.astype(float) - air, 1)
    out = np.empty(shape)
    boxes = np.sqrt(np.maximum((into[:3, :3] ** 2).sum(axis=1) - 1, 0))
    nodes = [np.linspace(-0.5, 0.5, 801)[1::2] * box if box > 1e-3 else np.zeros(1) for box in boxes]
    for z, y, x in np.ndindex(*shape):
        point = (into @ [x, y, z, 1])[:3]
        weights = []
        for axis, size in zip(range(3), volume.shape[::-1], strict=True):
            samples = np.arange(-1, size + 1)
            hat = np.maximum(0, 1 - np.abs(point[axis] + nodes[axis][:, None] - samples))
            weights.append(hat.mean(axis=0))
        out[z, y, x] = np.einsum("zyx,z,y,x->", padded, weights[2], weights[1], weights[0]) + air
    return out


def test_a_volume_on_its_own_grid_is_itself() -> None:
    volume = np.random.default_rng(0).uniform(-900, 900, (5, 6, 7)).astype(np.float32)
    grid = preprocess(
        volume, geometry((5, 6, 7), np.diag([1, 2, 3])), shape=(5, 6, 7), spacing_mm=(3, 2, 1), windows_hu=WIDE
    )

    np.testing.assert_allclose(hu(grid), volume, atol=2e-3)
    np.testing.assert_allclose(grid.affine, np.array(geometry((5, 6, 7), np.diag([1, 2, 3])).affine))


def test_the_axes_are_turned_to_right_front_and_head() -> None:
    volume = np.random.default_rng(0).uniform(-900, 900, (5, 6, 7)).astype(np.float32)
    where = geometry((5, 6, 7), np.diag([-1, -2, 3]))
    grid = preprocess(volume, where, shape=(5, 6, 7), spacing_mm=(3, 2, 1), windows_hu=WIDE)

    np.testing.assert_allclose(hu(grid), volume[:, ::-1, ::-1], atol=2e-3)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, -1)])
def test_every_permutation_of_axes_puts_each_voxel_where_its_affine_says(
    order: tuple[int, int, int], signs: tuple[int, int, int]
) -> None:
    volume = np.full((5, 6, 7), -1000.0, np.float32)
    volume[1, 2, 4] = 500
    axes = np.zeros((3, 3))
    axes[order, range(3)] = np.array(signs) * 2.0
    where = geometry((5, 6, 7), axes)
    size = tuple(int(n) for n in np.array([7, 6, 5])[np.argsort(order)][::-1])
    grid = preprocess(volume, where, shape=size, spacing_mm=(2, 2, 2), windows_hu=WIDE)

    z, y, x = np.unravel_index(hu(grid).argmax(), grid.values.shape[1:])
    np.testing.assert_allclose(grid.affine @ [x, y, z, 1], np.array(where.affine) @ [4, 2, 1, 1], atol=1e-9)
    assert hu(grid).max() == pytest.approx(500, abs=0.01)


def test_the_grid_lies_around_the_centre_of_the_volume() -> None:
    where = geometry((5, 6, 7), np.diag([-1, 2, 3]))
    affine = grid_affine(where, shape=(4, 4, 4), spacing_mm=(8, 6, 5))

    np.testing.assert_allclose(affine @ [1.5, 1.5, 1.5, 1], np.array(where.affine) @ [3, 2.5, 2, 1])
    np.testing.assert_allclose(np.diag(affine), [5, 6, 8, 1])


def test_shrinking_by_two_takes_the_weights_worked_out_by_hand() -> None:
    # A box of width √3 around a point halfway between two samples. A near sample, half a sample away, has the hat's
    # integral from 0.5 - √3/2 = -0.3660 to its end at 1: 0.5 + 0.3660 - 0.3660²/2 = 0.7990; over √3 that is 0.4613.
    # The far samples have the rest of one half each: 0.0387.
    weights = axis_weights(8, 4, 2.0)

    np.testing.assert_allclose(weights[1], [0, 0.03868, 0.46132, 0.46132, 0.03868, 0, 0, 0], atol=5e-6)


@given(st.integers(4, 40), st.integers(1, 12), st.floats(0.2, 6.0))
def test_constants_and_ramps_stay_exact_where_the_kernel_is_inside(size: int, count: int, step: float) -> None:
    weights = axis_weights(size, count, step)
    centres = (size - 1) / 2 + step * (np.arange(count) - (count - 1) / 2)
    reach = np.sqrt(max(step**2 - 1, 0)) / 2
    inside = (centres - reach >= 0) & (centres + reach <= size - 1)

    np.testing.assert_allclose(weights[inside].sum(axis=1), 1, atol=1e-9)
    np.testing.assert_allclose(weights[inside] @ np.arange(size), centres[inside], atol=1e-7)
    assert (weights >= -1e-12).all()
    assert (weights.sum(axis=1) <= 1 + 1e-9).all()


def test_a_pattern_finer_than_the_grid_becomes_its_mean() -> None:
    volume = np.indices((32, 32, 32)).sum(axis=0) % 2 * 800.0
    grid = preprocess(
        volume.astype(np.float32),
        geometry((32, 32, 32), np.eye(3)),
        shape=(4, 4, 4),
        spacing_mm=(5, 5, 5),
        windows_hu=WIDE,
    )

    assert np.abs(hu(grid) - 400).max() < 25


def test_outside_of_the_volume_is_air() -> None:
    volume = np.full((8, 8, 8), 200, np.float32)
    grid = preprocess(volume, geometry((8, 8, 8), np.eye(3)), shape=(24, 24, 24), spacing_mm=(1, 1, 1), windows_hu=WIDE)

    assert hu(grid)[0, 0, 0] == -1000
    assert hu(grid)[12, 12, 12] == pytest.approx(200, abs=1e-3)


def test_each_window_is_a_channel_from_zero_to_one() -> None:
    volume = np.full((6, 6, 6), 40, np.float32)
    windows = ((-1000.0, 400.0), (-160.0, 240.0), (50.0, 60.0))
    grid = preprocess(volume, geometry((6, 6, 6), np.eye(3)), shape=(2, 2, 2), spacing_mm=(1, 1, 1), windows_hu=windows)

    assert grid.values.dtype == np.float32
    np.testing.assert_allclose(grid.values[:, 0, 0, 0], [1040 / 1400, 0.5, 0.0], atol=1e-6)


def turned(angles: tuple[float, float], spacing: tuple[float, float, float]) -> np.ndarray:
    (a, b) = angles
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return about_z @ about_x @ np.diag(spacing)


SHEARED = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.35], [0.0, 0.1, 1.0]])


@pytest.mark.parametrize("angles", [(0.0, 0.0), (0.4, 0.0), (0.3, -0.7), (0.0, 1e-5)])
@pytest.mark.parametrize("spacing", [(0.7, 0.9, 2.0), (3.0, 3.0, 5.0)])
def test_any_affine_gives_the_values_of_the_definition(
    angles: tuple[float, float], spacing: tuple[float, float, float]
) -> None:
    volume = np.random.default_rng(1).uniform(-900, 900, (9, 16, 14)).astype(np.float32)
    where = geometry(volume.shape, turned(angles, spacing))
    grid = preprocess(volume, where, shape=(4, 5, 6), spacing_mm=(4, 3, 2.5), windows_hu=WIDE)

    np.testing.assert_allclose(hu(grid), reference(volume, where, grid.affine, (4, 5, 6)), atol=0.2)


@pytest.mark.parametrize("spacing", [(0.7, 0.9, 2.0), (3.0, 3.0, 5.0)])
def test_a_sheared_affine_gives_the_values_of_the_definition(spacing: tuple[float, float, float]) -> None:
    volume = np.random.default_rng(1).uniform(-900, 900, (9, 16, 14)).astype(np.float32)
    where = geometry(volume.shape, SHEARED @ np.diag(spacing))
    grid = preprocess(volume, where, shape=(4, 5, 6), spacing_mm=(4, 3, 2.5), windows_hu=WIDE)

    np.testing.assert_allclose(hu(grid), reference(volume, where, grid.affine, (4, 5, 6)), atol=0.2)


AXES = [np.diag([0.7, -0.9, 2.0]), turned((0.3, -0.7), (0.7, 0.9, 2.0)), SHEARED @ np.diag((0.7, 0.9, 2.0))]


@pytest.mark.parametrize("axes", AXES, ids=["along", "askew", "sheared"])
def test_planes_one_by_one_give_the_very_bits_of_the_volume(axes: np.ndarray) -> None:
    volume = np.random.default_rng(1).uniform(-900, 900, (37, 16, 14)).astype(np.float32)
    where = geometry(volume.shape, axes)
    whole, streamed = (
        preprocess(planes, where, shape=(9, 8, 7), spacing_mm=(6, 3, 2.5), windows_hu=WIDE).values
        for planes in (volume, iter(volume))
    )

    np.testing.assert_array_equal(whole, streamed)


@pytest.mark.parametrize("axes", AXES, ids=["along", "askew", "sheared"])
def test_a_plane_may_be_overwritten_once_the_next_one_is_asked_for(axes: np.ndarray) -> None:
    volume = np.random.default_rng(1).uniform(-900, 900, (37, 16, 14)).astype(np.float32)
    where = geometry(volume.shape, axes)
    buffer = np.empty(volume.shape[1:], np.float32)

    def planes() -> Iterator[np.ndarray]:
        for plane in volume:
            buffer[...] = plane
            yield buffer

    arguments = {"shape": (9, 8, 7), "spacing_mm": (6, 3, 2.5), "windows_hu": WIDE}
    np.testing.assert_array_equal(
        preprocess(planes(), where, **arguments).values, preprocess(volume, where, **arguments).values
    )


@pytest.mark.parametrize("axes", AXES, ids=["along", "askew", "sheared"])
def test_every_plane_is_asked_for_even_beyond_the_grid(axes: np.ndarray) -> None:
    volume = np.zeros((37, 16, 14), np.float32)
    asked = []
    planes = (asked.append(number) or plane for number, plane in enumerate(volume))
    preprocess(planes, geometry(volume.shape, axes), shape=(2, 2, 2), spacing_mm=(1, 1, 1), windows_hu=WIDE)

    assert asked == list(range(37))


@pytest.mark.parametrize("count", [0, 5, 7])
@pytest.mark.parametrize("axes", AXES, ids=["along", "askew", "sheared"])
def test_planes_too_few_or_too_many_are_refused(axes: np.ndarray, count: int) -> None:
    where = geometry((6, 4, 4), axes)
    planes = (np.zeros((4, 4), np.float32) for _ in range(count))
    with pytest.raises(ValueError, match="geometry"):
        preprocess(planes, where, shape=(2, 2, 2), spacing_mm=(1, 1, 1), windows_hu=WIDE)


def test_a_plane_of_another_shape_is_refused() -> None:
    planes = (np.zeros((4, 4 + (number == 3)), np.float32) for number in range(6))
    with pytest.raises(ValueError, match="plane 3"):
        preprocess(planes, geometry((6, 4, 4), np.eye(3)), shape=(2, 2, 2), spacing_mm=(1, 1, 1), windows_hu=WIDE)


@pytest.mark.parametrize("axes", AXES, ids=["along", "askew", "sheared"])
def test_a_grid_anywhere_takes_its_values_from_where_it_lies(axes: np.ndarray) -> None:
    volume = np.random.default_rng(1).uniform(-900, 900, (9, 16, 14)).astype(np.float32)
    where = geometry(volume.shape, axes)
    affine = grid_affine(where, shape=(4, 5, 6), spacing_mm=(4, 3, 2.5))
    affine[:3, 3] += (2.3, -3.1, 1.7)
    values = resample(volume, where, affine=affine, shape=(4, 5, 6), bounds=WIDE[0])

    np.testing.assert_allclose(values - 1000, reference(volume, where, affine, (4, 5, 6)), atol=0.2)


@pytest.mark.parametrize("axes", AXES, ids=["along", "askew", "sheared"])
def test_coverage_is_the_resampling_of_ones(axes: np.ndarray) -> None:
    where = geometry((9, 16, 14), axes)
    affine = grid_affine(where, shape=(12, 11, 10), spacing_mm=(2.5, 2, 1.5))
    share = coverage(lattice(where, affine, (12, 11, 10)))

    np.testing.assert_allclose(
        share, resample(np.ones((9, 16, 14), np.float32), where, affine=affine, shape=(12, 11, 10)), atol=1e-5
    )
    assert share.min() == 0
    assert share.max() == pytest.approx(1)


def body(shape: tuple[int, int, int] = (12, 14, 16), *, background: float = 20.0) -> np.ndarray:
    """An MR-like volume: a dark background, a body of 400 to 600 in its middle, and one bright vessel."""
    volume = np.full(shape, background)
    volume[3:-3, 3:-3, 3:-3] = np.random.default_rng(5).uniform(400, 600, tuple(n - 6 for n in shape))
    volume[5, 5, 5] = 1e6
    return volume.astype(np.float32)


def own_grid(where: Geometry) -> dict[str, object]:
    return {"shape": where.shape, "affine": np.array(where.affine)}


def test_z_scores_are_of_the_body_and_a_bright_vessel_moves_neither_mean_nor_deviation() -> None:
    volume = body()
    volume[5, 5, 5] = 9000.0
    found = standardise(volume, where := geometry(volume.shape, np.eye(3)), **own_grid(where))
    inside = volume[3:-3, 3:-3, 3:-3]
    bounds = np.percentile(inside, (0.5, 99.5))

    assert found.statistics["mean"] == pytest.approx(np.clip(inside, *bounds).mean(), rel=1e-5)
    assert found.statistics["sd"] == pytest.approx(np.clip(inside, *bounds).std(), rel=1e-4)
    assert found.values.max() == pytest.approx(
        (bounds[1] - found.statistics["mean"]) / found.statistics["sd"], rel=1e-4
    )


def test_z_scores_do_not_depend_on_the_unit_or_the_offset_of_the_scanner() -> None:
    volume = body()
    volume[5, 5, 5] = 550.0
    where = geometry(volume.shape, np.eye(3))
    one, other = (standardise(values, where, **own_grid(where)) for values in (volume, volume * 7 - 300))

    np.testing.assert_allclose(one.values, other.values, atol=1e-3)


def test_outside_of_a_standardised_scan_is_its_background_and_no_presence() -> None:
    volume = body(background=-50.0)
    where = geometry(volume.shape, np.eye(3))
    found = standardise(
        volume, where, shape=(40, 8, 8), affine=grid_affine(where, shape=(40, 8, 8), spacing_mm=(1, 1, 1))
    )

    assert found.presence[0].max() == 0
    assert found.presence[20].min() == pytest.approx(1)
    expected = (-50.0 - found.statistics["mean"]) / found.statistics["sd"]
    np.testing.assert_allclose(found.values[0], expected, rtol=1e-5)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda volume: volume * 0,
        lambda volume: np.where(volume > 500, np.nan, volume),
        lambda volume: np.where(volume < 1e6, 7.0, 0.0),
    ],
    ids=["flat", "not finite", "one speck"],
)
def test_a_scan_that_cannot_be_standardised_is_refused(spoil: Callable[[np.ndarray], np.ndarray]) -> None:
    volume = spoil(body()).astype(np.float32)
    where = geometry(volume.shape, np.eye(3))
    with pytest.raises(RefusedError) as caught:
        standardise(volume, where, **own_grid(where))
    assert caught.value.reason is Reason.IMPLAUSIBLE_INTENSITY


def test_a_grid_beside_the_scan_is_refused() -> None:
    where = geometry((6, 6, 6), np.eye(3))
    far = np.eye(4)
    far[:3, 3] = 500
    with pytest.raises(RefusedError):
        standardise(body((6, 6, 6)), where, shape=(4, 4, 4), affine=far)


@pytest.mark.slow
@pytest.mark.parametrize("axes", [np.diag([-0.7, -0.7, 0.5]), turned((0.2, 0.3), (-0.7, -0.7, 0.5))])
def test_two_thousand_slices_stream_in_forty_megabytes(axes: np.ndarray) -> None:
    where = geometry((2000, 512, 512), axes)
    plane = np.zeros((512, 512), np.float32)
    arguments = {"shape": (96, 96, 96), "spacing_mm": (10.0, 4.0, 4.0), "windows_hu": WIDE}
    tracemalloc.start()
    grid = preprocess((plane for _ in range(2000)), where, **arguments)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak - grid.values.nbytes < 40e6


def test_a_view_that_is_not_contiguous_gives_the_same_values() -> None:
    volume = np.random.default_rng(1).uniform(-900, 900, (9, 16, 14)).astype(np.float32)
    where = geometry(volume.shape, np.diag([0.7, 0.9, 2.0]))
    plain, strange = (
        preprocess(array, where, shape=(4, 5, 6), spacing_mm=(4, 3, 2.5), windows_hu=WIDE).values
        for array in (volume, np.asfortranarray(volume))
    )

    np.testing.assert_array_equal(plain, strange)


def test_what_was_done_stands_in_the_history() -> None:
    volume = np.zeros((6, 6, 6), np.float32)
    grid = preprocess(volume, geometry((6, 6, 6), np.eye(3)), shape=(2, 2, 2), spacing_mm=(1, 1, 1), windows_hu=WIDE)

    told = recorded(["index: 6 slices", grid.history])
    assert told["windows_hu"] == [[-1000.0, 1000.0]]
    assert told["shape"] == (2, 2, 2)
    np.testing.assert_array_equal(told["affine"], grid.affine)
    assert recorded(["index: 6 slices"]) is None


def test_a_volume_of_another_shape_or_an_empty_window_is_refused() -> None:
    where = geometry((6, 6, 6), np.eye(3))
    with pytest.raises(ValueError, match="shape"):
        preprocess(np.zeros((5, 6, 6)), where, shape=(2, 2, 2), spacing_mm=(1, 1, 1), windows_hu=WIDE)
    with pytest.raises(ValueError, match="window"):
        preprocess(np.zeros((6, 6, 6)), where, shape=(2, 2, 2), spacing_mm=(1, 1, 1), windows_hu=((5.0, 5.0),))
