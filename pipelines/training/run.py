"""A whole training run: scan encoder, features, the arms of the comparison, measures, and the artefact."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from data_schemas.cohort import Split
from data_schemas.errors import SettingsError
from data_schemas.leakage import LEAK_KINDS
from data_schemas.recipes import LINEAR_HAS_NO_TARGETS, ModelRecipe
from fusion_models.case_model import Batch, CaseModel
from fusion_models.novelty import Novelty
from fusion_models.tokens import Tokens
from pipelines.cases.examples import Example
from pipelines.cases.leakage.audit import audit, refuse_leaks
from pipelines.cases.leakage.case import AuditedCase
from pipelines.cases.value_units import units_of
from pipelines.models.artefact import save_model
from pipelines.models.build import build_case_model, with_window
from pipelines.models.features import Features, encode, pooled_scans
from pipelines.models.reading import coherent
from pipelines.models.weights import load_note_model, resolve_note_encoder, weights_digest
from pipelines.training.adapters import check_tuning, refuse_linear
from pipelines.training.augment_notes import with_note_copies
from pipelines.training.cohort import SPLITS, check_cohort, check_numbers, digest_cohort, digest_example
from pipelines.training.first_encoder import first_scan_encoder
from pipelines.training.fitting import (
    choose_signs,
    fit_case_model,
    fit_scan_encoder,
    label_matrix,
    predict_logits,
    training_labels,
    with_signs,
)
from pipelines.training.late import stack_late
from pipelines.training.light.teacher import Teacher
from pipelines.training.loop import Fitted, make_accelerator
from pipelines.training.note_tuning import tune_note_encoder
from pipelines.training.report import ARM_OF, LATE, report_findings
from pipelines.training.small_run import train_small
from pipelines.training.targets import fit_targets, measure_targets, scaled_targets, with_learnable_targets
from pipelines.training.trackers import Track, open_trackers
from pipelines.training.trained import Stage, Trained, card_of, no_stage
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.digests import json_digest


def train(
    examples: Sequence[Example],
    *,
    recipe: ModelRecipe,
    folder: Path,
    audited: Sequence[AuditedCase] | None = None,
    allow_leaks: Collection[str] = (),
    cache: ArrayCache | None = None,
    checkpoints: Path | None = None,
    stage: Stage | None = None,
    distance_quantile: float = 0.995,
    hold_out: bool = False,
    teacher: Teacher | None = None,
) -> Trained:
    """Train on the ``train`` split, choose epochs on ``validation``, and measure on ``test``.

    A recipe with the fusion *linear* is cross-validated over all cases instead, and fitted on all of them
    (`pipelines.training.small`).

    The cohort is audited for leaks before anything is fitted. The same cases in another order give the same model.

    Parameters
    ----------
    folder
        Receives the artefact.
    audited
        The examples with what the catalogue holds of their patients; without it, only what shows in the examples
        themselves is audited.
    allow_leaks
        Kinds of leak that the run may have.
    checkpoints
        Folder of this run's checkpoints: an interrupted run with the same recipe and cases goes on from them.
    stage
        Opens a progress display for a named stage of so many steps.
    hold_out
        The test split was given, not drawn: a cross-validated recipe leaves it out, and measures on it.
    teacher
        What a larger model says of the training cases: its signs are learned, and its word counts beside the labels.

    Raises
    ------
    LeakageError
        The audit found a leak that is not allowed.
    InputError
        Too few training cases, no labelled validation or test case, no finding with both classes in the training
        split, or a patient in two splits.
    ModelError, SettingsError
        The note encoder, the scan encoder's first weights or the fusion cannot be had as the recipe has them.
    """
    stage = stage or no_stage
    if audited is not None and sorted(map(_place, (row.example for row in audited))) != sorted(map(_place, examples)):
        raise ValueError("the audited cases are not the cases to train on")
    check_numbers(examples)
    units_of(examples, modalities=recipe.modalities)  # refuses two units of one code before anything is fitted
    if recipe.fusion.kind == "linear":
        if recipe.targets:
            raise SettingsError(f"model.{LINEAR_HAS_NO_TARGETS}")
        refuse_linear(recipe.note)
        return train_small(
            examples,
            recipe=recipe,
            folder=folder,
            audited=[AuditedCase(example) for example in examples] if audited is None else audited,
            allow_leaks=allow_leaks,
            cache=cache,
            stage=stage,
            distance_quantile=distance_quantile,
            hold_out=hold_out,
        )
    told = (checkpoints or folder).parent / "trackers"
    with deterministic(recipe.training.deterministic), open_trackers(recipe.training.trackers, folder=told) as track:
        return _train(
            examples,
            recipe=recipe,
            folder=folder,
            audited=[AuditedCase(example) for example in examples] if audited is None else audited,
            allow_leaks=allow_leaks,
            cache=cache,
            checkpoints=checkpoints,
            stage=stage,
            distance_quantile=distance_quantile,
            track=track,
            teacher=teacher,
        )


def _train(
    examples: Sequence[Example],
    *,
    recipe: ModelRecipe,
    folder: Path,
    audited: Sequence[AuditedCase],
    allow_leaks: Collection[str],
    cache: ArrayCache | None,
    checkpoints: Path | None,
    stage: Stage,
    distance_quantile: float,
    track: Track,
    teacher: Teacher | None,
) -> Trained:
    cohort_digest, examples = digest_cohort(examples), sorted(examples, key=digest_example)
    parts = {split: [row for row in examples if row.split == split] for split in SPLITS}
    recipe = with_learnable_targets(parts, check_cohort(parts, recipe))
    targets = fit_targets(parts["train"], recipe.targets)
    device = make_accelerator(recipe.training.precision).device
    note_model = load_note_model(
        resolve_note_encoder(recipe.note.encoder, revision=recipe.note.revision),
        states=recipe.note.states,
        window=recipe.note.window,
    )
    recipe = with_window(recipe, note_model.window)
    given_notes, tuned = note_model.digest, recipe.note.tuning != "frozen" and "note" in recipe.modalities
    if tuned:
        check_tuning(note_model.encoder.backbone, recipe.note)
    signs = choose_signs(parts["train"], recipe) if "scan" in recipe.modalities else ()
    signs = teacher.signs if teacher else signs
    scan_encoder = first_scan_encoder(recipe, signs=len(signs))
    with stage("audit for leaks", len(LEAK_KINDS)) as report:
        found = audit(audited, findings=recipe.findings, progress=report)
    refuse_leaks(found, allow=allow_leaks)
    # Everything that the fits depend on: whatever of it changes, they begin anew.
    origin = [recipe.model_dump(mode="json"), cohort_digest, weights_digest(scan_encoder), note_model.digest]
    origin += [teacher.digest, str(teacher.trust)] if teacher else []
    run = None if checkpoints is None else checkpoints / json_digest(origin)
    epochs: dict[str, tuple[dict[str, float], ...]] = {}
    if signs and with_signs(parts["train"], signs):
        with stage("train scan encoder", recipe.training.scan_epochs) as report:
            fitted = fit_scan_encoder(
                scan_encoder,
                parts["train"],
                parts["validation"],
                signs=signs,
                recipe=recipe,
                taught=None if teacher is None else teacher.sign_targets,
                checkpoint=run and run / "scan-encoder",
                report=_epochs_of(report, recipe.training.scan_epochs, track=track, part="scan encoder"),
            )
        epochs["scan encoder"] = fitted.epochs
    if tuned:
        with stage("tune note encoder", recipe.note.tuning_epochs) as report:
            note_model, fitted = tune_note_encoder(
                note_model,
                parts["train"],
                parts["validation"],
                recipe=recipe,
                checkpoint=run and run / "note-encoder",
                report=_epochs_of(report, recipe.note.tuning_epochs, track=track, part="note encoder"),
            )
        epochs["note encoder"] = fitted.epochs
    scan_digest = weights_digest(scan_encoder)
    copies = with_note_copies(parts["train"], recipe=recipe.training.augment, seed=recipe.training.seed)
    read: dict[Split, Sequence[Example]] = {**parts, "train": copies}
    features: dict[Split, Features] = {}
    for split, rows in read.items():
        with stage(f"encode {split} cases", len(rows)) as report:
            features[split] = encode(
                rows,
                scan_encoder=scan_encoder,
                scan_digest=scan_digest,
                note_model=note_model,
                note_recipe=recipe.note,
                codes=recipe.observation_codes,
                modalities=recipe.modalities,
                mentions_at_most=recipe.concept.at_most,
                device=device,
                cache=cache,
                progress=report,
            )
    batches = {split: part.batch for split, part in features.items()}
    labels = {split: label_matrix(rows, recipe.findings) for split, rows in parts.items()}
    labels["train"] = training_labels(copies, recipe.findings, training=recipe.training)
    if teacher:
        labels["train"] = teacher.finding_targets(copies, labels["train"])
    models: dict[str, CaseModel] = {}
    arms: dict[str, Sequence[str]] = {ARM_OF[name]: (name,) for name in recipe.modalities}
    fusion = recipe.fusion.kind
    for arm, modalities in {**arms, fusion: recipe.modalities}.items():
        with stage(f"train {arm}", recipe.training.epochs) as report:
            models[arm], fitted = _fit_arm(
                modalities,
                batches,
                labels,
                {split: scaled_targets(rows, targets) for split, rows in read.items()},
                recipe=recipe,
                scan_features=scan_encoder.features,
                note_features=note_model.encoder.features,
                checkpoint=run and run / arm.replace(" ", "-"),
                report=_epochs_of(report, recipe.training.epochs, track=track, part=arm),
            )
        epochs[arm] = fitted.epochs
    targets, target_reports = measure_targets(
        models,
        batches,
        parts,
        targets,
        main=fusion,
        singles=list(arms),
        draws=recipe.training.bootstrap,
        seed=recipe.training.seed,
    )
    card = card_of(
        recipe,
        targets=targets,
        signs=signs,
        note_digest=given_notes,
        note_adapted=weights_digest(note_model.encoder.backbone) if tuned else "",
        units=units_of(examples, modalities=recipe.modalities),
        training={
            "cases": {split: len(rows) for split, rows in parts.items()},
            "cohort_digest": cohort_digest,
            **({} if teacher is None else {"teacher": teacher.digest}),
        },
    )
    # Every arm is measured by the rules that its scores would be read under.
    probabilities = {
        arm: coherent(rows, card) for arm, rows in _probabilities(models, batches, labels, singles=list(arms)).items()
    }
    reports = report_findings(
        probabilities,
        labels["test"].numpy(),
        [row.patient_key for row in parts["test"]],
        recipe.findings,
        draws=recipe.training.bootstrap,
        seed=recipe.training.seed,
        main=fusion,
    )
    novelty = _fit_novelty(batches, features=scan_encoder.features, quantile=distance_quantile)
    digest = save_model(
        folder,
        card=card,
        scan_encoder=scan_encoder,
        case_model=models[fusion],
        novelty=novelty,
        note_backbone=note_model.encoder.backbone if tuned else None,
    )
    return Trained(
        folder=folder,
        digest=digest,
        card=card,
        reports=reports,
        targets=target_reports,
        epochs=epochs,
        probabilities=probabilities,
        labels=labels["test"].numpy(),
        cohort_digest=cohort_digest,
        counts=card.training["cases"],
        audit=found,
        allowed_leaks=tuple(kind for kind in found.found if kind in allow_leaks),
        test_keys=tuple(row.study_key for row in parts["test"]),
        splits={row.study_key: row.split for row in examples},
    )


def _fit_arm(
    modalities: Sequence[str],
    batches: dict[Split, Batch],
    labels: dict[Split, Tensor],
    targets: dict[Split, Tensor],
    *,
    recipe: ModelRecipe,
    scan_features: int,
    note_features: int,
    checkpoint: Path | None,
    report: Callable[[int, dict[str, float]], None],
) -> tuple[CaseModel, Fitted]:
    torch.manual_seed(recipe.training.seed)
    model = build_case_model(recipe, modalities=modalities, scan_features=scan_features, note_features=note_features)
    fitted = fit_case_model(
        model,
        batches["train"],
        labels["train"],
        batches["validation"],
        labels["validation"],
        recipe=recipe,
        train_targets=targets["train"],
        validation_targets=targets["validation"],
        checkpoint=checkpoint,
        report=report,
    )
    return model, fitted


def _probabilities(
    models: dict[str, CaseModel], batches: dict[Split, Batch], labels: dict[Split, Tensor], *, singles: Sequence[str]
) -> dict[str, np.ndarray]:
    from scipy.special import expit

    logits = {
        arm: {split: predict_logits(model, batches[split]).numpy() for split in SPLITS[1:]}
        for arm, model in models.items()
    }
    result = {arm: expit(rows["test"].astype(np.float64)) for arm, rows in logits.items()}
    result[LATE] = stack_late(
        [logits[arm]["validation"] for arm in singles],
        labels["validation"].numpy(),
        [logits[arm]["test"] for arm in singles],
    )
    return {arm: result[arm] for arm in (*singles, LATE, *(arm for arm in models if arm not in singles))}


def _fit_novelty(batches: dict[Split, Batch], *, features: int, quantile: float) -> Novelty:
    novelty = Novelty(features=features)
    train, held_out = (batches[split].inputs.get("scan") for split in SPLITS[:2])
    if isinstance(train, Tokens) and isinstance(held_out, Tokens) and train.mask.any():
        novelty.fit(pooled_scans(train), pooled_scans(held_out), quantile=quantile)
    return novelty


def _epochs_of(
    report: Callable[[int, int], None], total: int, *, track: Track, part: str
) -> Callable[[int, dict[str, float]], None]:
    def tell(epoch: int, metrics: dict[str, float]) -> None:
        track(part, epoch, metrics)
        report(epoch + 1, total)

    return tell


def _place(example: Example) -> tuple[str, str, str]:
    return example.study_key, example.patient_key, example.split


@contextmanager
def deterministic(wanted: bool) -> Iterator[None]:
    """Ask torch for deterministic algorithms (with a warning where it has none), and put back what was before."""
    before, warned = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(wanted, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)
