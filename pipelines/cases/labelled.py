"""The labelled cases of a workspace, in their splits: as examples, and as the leakage audit sees them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from data_schemas.case import Case, Unlinked
from data_schemas.cohort import CohortMember, Split
from data_schemas.errors import InputError, RefusedError
from data_schemas.note import Note
from data_schemas.observation import Observation
from pipelines.cases.cohort import build_cohort
from pipelines.cases.examples import Example
from pipelines.cases.ingest import load_cases
from pipelines.cases.join import join
from pipelines.cases.leakage.case import AuditedCase
from pipelines.cases.leakage.duplicate_volume import thumbnail
from pipelines.cases.merged import merged_in
from pipelines.cases.plan import Plan, plan_recipe
from pipelines.cases.prepare import prepare
from pipelines.cases.rules import link_rules
from pipelines.workspace import catalogue
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.identity import patient_key, study_key
from pipelines.workspace.local_paths import with_local_paths
from pipelines.workspace.paths import Workspace

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class LabelledCohort:
    """The members with their splits, their cases by study key, the labels that no case could take, and the plan."""

    members: tuple[CohortMember, ...]
    cases: Mapping[str, Case]
    unlinked: tuple[Unlinked, ...]
    plan: Plan


def load_cohort(workspace: Workspace, *, splits: Mapping[str, Split] | None = None, others: int = 0) -> LabelledCohort:
    """Join the catalogue's cases with its labels, split the patients by the settings' shares, and plan the recipe.

    ``splits`` is a given split by patient id as the scans have it; patients that it does not name are split by hash.
    ``others`` is how many patients besides them a model will be trained on.

    Raises
    ------
    InputError
        The given splits name no patient of the labelled cases, or put one patient into several.
    """
    recipe, rules = with_local_paths(workspace.settings.model, workspace.root), workspace.settings.link
    ids = {"ignore_id_case": rules.ignore_id_case, "ignore_leading_zeros": rules.ignore_leading_zeros}
    with workspace.database() as engine:
        merged = merged_in(engine, rules)
        labels, id_map = merged.labels(catalogue.labels(engine)), merged.id_map(catalogue.id_map(engine))
    cases = load_cases(workspace).cases
    cohort = build_cohort(
        cases,
        labels,
        id_map,
        workspace_key=workspace.key,
        seed=recipe.training.seed,
        validation_share=recipe.training.validation_share,
        test_share=recipe.training.test_share,
        **ids,
    )
    given: dict[str, Split] = {}
    for patient, split in (splits or {}).items():
        key = patient_key(
            workspace.key,
            merged.scan_id(patient),
            ignore_case=rules.ignore_id_case,
            ignore_leading_zeros=rules.ignore_leading_zeros,
        )
        if given.setdefault(key, split) != split:
            raise InputError(
                "the splits have one patient, under several ids, in several splits; give all ids of a patient one split"
            )
    if given and not given.keys() & {member.patient_key for member in cohort.members}:
        raise InputError("the splits name no patient of the labelled cases; give patient ids as the scans have them")
    members = tuple(
        member.model_copy(update={"split": given.get(member.patient_key, member.split)}) for member in cohort.members
    )
    wanted = {member.study_key for member in members}
    labelled = {case.study_key: case for case in cases if case.study_key in wanted}
    channels = [rule.name for rule in workspace.settings.select.channels]
    plan = plan_recipe(recipe, tuple(labelled.values()), members, channels=channels, others=others)
    return LabelledCohort(members, labelled, cohort.unlinked, plan)


def read_examples(
    workspace: Workspace, cohort: LabelledCohort, *, progress: Progress | None = None
) -> tuple[list[Example], int]:
    """The members as examples, and how many of them had to be refused."""
    cache = ArrayCache(workspace.cache)
    examples: list[Example] = []
    for number, member in enumerate(cohort.members):
        with suppress(RefusedError):
            examples.append(_example(cohort, member, cache))
        if progress:
            progress(number + 1, len(cohort.members))
    return examples, len(cohort.members) - len(examples)


def read_for_audit(
    workspace: Workspace, cohort: LabelledCohort, *, volumes: bool = True, progress: Progress | None = None
) -> tuple[list[AuditedCase], int]:
    """The members as the audit sees them, with thumbnails for tensors, and how many had to be refused.

    Without ``volumes`` no scan is read: then volumes are compared by the digests of their files alone.
    """
    cache = ArrayCache(workspace.cache)
    examples: list[Example] = []
    for number, member in enumerate(cohort.members):
        try:
            example = _example(cohort, member, cache, volumes=volumes)
        except RefusedError:
            continue
        finally:
            if progress:
                progress(number + 1, len(cohort.members))
        if example.scan is not None:
            small = thumbnail(example.scan.values).reshape(len(example.scan.values), 8, 8, 8)
            example = replace(example, scan=replace(example.scan, values=small))
        examples.append(example)
    return add_sources(workspace, examples), len(cohort.members) - len(examples)


def add_sources(workspace: Workspace, examples: Sequence[Example]) -> list[AuditedCase]:
    """Each example with what the catalogue holds of its patient, whatever its date."""
    rules, select = workspace.settings.link, workspace.settings.select
    with workspace.database() as engine:
        merged = merged_in(engine, rules)
        scans, id_map = merged.scans(catalogue.scans(engine)), merged.id_map(catalogue.id_map(engine))
        records: list[Note | Observation] = [*merged.records(catalogue.notes(engine))]
        records += merged.records(catalogue.observations(engine))
    joined = join(
        scans,
        records,
        id_map,
        ignore_id_case=rules.ignore_id_case,
        ignore_leading_zeros=rules.ignore_leading_zeros,
        require=select.require,
        prefer=select.prefer,
        channels=select.channels,
    )
    studies = {study_key(workspace.key, uid): study for uid, study in joined.studies.items()}
    timing = link_rules(rules)
    return [
        AuditedCase(
            example,
            studies[example.study_key].main,
            joined.of_study(studies[example.study_key]),
            timing["offsets"],
            timing["zone"],
        )
        if example.study_key in studies
        else AuditedCase(example)
        for example in examples
    ]


def _example(cohort: LabelledCohort, member: CohortMember, cache: ArrayCache, *, volumes: bool = True) -> Example:
    case = cohort.cases[member.study_key]
    example = prepare(
        case if volumes else case.model_copy(update={"scan": None, "channels": ()}),
        recipe=cohort.plan.recipe,
        cache=cache,
        labels={name: int(value) for name, value in member.labels.items()},
        split=member.split,
    )
    return replace(example, targets=dict(member.targets))
