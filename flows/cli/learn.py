"""``train``, ``promote`` and ``rollback``: how a model comes to speak."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.cohort import AllowLeakOption, given_splits
from flows.cli.shared import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, print_json, quiet_libraries, stage, tell

if TYPE_CHECKING:
    from pipelines.review.retrain import Retrained

ReviewerOption = Annotated[str, typer.Option(help="Who decides; kept in the workspace's audit log.")]
ReasonOption = Annotated[str, typer.Option(help="Why; kept in the workspace's audit log.")]


def train(
    splits: Annotated[
        Path | None, typer.Option(help="Table patient_id, split; else that of the settings, or by hash.")
    ] = None,
    allow_leak: AllowLeakOption = None,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Audit the labelled cases for leaks, train on them, and register the result in MLflow as challenger."""
    quiet_libraries()

    from pipelines.review.retrain import retrain
    from pipelines.review.table import format_differences, format_table
    from pipelines.review.target_table import format_targets
    from pipelines.workspace.paths import open_workspace

    given = open_workspace(workspace)
    done = retrain(given, splits=given_splits(given, splits), stage=stage, allow_leaks=allow_leak or ())
    for line in done.planned:
        tell(f"planned: {line}")
    if done.refused:
        tell(f"{done.refused} labelled cases could not be read and were left out")
    if done.trained.allowed_leaks:
        tell(f"trained in spite of these leaks, which were allowed: {', '.join(done.trained.allowed_leaks)}")
    if as_json:
        print_json(train_summary(done))
    else:
        print(format_table(done.trained.reports))
        print()
        print(format_differences(done.trained.reports))
        if done.trained.targets:
            print()
            print(format_targets(done.trained.targets))
        print(f"registered: {done.registered.name} version {done.registered.version}, alias challenger")


def promote(
    version: Annotated[str, typer.Argument(help="Version or alias, such as challenger.")],
    reviewer: ReviewerOption,
    reason: ReasonOption,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
) -> None:
    """Make a version the champion. The gate is not built yet, so this is recorded as ungated."""
    quiet_libraries()
    from pipelines.review.promote import promote as run
    from pipelines.workspace.paths import open_workspace

    given = open_workspace(workspace)
    done = run(given, task=given.settings.model.task, selector=version, reviewer=reviewer, reason=reason)
    print(done.message)


def rollback(reviewer: ReviewerOption, reason: ReasonOption, workspace: WorkspaceOption = DEFAULT_WORKSPACE) -> None:
    """Move champion back to the version before."""
    quiet_libraries()
    from pipelines.review.promote import rollback as run
    from pipelines.workspace.paths import open_workspace

    given = open_workspace(workspace)
    print(run(given, task=given.settings.model.task, reviewer=reviewer, reason=reason).message)


def train_summary(done: Retrained) -> dict[str, Any]:
    """What ``train --json`` prints."""
    return {
        "model": done.registered.name,
        "version": done.registered.version,
        "digest": done.registered.digest,
        "cases": done.trained.counts,
        "model_arm": done.trained.reports[0].model,
        "planned": list(done.planned),
        "refused": done.refused,
        "leaks": {"found": list(done.trained.audit.found), "allowed": list(done.trained.allowed_leaks)},
        "findings": {
            report.finding: {
                "cases": report.cases,
                "positives": report.positives,
                "auroc": {arm: [value.value, value.low, value.high] for arm, value in report.auroc.items()},
                "auprc": {arm: [value.value, value.low, value.high] for arm, value in report.auprc.items()},
            }
            for report in done.trained.reports
        },
        "targets": {
            report.target: {
                "kind": report.kind,
                "unit": report.unit,
                "cases": report.cases,
                **{
                    measure: {
                        arm: [row[measure].value, row[measure].low, row[measure].high]
                        for arm, row in report.measures.items()
                    }
                    for measure in report.measures[report.model]
                },
                "covered": [report.covered.value, report.covered.low, report.covered.high],
            }
            for report in done.trained.targets
        },
    }
