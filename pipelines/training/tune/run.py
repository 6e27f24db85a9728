"""From a workspace's labelled cases to a tuned recipe."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from data_schemas.cohort import Split
from data_schemas.errors import InputError
from data_schemas.recipes import ModelRecipe
from pipelines.cases.labelled import add_sources, load_cohort, read_examples
from pipelines.cases.leakage.audit import check_kinds
from pipelines.sources.arrivals import only_one
from pipelines.training.evaluate.groups import catalogue_groups
from pipelines.training.evaluate.table import FEWEST
from pipelines.training.trained import Stage, no_stage
from pipelines.training.tune.cases import Tuned, check_asked, tune_cases
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.paths import Workspace


def tune(
    workspace: Workspace,
    *,
    trials: int = 30,
    folds: int = 5,
    minutes: float | None = None,
    seed: int | None = None,
    only: Sequence[str] = (),
    encoders: Sequence[str] = (),
    splits: Mapping[str, Split] | None = None,
    draws: int | None = None,
    allow_leaks: Collection[str] = (),
    stage: Stage | None = None,
) -> Tuned:
    """Tune the recipe that training would plan, on the training and validation cases. Nothing is registered.

    An interrupted tuning goes on where it was: the trials are kept in ``cache/tuning``.

    Parameters
    ----------
    trials, folds, minutes, seed, only, encoders
        As `tune_cases` has them.
    splits
        A given split by patient id as the scans have it; patients that it does not name are split by hash.
    draws
        Bootstrap samples; those of the settings by default.

    Raises
    ------
    LeakageError
        The audit found a leak that is not allowed.
    InputError
        There is no labelled case, the plan is the linear fusion, or as `tune_cases` raises it.
    ServerError
        Another process is tuning in this workspace.
    """
    allowed = {*workspace.settings.leakage.allow, *allow_leaks}
    check_kinds(allowed)
    own = workspace.settings.model
    draws = own.training.bootstrap if draws is None else draws
    # What the settings name is refused at once; what is planned, as soon as the plan is there.
    check_asked(own, trials=trials, folds=folds, minutes=minutes, seed=seed, draws=draws, only=only, encoders=encoders)
    cohort = load_cohort(workspace, splits=splits)
    if not cohort.members:
        raise InputError("no labelled case to tune on: ingest scans, notes and --labels first")
    recipe = cohort.plan.recipe
    _refuse_linear(recipe, own)
    with only_one(workspace.cache / "tuning" / "lock", "is tuning"):
        with (stage or no_stage)("read labelled cases", len(cohort.members)) as report:
            examples, refused = read_examples(workspace, cohort, progress=report)
        audited = add_sources(workspace, examples)
        done = tune_cases(
            examples,
            recipe=recipe,
            trials=trials,
            folds=folds,
            minutes=minutes,
            seed=seed,
            only=only,
            encoders=encoders,
            draws=draws,
            audited=audited,
            allow_leaks=allowed,
            groups=catalogue_groups(audited),
            cache=ArrayCache(workspace.cache),
            checkpoints=workspace.cache / "checkpoints",
            store=workspace.cache / "tuning",
            stage=stage,
        )
    told = str(refused) if refused >= FEWEST else f"under {FEWEST}"
    lines = [f"planned: {line}" for line in cohort.plan.why]
    lines += [f"{told} labelled cases could not be read and were left out"] if refused else []
    return replace(done, evaluation=replace(done.evaluation, notices=(*lines, *done.evaluation.notices)))


def _refuse_linear(planned: ModelRecipe, own: ModelRecipe) -> None:
    if planned.fusion.kind == "linear" and own.fusion.kind != "linear":
        raise InputError(
            "the plan for so few patients is the linear fusion, which has nothing to tune: train chooses its penalties "
            "and modalities inside the folds, and evaluate measures that; to tune a network in spite of it, name "
            "model.fusion.kind in scanote.yaml"
        )
