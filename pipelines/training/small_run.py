"""A whole training run on a small cohort: features, cross-validation, and the reader that is fitted on all cases."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import torch

from data_schemas.errors import SettingsError
from data_schemas.leakage import LEAK_KINDS
from data_schemas.recipes import ModelRecipe
from fusion_models.linear_diagnoser import LinearDiagnoser
from pipelines.cases.examples import Example
from pipelines.cases.leakage.audit import audit, refuse_leaks
from pipelines.cases.leakage.case import AuditedCase
from pipelines.cases.value_units import units_of
from pipelines.models.artefact import save_model
from pipelines.models.build import build_case_model, build_novelty, build_scan_encoder, with_window
from pipelines.models.features import encode, novelty_tokens, pooled_scans
from pipelines.models.reading import coherent
from pipelines.models.weights import load_note_model, load_scan_weights, resolve_note_encoder, weights_digest
from pipelines.training.cohort import check_small_cohort, digest_cohort, digest_example
from pipelines.training.fitting import label_matrix
from pipelines.training.report import ARM_OF, SELECTED, report_findings
from pipelines.training.small import cross_validated, fill, fit_scores, probabilities_of
from pipelines.training.trained import Stage, Trained, card_of
from pipelines.workspace.cache import ArrayCache

# Every fourth scan is kept from the novelty's mean and covariance, and sets its limit.
HELD_OUT = 4


def train_small(
    examples: Sequence[Example],
    *,
    recipe: ModelRecipe,
    folder: Path,
    audited: Sequence[AuditedCase],
    allow_leaks: Collection[str],
    cache: ArrayCache | None,
    stage: Stage,
    distance_quantile: float,
    hold_out: bool,
) -> Trained:
    """Cross-validate the recipe over all cases and fit it on all of them; see `pipelines.training.run.train`.

    With ``hold_out`` the test split has no part in either, and the figures are those on it.
    """
    cohort_digest, examples = digest_cohort(examples), sorted(examples, key=digest_example)
    tested = [row for row in examples if row.split == "test"] if hold_out else []
    used = [row for row in examples if row.split != "test" or not hold_out]
    recipe = check_small_cohort(used, tested, recipe)
    note_model = load_note_model(
        resolve_note_encoder(recipe.note.encoder, revision=recipe.note.revision),
        states=recipe.note.states,
        window=recipe.note.window,
    )
    recipe = with_window(recipe, note_model.window)
    torch.manual_seed(recipe.training.seed)
    scan_encoder = build_scan_encoder(recipe, signs=0, builder=recipe.scan.builder)
    if "scan" in recipe.modalities:
        if recipe.scan.weights is None:
            raise SettingsError(
                "model.fusion: linear trains no scan encoder; name model.scan.weights (of scanote pretrain), or "
                "take radiomics in place of scan in model.modalities"
            )
        load_scan_weights(scan_encoder, Path(recipe.scan.weights))
    with stage("audit for leaks", len(LEAK_KINDS)) as report:
        found = audit(audited, findings=recipe.findings, progress=report)
    refuse_leaks(found, allow=allow_leaks)
    with stage("encode cases", len(examples)) as report:
        batch = encode(
            [*used, *tested],
            scan_encoder=scan_encoder,
            scan_digest=weights_digest(scan_encoder),
            note_model=note_model,
            note_recipe=recipe.note,
            codes=recipe.observation_codes,
            modalities=recipe.modalities,
            mentions_at_most=recipe.concept.at_most,
            cache=cache,
            progress=report,
        ).batch
    model = build_case_model(
        recipe,
        modalities=recipe.modalities,
        scan_features=scan_encoder.features,
        note_features=note_model.encoder.features,
    )
    labels = label_matrix(used, recipe.findings).double().numpy()
    patients = [row.patient_key for row in used]
    rows = np.arange(len(used))
    probabilities: dict[str, np.ndarray] = {}
    if not tested:
        with stage("cross-validate", recipe.training.folds * recipe.training.repeats) as report:
            probabilities = cross_validated(model, batch, labels, patients, recipe=recipe, progress=report)
    with stage("fit on all cases", 1):
        fitted = fit_scores(model, batch, labels, patients, rows=rows, seed=recipe.training.seed)
    reader = model.diagnoser
    assert isinstance(reader, LinearDiagnoser)  # noqa: S101
    fill(reader, [scores[SELECTED] for scores in fitted])
    measured = tested or used
    if tested:
        probabilities = probabilities_of(model, batch, fitted, rows=len(used) + np.arange(len(tested)))
    card = card_of(
        recipe,
        signs=(),
        note_digest=note_model.digest,
        units=units_of(examples, modalities=recipe.modalities),
        training={
            "cases": {"train": len(used), "test": len(tested)},
            "cohort_digest": cohort_digest,
            "fusion": {name: scores[SELECTED].fusion for name, scores in zip(recipe.findings, fitted, strict=True)},
            "measured": "test split" if tested else f"{recipe.training.repeats} × {recipe.training.folds} folds",
        },
    )
    names: dict[str, str] = {name: ARM_OF[name] for name in recipe.modalities}
    probabilities = {names.get(arm, arm): coherent(table, card) for arm, table in probabilities.items()}
    truth = label_matrix(measured, recipe.findings).numpy()
    reports = report_findings(
        probabilities,
        truth,
        [row.patient_key for row in measured],
        recipe.findings,
        draws=recipe.training.bootstrap,
        seed=recipe.training.seed,
        main=SELECTED,
    )
    novelty = build_novelty(recipe, scan_features=scan_encoder.features)
    seen = novelty_tokens(model, batch.take(torch.from_numpy(rows)))
    if seen is not None and seen.mask.any():
        pooled = pooled_scans(seen)
        kept = torch.arange(len(pooled)) % HELD_OUT == 0
        # Standardised features have a variance of one; one that never varied must not weigh more than the others.
        novelty.fit(pooled[~kept], pooled[kept], quantile=distance_quantile, least_variance=1.0)
    digest = save_model(folder, card=card, scan_encoder=scan_encoder, case_model=model, novelty=novelty)
    return Trained(
        folder=folder,
        digest=digest,
        card=card,
        reports=reports,
        epochs={},
        probabilities=probabilities,
        labels=truth,
        cohort_digest=cohort_digest,
        counts={"train": len(used), "validation": 0, "test": len(tested)},
        audit=found,
        allowed_leaks=tuple(kind for kind in found.found if kind in allow_leaks),
        test_keys=tuple(row.study_key for row in measured),
        splits={**{row.study_key: "train" for row in used}, **{row.study_key: "test" for row in tested}},
    )
