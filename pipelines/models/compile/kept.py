"""Where compiled models lie: beside their model in the workspace, in a folder by its digest, backend and precision."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from data_schemas.base import Record
from data_schemas.errors import ModelError
from data_schemas.parity import ParityReport
from pipelines.models.compile.backends import Backend, backend_version
from pipelines.models.compile.compiled import Graph
from pipelines.workspace.digests import sha256_bytes
from pipelines.workspace.files import make_private_folder, sync_path, write_atomic
from pipelines.workspace.paths import Workspace

Precision = Literal["fp32", "int8"]
CARD = "compiled.json"


class CompiledCard(Record):
    """``compiled.json``: which model it stands for, the digests of its graphs, and the parity report it passed.

    ``parts`` holds precision and SHA-256 of each encoder's graph. ``calibration`` is the light model's own, fitted on
    ``matched_cases`` cases: by finding, the slope and the intercept of its logits. ``pruned`` is the share of inner
    channels that its scan encoder was relieved of. Aggregates only, nothing of any patient.
    """

    format: Literal[1] = 1
    model_digest: str
    backend: Backend
    precision: Precision
    library: str
    parts: dict[str, tuple[str, str]]
    pruned: float = 0.0
    calibration_scans: int = 0
    calibration: dict[str, tuple[float, float]] = Field(default_factory=dict)
    matched_cases: int = 0
    parity: ParityReport


@dataclass(frozen=True)
class Compiled:
    """A compiled model as it was read: its graphs are those of the digests. ``digest`` is that of its card."""

    card: CompiledCard
    graphs: Mapping[str, Graph]
    digest: str


def compiled_folder(workspace: Workspace, *, model_digest: str, backend: Backend, precision: Precision) -> Path:
    """Where a compiled model lies, or would."""
    return workspace.artifacts / "compiled" / model_digest / f"{backend}-{precision}"


def keep_compiled(workspace: Workspace, card: CompiledCard, graphs: Mapping[str, Graph]) -> Path:
    """Put a compiled model beside its model, whole or not at all; an older one of its name gives way.

    Raises
    ------
    ModelError
        Its parity report did not pass.
    """
    if not card.parity.passed:
        raise ModelError(f"not kept, its parity report failed: {'; '.join(card.parity.failed)}")
    place = compiled_folder(workspace, model_digest=card.model_digest, backend=card.backend, precision=card.precision)
    make_private_folder(place.parent)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".new-") as work:
        new = make_private_folder(Path(work) / "new")
        for name, graph in graphs.items():
            write_atomic(new / f"{name}.onnx", graph.data)
        write_atomic(new / CARD, (card.model_dump_json(indent=1) + "\n").encode())
        if place.exists():
            place.rename(Path(work) / "old")
        new.rename(place)
        sync_path(place.parent)
    return place


def load_compiled(
    workspace: Workspace, *, model_digest: str, version: str, backend: Backend, precision: Precision
) -> Compiled:
    """Read a compiled model after checking that it is this model's, passed, and unchanged.

    Raises
    ------
    ModelError
        There is none, it is damaged, did not pass, or was measured with another version of its library. The message
        names the command that makes it.
    """
    folder = compiled_folder(workspace, model_digest=model_digest, backend=backend, precision=precision)
    what = f"version {version} compiled for {backend} in {precision}"
    mend = f"scanote compile {version} --backend {backend} --precision {precision}"
    try:
        data = (folder / CARD).read_bytes()
    except OSError:
        raise ModelError(f"{what}: there is none; make it with: {mend} (or set diagnosis.backend to torch)") from None
    try:
        card = CompiledCard(**json.loads(data))
        graphs = {name: Graph((folder / f"{name}.onnx").read_bytes(), kind) for name, (kind, _) in card.parts.items()}
    except (OSError, ValueError, TypeError, ValidationError):
        raise ModelError(f"{what}: its files are damaged; make it anew: {mend} --again") from None
    if card.pruned:
        mend += f" --prune {card.pruned:g}"
    measured = {name: digest for name, (_, digest) in card.parts.items()}
    unchanged = {name: sha256_bytes(graph.data) for name, graph in graphs.items()} == measured
    if not unchanged or (card.model_digest, card.backend, card.precision) != (model_digest, backend, precision):
        raise ModelError(f"{what}: its files are not those that were measured; make it anew: {mend} --again")
    if not card.parity.passed:
        raise ModelError(f"{what}: its parity report did not pass; set diagnosis.backend to torch")
    if (found := backend_version(backend)) != card.library:
        raise ModelError(
            f"{what}: measured with {backend} {card.library}, and here is {found}; measure it: {mend} --again"
        )
    return Compiled(card, graphs, sha256_bytes(data))


def drop_compiled(workspace: Workspace, *, model_digest: str, backend: Backend, precision: Precision) -> None:
    """Delete a compiled model, where there is one: the model itself stays."""
    folder = compiled_folder(workspace, model_digest=model_digest, backend=backend, precision=precision)
    shutil.rmtree(folder, ignore_errors=True)
