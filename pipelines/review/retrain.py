"""From the catalogue's labelled cases to a registered challenger."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from data_schemas.cohort import Split
from pipelines.cases.examples import Example
from pipelines.cases.labelled import add_sources, load_cohort, read_examples
from pipelines.cases.leakage.audit import check_kinds
from pipelines.cases.leakage.case import AuditedCase
from pipelines.models.registry import Registered
from pipelines.review.publish import publish
from pipelines.training.run import train
from pipelines.training.trained import Stage, Trained, no_stage
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.forget import drop_forgotten
from pipelines.workspace.memberships import Member, put_members
from pipelines.workspace.paths import Workspace


@dataclass(frozen=True)
class Retrained:
    """A finished run, its registered version, how many labelled cases could not be read, and what was planned."""

    trained: Trained
    registered: Registered
    refused: int
    planned: tuple[str, ...] = ()


def retrain(
    workspace: Workspace,
    *,
    extra: Sequence[Example] = (),
    splits: Mapping[str, Split] | None = None,
    stage: Stage | None = None,
    attainable: Mapping[str, Mapping[str, float]] | None = None,
    allow_leaks: Collection[str] = (),
) -> Retrained:
    """Plan for the workspace's labelled cases, audit them for leaks, train, and register the result as *challenger*.

    Parameters
    ----------
    extra
        More examples, such as synthetic ones; where there are any, the run is marked synthetic.
    splits
        A given split by patient id as the scans have it; patients that it does not name are split by hash.
    attainable
        For the report: per finding the best AUROC that is attainable, where the truth is known.
    allow_leaks
        Kinds of leak that the run may have, beside those that the settings allow.

    Raises
    ------
    LeakageError
        The audit found a leak that is not allowed.
    InputError
        The cohort cannot be trained on, or a name is no kind of leak.
    """
    allowed = {*workspace.settings.leakage.allow, *allow_leaks}
    check_kinds(allowed)
    cohort = load_cohort(workspace, splits=splits, others=len({row.patient_key for row in extra}))
    with (stage or no_stage)("read labelled cases", len(cohort.members)) as report:
        examples, refused = read_examples(workspace, cohort, progress=report)
    audited = [*add_sources(workspace, examples), *(AuditedCase(example) for example in extra)]
    with tempfile.TemporaryDirectory(dir=workspace.cache) as folder:
        trained = train(
            [*examples, *extra],
            audited=audited,
            allow_leaks=allowed,
            recipe=cohort.plan.recipe,
            folder=Path(folder) / "model",
            cache=ArrayCache(workspace.cache),
            checkpoints=workspace.cache / "checkpoints",
            stage=stage,
            distance_quantile=workspace.settings.diagnosis.distance_quantile,
            hold_out=splits is not None,
        )
        # Before anybody hears of the model: whom it was trained on is known as long as the model is.
        with workspace.database() as engine:
            seen = (Member(row.study_key, row.patient_key, trained.splits[row.study_key]) for row in examples)
            put_members(engine, trained.digest, seen)
            drop_forgotten(engine, ArrayCache(workspace.cache))
        with (stage or no_stage)("register in MLflow", 1):
            registered = publish(workspace, trained, attainable=attainable, synthetic=bool(extra))
    return Retrained(trained=trained, registered=registered, refused=refused, planned=cohort.plan.why)
