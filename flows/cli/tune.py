"""``tune``: which recipe suits this cohort, and what choosing it by tuning is worth on new patients."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.cohort import AllowLeakOption, given_splits
from flows.cli.shared import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, print_json, quiet_libraries, stage, tell

if TYPE_CHECKING:
    from pipelines.training.tune.cases import Tuned


def tune(
    trials: Annotated[int, typer.Option(help="Recipes that each search tries: one search a fold, and the last.")] = 30,
    folds: Annotated[int, typer.Option(help="Outer folds, whose patients no search sees.")] = 5,
    minutes: Annotated[
        float | None, typer.Option(help="After which no further trial begins; fits of scan encoders count too.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of folds and searches; else model.training.seed.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="SETTING that may vary, such as training.learning_rate; repeatable.")
    ] = None,
    encoder: Annotated[
        list[str] | None,
        typer.Option(help="Another scan encoder in the race: it is fitted once a fold; repeatable."),
    ] = None,
    splits: Annotated[
        Path | None, typer.Option(help="Table patient_id, split; else that of the settings, or by hash.")
    ] = None,
    draws: Annotated[
        int | None, typer.Option(help="Bootstrap samples; else training.bootstrap of the settings.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the chosen recipe into scanote.yaml.")] = False,
    allow_leak: AllowLeakOption = None,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Search for the recipe that suits the cohort, late fusion always in the race, and measure the search itself.

    The test split has no part in it. Scan features are computed once a fold and encoder, and cached.
    """
    quiet_libraries()
    from pipelines.training.tune.chosen import section_text, write_chosen
    from pipelines.training.tune.keep import keep_tuning
    from pipelines.training.tune.report import tuning_content
    from pipelines.training.tune.run import tune as run
    from pipelines.training.tune.telling import tell_tuning
    from pipelines.workspace.paths import open_workspace

    given = open_workspace(workspace)
    done = run(
        given,
        trials=trials,
        folds=folds,
        minutes=minutes,
        seed=seed,
        only=tuple(only or ()),
        encoders=tuple(encoder or ()),
        splits=given_splits(given, splits),
        draws=draws,
        allow_leaks=allow_leak or (),
        stage=stage,
    )
    for notice in done.evaluation.notices:
        tell(notice)
    kept, folder = keep_tuning(given, done)
    if as_json:
        print_json(tuning_content(done) | {"report": str(folder), "written": write})
    else:
        _print(done)
        print(f"\nreport: {folder / 'tuning.md'}")
        print(f"\n{section_text(done.values)}", end="")
    if write:
        before = write_chosen(given, done.values)
        tell("scanote.yaml: the chosen recipe is written" + (f"; the old file is {before.name}" if before else ""))
    with stage("tell MLflow", 1):
        tell_tuning(given, kept)


def _print(done: Tuned) -> None:
    from flows.cli.evaluate import aligned
    from pipelines.training.evaluate.report import counts, interval, p_value, signed

    measured = done.evaluation
    print(f"{measured.kind}: {measured.about['cases']} cases of {measured.about['patients']} patients\n")
    body = []
    for finding in measured.findings:
        arms = [measured.of(finding, arm) for arm in measured.arms]
        told = next((counts(row) for row in arms if row is not None), "")
        body.append([finding, told, *(interval(row.auroc_bootstrap) if row else "–" for row in arms)])
    print(aligned([("finding", "pos / neg", *(f"AUROC {arm}" for arm in measured.arms)), *body]))
    rows = [
        (row.finding, row.other, signed(row.difference_bootstrap), p_value(row.p_holm)) for row in measured.differences
    ]
    print("\nAUROC of the tuned recipe less that of the others, paired, on the same patients")
    print(aligned([("finding", "less", "difference (95 % interval)", "p (Holm)"), *rows]))
    print(
        f"\nmean AUROC: {done.reported:.3f} on patients that no search saw; {done.inner:.3f} is what the searches saw "
        "of their own choices, and too good"
    )
