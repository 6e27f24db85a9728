"""From a name to the model that speaks in a batch: resolved once, loaded by digest."""

from __future__ import annotations

from data_schemas.diagnosis import ModelReference
from pipelines.diagnosis.batch import Speaker
from pipelines.models.artefact import device_for, load_model
from pipelines.models.registry import fetch, resolve
from pipelines.workspace.paths import Workspace


def load_speaker(workspace: Workspace, selector: str | None = None) -> Speaker:
    """Load the model of an alias or version; the default is the settings' ``diagnosis.model``.

    Raises
    ------
    ModelError
        There is no such model, or its files are not the registered ones.
    """
    settings = workspace.settings
    registered = resolve(workspace, task=settings.model.task, selector=selector or settings.diagnosis.model)
    model = load_model(fetch(workspace, registered), expected_digest=registered.digest)
    reference = ModelReference(
        name=registered.name, version=registered.version, digest=registered.digest, ungated=registered.ungated
    )
    return Speaker(model=model, reference=reference, device=device_for(settings.diagnosis.device))
