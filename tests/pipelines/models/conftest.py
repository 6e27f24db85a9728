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
