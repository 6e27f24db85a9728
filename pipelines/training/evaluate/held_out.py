"""The test of finished models on cases that none of them was trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from data_schemas.errors import InputError
from pipelines.cases.examples import Example
from pipelines.models.artefact import LoadedModel
from pipelines.models.reading import read_cases
from pipelines.training.evaluate.curves import read_perturbed
from pipelines.training.evaluate.evaluation import Evaluation, columns, shared_findings, summarise, unmeasured
from pipelines.training.evaluate.scored import scored
from pipelines.workspace.cache import ArrayCache

CASES_A_READING = 256


def evaluate_models(
    models: Mapping[str, LoadedModel],
    examples: Mapping[str, Sequence[Example]],
    *,
    kind: str,
    specificity: float = 0.9,
    draws: int = 1000,
    curves: bool = True,
    groups: Mapping[str, Mapping[str, str]] | None = None,
    about: Mapping[str, str] | None = None,
    notices: Sequence[str] = (),
    cache: ArrayCache | None = None,
) -> Evaluation:
    """Measure the first model, and compare it with the others on the same cases.

    Parameters
    ----------
    models
        By the name that they shall have in the tables.
    examples
        By the same names, the cases as each model takes them: its grid, its sections, its codes. Cases that one of
        the models cannot take are left out for all.
    kind
        ``held-out test`` or ``external test``.

    Raises
    ------
    InputError
        No case that all models can take, or no finding that all of them know.
    """
    names = list(models)
    main, first = names[0], models[names[0]]
    by_key = {name: {row.study_key: row for row in examples[name]} for name in names}
    keys = [row.study_key for row in examples[main] if all(row.study_key in rows for rows in by_key.values())]
    if not keys:
        raise InputError("no labelled case to test on: ingest cases with labels, or name a cohort with --cohort")
    known = [model.card.recipe.findings for model in models.values()]
    findings = shared_findings(known)
    if not findings:
        raise InputError("the models have no finding in common: compare models of the same findings")
    told = [f"finding {name} is left out: not every model knows it" for name in known[0] if name not in findings]
    told += unmeasured({target for model in models.values() for target in model.card.recipe.targets})
    cases = {name: [by_key[name][key] for key in keys] for name in names}
    read = {name: reader(model, findings, cache=cache) for name, model in models.items()}
    given = scored(cases[main], {name: read[name](cases[name]) for name in names}, findings, groups=groups)
    recipe = first.card.recipe
    return summarise(
        given,
        kind=kind,
        task=recipe.task,
        main=main,
        others=names[1:],
        specificity=specificity,
        draws=draws,
        seed=recipe.training.seed,
        about=about or {},
        readings=read_perturbed(cases[main], read[main], seed=recipe.training.seed) if curves else (),
        notices=(*notices, *told),
    )


def reader(
    model: LoadedModel, findings: Sequence[str], *, cache: ArrayCache | None = None
) -> Callable[[Sequence[Example]], np.ndarray]:
    """A function that gives a model's probabilities [N, F] of some findings; NaN where it does not know one."""

    def read(examples: Sequence[Example]) -> np.ndarray:
        rows = [
            read_cases(model, examples[start : start + CASES_A_READING], cache=cache).probabilities
            for start in range(0, len(examples), CASES_A_READING)
        ]
        has = model.card.recipe.findings
        return columns(np.concatenate(rows) if rows else np.empty((0, len(has))), has, findings)

    return read
