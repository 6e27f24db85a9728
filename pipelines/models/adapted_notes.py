"""A note encoder that was adapted to a cohort: the weights in the model's artefact, over those of its folder."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from data_schemas.errors import ModelError
from fusion_models.note_encoder import NoteEncoder
from pipelines.models.weights import NoteModel, weights_bytes
from pipelines.workspace.digests import json_digest, sha256_bytes

NOT_FOR_RELEASE = "adapted on notes: not for release"
ADAPTED = "note_encoder.safetensors"


def with_adapted(note_model: NoteModel, backbone: nn.Module) -> NoteModel:
    """The note model with another backbone of the same kind, known by a digest of its own."""
    return _known(note_model, backbone, sha256_bytes(weights_bytes(backbone)))


def load_adapted(note_model: NoteModel, data: bytes) -> NoteModel:
    """The note model with the backbone's weights of an artefact, which are checked already. Changes it in place.

    Raises
    ------
    ModelError
        They are no safetensors, or of another net.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    backbone = note_model.encoder.backbone
    try:
        backbone.load_state_dict(load(data))
    except (SafetensorError, RuntimeError) as error:
        told = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise ModelError(f"model artefact: {ADAPTED} does not fit its note encoder ({' '.join(told[:2])})") from None
    return _known(note_model, backbone, sha256_bytes(data))


def _known(note_model: NoteModel, backbone: nn.Module, weights: str) -> NoteModel:
    encoder = NoteEncoder(backbone=backbone.eval(), states=note_model.encoder.states).eval()
    return replace(note_model, encoder=encoder, digest=json_digest(["adapted notes", note_model.digest, weights]))
