"""The leakage audit on synthetic cohorts: silent at zero, and each leak named when it is turned on.

.venv/bin/python benchmarks/leakage.py
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data_schemas.leakage import LEAK_KINDS
from data_schemas.recipes import ModelRecipe
from pipelines.cases.leakage.audit import audit
from pipelines.synthetic.audited import audited_cohort
from pipelines.synthetic.truth import Dials, Leaks

SHARES = {
    "same-patient": 0.05,
    "duplicate-text": 0.05,
    "duplicate-volume": 0.05,
    "label-words": 0.2,
    "future-input": 0.05,
    "label-source": 0.05,
    "metadata": 0.5,
}
# An impression names the findings: where it is copied, the findings' own words are in the text too.
ENTAILED = {"label-source": {"label-words"}}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--patients", type=int, default=160)
    parser.add_argument("--without-volumes", action="store_true", help="leave out the scans: quicker")
    given = parser.parse_args()
    recipe = ModelRecipe()
    print(f"{given.seeds} cohorts of {given.patients} patients each\n")
    print("| dial | share | named | of | others named | seconds an audit |\n| --- | ---: | ---: | ---: | --- | ---: |")
    missed = 0
    for kind in (None, *LEAK_KINDS):
        if kind == "duplicate-volume" and given.without_volumes:
            continue
        share = SHARES[kind] if kind else 0.0
        leaks = Leaks(**{kind.replace("-", "_"): share}) if kind else Leaks()
        dials = Dials(reports=1.0, future_notes=0.1, missing_notes=0.05, leaks=leaks)
        named, others, seconds = 0, Counter[str](), 0.0
        for seed in range(given.seeds):
            volumes = not given.without_volumes and kind in (None, "duplicate-volume")
            cases = audited_cohort(given.patients, seed=seed, dials=dials, recipe=recipe, volumes=volumes)
            began = time.monotonic()
            found = set(audit(cases, findings=recipe.findings).found)
            seconds += time.monotonic() - began
            named += kind in found
            others.update(found - {kind} - ENTAILED.get(kind or "", set()))
        told = ", ".join(f"{name} {count}" for name, count in others.items()) or "none"
        expected = "" if kind is None else f"{given.seeds}"
        print(
            f"| {kind or 'all at zero'} | {share:g} | {named if kind else ''} | {expected} | {told} "
            f"| {seconds / given.seeds:.2f} |",
            flush=True,
        )
        missed += bool(others) or (kind is not None and named < given.seeds)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
