"""Small cohorts as a research group has them, ingested and trained with nothing but defaults.

`.venv/bin/python benchmarks/small_cohorts.py` writes cohorts whose truth is known: brain-like MR as NIfTI, chest-like
CT as folders of PNG, abdomen-like CT as NIfTI; with short texts, observations and a labels table of findings that
scanote does not know. Then `scanote ingest` and `train` run as a user would run them. Printed are the minutes, and per
finding the cross-validated AUROC beside the best that is attainable from the generative model, and beside a plain
baseline (volumes shrunk to 8³, words counted, values; a ridge-penalised logistic regression over all of it, ten folds).
Exits 1 if a training takes 30 minutes or more.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
SCANOTE = [str(Path(sys.executable).parent / "scanote")]
MOST_MINUTES = 30.0
DAY = "2024-03-05"
PLAIN = ("Seen in clinic.", "Referred by the family doctor.", "No allergies known.", "Lives at home with a partner.")
FORGETFUL = ("Forgets appointments lately.", "Family reports trouble finding words.", "Repeats the same questions.")
PAIN = ("Night pain for weeks.", "Has lost six kilograms.", "Poor appetite since spring.")


@dataclass
class Cohort:
    """Volumes [slices, rows, columns] with their step in mm, one text and some values a patient, and the truth."""

    name: str
    modality: str
    spacing: tuple[float, float, float]
    volumes: list[np.ndarray] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    values: list[dict[str, float]] = field(default_factory=list)
    labels: list[dict[str, int]] = field(default_factory=list)
    chances: list[dict[str, float]] = field(default_factory=list)


def _grid(shape: tuple[int, int, int]) -> tuple[np.ndarray, ...]:
    return np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij")


def _ball(axes: tuple[np.ndarray, ...], centre: tuple[float, ...], radii: tuple[float, ...]) -> np.ndarray:
    return sum(((axis - at) / radius) ** 2 for axis, at, radius in zip(axes, centre, radii, strict=True)) < 1


def _sigmoid(x: float) -> float:
    return 1 / (1 + np.exp(-x))


def _text(random: np.random.Generator, clue: tuple[str, ...] | None) -> str:
    sentences = [str(random.choice(PLAIN)) for _ in range(2)] + ([str(random.choice(clue))] if clue else [])
    random.shuffle(sentences)
    return " ".join(sentences)


def _add(cohort: Cohort, random: np.random.Generator, chances: dict[str, float]) -> None:
    cohort.chances.append(chances)
    cohort.labels.append({name: int(random.random() < chance) for name, chance in chances.items()})


def brains(count: int, seed: int) -> Cohort:
    """Head-like MR: the ventricles' size, a score and a clue tell *converter*; a bright spot alone is *lesion*."""
    random = np.random.default_rng(seed)
    cohort = Cohort("brain MR, NIfTI", "MR", (3.0, 3.0, 3.0))
    for _ in range(count):
        shape = (56, 64, 56)
        axes = _grid(shape)
        head = tuple(0.85 + 0.04 * random.standard_normal(3))
        size = random.standard_normal()
        clue, spot, score = random.random() < 0.4, random.random() < 0.4, random.standard_normal()
        volume = np.where(_ball(axes, (0, 0, 0), head), 600.0, 20.0)
        wide = 0.16 + 0.035 * size
        for side in (-1, 1):
            volume[_ball(axes, (0.05, 0.0, 0.17 * side), (0.3 + 0.03 * size, 0.42, wide))] = 180
        if spot:
            at = random.uniform(-0.45, 0.45, 3)
            volume[_ball(axes, tuple(at), (0.13, 0.13, 0.13))] = 950
        bias = 1 + 0.15 * sum(random.standard_normal() * axis for axis in axes)
        volume = volume * bias * random.uniform(0.7, 1.4) + 25 * random.standard_normal(shape)
        cohort.volumes.append(np.clip(volume, 0, 4000).astype(np.int16))
        cohort.texts.append(_text(random, FORGETFUL if clue else None))
        cohort.values.append({"age": 70 + 8 * random.standard_normal(), "mmse": 26 - 2.5 * score})
        _add(
            cohort,
            random,
            {
                "converter": _sigmoid(1.6 * size + 1.2 * score + 2.2 * clue - 1.2),
                "lesion-load": 0.97 if spot else 0.03,
            },
        )
    return cohort


