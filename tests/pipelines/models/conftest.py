"""The packaged encoder, and tiny BERTs of our own in folders, whole or broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.models.weights import PACKAGED, NoteModel, load_note_model, resolve_note_encoder

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cough", "fever", "no", "."]


@pytest.fixture(scope="session")
def packaged() -> NoteModel:
    return load_note_model(resolve_note_encoder(PACKAGED), states=(1, -1))


@pytest.fixture
def bert(tmp_path: Path) -> Callable[..., Path]:
    """Write a BERT of two layers and nine words; ``edit`` changes its configuration afterwards."""

    def write(edit: dict[str, Any] | None = None) -> Path:
        from transformers import BertConfig, BertModel, BertTokenizer

        folder = tmp_path / "bert"
        config = BertConfig(
            vocab_size=len(WORDS), hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8,
            max_position_embeddings=32,
        )  # fmt: skip
        BertModel(config).save_pretrained(folder)
        (folder / "vocab.txt").write_text("\n".join(WORDS))
        BertTokenizer.from_pretrained(folder).save_pretrained(folder)
        if edit:
            path = folder / "config.json"
            path.write_text(json.dumps(json.loads(path.read_text()) | edit))
        return folder

    return write


@pytest.fixture(scope="session")
def long_reader(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Write a tiny ModernBERT (8,192 sub-words) or Longformer (1,024), with the packaged tokenizer."""

    def write(kind: str) -> Path:
        import torch
        from transformers import AutoTokenizer, LongformerConfig, LongformerModel, ModernBertConfig, ModernBertModel

        tokenizer = AutoTokenizer.from_pretrained(resolve_note_encoder(PACKAGED), local_files_only=True)
        size = {
            "vocab_size": len(tokenizer), "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2,
            "num_attention_heads": 2, "pad_token_id": tokenizer.pad_token_id,
        }  # fmt: skip
        torch.manual_seed(0)
        net: torch.nn.Module
        if kind == "modernbert":
            ends = {"cls_token_id": 101, "sep_token_id": 102, "bos_token_id": 101, "eos_token_id": 102}
            net = ModernBertModel(ModernBertConfig(max_position_embeddings=8192, local_attention=32, **ends, **size))
            tokenizer.model_max_length = 8192
        else:
            net = LongformerModel(LongformerConfig(max_position_embeddings=1025, attention_window=16, **size))
            tokenizer.model_max_length = 1024
        folder = tmp_path_factory.mktemp(kind)
        net.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return write
