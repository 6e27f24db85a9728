"""Tokens: the one currency between encoders and fusions.

Shapes in this package: B cases, T tokens, D features, P position coordinates, F findings, M modalities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@runtime_checkable
class Inputs(Protocol):
    """What one modality's encoder takes of a batch of cases: tokens of a frozen encoder, or what it embeds itself."""

    def __len__(self) -> int:
        """Number of cases."""
        ...

    def take(self, index: Int[Tensor, " N"]) -> Inputs:
        """The cases at ``index``, with padding that none of them needs cut off."""
        ...

    def to(self, device: torch.device | str) -> Inputs:
        """The same cases on a device."""
        ...


@dataclass(frozen=True)
class Tokens:
    """What an encoder says of a batch of cases.

    Parameters
    ----------
    values
        Features.
    mask
        True where a token is real; padding is False. A row without any real token is a missing modality.
    position
        Where a token comes from: RAS millimetres (scan), section and sentence number (note), age of the value in
        days (observation).
    source
        Points into the case's own map of regions, sentences or observations; -1 for padding.
    """

    values: Float[Tensor, "B T D"]
    mask: Bool[Tensor, "B T"]
    position: Float[Tensor, "B T P"]
    source: Int[Tensor, "B T"]

    def __len__(self) -> int:
        """Number of cases."""
        return len(self.mask)

    def take(self, index: Int[Tensor, " N"]) -> Tokens:
        """The cases at ``index``, with padding that none of them needs cut off."""
        return Tokens(*take_rows(self.mask, index, (self.values, self.mask, self.position, self.source)))

    def to(self, device: torch.device | str) -> Tokens:
        """The same tokens on another device."""
        return Tokens(*(part.to(device) for part in (self.values, self.mask, self.position, self.source)))

    def float(self) -> Tokens:
        """The same tokens with values in float32 (a cache may hold them in half precision)."""
        return Tokens(self.values.float(), self.mask, self.position, self.source)


def of_one_case(values: Float[Tensor, "T D"], position: Float[Tensor, "T P"]) -> Tokens:
    """Tokens of a single case (B = 1), all real, each its own source."""
    count = len(values)
    return Tokens(values[None], torch.ones(1, count, dtype=torch.bool), position[None], torch.arange(count)[None])


def missing(*, batch: int, features: int, coordinates: int) -> Tokens:
    """Tokens of a modality that no case of the batch has: one masked slot a case."""
    return Tokens(
        values=torch.zeros(batch, 1, features),
        mask=torch.zeros(batch, 1, dtype=torch.bool),
        position=torch.zeros(batch, 1, coordinates),
        source=torch.full((batch, 1), -1),
    )


def collate(rows: Sequence[Tokens]) -> Tokens:
    """Join tokens of single cases (B = 1 each) into one batch, padded to the longest.

    Raises
    ------
    ValueError
        No rows, or rows of different feature or coordinate counts.
    """
    if not rows:
        raise ValueError("collate needs at least one row of tokens")
    if len({(row.values.shape[2], row.position.shape[2]) for row in rows}) > 1:
        raise ValueError("rows of one modality differ in features or coordinates")
    longest = max(row.values.shape[1] for row in rows)
    return Tokens(
        values=torch.cat([_pad(row.values, longest, 0.0) for row in rows]),
        mask=torch.cat([_pad(row.mask, longest, False) for row in rows]),
        position=torch.cat([_pad(row.position, longest, 0.0) for row in rows]),
        source=torch.cat([_pad(row.source, longest, -1) for row in rows]),
    )


def without(tokens: Tokens, drop: Bool[Tensor, " B"]) -> Tokens:
    """The same tokens with whole rows masked, as if those cases had no such modality."""
    return Tokens(tokens.values, tokens.mask & ~drop[:, None], tokens.position, tokens.source)


def take_rows(mask: Bool[Tensor, "B T"], index: Int[Tensor, " N"], parts: Sequence[Tensor]) -> list[Tensor]:
    """Rows ``index`` of some tensors [B, T, ...], cut after the last slot that ``mask`` shows real in any of them."""
    chosen = mask[index]
    slots = int(chosen.any(dim=0).nonzero().max()) + 1 if chosen.any() else 1
    return [part[index][:, :slots] for part in parts]


def _pad(part: Tensor, length: int, value: float | int) -> Tensor:
    gap = length - part.shape[1]
    if gap == 0:
        return part
    shape = (part.shape[0], gap, *part.shape[2:])
    return torch.cat([part, torch.full(shape, value, dtype=part.dtype, device=part.device)], dim=1)
