"""Whether the intervals and tests of an evaluation keep what they promise, on data whose truth is known.

.venv/bin/python benchmarks/evaluation.py

Scores are binormal: AUROC = Φ(d / √2). Coverage of 95 % intervals must lie within 93 to 97 %, the paired test must
reject a true null in at most 6 % of trials at level 5 %, and Holm's correction must keep the family-wise error of ten
findings at most at 6 %. With clusters every patient has three cases of one label and a common part of the score.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path
from statistics import NormalDist

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from pipelines.cases.leakage.statistics import holm
from pipelines.training.evaluate.bootstrap import bootstrap_interval, left_out, resampled
from pipelines.training.evaluate.delong import area_interval, delong, paired_difference
from pipelines.training.evaluate.measures import auroc_within, brier, calibration, sensitivity_at
from pipelines.training.metrics import auroc, average_precision

LOWEST, HIGHEST, MOST_FALSE = 0.93, 0.97, 0.06
PER_PATIENT, COMMON = 3, 0.5
ALPHA, CORRELATION, FINDINGS = 0.05, 0.6, 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--bootstrap-trials", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 300, 1000])
    given = parser.parse_args()
    missed = coverage(given.sizes, given.trials, given.bootstrap_trials, given.draws)
    missed += slopes(given.sizes, given.trials)
    missed += nulls(given.sizes, given.trials)
    runtime()
    print(f"\n{missed} floors missed" if missed else "\nno floor missed")
    return 1 if missed else 0


def coverage(sizes: list[int], trials: int, few: int, draws: int) -> int:
    print(f"## Coverage of 95 % intervals of AUROC ({trials} trials; bootstrap: {few} of {draws} draws)\n")
    print("| cases | positives | AUROC | cases a patient | DeLong | bootstrap | sensitivity at 0.9 | width, DeLong |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    missed = 0
    for size in sizes:
        for share, area, clustered in (
            (0.5, 0.7, False),
            (0.5, 0.85, False),
            (0.2, 0.85, False),
            (0.3, 0.95, False),
            (0.5, 0.85, True),
        ):
            rng = np.random.default_rng(size)
            hits, booted, width = 0, np.zeros(2), 0.0
            for trial in range(trials):
                score, label, patients = draw(rng, size, share, area, clustered=clustered)
                found = area_interval(delong(score[None], label, patients))
                hits += found.low <= area <= found.high
                width += found.high - found.low
                if trial < few:
                    booted += np.array(_bootstrapped(score, label, patients, area, draws=draws, seed=trial))
            told = hits / trials, *(booted / few)
            missed += sum(not LOWEST <= value <= HIGHEST for value in told[:2])
            print(
                f"| {size} | {share:.0%} | {area} | {PER_PATIENT if clustered else 1} | {_flag(told[0])} "
                f"| {_flag(told[1])} | {told[2]:.1%} | {width / trials:.3f} |",
                flush=True,
            )
    return missed


def slopes(sizes: list[int], trials: int) -> int:
    print("\n## Coverage of 95 % intervals of the calibration slope (true slope 0.7) and intercept\n")
    print("| cases | slope | intercept (calibrated model) |\n| ---: | ---: | ---: |")
    missed = 0
    for size in sizes:
        rng = np.random.default_rng(size)
        hits = np.zeros(2)
        for _ in range(trials):
            level = rng.normal(-0.5, 1.5, size)
            for number, true in enumerate((0.7, 1.0)):
                label = (rng.random(size) < 1 / (1 + np.exp(-true * level))).astype(float)
                found = calibration(1 / (1 + np.exp(-level)), label, np.arange(size))[number]
                hits[number] += found.low <= (0.7, 0.0)[number] <= found.high
        told = hits / trials
        missed += sum(not LOWEST <= value <= HIGHEST for value in told)
        print(f"| {size} | {_flag(told[0])} | {_flag(told[1])} |", flush=True)
    return missed


def nulls(sizes: list[int], trials: int) -> int:
    print(f"\n## False positives where two models are equally good, at level {ALPHA:g} ({trials} trials)\n")
    print(
        f"| cases | one paired test | any of {FINDINGS} findings, uncorrected | the same, Holm |\n"
        "| ---: | ---: | ---: | ---: |"
    )
    missed = 0
    for size in sizes:
        rng = np.random.default_rng(size)
        single, family, corrected = 0, 0, 0
        for _ in range(trials):
            p = [null(rng, size) for _ in range(FINDINGS)]
            single += p[0] < ALPHA
            family += min(p) < ALPHA
            corrected += min(holm(p)) < ALPHA
        told = single / trials, corrected / trials
        missed += sum(value > MOST_FALSE for value in told)
        marks = [f"{value:.1%}{' **missed**' if value > MOST_FALSE else ''}" for value in told]
        print(f"| {size} | {marks[0]} | {family / trials:.1%} | {marks[1]} |", flush=True)
    return missed


def runtime() -> None:
    print("\n## Seconds for 1,000 cases, 10 findings, 1,000 draws (one process, this machine as it is)\n")
    rng = np.random.default_rng(0)
    rows = [draw(rng, 1000, 0.3, 0.85, clustered=False) for _ in range(FINDINGS)]
    strata = np.arange(1000) % 5

    def every(score: np.ndarray, label: np.ndarray, weights: np.ndarray) -> np.ndarray:
        chance = 1 / (1 + np.exp(-score))
        found, _ = sensitivity_at(score, label, weights, specificity=0.9)
        parts = (average_precision(score, label, weights), found, brier(chance, label, weights))
        return np.stack([auroc_within(score, label, strata, weights), *parts], axis=1)

    measures = {
        "DeLong": lambda s, y, p: delong(s[None], y, p, strata),
        "bootstrap of AUROC": lambda s, y, p: resampled(lambda w: auroc(s, y, w), p, draws=1000, seed=0),
        "bootstrap of AUROC in five folds, AUPRC, sensitivity, Brier": lambda s, y, p: resampled(
            lambda w: every(s, y, w), p, draws=1000, seed=0
        ),
    }
    print("| what | seconds |\n| --- | ---: |")
    for name, run in measures.items():
        began = time.monotonic()
        for score, label, patients in rows:
            run(score, label, patients)
        print(f"| {name} | {time.monotonic() - began:.2f} |", flush=True)


def _bootstrapped(
    score: np.ndarray, label: np.ndarray, patients: np.ndarray, area: float, *, draws: int, seed: int
) -> tuple[bool, bool]:
    """Whether the bootstrap intervals of the AUROC, and of the sensitivity at specificity 0.9, hold the truth."""

    def measure(weights: np.ndarray) -> np.ndarray:
        found, _ = sensitivity_at(score, label, weights, specificity=0.9)
        return np.stack([auroc(score, label, weights), found], axis=1)

    fewest = min(len(set(patients[label == value].tolist())) for value in (1, 0))
    samples, without = resampled(measure, patients, draws=draws, seed=seed), left_out(measure, patients)
    first = bootstrap_interval(samples[:, 0], fewest, without[:, 0])
    second = bootstrap_interval(samples[:, 1], fewest)
    normal = NormalDist()
    sensitivity = normal.cdf(normal.inv_cdf(area) * math.sqrt(2) - normal.inv_cdf(0.9))
    return first.low <= area <= first.high, second.low <= sensitivity <= second.high


def draw(
    rng: np.random.Generator, size: int, share: float, area: float, *, clustered: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, labels and patients of one trial; both classes are there."""
    patients = size // PER_PATIENT if clustered else size
    positives = min(max(int(rng.binomial(patients, share)), 2), patients - 2)
    label = np.zeros(patients)
    label[:positives] = 1
    distance = NormalDist().inv_cdf(area) * math.sqrt(2)
    if not clustered:
        return label * distance + rng.standard_normal(patients), label, np.arange(patients)
    label, owner = np.repeat(label, PER_PATIENT), np.repeat(np.arange(patients), PER_PATIENT)
    noise = math.sqrt(COMMON) * rng.standard_normal(patients)[owner]
    noise += math.sqrt(1 - COMMON) * rng.standard_normal(len(label))
    return label * distance + noise, label, owner


def null(rng: np.random.Generator, size: int) -> float:
    """The p-value of two correlated scores of the same AUROC, 0.8."""
    label = np.zeros(size)
    label[: max(2, int(rng.binomial(size, 0.3)))] = 1
    shared = math.sqrt(CORRELATION) * rng.standard_normal(size)
    pair = label * NormalDist().inv_cdf(0.8) * math.sqrt(2) + shared
    pair = pair + math.sqrt(1 - CORRELATION) * rng.standard_normal((2, size))
    return paired_difference(delong(pair, label, np.arange(size)), 0, 1)[1]


def _flag(value: float) -> str:
    return f"{value:.1%}{'' if LOWEST <= value <= HIGHEST else ' **missed**'}"


if __name__ == "__main__":
    sys.exit(main())
