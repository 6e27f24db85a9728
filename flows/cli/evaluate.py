"""``evaluate``: how well a model does, how sure that is, for whom, and what makes it worse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.cohort import AllowLeakOption, given_splits
from flows.cli.shared import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, print_json, quiet_libraries, stage, tell

if TYPE_CHECKING:
    from pipelines.training.evaluate.evaluation import Evaluation

FOLDS, REPEATS = 5, 1


def evaluate(
    model: Annotated[
        str | None,
        typer.Argument(help="Version or alias to test; without it, the settings' recipe is cross-validated."),
    ] = None,
    against: Annotated[
        list[str] | None, typer.Option(help="With MODEL: another version or alias to compare with; repeatable.")
    ] = None,
    cohort: Annotated[
        Path | None, typer.Option(help="With MODEL: another workspace, all of whose labelled cases are tested.")
    ] = None,
    splits: Annotated[
        Path | None, typer.Option(help="With MODEL: table patient_id, split, as given to training.")
    ] = None,
    folds: Annotated[int | None, typer.Option(help="Without MODEL: folds of the cross-validation; else 5.")] = None,
    repeats: Annotated[
        int | None, typer.Option(help="Without MODEL: how often the patients are cut; else once.")
    ] = None,
    specificity: Annotated[float, typer.Option(help="At which the sensitivity is told.")] = 0.9,
    draws: Annotated[
        int | None, typer.Option(min=10, help="Bootstrap samples; else training.bootstrap of the settings.")
    ] = None,
    curves: Annotated[bool, typer.Option(help="Curves over missing and noisy inputs; they take the most time.")] = True,
    allow_leak: AllowLeakOption = None,
    out: Annotated[Path | None, typer.Option(help="New folder that receives a copy of the report.")] = None,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Cross-validate the recipe, or test a registered model; tables and figures go to the workspace and MLflow."""
    quiet_libraries()
    of_model = {"--against": against, "--cohort": cohort, "--splits": splits}
    of_recipe = {"--folds": folds, "--repeats": repeats, "--allow-leak": allow_leak}
    _check(model, of_model=of_model, of_recipe=of_recipe, out=out)
    from pipelines.review.evaluate import evaluate_recipe, evaluate_registered
    from pipelines.review.evaluation import keep_evaluation, tell_evaluation
    from pipelines.workspace.paths import open_workspace

    given = open_workspace(workspace)
    if model is None:
        done = evaluate_recipe(
            given,
            folds=FOLDS if folds is None else folds,
            repeats=REPEATS if repeats is None else repeats,
            specificity=specificity,
            draws=draws,
            curves=curves,
            allow_leaks=allow_leak or (),
            stage=stage,
        )
    else:
        other = open_workspace(cohort) if cohort else None
        done = evaluate_registered(
            given,
            [model, *(against or ())],
            cohort=other,
            splits=given_splits(given, splits) if other is None else None,
            specificity=specificity,
            draws=draws,
            curves=curves,
            stage=stage,
        )
    for notice in done.notices:
        tell(notice)
    kept, folder = keep_evaluation(given, done)
    if out is not None:
        import shutil

        shutil.copytree(folder, out)
    if as_json:
        print_json(summary(done) | {"report": str(folder)})
    else:
        _print(done)
        print(f"\nreport: {folder / 'evaluation.md'}")
    with stage("tell MLflow", 1):
        tell_evaluation(given, kept)


def summary(done: Evaluation) -> dict[str, Any]:
    """What ``evaluate --json`` prints: every table as rows, undefined figures as null."""
    from pipelines.training.evaluate.report import flat

    def rows(table: Any) -> list[dict[str, Any]]:
        return [{name: _plain(value) for name, value in flat(row).items()} for row in table]

    return {
        "kind": done.kind,
        "task": done.task,
        "main": done.main,
        "about": dict(done.about),
        "notices": list(done.notices),
        "measures": rows(done.rows),
        "differences": rows(done.differences),
        "curves": rows(done.curves),
    }


def _check(model: str | None, *, of_model: dict[str, Any], of_recipe: dict[str, Any], out: Path | None) -> None:
    """Refuse options that would be without effect, before anything is read."""
    from data_schemas.errors import InputError

    for name, value in of_model.items():
        if model is None and value:
            raise InputError(f"{name} is for a registered model: name one, such as champion or challenger")
    for name, value in of_recipe.items():
        if model is not None and value is not None and value != []:
            raise InputError(f"{name} is for cross-validation of the settings' recipe: leave it or the model out")
    if of_model["--cohort"] and of_model["--splits"]:
        raise InputError("--splits is for this workspace's own test split: of another cohort all cases are tested")
    if out is not None and out.exists():
        raise InputError(f"{out}: is there already; name a new folder")


def _plain(value: Any) -> Any:
    finite = not isinstance(value, float) or abs(value) < float("inf")
    return value if finite else None


def _print(done: Evaluation) -> None:
    from pipelines.training.evaluate.report import counts, interval, p_value, signed

    print(f"{done.kind} of {done.main}: {done.about['cases']} cases of {done.about['patients']} patients\n")
    sensitivity = f"sensitivity at {done.specificity:g}"
    heads = ("finding", "pos / neg", "AUROC", "AUPRC", sensitivity, "Brier", "slope")
    body = []
    for finding in done.findings:
        if (row := done.of(finding)) is not None:
            measured = [interval(value) for value in (row.auroc, row.auprc, row.sensitivity, row.brier)]
            body.append([finding, counts(row), *measured, signed(row.slope)])
    print(aligned([heads, *body]))
    if done.differences:
        rows = [(row.finding, row.other, signed(row.difference), p_value(row.p_holm)) for row in done.differences]
        print(f"\nAUROC of {done.main} less that of the others, paired")
        print(aligned([("finding", "less", "difference (95 % interval)", "p (Holm)"), *rows]))


def aligned(lines: list[Any]) -> str:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