def chests(count: int, seed: int) -> Cohort:
    """Chest-like CT: the texture of the lungs tells *fibrosing*; a clue in the text tells *weight-loss-work-up*."""
    from scipy.ndimage import gaussian_filter

    random = np.random.default_rng(seed)
    cohort = Cohort("chest CT, PNG stacks", "CT", (8.0, 5.0, 5.0))
    for _ in range(count):
        shape = (36, 72, 72)
        axes = _grid(shape)
        ill, clue = random.random() < 0.5, random.random() < 0.45
        volume = np.where(_ball(axes, (0, 0, 0), (1.2, 0.7, 0.9)), 40.0, -1000.0)
        grain = gaussian_filter(random.standard_normal(shape), 1.6 if ill else 0.6)
        grain *= (90 if ill else 60) / grain.std()
        for side in (-1, 1):
            lung = _ball(axes, (0, 0, 0.42 * side), (0.85, 0.5, 0.32))
            volume[lung] = -820 + grain[lung]
        volume += 15 * random.standard_normal(shape)
        cohort.volumes.append(np.clip(volume, -1024, 1500))
        cohort.texts.append(_text(random, PAIN if clue else None))
        cohort.values.append(
            {"age": 62 + 9 * random.standard_normal(), "crp": float(np.exp(random.standard_normal() + ill))}
        )
        _add(
            cohort,
            random,
            {"fibrosing": 0.92 if ill else 0.08, "weight-loss-work-up": 0.9 if clue else 0.12},
        )
    return cohort


def livers(count: int, seed: int) -> Cohort:
    """Abdomen-like CT: a dark spot and a clue together tell *malignant*; neither alone does."""
    random = np.random.default_rng(seed)
    cohort = Cohort("liver CT, NIfTI", "CT", (5.0, 4.0, 4.0))
    for _ in range(count):
        shape = (40, 72, 72)
        axes = _grid(shape)
        spot, clue, fat = random.random() < 0.5, random.random() < 0.5, random.standard_normal()
        volume = np.where(_ball(axes, (0, 0, 0), (1.3, 0.75, 0.95)), 30.0, -1000.0)
        liver = _ball(axes, (0.1, -0.05, -0.4), (0.7, 0.5, 0.42))
        volume[liver] = 95 - 18 * fat
        volume[_ball(axes, (0, 0.55, 0), (1.2, 0.12, 0.12))] = 450
        if spot:
            at = (0.1 + random.uniform(-0.3, 0.3), random.uniform(-0.25, 0.15), -0.4 + random.uniform(-0.15, 0.15))
            volume[_ball(axes, at, (0.2, 0.16, 0.13))] = 25
        volume += 20 * random.standard_normal(shape)
        cohort.volumes.append(np.clip(volume, -1024, 1500).astype(np.int16))
        cohort.texts.append(_text(random, PAIN if clue else None))
        cohort.values.append(
            {
                "age": 60 + 9 * random.standard_normal(),
                "alt": float(np.exp(3.3 + 0.4 * random.standard_normal() + 0.3 * fat)),
            }
        )
        _add(
            cohort,
            random,
            {"malignant": 0.92 if spot and clue else 0.1, "steatosis": _sigmoid(3.0 * fat - 0.5)},
        )
    return cohort


COHORTS = {"brains": brains, "chests": chests, "livers": livers}


