"""A whole training run: scan encoder, features, the arms of the comparison, measures, and the artefact."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from data_schemas.cohort import Split
from data_schemas.errors import InputError
from data_schemas.settings import ModelRecipe
from fusion_models.case_model import MODALITIES, Batch, CaseModel
from fusion_models.novelty import Novelty
from pipelines.cases.examples import Example
from pipelines.models.artefact import ModelCard, save_model
from pipelines.models.build import build_case_model, build_scan_encoder
from pipelines.models.features import Features, encode, pooled_scans
from pipelines.models.weights import load_note_model, resolve_note_encoder
from pipelines.training.fitting import (
    choose_signs,
    fit_case_model,
    fit_scan_encoder,
    label_matrix,
    predict_logits,
    usable,
)
from pipelines.training.late import stack_late
from pipelines.training.loop import Fitted, make_accelerator
from pipelines.training.report import FUSION, LATE, NOTE, SCAN, FindingReport, report_findings
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.digests import json_digest, sha256_bytes

ARMS = {SCAN: ("scan",), NOTE: ("note",), FUSION: MODALITIES}
FEWEST_TRAINING_CASES = 20
Stage = Callable[[str, int], AbstractContextManager[Callable[[int, int], None]]]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """A finished run.

    ``epochs`` holds the metrics of every epoch by part (``scan encoder`` and the arms); ``probabilities`` the test
    split's by arm [N, F], ``labels`` [N, F] with NaN where unknown.
    """

    folder: Path
    digest: str
    card: ModelCard
    reports: tuple[FindingReport, ...]
    epochs: dict[str, tuple[dict[str, float], ...]]
    probabilities: dict[str, np.ndarray]
    labels: np.ndarray
    cohort_digest: str
    counts: dict[Split, int]


def train(
    examples: Sequence[Example],
    *,
    recipe: ModelRecipe,
    folder: Path,
    cache: ArrayCache | None = None,
    checkpoints: Path | None = None,
    stage: Stage | None = None,
    distance_quantile: float = 0.995,
) -> Trained:
    """Train on the ``train`` split, choose epochs on ``validation``, and measure on ``test``.

    Parameters
    ----------
    folder
        Receives the artefact.
    checkpoints
        Folder of this run's checkpoints: an interrupted run with the same recipe and cases goes on from them.
    stage
        Opens a progress display for a named stage of so many steps.

    Raises
    ------
    InputError
        Too few training cases, no validation or test case, or no finding with both classes in the training split.
    """
    stage = stage or no_stage
    parts = {split: [row for row in examples if row.split == split] for split in ("train", "validation", "test")}
    recipe = _with_usable_findings(parts, recipe)
    cohort_digest = digest_cohort(examples)
    run = None if checkpoints is None else checkpoints / json_digest([recipe.model_dump(mode="json"), cohort_digest])
    device = make_accelerator(recipe.training.precision).device
    torch.use_deterministic_algorithms(recipe.training.deterministic, warn_only=True)

    signs = choose_signs(parts["train"], recipe)
    torch.manual_seed(recipe.training.seed)
    scan_encoder = build_scan_encoder(recipe, signs=len(signs))
    epochs: dict[str, tuple[dict[str, float], ...]] = {}
    if any(row.scan is not None for row in parts["train"]):
        with stage("train scan encoder", recipe.training.scan_epochs) as report:
            fitted = fit_scan_encoder(
                scan_encoder,
                parts["train"],
                parts["validation"],
                signs=signs,
                recipe=recipe,
                checkpoint=run and run / "scan-encoder",
                report=_epochs_of(report, recipe.training.scan_epochs),
            )
        epochs["scan encoder"] = fitted.epochs
    note_model = load_note_model(
        resolve_note_encoder(recipe.note.encoder, revision=recipe.note.revision), states=recipe.note.states
    )
    features: dict[str, Features] = {}
    for split, rows in parts.items():
        with stage(f"encode {split} cases", len(rows)) as report:
            features[split] = encode(
                rows,
                scan_encoder=scan_encoder,
                scan_digest=_weights_digest(scan_encoder),
                note_model=note_model,
                note_recipe=recipe.note,
                codes=recipe.observation_codes,
                device=device,
                cache=cache,
                progress=report,
            )
    batches = {split: part.batch for split, part in features.items()}
    labels = {split: label_matrix(rows, recipe.findings) for split, rows in parts.items()}
    models: dict[str, CaseModel] = {}
    for arm, modalities in ARMS.items():
        with stage(f"train {arm}", recipe.training.epochs) as report:
            models[arm], fitted = _fit_arm(
                modalities,
                batches,
                labels,
                recipe=recipe,
                scan_features=scan_encoder.features,
                note_features=note_model.encoder.features,
                checkpoint=run and run / arm.replace(" ", "-"),
                report=_epochs_of(report, recipe.training.epochs),
            )
        epochs[arm] = fitted.epochs
    probabilities = _probabilities(models, batches, labels)
    reports = report_findings(
        probabilities,
        labels["test"].numpy(),
        [row.patient_key for row in parts["test"]],
        recipe.findings,
        draws=recipe.training.bootstrap,
        seed=recipe.training.seed,
    )
    novelty = _fit_novelty(batches, features=scan_encoder.features, quantile=distance_quantile)
    counts: dict[Split, int] = {split: len(rows) for split, rows in parts.items()}  # type: ignore[misc]
    card = ModelCard(
        recipe=recipe,
        signs=signs,
        note_digest=note_model.digest,
        training={"cases": counts, "cohort_digest": cohort_digest},
    )
    digest = save_model(folder, card=card, scan_encoder=scan_encoder, case_model=models[FUSION], novelty=novelty)
    return Trained(
        folder=folder,
        digest=digest,
        card=card,
        reports=reports,
        epochs=epochs,
        probabilities=probabilities,
        labels=labels["test"].numpy(),
        cohort_digest=cohort_digest,
        counts=counts,
    )


def digest_cohort(examples: Sequence[Example]) -> str:
    """SHA-256 over everything of the cohort that reaches a model: tensors, text, values, labels, splits."""
    rows = [
        [
            example.scan_digest
            or (sha256_bytes(np.ascontiguousarray(example.scan.values).data) if example.scan else ""),
            [sentence.text for sentence in example.sentences],
            [[value.code, value.value, value.age_days] for value in example.values],
            dict(example.labels),
            example.split,
        ]
        for example in examples
    ]
    return json_digest(sorted(json_digest(row) for row in rows))


def _with_usable_findings(parts: dict[str, list[Example]], recipe: ModelRecipe) -> ModelRecipe:
    if len(parts["train"]) < FEWEST_TRAINING_CASES:
        raise InputError(
            f"{len(parts['train'])} labelled training cases; training needs at least {FEWEST_TRAINING_CASES}: "
            "ingest more cases or labels"
        )
    for split in ("validation", "test"):
        if not parts[split]:
            raise InputError(f"no case in the {split} split; ingest more cases, or raise training.{split}_share")
    labels = label_matrix(parts["train"], recipe.findings)
    findings = usable(labels, recipe.findings)
    for name in recipe.findings:
        if name not in findings:
            log.warning("finding %s is left out: the training cases do not have both classes of it", name)
    if not findings:
        raise InputError("no finding has both positive and negative training cases; add labels, or check their column")
    return recipe.model_copy(update={"findings": findings})


def _fit_arm(
    modalities: Sequence[str],
    batches: dict[str, Batch],
    labels: dict[str, Tensor],
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
        checkpoint=checkpoint,
        report=report,
    )
    return model, fitted


def _probabilities(
    models: dict[str, CaseModel], batches: dict[str, Batch], labels: dict[str, Tensor]
) -> dict[str, np.ndarray]:
    logits = {
        arm: {split: predict_logits(model, batches[split]).numpy() for split in ("validation", "test")}
        for arm, model in models.items()
    }
    result = {arm: 1 / (1 + np.exp(-rows["test"].astype(np.float64))) for arm, rows in logits.items()}
    singles = [logits[SCAN], logits[NOTE]]
    result[LATE] = stack_late(
        [rows["validation"] for rows in singles], labels["validation"].numpy(), [rows["test"] for rows in singles]
    )
    return {arm: result[arm] for arm in (SCAN, NOTE, LATE, FUSION)}


def _fit_novelty(batches: dict[str, Batch], *, features: int, quantile: float) -> Novelty:
    novelty = Novelty(features=features)
    pooled = pooled_scans(batches["train"])
    if len(pooled):
        novelty.fit(pooled, pooled_scans(batches["validation"]), quantile=quantile)
    return novelty


def _weights_digest(module: torch.nn.Module) -> str:
    from safetensors.torch import save

    return sha256_bytes(save({key: value.detach().cpu().contiguous() for key, value in module.state_dict().items()}))


def _epochs_of(report: Callable[[int, int], None], total: int) -> Callable[[int, dict[str, float]], None]:
    return lambda epoch, _metrics: report(epoch + 1, total)


def no_stage(_name: str, _steps: int) -> AbstractContextManager[Callable[[int, int], None]]:
    return nullcontext(lambda _done, _total: None)
