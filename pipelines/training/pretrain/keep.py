"""Where a pretrained encoder is kept: a folder in the workspace, known by the digest of its files, with its card."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from data_schemas.base import Record
from data_schemas.errors import ModelError
from pipelines.workspace.digests import json_digest, sha256_file
from pipelines.workspace.files import make_private_folder, write_atomic
from pipelines.workspace.paths import Workspace

Objective = Literal["contrastive", "text", "volume"]
CARD, SCAN, PAIR = "card.json", "scan_encoder.safetensors", "pair_model.safetensors"
NOT_FOR_RELEASE = "not for release: adapted on patients' notes and scans"
FEWEST = 10


class EncoderCard(Record):
    """``card.json``: what an encoder was pretrained on and how. Aggregates only, nothing of any patient.

    ``cases`` by split, None below ten; ``settings`` and ``measures`` by name; ``epochs`` as the fit told them.
    ``started_from`` is the digest of the weights that the fit began with.
    """

    objective: Objective
    digest: str
    release: str = NOT_FOR_RELEASE
    started_from: str
    task: str
    cases: dict[str, int | None]
    settings: dict[str, str]
    measures: dict[str, float]
    epochs: tuple[dict[str, float], ...]
    recipe: dict[str, Any]


@dataclass(frozen=True)
class Kept:
    """A kept encoder: its folder, its card, and the line of the settings that makes `train` start from it."""

    folder: Path
    card: EncoderCard
    setting: str


def encoders_folder(workspace: Workspace) -> Path:
    """Where the workspace keeps its pretrained encoders."""
    return workspace.artifacts / "encoders"


def keep_encoder(
    workspace: Workspace, write: Callable[[Path], None], *, content: Mapping[str, Any]
) -> tuple[Path, EncoderCard]:
    """Have an encoder written, and keep it whole or not at all, under the digest of its files.

    The same files are kept once, and then under their first card. ``content`` is the card's, without its digest.
    """
    place = make_private_folder(encoders_folder(workspace))
    with tempfile.TemporaryDirectory(dir=place, prefix=".keep-") as work:
        made = make_private_folder(Path(work) / "made")
        write(made)
        for path in made.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)
        digest = encoder_digest(made)
        folder = place / digest[:16]
        if folder.is_dir():
            return folder, read_card(folder)
        card = EncoderCard(digest=digest, **content)
        write_atomic(made / CARD, (card.model_dump_json(indent=1) + "\n").encode())
        try:
            made.rename(folder)
        except OSError:  # another process was quicker: its files are the same ones
            return folder, read_card(folder)
    return folder, card


def encoder_digest(folder: Path) -> str:
    """SHA-256 over the names and digests of all files but the card."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != CARD)
    return json_digest({str(path.relative_to(folder)): sha256_file(path) for path in files})


def read_card(folder: Path) -> EncoderCard:
    """The card of a kept encoder, whose files are what it says.

    Raises
    ------
    ModelError
        There is no card, or the files are other ones.
    """
    try:
        card = EncoderCard.model_validate(json.loads((folder / CARD).read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise ModelError(f"encoder {folder.name}: no usable {CARD} ({type(error).__name__}); pretrain again") from None
    if encoder_digest(folder) != card.digest:
        raise ModelError(f"encoder {folder.name}: its files are not those that were kept; pretrain again")
    return card


def counted(cases: Mapping[str, int]) -> dict[str, int | None]:
    """Counts by split, those below ten left out."""
    return {split: count if count >= FEWEST else None for split, count in cases.items()}


def drop_half_kept(workspace: Workspace) -> None:
    """Remove what a pretraining that was killed left behind while it kept its encoder."""
    for path in encoders_folder(workspace).glob(".keep-*"):
        shutil.rmtree(path, ignore_errors=True)
