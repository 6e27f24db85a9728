"""A model's encoders to graphs: exported once, and in int8 quantised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data_schemas.errors import InputError, ModelError
from fusion_models.scan_encoder import ScanEncoder
from pipelines.cases.examples import Example
from pipelines.models.artefact import LoadedModel
from pipelines.models.compile.backends import Backend, backend_version
from pipelines.models.compile.compiled import NOTE, SCAN, Graph, with_part
from pipelines.models.compile.equalise import equalised
from pipelines.models.compile.export import export_notes, export_scan
from pipelines.models.compile.kept import Precision
from pipelines.models.compile.quantise import quantise_notes, quantise_scan

CALIBRATION_SCANS = 32
EVENED_ON = 8


def make_graphs(
    model: LoadedModel, *, backend: Backend, precision: Precision, calibration: Sequence[np.ndarray] = ()
) -> list[dict[str, Graph]]:
    """The graphs of the encoders that a model reads with, by ``scan`` and ``note``: the lightest first, then others.

    In int8 the scan encoder is static, its channels evened out first, its ranges from the volumes given. The note
    encoder is dynamic with ONNX Runtime, and in fp32 where that costs too much accuracy (the next of the list). With
    OpenVINO it stays in fp32: a dynamically quantised BERT is slower there than one in fp32 (2026.4).

    Raises
    ------
    ModelError
        The model has no encoder to compile, a library is missing, or an encoder cannot be exported or quantised.
    InputError
        int8 without a scan to calibrate with.
    """
    backend_version(backend)
    recipe = model.card.recipe
    reads = [name for name in (SCAN, NOTE) if name in recipe.modalities]
    if not reads:
        raise ModelError(f"a model of {', '.join(recipe.modalities)} has no scan or note encoder: nothing to compile")
    light = precision == "int8"
    if light and backend == "openvino" and SCAN not in reads:
        raise ModelError("openvino has no int8 for a model without scans: use onnxruntime, or precision fp32")
    if light and SCAN in reads and not calibration:
        raise InputError("int8: no scan in the training split to calibrate with; compile with precision fp32")
    whole: dict[str, Graph] = {}
    if SCAN in reads:
        encoder = evened(model.scan_encoder, calibration) if light else model.scan_encoder
        whole[SCAN] = Graph(export_scan(encoder, shape=recipe.scan.shape), "fp32")
    if NOTE in reads:
        window = recipe.note.window or model.note_model.window
        whole[NOTE] = Graph(export_notes(model.note_model.encoder, window=window), "fp32")
    if not light:
        return [whole]
    mixed = dict(whole)
    if SCAN in reads:
        mixed[SCAN] = Graph(quantise_scan(whole[SCAN].data, calibration, backend=backend), "int8")
    if NOTE not in reads or backend == "openvino":
        return [mixed]
    lightest = mixed | {NOTE: Graph(quantise_notes(whole[NOTE].data), "int8")}
    return [lightest, mixed] if SCAN in reads else [lightest]


def evened(encoder: ScanEncoder, volumes: Sequence[np.ndarray]) -> ScanEncoder:
    """The encoder with the channels of its net evened out for int8, on up to 8 of the volumes."""
    return with_part(encoder, "body", equalised(encoder.body, volumes[:EVENED_ON]))


def calibration_volumes(examples: Sequence[Example], *, at_most: int = CALIBRATION_SCANS) -> list[np.ndarray]:
    """The tensors [C, Z, Y, X] of some cases, spread evenly over those that have a scan."""
    having = [row.scan.values for row in examples if row.scan is not None]
    if not having:
        return []
    chosen = np.unique(np.linspace(0, len(having) - 1, min(at_most, len(having))).round().astype(int))
    return [np.asarray(having[number], np.float32) for number in chosen]
