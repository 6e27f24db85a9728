"""From the catalogue's labelled cases to a registered challenger."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from data_schemas.cohort import Split
from data_schemas.errors import InputError, RefusedError
from pipelines.cases.cohort import build_cohort
from pipelines.cases.examples import Example
from pipelines.cases.ingest import load_cases
from pipelines.cases.prepare import prepare
from pipelines.models.registry import Registered
from pipelines.review.publish import publish
from pipelines.training.run import Stage, Trained, no_stage, train
from pipelines.workspace import catalogue
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.identity import patient_key
from pipelines.workspace.paths import Workspace


@dataclass(frozen=True)
class Retrained:
    """A finished run, its registered version, and how many labelled cases could not be read."""

    trained: Trained
    registered: Registered
    refused: int


def retrain(
    workspace: Workspace,
    *,
    extra: Sequence[Example] = (),
    splits: Mapping[str, Split] | None = None,
    stage: Stage | None = None,
    attainable: Mapping[str, Mapping[str, float]] | None = None,
) -> Retrained:
    """Train on the workspace's labelled cases and register the result as *challenger*.

    Parameters
    ----------
    extra
        More examples, such as synthetic ones; where there are any, the run is marked synthetic.
    splits
        A given split by patient id as the scans have it; patients that it does not name are split by hash.
    attainable
        For the report: per finding the best AUROC that is attainable, where the truth is known.

    Raises
    ------
    InputError
        The cohort cannot be trained on.
    """
    examples, refused = labelled_examples(workspace, splits=splits, stage=stage)
    with tempfile.TemporaryDirectory(dir=workspace.cache) as folder:
        trained = train(
            [*examples, *extra],
            recipe=workspace.settings.model,
            folder=Path(folder) / "model",
            cache=ArrayCache(workspace.cache),
            checkpoints=workspace.cache / "checkpoints",
            stage=stage,
            distance_quantile=workspace.settings.diagnosis.distance_quantile,
        )
        with (stage or no_stage)("register in MLflow", 1):
            registered = publish(workspace, trained, attainable=attainable, synthetic=bool(extra))
    return Retrained(trained=trained, registered=registered, refused=refused)


def labelled_examples(
    workspace: Workspace, *, splits: Mapping[str, Split] | None = None, stage: Stage | None = None
) -> tuple[list[Example], int]:
    """The labelled cases of the catalogue as examples, and how many of them had to be refused."""
    recipe, rules = workspace.settings.model, workspace.settings.link
    with workspace.database() as engine:
        labels, id_map = catalogue.labels(engine), catalogue.id_map(engine)
    cases = load_cases(workspace).cases
    cohort = build_cohort(
        cases,
        labels,
        id_map,
        workspace_key=workspace.key,
        seed=recipe.training.seed,
        validation_share=recipe.training.validation_share,
        test_share=recipe.training.test_share,
        ignore_id_case=rules.ignore_id_case,
        ignore_leading_zeros=rules.ignore_leading_zeros,
    )
    given = {
        patient_key(
            workspace.key,
            patient,
            ignore_case=rules.ignore_id_case,
            ignore_leading_zeros=rules.ignore_leading_zeros,
        ): split
        for patient, split in (splits or {}).items()
    }
    if given and not given.keys() & {member.patient_key for member in cohort.members}:
        raise InputError("the splits name no patient of the labelled cases; give patient ids as the scans have them")
    by_key = {case.study_key: case for case in cases}
    cache = ArrayCache(workspace.cache)
    examples: list[Example] = []
    refused = 0
    with (stage or no_stage)("read labelled cases", len(cohort.members)) as report:
        for number, member in enumerate(cohort.members):
            try:
                examples.append(
                    prepare(
                        by_key[member.study_key],
                        recipe=recipe,
                        cache=cache,
                        labels={name: int(value) for name, value in member.labels.items()},
                        split=given.get(member.patient_key, member.split),
                    )
                )
            except RefusedError:
                refused += 1
            report(number + 1, len(cohort.members))
    return examples, refused
