from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.scan import Geometry
from pipelines.scans.preprocess import Grid, axis_weights, grid_affine, preprocess

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


@pytest.mark.parametrize("angles", [(0.0, 0.0), (0.4, 0.0), (0.3, -0.7), (0.0, 1e-5)])
@pytest.mark.parametrize("spacing", [(0.7, 0.9, 2.0), (3.0, 3.0, 5.0)])
def test_any_affine_gives_the_values_of_the_definition(
    angles: tuple[float, float], spacing: tuple[float, float, float]
) -> None:
    volume = np.random.default_rng(1).uniform(-900, 900, (9, 16, 14)).astype(np.float32)
    where = geometry(volume.shape, turned(angles, spacing))
    grid = preprocess(volume, where, shape=(4, 5, 6), spacing_mm=(4, 3, 2.5), windows_hu=WIDE)

    np.testing.assert_allclose(hu(grid), reference(volume, where, grid.affine, (4, 5, 6)), atol=0.2)


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

    assert "(2, 2, 2)" in grid.history
    assert "-1000 to 1000 HU" in grid.history


def test_a_volume_of_another_shape_or_an_empty_window_is_refused() -> None:
    where = geometry((6, 6, 6), np.eye(3))
    with pytest.raises(ValueError, match="shape"):
        preprocess(np.zeros((5, 6, 6)), where, shape=(2, 2, 2), spacing_mm=(1, 1, 1), windows_hu=WIDE)
    with pytest.raises(ValueError, match="window"):
        preprocess(np.zeros((6, 6, 6)), where, shape=(2, 2, 2), spacing_mm=(1, 1, 1), windows_hu=((5.0, 5.0),))
