from __future__ import annotations

import pytest
import torch

from fusion_models.novelty import SHRINKAGE, Novelty


def test_the_distance_is_mahalanobis_by_the_shrunk_covariance():
    pooled = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 4.0], [2.0, 4.0], [1.0, 5.0]])
    novelty = Novelty(features=2)
    novelty.fit(pooled, pooled, quantile=0.9)
    # Mean (1, 2.6); sample covariance [[1, 0], [0, 5.8]]: nothing to shrink off the diagonal.
    assert novelty.mean.tolist() == pytest.approx([1.0, 2.6])
    asked = torch.tensor([[3.0, 2.6], [1.0, 2.6 + 2 * 5.8**0.5]])
    assert novelty(asked).tolist() == pytest.approx([2.0, 2.0], rel=1e-5)


def test_only_what_lies_off_the_diagonal_is_shrunk():
    pooled = torch.tensor([[-1.0, -1.0], [0.0, 0.0], [1.0, 1.0]])
    novelty = Novelty(features=2)
    novelty.fit(pooled, pooled, quantile=0.9)
    off = 1 - SHRINKAGE
    expected = torch.linalg.inv(torch.tensor([[1.0, off], [off, 1.0]]))
    assert torch.allclose(novelty.precision, expected, rtol=1e-4)


def test_the_limit_of_a_few_held_out_scans_is_the_largest_of_their_distances():
    generator = torch.Generator().manual_seed(0)
    pooled, held_out = torch.randn(50, 3, generator=generator), torch.randn(20, 3, generator=generator)
    novelty = Novelty(features=3)
    novelty.fit(pooled, held_out, quantile=0.995)
    assert float(novelty.limit) == float(novelty(held_out).max())


def test_the_limit_comes_from_the_training_scans_where_none_is_held_out():
    pooled = torch.randn(9, 3, generator=torch.Generator().manual_seed(0))
    novelty = Novelty(features=3)
    novelty.fit(pooled, torch.zeros(0, 3), quantile=0.995)
    assert float(novelty.limit) == float(novelty(pooled).max())


@pytest.mark.parametrize("count", [1, 2, 5])
def test_fewer_scans_than_features_give_finite_distances(count):
    pooled = torch.randn(count, 12, generator=torch.Generator().manual_seed(0))
    novelty = Novelty(features=12)
    novelty.fit(pooled, pooled, quantile=0.9)
    assert novelty(pooled).isfinite().all()


def test_a_feature_that_never_varies_gives_finite_distances_and_sees_what_is_new():
    pooled = torch.cat([torch.randn(20, 2, generator=torch.Generator().manual_seed(0)), torch.ones(20, 1)], dim=1)
    novelty = Novelty(features=3)
    novelty.fit(pooled, pooled, quantile=0.9)
    assert novelty(pooled).isfinite().all()
    assert float(novelty(torch.tensor([[0.0, 0.0, 2.0]]))[0]) > float(novelty.limit)


def test_one_feature_is_enough():
    novelty = Novelty(features=1)
    novelty.fit(torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0]]), quantile=0.9)
    assert novelty(torch.tensor([[1 + 2**0.5]])).tolist() == pytest.approx([1.0])


def test_before_it_is_fitted_every_scan_is_new():
    novelty = Novelty(features=2)
    assert float(novelty(torch.tensor([[0.1, 0.0]]))[0]) > float(novelty.limit)


def test_the_fit_survives_the_way_through_a_state_dict():
    novelty, other = Novelty(features=2), Novelty(features=2)
    pooled = torch.randn(9, 2, generator=torch.Generator().manual_seed(0))
    novelty.fit(pooled, pooled, quantile=0.9)
    other.load_state_dict(novelty.state_dict())
    assert torch.equal(other(pooled), novelty(pooled))
    assert torch.equal(other.limit, novelty.limit)
