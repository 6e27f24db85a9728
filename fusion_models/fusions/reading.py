"""What every fusion gives."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor


class Reading(NamedTuple):
    """Logits of the findings, and by modality the share of each finding's attention that each token got.

    The shares of one finding sum to 1 over all modalities; the last token of a modality is its absence token.
    """

    logits: Float[Tensor, "B F"]
    attention: dict[str, Float[Tensor, "B F T"]]
