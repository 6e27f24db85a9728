"""Modality dropout: in training, what a case has is hidden now and then, so that its absence is learned too."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from fusion_models.tokens import Tokens, without


def hide_modalities(tokens: Mapping[str, Tokens], chance: float) -> dict[str, Tokens]:
    """Hide each present modality of each case with a chance; a case never loses all it has (ModDrop, Neverova 2016)."""
    present = torch.stack([part.mask.any(dim=1) for part in tokens.values()], dim=1)
    drop = present & (torch.rand(present.shape, device=present.device) < chance)
    drop &= ~(drop == present).all(dim=1, keepdim=True)
    return {name: without(part, drop[:, number]) for number, (name, part) in enumerate(tokens.items())}
