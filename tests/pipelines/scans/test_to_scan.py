"""What is found on a model's grid is taken back to the very place in the scanner's space."""

from __future__ import annotations

import numpy as np
import pytest

from data_schemas.scan import Geometry
from fusion_models.scan_encoder import cell_centres
from pipelines.scans.preprocess import preprocess, recorded
from pipelines.scans.to_scan import cells_affine, to_planes, to_scan

SHAPE = (20, 36, 30)


def axes_of(kind: str) -> np.ndarray:
    a, b = 0.35, -0.5
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    turned = about_z @ about_x @ np.diag([1.5, -1.2, 3.0])
    sagittal = np.array([[0, 0, 3.0], [1.5, 0, 0], [0, -1.2, 0]])
    return {"axial": np.diag([-1.5, -1.2, 3.0]), "sagittal": sagittal, "oblique": turned}[kind]


def geometry(kind: str) -> Geometry:
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = axes_of(kind), (5.0, -7.0, 11.0)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)[::-1]
    return Geometry(shape=SHAPE, spacing_mm=tuple(spacing), affine=tuple(map(tuple, affine.tolist())))


@pytest.fixture(params=["axial", "sagittal", "oblique"])
def where(request: pytest.FixtureRequest) -> Geometry:
    return geometry(request.param)


def millimetres(where: Geometry, voxel: tuple[int, ...]) -> np.ndarray:
    return (np.array(where.affine) @ [*voxel[::-1], 1])[:3]


@pytest.mark.parametrize("voxel", [(9, 17, 14), (6, 25, 9), (13, 10, 20)])
def test_a_bright_spot_comes_back_to_its_own_millimetres(where: Geometry, voxel: tuple[int, int, int]) -> None:
    index = np.indices(SHAPE).reshape(3, -1)[::-1]
    place = np.array(where.affine)[:3, :3] @ index + np.array(where.affine)[:3, 3:]
    distance = np.linalg.norm(place.T - millimetres(where, voxel), axis=1)
    volume = (-1000 + 1900 * np.exp(-((distance / 4.0) ** 2) / 2)).reshape(SHAPE).astype(np.float32)
    grid = preprocess(volume, where, shape=(32, 32, 32), spacing_mm=(2.5, 2.5, 2.5), windows_hu=((-1000, 1000),))
    told = recorded([grid.history])
    back = to_scan(grid.values[0], told["affine"], where)

    peak = np.unravel_index(back.argmax(), back.shape)
    # Half the diagonal of a grid voxel: the spot's own centre need not be the centre of one.
    assert np.linalg.norm(millimetres(where, peak) - millimetres(where, voxel)) <= np.sqrt(3) * 2.5 / 2
    weight = back.astype(float) ** 2
    centre = [(weight * index).sum() / weight.sum() for index in np.indices(SHAPE)]
    assert np.linalg.norm(millimetres(where, tuple(centre)) - millimetres(where, voxel)) < 0.3


def test_a_ramp_in_millimetres_is_the_same_ramp_in_the_scan(where: Geometry) -> None:
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = -200.0
    z, y, x = np.indices((100, 100, 100))
    ramp = 0.5 * (4 * x - 200) - 0.2 * (4 * y - 200) + 0.1 * (4 * z - 200)
    back = to_scan(ramp, affine, where)

    index = np.indices(SHAPE).reshape(3, -1)[::-1]
    place = np.array(where.affine)[:3, :3] @ index + np.array(where.affine)[:3, 3:]
    np.testing.assert_allclose(back.reshape(-1), [0.5, -0.2, 0.1] @ place, atol=1e-3)


@pytest.mark.parametrize("order", [0, 1])
def test_what_lies_beyond_the_grid_is_outside(where: Geometry, order: int) -> None:
    affine = np.eye(4)
    affine[:3, 3] = millimetres(where, (10, 18, 15)) - 1.5
    back = to_scan(np.ones((4, 4, 4)), affine, where, order=order, outside=-7.0)

    assert set(np.unique(back)) == {-7.0, 1.0}
    inside = np.argwhere(back == 1)
    reach = np.abs([millimetres(where, tuple(voxel)) - millimetres(where, (10, 18, 15)) for voxel in inside])
    assert reach.max() <= 2.0 + 1e-9


def test_blocks_keep_their_labels(where: Geometry) -> None:
    labels = np.random.default_rng(0).integers(0, 5, (6, 6, 6))
    affine = np.diag([12.0, 12.0, 12.0, 1.0])
    affine[:3, 3] = millimetres(where, (10, 18, 15)) - 30.37
    back = to_scan(labels, affine, where, order=0, outside=-1)

    for voxel in np.random.default_rng(1).integers(0, SHAPE, (200, 3)):
        near = np.floor((np.linalg.inv(affine) @ [*millimetres(where, tuple(voxel)), 1])[:3] + 0.5).astype(int)[::-1]
        expected = labels[tuple(near)] if ((near >= 0) & (near < 6)).all() else -1
        assert back[tuple(voxel)] == expected


def test_cells_lie_where_the_encoder_says_that_its_tokens_are() -> None:
    import torch

    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    affine[:3, 3] = (-10, 20, 5)
    cells, voxels = (3, 4, 5), (40, 36, 32)
    centres = cell_centres(torch.Size(cells), torch.Size(voxels), torch.from_numpy(affine)[None])[0]
    mine = cells_affine(affine, voxels, cells)

    index = np.indices(cells).reshape(3, -1)[::-1]
    np.testing.assert_allclose((mine[:3, :3] @ index + mine[:3, 3:]).T, centres.numpy(), atol=1e-9)


def test_a_hot_token_is_hot_in_the_scan_around_its_own_place(where: Geometry) -> None:
    grid = preprocess(
        np.zeros(SHAPE, np.float32), where, shape=(32, 32, 32), spacing_mm=(3, 3, 3), windows_hu=((-1000, 1000),)
    )
    heat = np.zeros((4, 4, 4))
    heat[1, 2, 1] = 1.0
    affine = cells_affine(grid.affine, (32, 32, 32), heat.shape)
    back = to_scan(heat, affine, where)

    hottest = millimetres(where, np.unravel_index(back.argmax(), SHAPE))
    assert np.abs(hottest - (affine @ [1, 2, 1, 1])[:3]).max() < 3.0


def test_planes_are_those_of_the_volume(where: Geometry) -> None:
    values = np.random.default_rng(0).uniform(size=(5, 6, 7))
    affine = np.diag([9.0, 9.0, 9.0, 1.0])
    np.testing.assert_array_equal(np.stack(list(to_planes(values, affine, where))), to_scan(values, affine, where))


def test_another_order_or_an_empty_grid_is_refused(where: Geometry) -> None:
    with pytest.raises(ValueError, match="order"):
        to_scan(np.ones((2, 2, 2)), np.eye(4), where, order=3)
    with pytest.raises(ValueError, match="grid"):
        to_scan(np.ones((2, 0, 2)), np.eye(4), where)
