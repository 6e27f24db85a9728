"""From a name to the model that speaks in a batch: resolved once, loaded by digest."""

from __future__ import annotations

import torch

from data_schemas.diagnosis import ModelReference
from pipelines.diagnosis.batch import Speaker
from pipelines.models.artefact import device_for, load_model
from pipelines.models.compile.compiled import with_graphs
from pipelines.models.compile.kept import load_compiled
from pipelines.models.compile.match import with_calibration
from pipelines.models.registry import fetch, resolve
from pipelines.workspace.paths import Workspace


def load_speaker(workspace: Workspace, selector: str | None = None) -> Speaker:
    """Load the model of an alias or version; the default is the settings' ``diagnosis.model``.

    Raises
    ------
    ModelError
        There is no such model, its files are not the registered ones, or the settings ask for a backend that it is not
        compiled for: nothing else speaks in its place.
    """
    settings = workspace.settings
    registered = resolve(workspace, task=settings.model.task, selector=selector or settings.diagnosis.model)
    model = load_model(
        fetch(workspace, registered), expected_digest=registered.digest, builder=settings.model.scan.builder
    )
    reference = ModelReference(
        name=registered.name, version=registered.version, digest=registered.digest, ungated=registered.ungated
    )
    asked = settings.diagnosis
    if asked.backend == "torch":
        return Speaker(model=model, reference=reference, device=device_for(asked.device))
    found = load_compiled(
        workspace,
        model_digest=registered.digest,
        version=registered.version,
        backend=asked.backend,
        precision=asked.precision,
    )
    light = with_graphs(model, found.graphs, backend=asked.backend)
    return Speaker(
        model=with_calibration(light, found.card.calibration),
        reference=reference,
        device=torch.device("cpu"),
        compiled=f"{asked.backend}-cpu-{found.digest[:12]}",
    )
