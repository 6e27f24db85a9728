"""What every fusion gives."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor


class Reading(NamedTuple):
    """Logits of the findings, and by modality the share of each finding's attention that each token got.

    The shares of one finding sum to 1 over all modalities; the last token of a modality is its absence token.
    ``targets`` holds what the heads of a model's targets say, by target, as `fusion_models.targets` has it.
    """

    logits: Float[Tensor, "B F"]
    attention: dict[str, Float[Tensor, "B F T"]]
    targets: Mapping[str, Float[Tensor, "B K"]] = MappingProxyType({})
