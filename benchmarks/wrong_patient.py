"""Slices of another patient mixed into a series: how many volumes of two people come out. Must be none.

.venv/bin/python benchmarks/wrong_patient.py
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pipelines.synthetic.faults.mix_trials import Trials, on_files, on_records


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="mixtures on header records in memory")
    parser.add_argument("--files", type=int, default=500, help="mixtures on files")
    parser.add_argument("--same", type=int, default=10_000, help="series of one person, written in several ways")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="scanote-mixtures-"))
    try:
        runs = {
            "two people, header records": _timed(on_records, folder, given.records, given.seed, two_people=True),
            "two people, files": _timed(on_files, folder, given.files, given.seed, two_people=True),
            "one person, header records": _timed(on_records, folder, given.same, given.seed, two_people=False),
            "one person, files": _timed(on_files, folder, given.files // 5, given.seed, two_people=False),
        }
    finally:
        shutil.rmtree(folder)
    print("| trials | series | volumes | refused | seconds |\n| --- | ---: | ---: | ---: | ---: |")
    for name, (trials, seconds) in runs.items():
        print(f"| {name} | {trials.series} | {trials.volumes} | {trials.refused} | {seconds:.0f} |")
    print("\n| the two people differ in | series | volumes |\n| --- | ---: | ---: |")
    found, accepted = Counter[str](), Counter[str]()
    for name, (trials, _) in runs.items():
        if name.startswith("two"):
            found += trials.by_fields
            accepted += trials.accepted_by_fields
    for fields, count in found.most_common():
        print(f"| {fields} | {count} | {accepted[fields]} |")
    two = sum(trials.volumes for name, (trials, _) in runs.items() if name.startswith("two"))
    one = sum(trials.refused for name, (trials, _) in runs.items() if name.startswith("one"))
    return 1 if two or one else 0


def _timed(run: object, folder: Path, count: int, seed: int, *, two_people: bool) -> tuple[Trials, float]:
    began = time.monotonic()
    place = folder / f"{count}-{two_people}-{getattr(run, '__name__', '')}"
    rng = np.random.default_rng([seed, two_people])
    trials = run(place, count, rng, two_people=two_people)  # type: ignore[operator]
    return trials, time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
