"""From torch to ONNX: the scan encoder up to its tap, and the note encoder up to the states that are read.

What comes after (sign head, tokens, fusion, heads) costs a hundredth of the encoders and stays in torch.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from data_schemas.errors import ModelError
from fusion_models.note_encoder import NoteEncoder
from fusion_models.scan_encoder import ScanEncoder
from pipelines.models.compile.backends import need

SCAN_IN, SCAN_OUT = "volume", "grid"
NOTE_IDS, NOTE_MASK, NOTE_OUT = "input_ids", "attention_mask", "states"
MOST_AT_ONCE = 4096
OPSET = 20


class NoteStates(nn.Module):
    """A transformers encoder that gives only the hidden states that are read, side by side."""

    def __init__(self, backbone: nn.Module, states: tuple[int, ...]) -> None:
        super().__init__()
        self.backbone, self.states = backbone, states

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """States [W, L, D] of windows of sub-words."""
        read = self.backbone(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
        return torch.cat([read.hidden_states[number] for number in self.states], dim=-1)


def export_scan(encoder: ScanEncoder, *, shape: tuple[int, int, int]) -> bytes:
    """ONNX of the body of a scan encoder for volumes of one (Z, Y, X) shape, any number of them.

    Raises
    ------
    ModelError
        A library is missing, or torch cannot export the net.
    """
    sample = torch.zeros(2, encoder.channels, *shape)
    dims = ({0: torch.export.Dim("batch", min=1, max=MOST_AT_ONCE)},)
    return _export(encoder.body, (sample,), dims, [SCAN_IN], SCAN_OUT, what="scan encoder")


def export_notes(encoder: NoteEncoder, *, window: int) -> bytes:
    """ONNX of a note encoder for windows of up to so many sub-words. Raises as `export_scan` does."""
    ids = torch.ones(2, min(window, 16), dtype=torch.long)
    mask = torch.ones_like(ids)
    mask[1, -2:] = 0
    axes = {0: torch.export.Dim("windows", min=1, max=MOST_AT_ONCE), 1: torch.export.Dim("length", min=2, max=window)}
    states = NoteStates(encoder.backbone, encoder.states)
    return _export(states, (ids, mask), (axes, axes), [NOTE_IDS, NOTE_MASK], NOTE_OUT, what="note encoder")


def _export(
    module: nn.Module, sample: tuple[Tensor, ...], dims: tuple[Any, ...], inputs: list[str], output: str, *, what: str
) -> bytes:
    need("onnxscript")
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                module.eval(),
                sample,
                None,
                input_names=inputs,
                output_names=[output],
                dynamic_shapes=dims,
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
            stream = io.BytesIO()
            need("onnx").save_model(_without_traces(program.model_proto), stream)  # type: ignore[union-attr]
    except ModelError:
        raise
    except Exception as error:  # an encoder of the user's own may hold whatever torch cannot export
        raise ModelError(
            f"{what}: torch cannot export it to ONNX ({type(error).__name__}); leave diagnosis.backend at torch"
        ) from None
    return stream.getvalue()


def _without_traces(model: Any) -> Any:
    """The graph without the exporter's notes of files and lines: the same net gives the same bytes."""
    for node in [*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output]:
        del node.metadata_props[:]
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    return model


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter tells of its own inside: deprecations, axis names, a vision library it misses."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
