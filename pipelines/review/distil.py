"""A registered model's smaller student: taught by it, measured against it, and registered beside it if it passed."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from data_schemas.errors import InputError, ModelError
from data_schemas.parity import ParityReport
from pipelines.cases.labelled import add_sources, load_cohort, read_examples
from pipelines.models.artefact import load_model
from pipelines.models.compile.speed import measure_student
from pipelines.models.registry import Registered, fetch, resolve
from pipelines.models.tracking import tracking
from pipelines.review.as_trained import as_trained
from pipelines.review.publish import publish
from pipelines.training.fitting import label_matrix, usable
from pipelines.training.light.parity import check_parity
from pipelines.training.light.student import student_recipe
from pipelines.training.light.teacher import teacher_of
from pipelines.training.run import train
from pipelines.training.trained import Stage, Trained, no_stage
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.files import make_private_folder, write_atomic
from pipelines.workspace.forget import drop_forgotten
from pipelines.workspace.local_paths import with_local_paths
from pipelines.workspace.memberships import Member, put_members
from pipelines.workspace.paths import Workspace

TEACHER_TAG = "scanote.teacher"


@dataclass(frozen=True)
class Distilled:
    """What came of it. ``registered`` is the student's version, None where its parity report failed."""

    teacher: Registered
    trained: Trained
    parity: ParityReport
    registered: Registered | None


def distil_version(
    workspace: Workspace,
    selector: str,
    *,
    changes: Mapping[str, Any],
    draws: int | None = None,
    stage: Stage | None = None,
) -> Distilled:
    """Train a smaller model on what a version says and on the labels, and register it if it says the same.

    The student has the cases in the splits that its teacher had them in; parity is measured on the test split alone,
    for the validation split chose the student's epochs.

    Parameters
    ----------
    selector
        Version or alias of the teacher.
    changes
        What differs from the teacher's recipe, as `student_recipe` has it.
    draws
        Bootstrap samples; else those of the student's recipe.

    Raises
    ------
    ModelError
        There is no such version.
    SettingsError
        The student cannot be had as ``changes`` have it.
    InputError
        The cohort cannot be trained or measured on.
    LeakageError
        The audit found a leak that the settings do not allow.
    """
    stage = stage or no_stage
    found = resolve(workspace, task=workspace.settings.model.task, selector=selector)
    with stage("load model", 1):
        builder = workspace.settings.model.scan.builder
        model = load_model(fetch(workspace, found), expected_digest=found.digest, builder=builder)
    told = model.card.recipe
    if model.card.targets:
        raise ModelError("a model of grades or measurements: a student's would not be measured; leave --distill out")
    recipe = with_local_paths(student_recipe(told, changes), workspace.root)
    source = replace(workspace, settings=workspace.settings.model_copy(update={"model": told}))
    cohort = load_cohort(source)
    with stage("read labelled cases", len(cohort.members)) as report:
        examples, _ = read_examples(source, cohort, progress=report)
    examples, _ = as_trained(workspace, found.digest, examples)
    training = [row for row in examples if row.split == "train"]
    test = [row for row in examples if row.split == "test"]
    lost = sorted(set(told.findings) - set(usable(label_matrix(training, told.findings), told.findings)))
    if lost:
        raise InputError(f"{', '.join(lost)}: the training cases no longer have both classes of it; ingest labels")
    cache = ArrayCache(workspace.cache)
    with stage("ask the teacher", 1):
        teacher = teacher_of(model, training, cache=cache)
    with tempfile.TemporaryDirectory(dir=workspace.cache) as folder:
        trained = train(
            examples,
            audited=add_sources(source, examples),
            allow_leaks=workspace.settings.leakage.allow,
            recipe=recipe,
            folder=Path(folder) / "model",
            cache=cache,
            checkpoints=workspace.cache / "checkpoints",
            stage=stage,
            distance_quantile=workspace.settings.diagnosis.distance_quantile,
            teacher=teacher,
        )
        student = load_model(trained.folder, expected_digest=trained.digest, builder=builder)
        with stage("measure speed and parity", 1):
            parity = check_parity(
                model,
                student,
                test,
                exact=False,
                parts=measure_student(model, student, test),
                draws=draws or recipe.training.bootstrap,
                seed=recipe.training.seed,
                cache=cache,
            )
        if not parity.passed:
            return Distilled(found, trained, parity, None)
        with workspace.database() as engine:
            seen = (Member(row.study_key, row.patient_key, trained.splits[row.study_key]) for row in examples)
            put_members(engine, trained.digest, seen)
            drop_forgotten(engine, cache)
        _keep_report(workspace, found, trained, parity)
        with stage("register in MLflow", 1):
            registered = publish(workspace, trained, synthetic=_is_synthetic(workspace, found))
            with tracking(workspace) as client:
                client.set_model_version_tag(registered.name, registered.version, TEACHER_TAG, found.digest)
    return Distilled(found, trained, parity, registered)


def _keep_report(workspace: Workspace, teacher: Registered, trained: Trained, parity: ParityReport) -> None:
    """The report lies beside the teacher's compiled models."""
    place = make_private_folder(workspace.artifacts / "compiled" / teacher.digest / f"student-{trained.digest[:16]}")
    write_atomic(place / "parity.json", (parity.model_dump_json(indent=1) + "\n").encode())


def _is_synthetic(workspace: Workspace, teacher: Registered) -> bool:
    """What learns from a model of made-up cases is such a model, too."""
    with tracking(workspace) as client:
        tags = client.get_model_version(teacher.name, teacher.version).tags
    return bool(tags.get("scanote.synthetic") == "yes")
