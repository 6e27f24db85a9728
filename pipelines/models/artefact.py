"""A model artefact: a folder of JSON and safetensors, known by the digest over all its files. No pickle, ever."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import nn

from data_schemas.base import Record
from data_schemas.errors import ModelError
from data_schemas.recipes import ModelRecipe
from data_schemas.target import FittedTarget
from fusion_models.case_model import CaseModel
from fusion_models.novelty import Novelty
from fusion_models.scan_encoder import ScanEncoder
from pipelines.models.adapted_notes import ADAPTED, load_adapted
from pipelines.models.build import build_case_model, build_novelty, build_scan_encoder
from pipelines.models.own_builder import own_code
from pipelines.models.weights import NoteModel, load_note_model, resolve_note_encoder, weights_bytes
from pipelines.notes.concepts import reader_digest
from pipelines.workspace.digests import json_digest, sha256_bytes
from pipelines.workspace.files import write_atomic

FORMAT = 2
FILES = ("model.json", "scan_encoder.safetensors", "case_model.safetensors", "novelty.safetensors")


class ModelCard(Record):
    """``model.json``: what a model was built from. Aggregates only, nothing of any patient.

    ``concept_digest`` is of the concept reader with its vocabulary, empty where the model reads no concepts.
    ``observation_units`` are the units, by code, that its values were in (UCUM; "" for what has none), and values are
    brought into before it reads them; None of a model that was trained before they were kept.
    ``entails`` and ``excludes`` are the rules among its findings, as they were when it was trained: a model keeps its
    own. ``targets`` are those that it gives estimates of, with what was fitted for them.
    ``note_adapted`` is the SHA-256 of the weights that the artefact holds of a note encoder adapted to the cohort:
    ``note_digest`` is then of what it was adapted from, and ``release`` says that it must stay.
    """

    format: int = FORMAT
    recipe: ModelRecipe
    signs: tuple[str, ...]
    note_digest: str
    note_adapted: str = ""
    release: str = ""
    concept_digest: str = ""
    observation_units: dict[str, str] | None = None
    entails: tuple[tuple[str, str], ...] = ()
    excludes: tuple[tuple[str, str], ...] = ()
    targets: tuple[FittedTarget, ...] = ()
    training: dict[str, Any]

    @property
    def units(self) -> dict[str, str]:
        """The units that values are brought into: none where the model reads no values, or does not know."""
        return (self.observation_units or {}) if "observation" in self.recipe.modalities else {}


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to read cases, all parts in eval mode."""

    card: ModelCard
    scan_encoder: ScanEncoder
    scan_digest: str
    note_model: NoteModel
    case_model: CaseModel
    novelty: Novelty
    digest: str


def save_model(
    folder: Path,
    *,
    card: ModelCard,
    scan_encoder: ScanEncoder,
    case_model: CaseModel,
    novelty: Novelty,
    note_backbone: nn.Module | None = None,
) -> str:
    """Write an artefact and return its digest.

    ``note_backbone`` is a note encoder's that was adapted to the cohort; a frozen one is not part of the artefact.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ADAPTED).unlink(missing_ok=True)  # of another model that lay here
    write_atomic(folder / "model.json", (card.model_dump_json(indent=1) + "\n").encode())
    parts: dict[str, nn.Module] = {"scan_encoder": scan_encoder, "case_model": case_model, "novelty": novelty}
    if note_backbone is not None:
        parts[ADAPTED.removesuffix(".safetensors")] = note_backbone
    for name, module in parts.items():
        write_atomic(folder / f"{name}.safetensors", weights_bytes(module))
    return artefact_digest(folder)


def artefact_digest(folder: Path) -> str:
    """SHA-256 over the names and digests of the artefact's files.

    Raises
    ------
    ModelError
        One of them is missing.
    """
    return _digest(_read_files(folder))


def files_of(folder: Path) -> tuple[str, ...]:
    """The names of an artefact's files: the four of every model, and an adapted note encoder where there is one."""
    return (*FILES, ADAPTED) if (folder / ADAPTED).is_file() else FILES


