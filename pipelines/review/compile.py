"""A registered model made light: its encoders compiled, measured against the model itself, and kept if it passed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from data_schemas.errors import ServerError
from pipelines.cases.examples import Example
from pipelines.cases.labelled import load_cohort, read_examples
from pipelines.models.artefact import load_model
from pipelines.models.compile.backends import Backend, backend_version
from pipelines.models.compile.compiled import with_graphs
from pipelines.models.compile.kept import (
    CompiledCard,
    Precision,
    compiled_folder,
    drop_compiled,
    keep_compiled,
    load_compiled,
)
from pipelines.models.compile.make import CALIBRATION_SCANS, calibration_volumes, make_graphs
from pipelines.models.compile.speed import measure_speed
from pipelines.models.registry import Registered, fetch, resolve
from pipelines.models.tracking import tracking
from pipelines.review.as_trained import as_trained
from pipelines.training.light.parity import check_parity
from pipelines.training.trained import Stage, no_stage
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.digests import sha256_bytes, sha256_file
from pipelines.workspace.paths import Workspace

TAG = "scanote.compiled"


@dataclass(frozen=True)
class CompiledVersion:
    """What came of it. ``kept`` is its folder, None where the parity report failed; ``known``: it was there already.

    ``told`` says whether the version in MLflow has its tag.
    """

    registered: Registered
    card: CompiledCard
    kept: Path | None
    known: bool = False
    told: bool = False


def compile_version(
    workspace: Workspace,
    selector: str,
    *,
    backend: Backend,
    precision: Precision,
    again: bool = False,
    calibration_scans: int = CALIBRATION_SCANS,
    draws: int | None = None,
    stage: Stage | None = None,
) -> CompiledVersion:
    """Compile a version's encoders, measure parity on its labelled cases outside of the training split, and keep it.

    Parameters
    ----------
    selector
        Version or alias.
    again
        Make it anew where it is there already. An older one whose successor fails is deleted.
    calibration_scans
        For int8: so many scans of the training split tell the ranges of the activations.
    draws
        Bootstrap samples; else those of the model's recipe.

    Raises
    ------
    ModelError
        There is no such version, a library is missing, or an encoder cannot be compiled.
    InputError
        No labelled case to measure with, or, for int8, no scan to calibrate with.
    """
    stage = stage or no_stage
    library = backend_version(backend)
    registered = resolve(workspace, task=workspace.settings.model.task, selector=selector)
    place = compiled_folder(workspace, model_digest=registered.digest, backend=backend, precision=precision)
    if place.exists() and not again:
        found = load_compiled(
            workspace,
            model_digest=registered.digest,
            version=registered.version,
            backend=backend,
            precision=precision,
        )
        return CompiledVersion(registered, found.card, place, known=True, told=_tell(workspace, registered, found.card))
    with stage("load model", 1):
        model = load_model(fetch(workspace, registered), expected_digest=registered.digest)
    recipe = model.card.recipe
    source = replace(workspace, settings=workspace.settings.model_copy(update={"model": recipe}))
    cohort = load_cohort(source)
    with stage("read labelled cases", len(cohort.members)) as report:
        examples, _ = read_examples(source, cohort, progress=report)
    examples, _ = as_trained(workspace, registered.digest, examples)
    training: list[Example] = [row for row in examples if row.split == "train"]
    held_out = [row for row in examples if row.split != "train"]
    scans = calibration_volumes(training, at_most=calibration_scans) if precision == "int8" else []
    with stage(f"compile for {backend}", 1):
        ways = make_graphs(model, backend=backend, precision=precision, calibration=scans)
    for number, graphs in enumerate(ways):
        compiled = with_graphs(model, graphs, backend=backend)
        with stage(f"measure {'again, notes in fp32' if number else 'speed and parity'}", 1):
            parity = check_parity(
                model,
                compiled,
                held_out,
                exact=all(graph.precision == "fp32" for graph in graphs.values()),
                parts=measure_speed(model, compiled, graphs, held_out),
                draws=draws or recipe.training.bootstrap,
                seed=recipe.training.seed,
                cache=ArrayCache(workspace.cache),
            )
        if parity.passed:
            break
    card = CompiledCard(
        model_digest=registered.digest,
        backend=backend,
        precision=precision,
        library=library,
        parts={part: (graph.precision, sha256_bytes(graph.data)) for part, graph in graphs.items()},
        calibration_scans=len(scans),
        parity=parity,
    )
    if not parity.passed:
        drop_compiled(workspace, model_digest=registered.digest, backend=backend, precision=precision)
        return CompiledVersion(registered, card, None)
    kept = keep_compiled(workspace, card, graphs)
    return CompiledVersion(registered, card, kept, told=_tell(workspace, registered, card))


def _tell(workspace: Workspace, registered: Registered, card: CompiledCard) -> bool:
    """Tag the version in MLflow with the compiled model's digest; without a server the workspace alone knows."""
    place = compiled_folder(workspace, model_digest=card.model_digest, backend=card.backend, precision=card.precision)
    digest = sha256_file(place / "compiled.json")
    try:
        with tracking(workspace) as client:
            tag = f"{TAG}.{card.backend}-{card.precision}"
            client.set_model_version_tag(registered.name, registered.version, tag, digest)
    except ServerError:
        return False
    return True
