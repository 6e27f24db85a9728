"""Notes of mixed length: the time of three ways to batch them, and whether a score depends on what is read beside it.

Times: the packaged encoder reads the same records (20 to 510 sub-words, each one window of 512), padded to 512, padded
to the longest of the batch in the order of their arrival, and sorted under the budget of sub-words that a run uses.
Every way is timed in turn, in each round; a row is the median of the rounds.

Scores: a model with all four modalities is trained here on a small synthetic cohort whose histories name findings,
so that concepts are read; then the test cases, some with a record of thousands of sub-words, are read in random
orders and several batch sizes, without a cache. The greatest difference of any score to the first reading counts.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from data_schemas.recipes import FusionRecipe, ModelRecipe, ScanRecipe, TrainingRecipe
from pipelines.cases.examples import Example
from pipelines.models import note_features
from pipelines.models.artefact import LoadedModel, load_model
from pipelines.models.note_features import batches_of
from pipelines.models.reading import read_cases
from pipelines.models.weights import NoteModel, load_note_model, resolve_note_encoder
from pipelines.notes.windows import Windows
from pipelines.synthetic.leak_text import with_line
from pipelines.synthetic.memory import example_of
from pipelines.synthetic.patients import draw_patient
from pipelines.synthetic.split import pool_of
from pipelines.synthetic.text import write_note
from pipelines.synthetic.truth import Dials

HISTORY = (
    "Old left rib fracture.",
    "No history of pneumothorax.",
    "Known hiatal hernia; no rib fracture.",
    "Mild scoliosis. Possible emphysema.",
)
RECIPE = ModelRecipe(
    modalities=("scan", "note", "observation", "concept"),
    scan=ScanRecipe(shape=(16, 16, 16), spacing_mm=(20.0, 20.0, 20.0), width=0.25),
    fusion=FusionRecipe(width=32, heads=4, layers=2),
    training=TrainingRecipe(scan_epochs=1, epochs=8, bootstrap=10),
)


def patient_case(number: int, *, split: str, first: int, seed: int, long: bool) -> Example:
    patient = draw_patient(number, seed=seed, dials=Dials(), pool=pool_of(split), split_at=lambda _: split, first=first)
    if patient.note and number % 3:
        lines = " ".join(HISTORY[(number + step) % len(HISTORY)] for step in range(number % 3))
        patient = dataclasses.replace(patient, note=with_line(patient.note, lines))
    if patient.note and long:
        rng = np.random.default_rng([seed, number])
        pages = [write_note(patient.truth, pool=pool_of(split), rng=rng) for _ in range(25)]
        patient = dataclasses.replace(patient, note="\n\n".join([*pages, patient.note]))
    return example_of(patient, recipe=RECIPE, split=split)


def mixed_records(count: int, *, seed: int, note_model: NoteModel) -> list[Windows]:
    """Records of 20 to 510 sub-words, the short ones more often, as one window each."""
    rng = np.random.default_rng(seed)
    words = [
        "cough",
        "fever",
        "dyspnoea",
        "at",
        "night",
        "for",
        "three",
        "weeks",
        "now",
        "and",
        "worse",
        "on",
        "the",
        "stairs",
        "than",
        "last",
        "year",
    ]
    cuts = []
    for length in np.clip(rng.lognormal(np.log(90), 0.8, count), 20, 510).astype(int):
        text = " ".join(words[index] for index in rng.integers(0, len(words), 2 * length))
        ids = note_model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"][:length]
        row = (note_model.tokenizer.cls_token_id, *ids, note_model.tokenizer.sep_token_id)
        cuts.append(Windows((row,), ((-1, *([0] * length), -1),), (0,), 0))
    return cuts


@torch.no_grad()
def read_batches(cuts: Sequence[Windows], batches: Sequence[Sequence[int]], note_model: NoteModel, to: int) -> None:
    encoder, padding = note_model.encoder, note_model.tokenizer.pad_token_id
    for batch in batches:
        longest = max(to, *(len(cuts[number].ids[0]) for number in batch))
        rows = [cuts[number].ids[0] for number in batch]
        ids = torch.tensor([[*row, *([padding] * (longest - len(row)))] for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        unit = torch.where(mask > 0, torch.arange(len(rows))[:, None], -1)
        encoder(ids, mask, unit, len(rows))


def time_batches(count: int, *, rounds: int, seed: int) -> float:
    note_model = load_note_model(resolve_note_encoder("packaged"), states=(1, -1))
    cuts = mixed_records(count, seed=seed, note_model=note_model)
    lengths = [len(cut.ids[0]) for cut in cuts]
    arrival = [list(range(start, min(start + 8, count))) for start in range(0, count, 8)]
    ways = {
        "padded to 512, 8 at once": (arrival, 512),
        "padded to the longest of 8, as they come": (arrival, 0),
        "one by one": ([[number] for number in range(count)], 0),
        f"sorted, up to {note_features.SUBWORDS_A_BATCH:,} sub-words (scanote)": (
            batches_of(lengths, budget=note_features.SUBWORDS_A_BATCH), 0,
        ),
    }  # fmt: skip
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (batches, to) in ways.items():
            start = time.perf_counter()
            read_batches(cuts, batches, note_model, to)
            taken[name].append(time.perf_counter() - start)
    middle = {name: statistics.median(seconds) for name, seconds in taken.items()}
    ours = list(middle.values())[-1]
    print(f"{count} records of {min(lengths)} to {max(lengths)} sub-words, {sum(lengths):,} in all; {rounds} rounds\n")
    print("| batches | sub-words with padding | s | times ours |\n|---|---|---|---|")
    for name, (batches, to) in ways.items():
        padded = sum(len(batch) * max(to, *(lengths[number] for number in batch)) for batch in batches)
        print(f"| {name} | {padded:,} | {middle[name]:.2f} | {middle[name] / ours:.2f} |")
    return next(iter(middle.values())) / ours


def trained_model(train_cases: int, *, seed: int, folder: Path) -> LoadedModel:
    from pipelines.training.run import train

    counts = (("train", train_cases), ("validation", train_cases // 3), ("test", train_cases // 3))
    splits = [split for split, count in counts for _ in range(count)]
    rows = [patient_case(n, split=split, first=0, seed=seed, long=False) for n, split in enumerate(splits)]
    done = train(rows, recipe=RECIPE, folder=folder, allow_leaks=("label-words",))
    return load_model(done.folder, expected_digest=done.digest)


def greatest_difference(cases: int, *, train_cases: int, orders: int, sizes: Sequence[int], seed: int) -> float:
    with tempfile.TemporaryDirectory() as place:
        model = trained_model(train_cases, seed=seed, folder=Path(place) / "model")
    rows = [patient_case(10_000 + n, split="test", first=10_000, seed=seed, long=n % 40 == 0) for n in range(cases)]
    rng = np.random.default_rng(seed)
    reference: np.ndarray | None = None
    mentions = sum(bool(row.mentions) for row in rows)
    print(f"\n{cases} cases, {mentions} with concepts, {orders} orders; {len(model.card.recipe.findings)} findings\n")
    print("| cases at once | greatest difference of a score |\n|---|---|")
    worst = 0.0
    for size in sizes:
        here = 0.0
        for turn in range(orders):
            order = rng.permutation(cases) if turn else np.arange(cases)
            parts = [
                read_cases(model, [rows[n] for n in order[start : start + size]]).probabilities
                for start in range(0, cases, size)
            ]
            found = np.empty((cases, len(model.card.recipe.findings)))
            found[order] = np.concatenate(parts)
            reference = found if reference is None else reference
            here = max(here, float(np.abs(found - reference).max()))
        print(f"| {size} | {here:.1e} |", flush=True)
        worst = max(worst, here)
    spread = float(reference.max() - reference.min()) if reference is not None else 0.0
    print(f"\nScores span {spread:.2f}; the greatest difference over all readings is {worst:.1e}.")
    return worst


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=160)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--train", type=int, default=60)
    parser.add_argument("--orders", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 3, 16, 64, 200])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--least-ratio", type=float, default=2.0)
    parser.add_argument("--most-difference", type=float, default=1e-5)
    wanted = parser.parse_args()
    ratio = time_batches(wanted.records, rounds=wanted.rounds, seed=wanted.seed)
    worst = greatest_difference(
        wanted.cases, train_cases=wanted.train, orders=wanted.orders, sizes=wanted.sizes, seed=wanted.seed
    )
    missed = []
    if ratio < wanted.least_ratio:
        missed.append(f"padding to 512 takes {ratio:.2f} times our time, and should take {wanted.least_ratio} or more")
    if not worst <= wanted.most_difference:
        missed.append(f"scores differ by {worst:.1e}, and should by {wanted.most_difference:.0e} at most")
    print("\n".join(missed), file=sys.stderr)
    return int(bool(missed))


if __name__ == "__main__":
    raise SystemExit(main())
