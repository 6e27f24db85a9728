from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import nn

from fusion_models.note_encoder import NoteEncoder
from fusion_models.note_findings import NoteFindings


class Words(nn.Module):
    """A transformer of nothing but word vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.config = SimpleNamespace(hidden_size=2)
        self.table = nn.Embedding.from_pretrained(torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [4.0, 4.0]]))

    def forward(self, *, input_ids, attention_mask, output_hidden_states):
        return SimpleNamespace(hidden_states=[self.table(input_ids)])


def test_the_strongest_sentence_of_a_case_decides():
    module = NoteFindings(encoder=NoteEncoder(backbone=Words(), states=(0,)), findings=1)
    with torch.no_grad():
        module.head.weight.copy_(torch.tensor([[1.0, 1.0]]))
        module.head.bias.zero_()
    # Case 0: sentences of words 1 and 2 (means (1, 0) and (0, 2)); case 1: one sentence of words 1 and 3.
    ids = torch.tensor([[1, 2], [1, 3]])
    logits = module(ids, torch.ones_like(ids), torch.tensor([[0, 1], [2, 2]]), torch.tensor([0, 0, 1]), 2)
    two = torch.log((torch.exp(torch.tensor(1.0)) + torch.exp(torch.tensor(2.0))) / 2)
    assert torch.allclose(logits, torch.stack([two, torch.tensor(4.5)])[:, None])


def test_a_case_reads_the_same_beside_a_longer_one():
    module = NoteFindings(encoder=NoteEncoder(backbone=Words(), states=(0,)), findings=3)
    ids = torch.tensor([[1, 2, 3]])
    alone = module(ids[:, :1], torch.ones(1, 1, dtype=torch.long), torch.tensor([[0]]), torch.tensor([0]), 1)
    both = module(
        torch.tensor([[1, 0, 0], [1, 2, 3]]),
        torch.tensor([[1, 0, 0], [1, 1, 1]]),
        torch.tensor([[0, -1, -1], [1, 2, 3]]),
        torch.tensor([0, 1, 1, 1]),
        2,
    )
    assert torch.allclose(both[:1], alone, atol=1e-6)
