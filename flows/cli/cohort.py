"""``cohort``: splits, prevalence, what the cases have, and the leakage audit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.shared import (
    DEFAULT_WORKSPACE,
    JsonOption,
    WorkspaceOption,
    print_json,
    quiet_libraries,
    stage,
    tell,
)

if TYPE_CHECKING:
    from data_schemas.cohort import Split
    from data_schemas.leakage import LeakReport
    from pipelines.cases.describe import Prevalence
    from pipelines.cases.labelled import LabelledCohort
    from pipelines.workspace.paths import Workspace

AllowLeakOption = Annotated[
    list[str] | None, typer.Option("--allow-leak", help="KIND of leak that may be there; repeatable.")
]


def cohort(
    splits: Annotated[
        Path | None, typer.Option(help="Table patient_id, split; else that of the settings, or by hash.")
    ] = None,
    volumes: Annotated[bool, typer.Option(help="Read the scans, to find volumes that are almost the same.")] = True,
    allow_leak: AllowLeakOption = None,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if a leak was found that is not allowed.")
    ] = False,
) -> None:
    """Build the cohort that training would use, describe it, and audit it for leaks. Nothing is trained."""
    quiet_libraries()
    from data_schemas.errors import InputError
    from pipelines.cases.describe import availability, prevalences, sizes
    from pipelines.cases.labelled import load_cohort, read_for_audit
    from pipelines.cases.leakage.audit import audit, check_kinds
    from pipelines.workspace.paths import open_workspace

    given = open_workspace(workspace)
    allow = {*given.settings.leakage.allow, *(allow_leak or ())}
    check_kinds(allow)
    found = load_cohort(given, splits=given_splits(given, splits))
    if not found.members:
        raise InputError("no labelled case in this workspace: ingest scans, and labels of their patients or studies")
    with stage("read labelled cases", len(found.members)) as report:
        audited, refused = read_for_audit(given, found, volumes=volumes, progress=report)
    findings = found.plan.recipe.findings
    for line in found.plan.why:
        tell(f"planned: {line}")
    with stage("audit for leaks", 0) as report:
        leaks = audit(audited, findings=findings, progress=report)
    if refused:
        tell(f"{refused} labelled cases could not be read and were left out")
    rows = prevalences(found.members, findings)
    has = availability(found.members, found.cases)
    if as_json:
        print_json(_summary(found, rows, has, sizes(found.members), leaks, allow, refused))
    else:
        _print(rows, has, sizes(found.members), leaks, allow)
    if strict and any(kind not in allow for kind in leaks.found):
        raise typer.Exit(1)


def given_splits(workspace: Workspace, splits: Path | None) -> dict[str, Split] | None:
    """The splits of a table, or of the one that the settings name; None where there is neither."""
    from pipelines.sources.tables import read_splits

    named = workspace.settings.sources.splits
    path = splits or (workspace.root / Path(named).expanduser() if named else None)
    return read_splits(path) if path else None


def _summary(
    found: LabelledCohort,
    rows: tuple[Prevalence, ...],
    has: dict[str, Any],
    counts: dict[str, Any],
    leaks: LeakReport,
    allow: set[str],
    refused: int,
) -> dict[str, Any]:
    from pipelines.cases.leakage.table import status_of

    unlinked: dict[str, int] = {}
    for line in found.unlinked:
        unlinked[line.reason.value] = unlinked.get(line.reason.value, 0) + 1
    return {
        "splits": counts,
        "prevalence": [
            {
                "finding": row.finding,
                "split": row.split,
                "positive": row.positive,
                "negative": row.negative,
                "uncertain": row.uncertain,
                "share": None if row.share is None else round(row.share, 4),
            }
            for row in rows
        ],
        "availability": has,
        "refused": refused,
        "labels_not_linked": unlinked,
        "audit": {
            "checks": [
                check.model_dump() | {"status": status_of(leaks, check.kind, allow=allow)} for check in leaks.checks
            ],
            "leaks": [leak.model_dump() for leak in leaks.leaks],
            "allowed": sorted(allow),
        },
    }


def _print(
    rows: tuple[Prevalence, ...], has: dict[str, Any], counts: dict[str, Any], leaks: LeakReport, allow: set[str]
) -> None:
    from pipelines.cases.leakage.table import format_audit

    splits = list(counts)
    print(f"{'cases (patients)':<32}" + "".join(f"{split:>22}" for split in splits))
    told = [f"{_told(row['cases'])} ({_told(row['patients'])})" for row in counts.values()]
    print(f"{'':<32}" + "".join(f"{words:>22}" for words in told))
    print("\nprevalence, positive of known")
    for finding in dict.fromkeys(row.finding for row in rows):
        print(f"{finding[:31]:<32}" + "".join(f"{_share(row):>22}" for row in rows if row.finding == finding))
    print("\nwhat the cases have")
    for pattern, by_split in has.items():
        print(f"{pattern[:31]:<32}" + "".join(f"{_told(by_split[split]):>22}" for split in splits))
    print("\nleakage audit")
    print(format_audit(leaks, allow=allow))


def _share(row: Prevalence) -> str:
    if row.share is None:
        return "under 10 of a class"
    return f"{row.positive} of {(row.positive or 0) + (row.negative or 0)} ({row.share:.0%})"


def _told(count: int | None) -> str:
    return "under 10" if count is None else str(count)
