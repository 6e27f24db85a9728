from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_schemas.scan import Geometry
from pipelines.delivery.planes import AXIAL, CORONAL, SAGITTAL, VIEWS, centre_mm, contains, sample_plane

# Every way in which three axes can lie along the patient's: a permutation, and a sign each.
LAYS = [(order, signs) for order in itertools.permutations(range(3)) for signs in itertools.product((1, -1), repeat=3)]


def laid(order, signs, spacing=(2.0, 3.0, 4.0), shape=(18, 20, 22)):
    """A geometry whose voxel axis i (column, row, slice) runs along RAS axis order[i] in the direction signs[i]."""
    matrix = np.zeros((4, 4))
    for voxel_axis, (ras_axis, sign) in enumerate(zip(order, signs, strict=True)):
        matrix[ras_axis, voxel_axis] = sign * spacing[2 - voxel_axis]
    matrix[:3, 3], matrix[3, 3] = (11.0, -7.0, 5.0), 1
    return Geometry(shape=shape, spacing_mm=spacing, affine=tuple(tuple(row) for row in matrix.tolist()))


def planted(geometry, *, share):
    """A bright voxel at shares (right, front, head) of the volume's extent, and its RAS position."""
    affine = np.array(geometry.affine)
    place = []
    for axis, size in enumerate(geometry.shape[::-1]):
        ras_axis = int(np.abs(affine[:3, axis]).argmax())
        part = share[ras_axis] if affine[ras_axis, axis] > 0 else 1 - share[ras_axis]
        place.append(round(part * (size - 1)))
    volume = np.full(geometry.shape, -1000.0, np.float32)
    volume[place[2], place[1], place[0]] = 500.0
    return volume, tuple(float(value) for value in affine[:3, :3] @ place + affine[:3, 3])


@pytest.mark.parametrize(("order", "signs"), LAYS)
def test_left_front_and_head_are_where_radiologists_expect_them_however_the_slices_lie(order, signs):
    geometry = laid(order, signs)
    volume, position = planted(geometry, share=(0.15, 0.8, 0.9))
    for view, (column, row) in {AXIAL: (0.85, 0.2), CORONAL: (0.85, 0.1), SAGITTAL: (0.2, 0.1)}.items():
        plane = sample_plane(volume, geometry, view, through_mm=position[view.through], longest_px=100, outside=-1000)
        rows, columns = plane.values.shape
        found = np.unravel_index(plane.values.argmax(), plane.values.shape)
        assert found[1] / columns == pytest.approx(column, abs=0.09)
        assert found[0] / rows == pytest.approx(row, abs=0.09)
        assert plane.pixel_of(position) == pytest.approx((found[1] + 0.5, found[0] + 0.5), abs=1.5)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_an_image_has_the_proportions_of_the_patient(view, geometry):
    scanned = geometry((20, 32, 48), (5.0, 2.0, 1.0))  # 100 mm high, 64 mm deep, 48 mm wide
    size = (48, 64, 100)
    plane = sample_plane(np.zeros(scanned.shape, np.float32), scanned, view, through_mm=0, longest_px=200, outside=0)
    rows, columns = plane.values.shape
    assert max(rows, columns) == 200
    assert columns / rows == pytest.approx(size[view.across] / size[view.down], rel=0.01)


def test_the_plane_through_a_slice_holds_its_voxels(geometry):
    scanned = geometry((3, 8, 8), (4.0, 2.0, 2.0))
    volume = np.random.default_rng(0).normal(size=scanned.shape).astype(np.float32)
    plane = sample_plane(volume, scanned, AXIAL, through_mm=-26.0, longest_px=8, outside=0)
    np.testing.assert_allclose(plane.values, volume[1], atol=1e-5)


def test_between_two_slices_lies_their_mean(geometry):
    scanned = geometry((2, 4, 4), (4.0, 2.0, 2.0))
    volume = np.stack([np.zeros((4, 4)), np.full((4, 4), 10.0)]).astype(np.float32)
    plane = sample_plane(volume, scanned, AXIAL, through_mm=-28.0, longest_px=4, outside=0)
    np.testing.assert_allclose(plane.values, 5.0, atol=1e-4)


def test_a_pixel_wider_than_voxels_takes_their_mean(geometry):
    scanned = geometry((1, 8, 8), (2.0, 1.0, 1.0))
    stripes = np.broadcast_to(np.arange(8) % 2 * 100.0, (1, 8, 8)).astype(np.float32)
    plane = sample_plane(stripes, scanned, AXIAL, through_mm=-30.0, longest_px=4, outside=0)
    np.testing.assert_allclose(plane.values, 50.0, atol=1e-3)


def test_outside_of_the_volume_and_values_that_are_no_number_become_the_outside_value(geometry):
    scanned = geometry((2, 4, 4))
    volume = np.full(scanned.shape, np.nan, np.float32)
    plane = sample_plane(volume, scanned, AXIAL, through_mm=-30.0, longest_px=4, outside=-1000)
    beyond = sample_plane(volume, scanned, AXIAL, through_mm=900.0, longest_px=4, outside=-1000)
    assert (plane.values == -1000).all()
    assert (beyond.values == -1000).all()


def test_the_centre_is_inside_and_a_place_beyond_the_edge_is_not(geometry):
    scanned = geometry((4, 4, 4), (4.0, 2.0, 2.0))
    assert centre_mm(scanned) == (97.0, 47.0, -24.0)
    assert contains(scanned, (97.0, 47.0, -24.0))
    assert contains(scanned, (100.9, 47.0, -24.0))
    assert not contains(scanned, (101.1, 47.0, -24.0))


@settings(max_examples=25, deadline=None)
@given(
    angles=st.tuples(*[st.floats(-0.5, 0.5)] * 3),
    value=st.floats(-1000, 1000, width=32),
    view=st.sampled_from(VIEWS),
)
def test_however_the_volume_is_turned_its_middle_is_found(angles, value, view):
    a, b, c = angles
    turn = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    turn = turn @ np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    turn = turn @ np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn * np.array([2.0, 2.0, 4.0])
    geometry = Geometry(
        shape=(6, 10, 10), spacing_mm=(4.0, 2.0, 2.0), affine=tuple(tuple(row) for row in affine.tolist())
    )
    volume = np.full(geometry.shape, value, np.float32)
    middle = centre_mm(geometry)
    plane = sample_plane(volume, geometry, view, through_mm=middle[view.through], longest_px=40, outside=-2000)
    column, row = plane.pixel_of(middle)
    assert plane.values[int(row), int(column)] == pytest.approx(value, abs=0.01)
