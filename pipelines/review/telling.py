"""One publication into MLflow: a run, a model and a registered version; told twice, it is there once."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from data_schemas.errors import ModelError
from pipelines.models.artefact import ModelCard, artefact_digest
from pipelines.models.pyfunc_save import save_pyfunc
from pipelines.models.registry import CHALLENGER, DIGEST_TAG, Registered, kept_folder, model_name, resolve
from pipelines.models.tracking import experiment_id, is_remote, tracking
from pipelines.review.publication import REPORT, Publication, publication_folder
from pipelines.workspace.paths import Workspace

if TYPE_CHECKING:
    from mlflow import MlflowClient

PUBLICATION_TAG = "scanote.publication"
MOST_METRICS, MOST_PARAMS = 1000, 100
DESCRIPTION = "Findings from 3D scans and clinical notes, by scanote. For research use only."
Item = TypeVar("Item")


def tell(workspace: Workspace, publication: Publication) -> Registered:
    """Register a publication, or find that it is registered; the alias *challenger* never moves back to an older one.

    Raises
    ------
    ModelError
        The artefact that was kept is gone or damaged.
    ServerError
        MLflow cannot be reached, or refuses.
    """
    artefact = kept_folder(workspace, publication.digest)
    if artefact_digest(artefact) != publication.digest:
        raise ModelError(f"{artefact}: not the files that were trained; train again to register the model")
    name = model_name(publication.task)
    with _one_at_a_time(publication_folder(workspace, publication.publication_id)), tracking(workspace) as client:
        version = find_version(client, publication)
        if version is None:
            version = _register(client, workspace, publication, artefact)
        latest = client.get_registered_model(name).aliases.get(CHALLENGER)
        if latest is None or int(latest) < int(version):
            client.set_registered_model_alias(name, CHALLENGER, version)
    return resolve(workspace, task=publication.task, selector=version)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Wait for another process that tells the same publication; the system frees the lock when that process dies."""
    handle = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def find_version(client: MlflowClient, publication: Publication) -> str | None:
    """The version that a publication was registered as."""
    name, tag = model_name(publication.task), publication.publication_id
    found = client.search_model_versions(f"name = '{name}' and tags.`{PUBLICATION_TAG}` = '{tag}'")
    return str(min(int(version.version) for version in found)) if found else None


def _register(client: MlflowClient, workspace: Workspace, publication: Publication, artefact: Path) -> str:
    from mlflow.exceptions import MlflowException

    name = model_name(publication.task)
    experiment = experiment_id(client, workspace, name)
    _close_interrupted(client, experiment, publication)
    tags = publication.tags | {PUBLICATION_TAG: publication.publication_id}
    run = client.create_run(
        experiment,
        start_time=publication.finished,
        run_name=f"train {publication.digest[:8]}",
        tags=tags | {"mlflow.source.name": "scanote train", "mlflow.source.type": "LOCAL"},
    ).info.run_id
    _log_settings(client, run, publication)
    _log_epochs(client, run, publication)
    _log_dataset(client, run, publication)
    client.log_artifacts(run, str(publication_folder(workspace, publication.publication_id) / REPORT), REPORT)
    model = _log_model(client, experiment, run, publication, artefact)
    _log_measures(client, run, model, publication)
    try:
        client.create_registered_model(name, description=DESCRIPTION)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    client.set_terminated(run, "FINISHED", publication.finished)
    version = client.create_model_version(
        name,
        # A store of our own would look an id up in whatever MLflow takes for this process's default.
        source=f"models:/{model}" if is_remote(workspace) else client.get_logged_model(model).artifact_location,
        run_id=run,
        model_id=model,
        tags=tags | {DIGEST_TAG: publication.digest},
    )
    # MLflow's pages find the version of a logged model by this tag of its own.
    link = json.dumps([{"name": name, "version": str(version.version)}])
    client.set_logged_model_tags(model, {"mlflow.modelVersions": link})
    return str(version.version)


def _close_interrupted(client: MlflowClient, experiment: str, publication: Publication) -> None:
    """A run that was begun for the same publication and has no version was interrupted: it says so."""
    tag = f"tags.`{PUBLICATION_TAG}` = '{publication.publication_id}'"
    for run in client.search_runs([experiment], tag):
        if run.info.status != "FAILED":
            client.set_terminated(run.info.run_id, "FAILED")


def _log_settings(client: MlflowClient, run: str, publication: Publication) -> None:
    from mlflow.entities import Param

    params = [Param(key, value) for key, value in publication.settings.items()]
    for part in _parts(params, MOST_PARAMS):
        client.log_batch(run, params=part)


def _log_epochs(client: MlflowClient, run: str, publication: Publication) -> None:
    """One call an epoch and part."""
    for part, epochs in publication.epochs.items():
        for step, metrics in enumerate(epochs):
            named = {f"{part.replace(' ', '-')}/{name}": value for name, value in metrics.items()}
            client.log_batch(run, metrics=_metrics(named, publication, step=step))


def _log_dataset(client: MlflowClient, run: str, publication: Publication) -> None:
    """The cohort as digest and counts: nothing that leads to a patient."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dataset = Dataset(
        **_dataset(publication),
        source_type="scanote",
        source=json.dumps({"cohort": publication.cohort_digest, "synthetic": publication.synthetic}),
        profile=json.dumps({"cases": publication.cases}),
    )
    client.log_inputs(run, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])


def _log_model(client: MlflowClient, experiment: str, run: str, publication: Publication, artefact: Path) -> str:
    from mlflow.entities import LoggedModelOutput

    card = ModelCard(**json.loads((artefact / "model.json").read_text(encoding="utf-8")))
    model: Any = client.create_logged_model(
        experiment, name=model_name(publication.task), source_run_id=run, tags=publication.tags, model_type="scanote"
    )
    with tempfile.TemporaryDirectory() as work:
        place = Path(work) / "model"
        save_pyfunc(
            place,
            artefact=artefact,
            digest=publication.digest,
            recipe=card.recipe,
            model_id=model.model_id,
            run_id=run,
        )
        client.log_model_artifacts(model.model_id, str(place))
    client.finalize_logged_model(model.model_id, "READY")
    client.log_outputs(run, [LoggedModelOutput(model.model_id, step=0)])
    return str(model.model_id)


def _log_measures(client: MlflowClient, run: str, model: str, publication: Publication) -> None:
    metrics = _metrics(publication.measures, publication, step=0, model_id=model, on_dataset=True)
    for part in _parts(metrics, MOST_METRICS):
        client.log_batch(run, metrics=part)


def _metrics(
    values: Mapping[str, float],
    publication: Publication,
    *,
    step: int,
    model_id: str | None = None,
    on_dataset: bool = False,
) -> list[Any]:
    from mlflow.entities import Metric

    dataset = _dataset(publication) if on_dataset else {}
    where = {f"dataset_{key}": value for key, value in dataset.items()}
    now = time.time_ns() // 10**6
    return [Metric(key, value, now, step, model_id=model_id, **where) for key, value in values.items()]


def _dataset(publication: Publication) -> dict[str, str]:
    """Name and digest; MLflow keeps 36 characters of a digest, the whole one stands in the source and the tags."""
    return {"name": f"cohort-{publication.cohort_digest[:8]}", "digest": publication.cohort_digest[:36]}


def _parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))
