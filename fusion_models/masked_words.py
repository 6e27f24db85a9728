"""Masked language modelling (Devlin et al. 2019): which sub-words are hidden, and how."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor

IGNORED = -100
REPLACED, KEPT = 0.8, 0.1


class Hidden(NamedTuple):
    """Sub-words as the model reads them, and what it has to tell: -100 where nothing is asked."""

    ids: Int[Tensor, "W L"]
    labels: Int[Tensor, "W L"]


def hide_words(
    ids: Int[Tensor, "W L"], allowed: Bool[Tensor, "W L"], *, share: float, mask_id: int, vocabulary: int
) -> Hidden:
    """Ask for a share of the ``allowed`` sub-words (at least one, where there is one), drawn from torch's generator.

    Of those asked for, 80 % are replaced by the mask, 10 % by any sub-word, and 10 % stay as they are.
    """
    draw = torch.rand(ids.shape).masked_fill(~allowed, 2.0)
    asked = draw < share
    if not asked.any() and allowed.any():
        asked = draw == draw.min()
    how = torch.rand(ids.shape)
    read = torch.where(asked & (how < REPLACED), torch.full_like(ids, mask_id), ids)
    other = torch.randint(vocabulary, ids.shape)
    read = torch.where(asked & (how >= REPLACED + KEPT), other, read)
    return Hidden(read, torch.where(asked, ids, torch.full_like(ids, IGNORED)))