def write(cohort: Cohort, folder: Path) -> None:
    """The cohort as a group keeps it: a folder of scans, and three tables."""
    import nibabel
    from PIL import Image

    scans = folder / "scans"
    scans.mkdir(parents=True)
    rows = []
    pictures = "PNG" in cohort.name
    for number, volume in enumerate(cohort.volumes):
        patient = f"P{number:03d}"
        if pictures:
            place = scans / patient
            place.mkdir()
            for index, plane in enumerate(volume):
                Image.fromarray((plane + 1024).round().astype(np.uint16)).save(place / f"{index:03d}.png")
            slice_mm, row_mm, column_mm = cohort.spacing
            rows.append(
                [patient, patient, cohort.modality, f"{DAY}T12:00", "axial", slice_mm, row_mm, column_mm, 1, -1024]
            )
        else:
            affine = np.diag([-cohort.spacing[2], -cohort.spacing[1], cohort.spacing[0], 1.0])
            image = nibabel.Nifti1Image(volume.transpose(2, 1, 0), affine)
            image.set_sform(affine, code=1)
            nibabel.save(image, scans / f"{patient}_scan.nii.gz")
            rows.append([f"{patient}_scan.nii.gz", patient, cohort.modality, f"{DAY}T12:00"])
    head = ["file", "patient_id", "modality", "acquired"]
    head += ["plane", "slice_mm", "row_mm", "column_mm", "rescale_slope", "rescale_intercept"] if pictures else []
    _csv(scans / "scanote-scans.csv", head, rows)
    ids = [f"P{number:03d}" for number in range(len(cohort.volumes))]
    _csv(
        folder / "notes.csv",
        ["patient_id", "datetime", "type", "text"],
        [[patient, f"{DAY}T09:00", "clinic", text] for patient, text in zip(ids, cohort.texts, strict=True)],
    )
    units = {"age": "a", "crp": "mg/L", "alt": "U/L", "mmse": "{score}"}
    _csv(
        folder / "observations.csv",
        ["patient_id", "datetime", "code", "value", "unit"],
        [
            [patient, f"{DAY}T08:00", code, round(value, 2), units[code]]
            for patient, values in zip(ids, cohort.values, strict=True)
            for code, value in values.items()
        ],
    )
    names = list(cohort.labels[0])
    _csv(
        folder / "labels.csv",
        ["patient_id", *names],
        [[patient, *(row[name] for name in names)] for patient, row in zip(ids, cohort.labels, strict=True)],
    )


def _csv(path: Path, head: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([head, *rows])


def scanote(*arguments: str) -> str:
    done = subprocess.run([*SCANOTE, *arguments], capture_output=True, text=True)
    for line in done.stderr.splitlines():
        if "planned" in line or done.returncode:
            print(f"    {line}", file=sys.stderr)
    if done.returncode:
        raise SystemExit(f"scanote {arguments[0]} ended with {done.returncode}")
    return done.stdout


def baseline(cohort: Cohort, name: str) -> float:
    """Ten-fold cross-validated AUROC of a ridge-penalised logistic regression on small volumes, words and values."""
    from scipy.ndimage import zoom
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    small = np.array([zoom(v.astype(np.float32), [8 / s for s in v.shape], order=1).ravel() for v in cohort.volumes])
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2).fit_transform(cohort.texts).toarray()
    values = np.array([list(row.values()) for row in cohort.values])
    target = np.array([row[name] for row in cohort.labels])
    table = np.hstack([small, words, values])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
    folds = StratifiedKFold(10, shuffle=True, random_state=0)
    return roc_auc_score(target, cross_val_predict(model, table, target, cv=folds, method="predict_proba")[:, 1])


def main() -> int:
    from sklearn.metrics import roc_auc_score

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", nargs="+", choices=list(COHORTS), default=list(COHORTS))
    parser.add_argument("--cases", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="Folder that keeps the files.")
    arguments = parser.parse_args()
    slow = 0
    print("| cohort | cases | finding | AUROC (95 %) | plain baseline | attainable | ingest s | train min |")
    print("|---|---|---|---|---|---|---|---|")
    for which in arguments.cohorts:
        with tempfile.TemporaryDirectory() as place:
            folder = (arguments.keep or Path(place)) / which
            cohort = COHORTS[which](arguments.cases, arguments.seed)
            write(cohort, folder)
            workspace = str(folder / "workspace")
            begun = time.perf_counter()
            tables = [
                part
                for kind in ("notes", "observations", "labels")
                for part in (f"--{kind}", str(folder / f"{kind}.csv"))
            ]
            scanote("ingest", "-w", workspace, "--scans", str(folder / "scans"), *tables)
            ingested = time.perf_counter()
            told = json.loads(scanote("train", "-w", workspace, "--json"))
            minutes = (time.perf_counter() - ingested) / 60
            slow += minutes >= MOST_MINUTES
            for name in cohort.labels[0]:
                target = [row[name] for row in cohort.labels]
                best = roc_auc_score(target, [row[name] for row in cohort.chances])
                value, low, high = told["findings"][name]["auroc"][told["model_arm"]]
                print(
                    f"| {cohort.name} | {len(target)} | {name} | {value:.2f} ({low:.2f} to {high:.2f}) | "
                    f"{baseline(cohort, name):.2f} | {best:.2f} | {ingested - begun:.0f} | {minutes:.1f} |",
                    flush=True,
                )
    return int(bool(slow))


if __name__ == "__main__":
    sys.exit(main())
