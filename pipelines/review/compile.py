"""A registered model made light: its encoders compiled, measured against the model itself, and kept if it passed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from data_schemas.errors import InputError, ModelError, ServerError
from pipelines.cases.examples import Example
from pipelines.cases.labelled import load_cohort, read_examples
from pipelines.models.artefact import LoadedModel, load_model
from pipelines.models.compile.backends import Backend, backend_version
from pipelines.models.compile.compiled import with_graphs, with_part
from pipelines.models.compile.kept import (
    CompiledCard,
    Precision,
    compiled_folder,
    drop_compiled,
    keep_compiled,
    load_compiled,
)
from pipelines.models.compile.make import CALIBRATION_SCANS, calibration_volumes, make_graphs
from pipelines.models.compile.match import own_calibration, with_calibration
from pipelines.models.compile.prune import pruned
from pipelines.models.compile.speed import measure_speed
from pipelines.models.registry import Registered, fetch, resolve
from pipelines.models.tracking import tracking
from pipelines.review.as_trained import as_trained
from pipelines.training.light.heal import heal
from pipelines.training.light.parity import check_parity
from pipelines.training.trained import Stage, no_stage
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.digests import sha256_bytes, sha256_file
from pipelines.workspace.paths import Workspace

TAG = "scanote.compiled"
# A pruned net is fitted for so many times the epochs that the whole one was.
HEALING = 3


@dataclass(frozen=True)
class CompiledVersion:
    """What came of it. ``kept`` is its folder, None where the parity report failed; ``known``: it was there already.

    Of one that failed, ``known`` says that another one, not pruned alike, was there and stays.
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
    prune: float = 0.0,
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
    prune
        Share of the inner channels of the scan encoder's residual blocks to leave out; what stays learns on the
        training split to give the same features. One that is there already with another share gives way if this one
        passes.
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
        kept = load_compiled(
            workspace,
            model_digest=registered.digest,
            version=registered.version,
            backend=backend,
            precision=precision,
        )
        if kept.card.pruned == prune:
            told = _tell(workspace, registered, kept.card)
            return CompiledVersion(registered, kept.card, place, known=True, told=told)
    with stage("load model", 1):
        model = load_model(
            fetch(workspace, registered),
            expected_digest=registered.digest,
            builder=workspace.settings.model.scan.builder,
        )
    recipe = model.card.recipe
    if model.card.targets and (prune or precision != "fp32"):
        raise ModelError(
            "a model of grades or measurements: what int8 or pruning does to them is not measured; compile with "
            "precision fp32 and nothing pruned"
        )
    source = replace(workspace, settings=workspace.settings.model_copy(update={"model": recipe}))
    cohort = load_cohort(source)
    with stage("read labelled cases", len(cohort.members)) as report:
        examples, _ = read_examples(source, cohort, progress=report)
    examples, _ = as_trained(workspace, registered.digest, examples)
    training: list[Example] = [row for row in examples if row.split == "train"]
    held_out = [row for row in examples if row.split != "train"]
    # A linear model of a small cohort holds no case back. Where no score may differ, any case tells whether one does.
    fitted_on = training if recipe.fusion.kind == "linear" and precision == "fp32" and not prune else []
    if recipe.fusion.kind == "linear" and not fitted_on and not held_out:
        raise InputError(
            "a linear model is fitted on all cases, so there is none to measure what scores otherwise with; ingest "
            "more labelled cases, or compile with precision fp32 and nothing pruned"
        )
    cache = ArrayCache(workspace.cache)
    scans = calibration_volumes(training, at_most=calibration_scans) if precision == "int8" else []
    source_model = _pruned(model, training, share=prune, stage=stage) if prune else model
    with stage(f"compile for {backend}", 1):
        ways = make_graphs(source_model, backend=backend, precision=precision, calibration=scans)
    for number, graphs in enumerate(ways):
        light = with_graphs(model, graphs, backend=backend)
        exact = not prune and all(graph.precision == "fp32" for graph in graphs.values())
        with stage("calibrate", 1):
            calibration, matched = ({}, 0) if exact else own_calibration(model, light, training, cache=cache)
        compiled = with_calibration(light, calibration)
        with stage(f"measure {'again, notes in fp32' if number else 'speed and parity'}", 1):
            parity = check_parity(
                model,
                compiled,
                [*held_out, *fitted_on],
                exact=exact,
                parts=measure_speed(model, compiled, graphs, [*held_out, *fitted_on]),
                fitted_on=len(fitted_on),
                draws=draws or recipe.training.bootstrap,
                seed=recipe.training.seed,
                cache=cache,
            )
        if parity.passed:
            break
    card = CompiledCard(
        model_digest=registered.digest,
        backend=backend,
        precision=precision,
        library=library,
        parts={part: (graph.precision, sha256_bytes(graph.data)) for part, graph in graphs.items()},
        pruned=prune,
        calibration_scans=len(scans),
        calibration=calibration,
        matched_cases=matched,
        parity=parity,
    )
    if not parity.passed:
        if again:
            drop_compiled(workspace, model_digest=registered.digest, backend=backend, precision=precision)
        return CompiledVersion(registered, card, None, known=place.exists())
    place = keep_compiled(workspace, card, graphs)
    return CompiledVersion(registered, card, place, told=_tell(workspace, registered, card))


def _pruned(model: LoadedModel, training: list[Example], *, share: float, stage: Stage) -> LoadedModel:
    """The model with fewer channels in its scan encoder, fitted to the features that it had with all of them."""
    if "scan" not in model.card.recipe.modalities:
        raise ModelError("pruning: the model reads no scan by an encoder; leave --prune out")
    recipe = model.card.recipe.training
    body = pruned(model.scan_encoder.body, share=share)
    epochs = HEALING * max(recipe.scan_epochs, 1)
    with stage("fit the pruned encoder", epochs) as report:
        heal(
            body,
            model.scan_encoder.body,
            training,
            training=recipe,
            epochs=epochs,
            report=lambda epoch, _: report(epoch + 1, epochs),
        )
    return replace(model, scan_encoder=with_part(model.scan_encoder, "body", body.cpu()))


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
