"""A model whose encoders run elsewhere: the same model, with a graph in the place of each encoder's net."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from pipelines.models.artefact import LoadedModel
from pipelines.models.compile.backends import Backend, Run, open_graph
from pipelines.models.compile.export import NOTE_IDS, NOTE_MASK, SCAN_IN
from pipelines.workspace.digests import json_digest, sha256_bytes

SCAN, NOTE = "scan", "note"
Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True)
class Graph:
    """An encoder as ONNX, and the precision of it: ``fp32``, or ``int8`` (static for scans, dynamic for notes)."""

    data: bytes
    precision: str


class CompiledBody(nn.Module):
    """Stands where the CNN of the scan encoder stood. Volumes are read one by one, so none changes another."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run

    def forward(self, volume: Tensor) -> Tensor:
        """Features at the tap [B, D, z, y, x] of volumes [B, C, Z, Y, X] on the CPU."""
        given = volume.numpy()
        return torch.from_numpy(np.concatenate([self.run({SCAN_IN: given[n : n + 1]}) for n in range(len(given))]))


@dataclass(frozen=True)
class NoteRead:
    """Hidden states by their number, as transformers has them, but only those that are read."""

    hidden_states: Mapping[int, Tensor]


class CompiledBackbone(nn.Module):
    """Stands where the note encoder's transformer stood.

    With ``one_by_one`` each window is read alone and without its padding.
    """

    def __init__(self, run: Run, *, states: tuple[int, ...], one_by_one: bool) -> None:
        super().__init__()
        self.run, self.states, self.one_by_one = run, states, one_by_one

    def forward(self, *, input_ids: Tensor, attention_mask: Tensor, output_hidden_states: bool) -> NoteRead:
        """States [W, L, D] of windows of sub-words."""
        ids, mask = input_ids.numpy(), attention_mask.numpy()
        read = self._alone(ids, mask) if self.one_by_one else self.run({NOTE_IDS: ids, NOTE_MASK: mask})
        parts = torch.from_numpy(read).chunk(len(self.states), dim=-1)
        return NoteRead(dict(zip(self.states, parts, strict=True)))

    def _alone(self, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        rows: list[np.ndarray] = []
        for own, real in zip(ids, mask, strict=True):
            length = int(real.sum())
            read = self.run({NOTE_IDS: own[None, :length], NOTE_MASK: real[None, :length]})[0]
            rows.append(np.pad(read, ((0, len(own) - length), (0, 0))))
        return np.stack(rows)


def with_graphs(
    model: LoadedModel, graphs: Mapping[str, Graph], *, backend: Backend, threads: int | None = None
) -> LoadedModel:
    """The model with the graphs of its encoders in their place; what has no graph stays in torch.

    Features are cached under digests of their own, so that no two ways to compute them are mixed up.

    Parameters
    ----------
    threads
        Of one run; else as many as torch takes.

    Raises
    ------
    ModelError
        The backend is not installed, or cannot run a graph.
    """
    threads = threads or torch.get_num_threads()
    if SCAN in graphs:
        graph = graphs[SCAN]
        body = CompiledBody(open_graph(graph.data, backend=backend, threads=threads, one_case=True))
        encoder = with_part(model.scan_encoder, "body", body)
        model = replace(model, scan_encoder=encoder, scan_digest=_digest(model.scan_digest, graph, backend))
    if NOTE in graphs:
        graph, note = graphs[NOTE], model.note_model
        backbone = CompiledBackbone(
            open_graph(graph.data, backend=backend, threads=threads),
            states=note.encoder.states,
            one_by_one=graph.precision == "int8",
        )
        note = replace(
            note, encoder=with_part(note.encoder, "backbone", backbone), digest=_digest(note.digest, graph, backend)
        )
        model = replace(model, note_model=note)
    return model


def _digest(before: str, graph: Graph, backend: Backend) -> str:
    return json_digest([before, backend, sha256_bytes(graph.data)])


def with_part(module: Module, name: str, part: nn.Module) -> Module:
    """The same module, its other parts shared, with another part under one name."""
    changed = copy.copy(module)
    changed._modules = {**module._modules, name: part}
    return changed.eval()
