"""How far a scan lies from what a model was trained on: Mahalanobis distance of pooled encoder features (Lee 2018)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

SHRINKAGE = 0.1


class Novelty(nn.Module):
    """Distance to the training cohort in units of its own spread.

    Parameters
    ----------
    features
        Features of the pooled vector.

    Notes
    -----
    Before ``fit`` the limit is 0: a model that has seen no scan finds every scan new.
    """

    mean: Tensor
    precision: Tensor
    limit: Tensor

    def __init__(self, *, features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("precision", torch.eye(features))
        self.register_buffer("limit", torch.tensor(0.0))

    def fit(
        self,
        pooled: Float[Tensor, "N D"],
        held_out: Float[Tensor, "M D"],
        *,
        quantile: float,
        least_variance: float = 1e-8,
    ) -> None:
        """Take mean and covariance from training scans and the limit from held-out ones.

        The covariance is shrunk by a tenth towards its own diagonal, so that few scans do not make it singular. The
        limit is the ``quantile`` of the held-out distances, and at least the largest of them if there are fewer than
        1 / (1 - quantile). ``least_variance`` is that of a feature which never varied.
        """
        pooled, held_out = pooled.double(), held_out.double()
        mean = pooled.mean(dim=0)
        size = pooled.shape[1]
        covariance = torch.cov(pooled.T).reshape(size, size) if len(pooled) > 1 else torch.eye(size).double()
        diagonal = torch.diag(covariance.diagonal().clamp(min=least_variance))
        precision = torch.linalg.inv((1 - SHRINKAGE) * covariance + SHRINKAGE * diagonal)
        self.mean.copy_(mean)
        self.precision.copy_(precision)
        reference = held_out if len(held_out) else pooled
        self.limit.copy_(torch.quantile(self(reference), quantile, interpolation="higher"))

    def forward(self, pooled: Float[Tensor, "N D"]) -> Float[Tensor, " N"]:
        """Mahalanobis distance of each row."""
        gap = pooled.double() - self.mean.double()
        return torch.einsum("nd,de,ne->n", gap, self.precision.double(), gap).clamp(min=0).sqrt().float()
