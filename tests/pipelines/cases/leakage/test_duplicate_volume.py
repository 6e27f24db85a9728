from __future__ import annotations

import numpy as np
import pytest

from data_schemas.scan import ScanFile
from pipelines.cases.leakage.duplicate_volume import find_duplicate_volumes, thumbnail

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def body() -> np.ndarray:
    """What all volumes share."""
    return RNG.random((2, 16, 16, 16)).astype(np.float32)


@pytest.fixture(scope="module")
def crowd(case, body):
    """Thirty patients, alike as bodies are, in two splits."""

    def own() -> np.ndarray:
        coarse = RNG.normal(0, 0.1, (2, 4, 4, 4)).repeat(4, axis=1).repeat(4, axis=2).repeat(4, axis=3)
        return (body + coarse).astype(np.float16)

    return [case(str(n), ("train", "test")[n % 2], tensor=own()) for n in range(1, 31)]


def test_thumbnails_are_block_means_of_any_shape() -> None:
    values = np.arange(2 * 10 * 9 * 8, dtype=np.float64).reshape(2, 10, 9, 8)
    small = thumbnail(values)
    assert small.shape == (2 * 8 * 8 * 8,)
    assert np.allclose(thumbnail(small.reshape(2, 8, 8, 8)), small)
    assert np.allclose(thumbnail(np.full((1, 20, 21, 22), 3.0)), 3.0)


def test_bodies_that_are_alike_are_no_leak(crowd) -> None:
    check, leaks = find_duplicate_volumes(crowd)
    assert (check.compared, leaks) == (30, [])


@pytest.mark.parametrize("noise", [0.0, 0.005])
def test_the_same_volume_in_two_splits_is_a_leak_with_and_without_noise(case, crowd, noise: float) -> None:
    values = crowd[0].example.scan.values.astype(np.float32)
    copy = values + RNG.normal(0, noise, values.shape)
    [leak] = find_duplicate_volumes([*crowd, case("copy", "train", tensor=copy)])[1]
    assert leak.where == ("study 1.2.1", "study 1.2.copy")
    assert leak.value > leak.limit


def test_the_same_volume_in_one_split_is_no_leak(case, crowd) -> None:
    same = case("copy", crowd[0].example.split, tensor=crowd[0].example.scan.values)
    assert find_duplicate_volumes([*crowd, same])[1] == []


def test_among_few_scans_equal_ones_alone_are_found(case, crowd) -> None:
    values = crowd[0].example.scan.values
    noisy = values + RNG.normal(0, 0.02, values.shape)
    rows = [case("1", tensor=values), case("2", "test", tensor=noisy)]
    assert find_duplicate_volumes(rows)[1] == []
    assert len(find_duplicate_volumes([*rows, case("3", "test", tensor=values)])[1]) == 1


def test_equal_files_are_found_where_no_scan_was_read(case) -> None:
    shared = (ScanFile(path="a", sha256="ab" * 32, size=1),)
    check, leaks = find_duplicate_volumes([case("1", files=shared), case("2", "test", files=shared), case("3", "test")])
    assert leaks[0].where == ("study 1.2.1", "study 1.2.2")
    assert "files only" in check.what


def test_a_cohort_without_a_scan_says_that_nothing_was_looked_at(case) -> None:
    check, leaks = find_duplicate_volumes([case("1", catalogued=False)])
    assert (leaks, check.compared) == ([], 0)
    assert check.skipped


def test_volumes_of_one_value_are_equal_and_divide_nothing_by_zero(case) -> None:
    flat = np.zeros((1, 8, 8, 8))
    rows = [case(str(n), ("train", "test")[n % 2], tensor=flat) for n in range(1, 23)]
    assert find_duplicate_volumes(rows)[1][0].count == 121
