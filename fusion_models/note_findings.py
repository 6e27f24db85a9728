"""A head that finds findings anywhere in a record: what a note encoder learns from before it is frozen."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from fusion_models.note_encoder import NoteEncoder


class NoteFindings(nn.Module):
    """A note encoder, and one linear detector a finding on every unit (sentence) of a record.

    As the scan encoder finds its signs: the logit of a finding is the log-mean-exp of its units' logits, so that the
    strongest sentence decides and the encoder learns what a sentence says, not what a record is like.
    """

    def __init__(self, *, encoder: NoteEncoder, findings: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.features, findings)

    def forward(
        self,
        input_ids: Int[Tensor, "W L"],
        attention_mask: Int[Tensor, "W L"],
        unit: Int[Tensor, "W L"],
        case: Int[Tensor, " U"],
        cases: int,
    ) -> Float[Tensor, "B F"]:
        """Logits of every case.

        ``unit`` as `NoteEncoder.forward` has it; ``case`` is the case of every unit. A case needs at least one.
        """
        heat = self.head(self.encoder(input_ids, attention_mask, unit, len(case)))
        spread = heat.new_full((cases, *heat.shape), -torch.inf)
        spread[case, torch.arange(len(case), device=heat.device)] = heat
        count = torch.bincount(case, minlength=cases).to(heat.dtype)
        return torch.logsumexp(spread, dim=1) - torch.log(count)[:, None]
