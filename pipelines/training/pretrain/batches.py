"""Batches of pairs that are hard to tell apart: cases of the same body part or the same study description."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor


def numbered(values: Sequence[Hashable]) -> Tensor:
    """The number of each value [N], equal for equal ones."""
    number = {value: place for place, value in enumerate(dict.fromkeys(values))}
    return torch.tensor([number[value] for value in values], dtype=torch.long)


def with_hard_negatives(index: Tensor, *, groups: Sequence[Tensor], patient: Tensor, count: int) -> Tensor:
    """The cases at ``index`` [A], then up to ``count`` more that are hard to tell from them.

    Each is drawn by torch's generator from the cases that share a group with a case of the batch, evenly over the
    batch's cases; nobody is in a batch twice by it. Where no such case is left, there are fewer.

    Parameters
    ----------
    groups
        Numbers [N] of every case's group, one tensor a kind of likeness (body part, study description); -1 is of none.
    patient
        Number [N] of every case's patient.
    """
    chosen = index.tolist()
    taken = torch.zeros(int(patient.max()) + 1, dtype=torch.bool)
    taken[patient[index]] = True
    for anchor in index[torch.randperm(len(index))].repeat(-(-count // max(len(index), 1))).tolist()[:count]:
        alike = torch.zeros(len(patient), dtype=torch.bool)
        for group in groups:
            if group[anchor] >= 0:
                alike |= group == group[anchor]
        candidates = (alike & ~taken[patient]).nonzero()[:, 0]
        if len(candidates):
            found = int(candidates[torch.randint(len(candidates), ())])
            chosen.append(found)
            taken[patient[found]] = True
    return torch.tensor(chosen, dtype=torch.long)


def not_negatives(index: Tensor, *, patient: Tensor, text: Tensor) -> Tensor:
    """Pairs of a batch [B, B] that are no negatives of each other: of one patient, or with equal texts."""
    same_patient = patient[index][:, None] == patient[index][None]
    return same_patient | (text[index][:, None] == text[index][None])
