"""The words of a text as a vector, for readers of small cohorts: which of the cohort's common words it holds."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fusion_models.tokens import Tokens

# A word of fewer training cases, or of nearly all of them, tells a fit of a hundred cases nothing but their names.
LEAST_CASES, LEAST_SHARE, MOST_SHARE = 3, 0.03, 0.97


class WordBag(nn.Module):
    """Word counts by hash in, tokens out, whose mean is 1 for each common word that the case's text holds.

    Parameters
    ----------
    features
        Number of hash buckets D; a bucket counts as one word.
    position_scale
        Length of one unit of each position coordinate.

    Notes
    -----
    ``common`` (per bucket, set by ``fit``) is 1 where enough of the training cases hold the word, and some do not.
    """

    common: Tensor

    def __init__(self, *, features: int, position_scale: tuple[float, ...] = (4.0, 4.0)) -> None:
        super().__init__()
        self.features, self.position_scale = features, position_scale
        self.register_buffer("common", torch.zeros(features))

    def fit(self, tokens: Tokens) -> None:
        """Find the words that enough, and not all, of the training cohort's texts hold."""
        texts = tokens.mask.any(dim=1)
        held = _held(tokens)[texts].sum(dim=0)
        cases = int(texts.sum())
        least = max(LEAST_CASES, LEAST_SHARE * cases)
        self.common.copy_((held >= least) & (held <= min(MOST_SHARE * cases, cases - 1)))

    def forward(self, tokens: Tokens) -> Tokens:
        """The tokens; a word that several of them hold is shared among them."""
        mask = tokens.mask[..., None]
        values = tokens.values.float().masked_fill(~mask, 0.0).clamp(0.0, 1.0)
        among = values.sum(dim=1, keepdim=True).clamp(min=1.0)
        count = tokens.mask.sum(dim=1)[:, None, None]
        return Tokens(values / among * count * self.common, tokens.mask, tokens.position, tokens.source)


def _held(tokens: Tokens) -> Tensor:
    """[B, D], 1 where a case's text holds a word."""
    return (tokens.values * tokens.mask[..., None]).amax(dim=1).clamp(0.0, 1.0)