def load_model(folder: Path, *, expected_digest: str | None = None, builder: str | None = None) -> LoadedModel:
    """Load an artefact after checking its digest: every file is read once, so what was checked is what is used.

    ``builder`` is the builder of scan encoders that the user's settings name; an artefact alone never gets code
    imported.

    Raises
    ------
    ModelError
        A file is missing or not what the digest says, the format is another one, a tensor is missing or of the wrong
        shape, or the note encoder, the concept reader or the code of the user's own scan encoder is not the one that
        the model was trained with.
    SettingsError
        Its scan encoder is the user's own, and the settings do not name its builder.
    """
    content = _read_files(folder)
    digest = _digest(content)
    if expected_digest is not None and digest != expected_digest:
        raise ModelError("model artefact: its files are not the registered ones (digest differs); do not use it")
    card = _read_card(content["model.json"])
    recipe = card.recipe
    encoder_folder = resolve_note_encoder(recipe.note.encoder, revision=recipe.note.revision)
    note_model = load_note_model(encoder_folder, states=recipe.note.states, window=recipe.note.window)
    if note_model.digest != card.note_digest:
        raise ModelError(f"note encoder '{recipe.note.encoder}': not the weights that this model was trained with")
    if card.note_adapted != (sha256_bytes(content[ADAPTED]) if ADAPTED in content else ""):
        raise ModelError(f"model artefact: {ADAPTED} is not the one of its card; register the model again")
    if card.note_adapted:
        note_model = load_adapted(note_model, content[ADAPTED])
    if "concept" in recipe.modalities and card.concept_digest != reader_digest():
        raise ModelError(
            "model artefact: it was trained with another vocabulary or other rules of concepts (findings.yaml, "
            "concepts_terms.yaml) than this scanote reads notes with; train the model anew"
        )
    scan_encoder = build_scan_encoder(recipe, signs=len(card.signs), builder=builder)
    code = own_code(scan_encoder)
    case_model = build_case_model(
        recipe,
        modalities=recipe.modalities,
        scan_features=scan_encoder.features,
        note_features=note_model.encoder.features,
    )
    novelty = build_novelty(recipe, scan_features=scan_encoder.features)
    parts: dict[str, nn.Module] = {"scan_encoder": scan_encoder, "case_model": case_model, "novelty": novelty}
    for name, module in parts.items():
        _fill(module, f"{name}.safetensors", content[f"{name}.safetensors"])
    if own_code(scan_encoder) != code:
        raise ModelError(
            f"model.scan.builder: {recipe.scan.builder} is not the code that this model was trained with; bring back "
            "the file as it was, or train the model anew"
        )
    return LoadedModel(
        card=card,
        scan_encoder=scan_encoder,
        scan_digest=sha256_bytes(content["scan_encoder.safetensors"]),
        note_model=note_model,
        case_model=case_model,
        novelty=novelty,
        digest=digest,
    )


def _read_files(folder: Path) -> dict[str, bytes]:
    absent = [name for name in FILES if not (folder / name).is_file()]
    if absent:
        raise ModelError(f"model artefact: {', '.join(absent)} missing; register the model again")
    return {name: (folder / name).read_bytes() for name in files_of(folder)}


def _digest(content: dict[str, bytes]) -> str:
    return json_digest({name: sha256_bytes(data) for name, data in content.items()})


def _read_card(data: bytes) -> ModelCard:
    try:
        fields = json.loads(data)
    except ValueError as error:
        raise ModelError(f"model artefact: model.json is no JSON ({type(error).__name__}); register it again") from None
    found = fields.get("format") if isinstance(fields, dict) else None
    if found != FORMAT:
        raise ModelError(
            f"model artefact: format {found}, and this scanote reads format {FORMAT}; train the model anew"
        )
    try:
        return ModelCard(**fields)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise ModelError(f"model artefact: model.json, {where}: not what this scanote writes; train it anew") from None


def _fill(module: nn.Module, name: str, data: bytes) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        module.load_state_dict(load(data))
    except (SafetensorError, RuntimeError) as error:
        told = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise ModelError(f"model artefact: {name} does not fit its recipe ({' '.join(told[:2])})") from None
    module.eval()


def device_for(name: str) -> torch.device:
    """The device of the settings: ``auto`` takes a GPU where there is one.

    Raises
    ------
    ModelError
        ``cuda`` was asked for and there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise ModelError("device cuda: no GPU that torch can use; set diagnosis.device to auto or cpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")
