"""What a tuning is worth: its nested figure beside the figure that its own search saw, and late fusion in the race.

`.venv/bin/python benchmarks/tuning.py` draws synthetic patients in memory, and tunes on them as `scanote tune` does:
in each outer fold a scan encoder is fitted, the cases are encoded once, and the recipe is searched for on the fold's
own training and validation patients; what was chosen is measured on the fold's test patients. Beside it stand the
untuned recipe and late fusion, fitted on the same patients. A search's own figure is the mean AUROC of its choice,
and of its best trial, on the validation patients that it chose by. Exits 1 if a case is measured not once, if late
fusion is missing among the trials or the finalists of a search, or if it takes longer than the minutes that are
asked.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from data_schemas.cohort import Split
from data_schemas.recipes import FusionRecipe, ModelRecipe, ScanRecipe, TrainingRecipe
from pipelines.synthetic.memory import synthetic_examples
from pipelines.synthetic.truth import ROLES, Dials, attainable
from pipelines.training.evaluate.report import interval, signed
from pipelines.training.tune.cases import Tuned, tune_cases
from pipelines.training.tune.report import late_of
from pipelines.workspace.cache import ArrayCache

FINDINGS = ("pleural-effusion", "heart-failure", "discordant-presentation", "symptomatic-mass")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=160, help="of the training and validation splits")
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--grid", type=int, default=24, help="voxels an axis")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--minutes", type=float, default=5.0)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    recipe = ModelRecipe(
        findings=FINDINGS,
        scan=ScanRecipe(shape=(asked.grid,) * 3, spacing_mm=(320 / asked.grid,) * 3, width=0.25),
        fusion=FusionRecipe(width=32),
        training=TrainingRecipe(epochs=asked.epochs, scan_epochs=4, seed=asked.seed, precision="fp32"),
    )
    began = time.monotonic()
    held = round(asked.patients * recipe.training.validation_share)
    counts: tuple[tuple[Split, int], ...] = (("train", asked.patients - held), ("validation", held), ("test", 24))
    examples = list(synthetic_examples(counts, seed=asked.seed, recipe=recipe))
    print(f"drawn: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        done = tune_cases(
            examples,
            recipe=recipe,
            trials=asked.trials,
            folds=asked.folds,
            draws=asked.draws,
            cache=ArrayCache(Path(folder)),
            stage=stage,
        )
    minutes = (time.monotonic() - began) / 60
    used = [row for row in examples if row.split != "test"]
    told = f"{len(used)} patients, {asked.folds} outer folds, {asked.trials} trials a search, {asked.epochs} epochs"
    print(f"{told}; seed {asked.seed}; {minutes:.1f} minutes on one thread\n")
    missed = report(done, cases=len(used))
    if minutes > asked.minutes:
        missed.append(f"{minutes:.1f} minutes, and {asked.minutes:g} are asked")
    for floor in missed:
        print(f"MISSED: {floor}")
    return 1 if missed else 0


def report(done: Tuned, *, cases: int) -> list[str]:
    """The three tables, and what does not hold."""
    missed = []
    arms, best = done.evaluation.arms, attainable(Dials())
    others = [arm for arm in arms if arm != done.evaluation.main]
    heads = ("finding", "role", *(f"AUROC {arm}" for arm in arms), *(f"less {arm}" for arm in others), "attainable")
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for finding in done.evaluation.findings:
        rows = {arm: done.evaluation.of(finding, arm) for arm in arms}
        missed += [f"{finding}, {arm}: {row and row.cases} of {cases} cases" for arm, row in rows.items()
                   if row is None or row.cases != cases]  # fmt: skip
        gains = {row.other: row.difference_bootstrap for row in done.evaluation.differences if row.finding == finding}
        cells = [interval(row.auroc_bootstrap) if row else "–" for row in rows.values()]
        cells += [signed(gains[arm]) for arm in others]
        print(f"| {finding} | {ROLES[finding]} | {' | '.join(cells)} | {best[finding]['both']:.3f} |")
    print(
        "\n| search | trials | broken off | chosen | its loss | late's loss | AUROC it saw of its choice "
        "| of its best trial |"
    )
    print("|---|---|---|---|---|---|---|---|")
    best_seen = []
    for search in done.searches:
        kinds = [row.parameters["fusion.kind"] for row in search.trials]
        finalists = {kinds[row.trial] for row in search.finalists}
        if kinds[0] != "late" or "late" not in finalists:
            missed.append(f"{search.name}: late fusion is not in the race")
        seen = max(row.auroc for row in search.trials if row.auroc is not None)
        best_seen.append(seen)
        mean = next(row.mean for row in search.finalists if row.trial == search.chosen)
        broken = sum(row.state != "complete" for row in search.trials)
        print(
            f"| {search.name} | {len(kinds)} | {broken} | {kinds[search.chosen]} | {mean:.4f} | {late_of(search):.4f} "
            f"| {search.best.auroc or float('nan'):.3f} | {seen:.3f} |"
        )
    naive = float(np.mean(best_seen[:-1]))
    print(
        f"\nMean AUROC over findings: {done.reported:.3f} nested; {done.inner:.3f} is what the searches of the folds "
        f"saw of their choices ({done.inner - done.reported:+.3f}), {naive:.3f} of their best trials "
        f"({naive - done.reported:+.3f})."
    )
    return missed


@contextmanager
def stage(name: str, _steps: int) -> Iterator[Callable[[int, int], None]]:
    began = time.monotonic()
    yield lambda _done, _total: None
    print(f"  {name:<28} {time.monotonic() - began:6.1f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=FutureWarning)
    sys.exit(main())
