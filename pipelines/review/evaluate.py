"""From a workspace's labelled cases to an evaluation: of its recipe, or of registered models."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from data_schemas.cohort import Split
from data_schemas.errors import InputError
from pipelines.cases.examples import Example
from pipelines.cases.labelled import add_sources, load_cohort, read_examples
from pipelines.cases.leakage.audit import check_kinds
from pipelines.models.artefact import LoadedModel, load_model
from pipelines.models.registry import Registered, fetch, resolve
from pipelines.review.as_trained import as_trained
from pipelines.training.cohort import digest_cohort
from pipelines.training.evaluate.cross import cross_validate
from pipelines.training.evaluate.evaluation import Evaluation
from pipelines.training.evaluate.groups import catalogue_groups
from pipelines.training.evaluate.held_out import evaluate_models
from pipelines.training.evaluate.table import FEWEST
from pipelines.training.trained import Stage, no_stage
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.paths import Workspace

HELD_OUT, EXTERNAL = "held-out test", "external test"


def evaluate_recipe(
    workspace: Workspace,
    *,
    folds: int = 5,
    repeats: int = 1,
    specificity: float = 0.9,
    draws: int | None = None,
    curves: bool = True,
    allow_leaks: Collection[str] = (),
    stage: Stage | None = None,
) -> Evaluation:
    """Cross-validate the recipe that training would plan, on all of the labelled cases. Nothing is registered.

    Raises
    ------
    LeakageError
        The audit found a leak that is not allowed.
    InputError
        The cohort cannot be cut into so many folds, or a name is no kind of leak.
    """
    allowed = {*workspace.settings.leakage.allow, *allow_leaks}
    check_kinds(allowed)
    check_specificity(specificity)
    cohort = load_cohort(workspace)
    recipe = cohort.plan.recipe
    with (stage or no_stage)("read labelled cases", len(cohort.members)) as report:
        examples, refused = read_examples(workspace, cohort, progress=report)
    audited = add_sources(workspace, examples)
    done = cross_validate(
        examples,
        recipe=recipe,
        folds=folds,
        repeats=repeats,
        specificity=specificity,
        draws=draws or recipe.training.bootstrap,
        curves=curves,
        audited=audited,
        allow_leaks=allowed,
        groups=catalogue_groups(audited),
        cache=ArrayCache(workspace.cache),
        checkpoints=workspace.cache / "checkpoints",
        stage=stage,
    )
    planned = (f"planned: {line}" for line in cohort.plan.why)
    return replace(done, notices=(*planned, *done.notices, *_refused(refused)))


def evaluate_registered(
    workspace: Workspace,
    selectors: Sequence[str],
    *,
    cohort: Workspace | None = None,
    splits: Mapping[str, Split] | None = None,
    specificity: float = 0.9,
    draws: int | None = None,
    curves: bool = True,
    stage: Stage | None = None,
) -> Evaluation:
    """Test a registered model, and compare it with others, on cases that it was not trained on.

    Parameters
    ----------
    selectors
        Versions or aliases; the first is tested, the others are compared with it.
    cohort
        Another workspace, all of whose labelled cases are tested; without it, the test split of this one, cut by the
        first model's own seed and shares.
    splits
        A given split by patient id, as it was given to training.

    Raises
    ------
    ModelError
        There is no such model, or its files are not the registered ones.
    InputError
        No labelled case to test on, the models have no finding in common, or one is named twice.
    """
    check_specificity(specificity)
    found = [resolve(workspace, task=workspace.settings.model.task, selector=selector) for selector in selectors]
    chosen = {f"version {version.version}": version for version in found}
    if len(chosen) < len(found):
        raise InputError("the same version is named twice: a model is not compared with itself")
    models = {
        name: load_model(
            fetch(workspace, version), expected_digest=version.digest, builder=workspace.settings.model.scan.builder
        )
        for name, version in chosen.items()
    }
    source = cohort or workspace
    notices: list[str] = []
    examples: dict[str, list[Example]] = {}
    seed_of = next(iter(models.values())).card.recipe.training
    for name, model in models.items():
        training = {
            "seed": seed_of.seed,
            "validation_share": seed_of.validation_share,
            "test_share": seed_of.test_share,
        }
        recipe = model.card.recipe
        recipe = recipe.model_copy(update={"training": recipe.training.model_copy(update=training)})
        place = replace(source, settings=source.settings.model_copy(update={"model": recipe}))
        members = load_cohort(place, splits=splits)
        with (stage or no_stage)(f"read cases for {name}", len(members.members)) as report:
            rows, refused = read_examples(place, members, progress=report)
        notices += [line for line in _refused(refused) if line not in notices]
        if cohort is None:
            rows, recorded = as_trained(workspace, model.digest, rows)
            notices += [] if recorded else _changed(name, model, rows)
            rows = [row for row in rows if row.split == "test"]
            if not rows:
                raise InputError(
                    f"no labelled case that {name} was not fitted on: cross-validate (without naming a model), ingest "
                    "more, or name another workspace with --cohort"
                )
        examples[name] = rows
    first = next(iter(examples.values()))
    with (stage or no_stage)("test", 1):
        return evaluate_models(
            models,
            examples,
            kind=EXTERNAL if cohort is not None else HELD_OUT,
            specificity=specificity,
            draws=draws or seed_of.bootstrap,
            curves=curves,
            groups=catalogue_groups(add_sources(source, first)),
            about=_about(chosen),
            notices=notices,
            cache=ArrayCache(source.cache),
        )


def check_specificity(specificity: float) -> None:
    """Refuse one that is no share between 0 and 1."""
    if not 0.0 < specificity < 1.0:
        raise InputError("the specificity must lie between 0 and 1, both excluded")


def _about(chosen: Mapping[str, Registered]) -> dict[str, str]:
    return {name: f"{row.name} version {row.version}, digest {row.digest[:12]}" for name, row in chosen.items()}


def _changed(name: str, model: LoadedModel, examples: Sequence[Example]) -> list[str]:
    """A test split of another cohort than the model's own may hold patients that it was trained on."""
    if digest_cohort(examples) == model.card.training.get("cohort_digest"):
        return []
    return [
        f"{name} was trained on other cases or labels than the workspace has now: its training patients stay out of "
        "the test split only if the split is the same (that of the hash, or the same table)"
    ]


def _refused(count: int) -> list[str]:
    told = str(count) if count >= FEWEST else f"under {FEWEST}"
    return [f"{told} labelled cases could not be read and were left out"] if count else []
