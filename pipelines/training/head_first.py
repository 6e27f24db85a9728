"""The head before the body: signs are first learned on what a pretrained scan encoder tells as it is.

Under a fresh head, which tells nothing, the first steps pull a pretrained body away from what it had learned. A head
that was fitted first leaves it where it is good (LP-FT, Kumar et al. 2022).
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fusion_models.losses import Loss, masked_bce

RIDGES = (0.003, 0.01, 0.03, 0.1, 0.3)
"""Weights of the penalty, each tried."""
STEPS = 200
CASES_AT_MOST = 512
"""Cases that the head alone is fitted on: more would make it slow, and are for the fit of the whole."""
LEAST_SPREAD = 1e-3
RAREST = 0.02


def sign_logits(heat: Float[Tensor, "B T S"]) -> Float[Tensor, "B S"]:
    """Log-mean-exp over a scan's tokens, as `ScanEncoder` reads its signs."""
    return torch.logsumexp(heat, dim=1) - math.log(heat.shape[1])


def fit_sign_head(
    head: nn.Linear,
    cells: Float[Tensor, "N T D"],
    labels: Float[Tensor, "N S"],
    held_cells: Float[Tensor, "V T D"],
    held_labels: Float[Tensor, "V S"],
    *,
    loss: Loss = masked_bce,
) -> float:
    """Fit a head of signs to tokens that stay as they are; gives its cross-entropy on the held-out cases.

    Features are standardised over the training tokens and the weights on them bear a ridge penalty (mean over the
    signs), the one of `RIDGES` that is best on the held-out cases; the standardisation is folded into the head. Full
    batches and L-BFGS: nothing is drawn, and the same tokens give the same head.

    Parameters
    ----------
    cells
        Tokens of the training scans, before the head.
    labels, held_labels
        1, 0, soft, or NaN where unknown.
    loss
        What is minimised beside the penalty; held-out cases are always judged by plain cross-entropy.
    """
    middle, spread = cells.mean(dim=(0, 1)), cells.std(dim=(0, 1)).clamp(min=LEAST_SPREAD)
    read, held = (cells - middle) / spread, (held_cells - middle) / spread
    best = math.inf
    for ridge in RIDGES:
        weight, bias = _fitted(read, labels, ridge=ridge, loss=loss)
        found = float(masked_bce(sign_logits(held @ weight.T + bias), held_labels))
        if found < best:
            best = found
            with torch.no_grad():
                head.weight.copy_(weight / spread)
                head.bias.copy_(bias - (weight / spread) @ middle)
    return best


def _fitted(read: Tensor, labels: Tensor, *, ridge: float, loss: Loss) -> tuple[Tensor, Tensor]:
    """Weights [S, D] and biases [S] on standardised tokens; each sign begins at its prevalence."""
    share = labels.nanmean(dim=0).nan_to_num(0.5).clamp(RAREST, 1 - RAREST)
    weight = torch.zeros(labels.shape[1], read.shape[2], requires_grad=True)
    bias = torch.logit(share).requires_grad_()
    solver = torch.optim.LBFGS([weight, bias], max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        solver.zero_grad()
        total = loss(sign_logits(read @ weight.T + bias), labels) + ridge * weight.square().sum(dim=1).mean()
        total.backward()
        return total

    solver.step(closure)
    return weight.detach(), bias.detach()
