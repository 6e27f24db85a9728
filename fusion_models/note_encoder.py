"""Note encoder: any BERT-like model; its sub-word states are averaged into units (sentences or sub-words)."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


class NoteEncoder(nn.Module):
    """Windows of sub-words in, one vector a unit out.

    Parameters
    ----------
    backbone
        A transformers encoder that returns hidden states [W, L, D].
    states
        Which hidden states are concatenated, 0 being the word embeddings and -1 the last layer. Early states keep the
        word itself (left or right), late ones its meaning in the sentence (Devlin 2019, feature-based use of BERT).
    """

    def __init__(self, *, backbone: nn.Module, states: tuple[int, ...]) -> None:
        super().__init__()
        self.backbone = backbone
        self.states = states
        self.features = int(backbone.config.hidden_size) * len(states)  # type: ignore[union-attr, arg-type]

    def forward(
        self, input_ids: Int[Tensor, "W L"], attention_mask: Int[Tensor, "W L"], unit: Int[Tensor, "W L"], units: int
    ) -> Float[Tensor, "U D"]:
        """Mean state of every unit.

        ``unit`` numbers each sub-word's unit from 0, over all windows of all cases of the batch; -1 for special
        sub-words and padding. A sub-word seen by two overlapping windows counts twice.
        """
        total, count = self.sums(input_ids, attention_mask, unit, units)
        return total / count.clamp(min=1.0)[:, None]

    def sums(
        self, input_ids: Int[Tensor, "W L"], attention_mask: Int[Tensor, "W L"], unit: Int[Tensor, "W L"], units: int
    ) -> tuple[Float[Tensor, "U D"], Float[Tensor, " U"]]:
        """Sum of the states of every unit and the number of its sub-words, as `forward` has them.

        For records whose windows are read in several batches: their sums and counts add up.
        """
        hidden = self.backbone(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
        states = torch.cat([hidden.hidden_states[number] for number in self.states], dim=-1)
        real = unit >= 0
        index, states = unit[real], states[real].float()
        total = torch.zeros(units, self.features, device=states.device).index_add(0, index, states)
        count = torch.zeros(units, device=states.device).index_add(0, index, torch.ones_like(index, dtype=torch.float))
        return total, count
