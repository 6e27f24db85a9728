"""Pretraining on scans and reports: what it gives where one study in ten is labelled.

Synthetic patients in memory. Everyone of the training split has a scan and its report, one in ten has labels. Per seed:
a scan encoder is fitted on the labelled ones from fresh weights, from weights that were pretrained on all scans with
their reports (contrastive), and on request from weights that were pretrained on the scans alone (hidden blocks); same
labels, same seed, the epoch chosen by the loss on the labelled validation patients. From fresh weights three times as
many epochs are run, which is what does best there; pretrained weights are fitted as `train` fits them, the head first
and the body at a low rate. Each is measured on the same test patients, none of whose scans, reports or labels any fit
has seen.

The clinic notes of the synthetic hospital tell nothing of the scan, by design; reports do, so reports are what scans
are paired with here. They are written by this file: effusion and ground glass with their side as the scan shows it,
and the zone of every mass, in sentences whose frames differ between training and test. A report tells what labels
tell: so the gain is that of reports which nobody has turned into labels, not of scans alone. Retrieval has a ceiling:
many patients have equal findings.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from data_schemas.cohort import Split
from data_schemas.pretraining import ContrastiveRecipe, PretrainRecipe, VolumeRecipe
from data_schemas.recipes import AugmentRecipe, ModelRecipe, ScanRecipe, TrainingRecipe
from fusion_models.masked_volume import MaskedVolume
from fusion_models.scan_encoder import ScanEncoder
from fusion_models.tokens import Tokens
from pipelines.cases.examples import Example, sentences_of
from pipelines.models.build import build_scan_encoder
from pipelines.models.weights import NoteModel, load_note_model, resolve_note_encoder
from pipelines.synthetic.memory import example_of
from pipelines.synthetic.patients import Patient, draw_patient
from pipelines.synthetic.split import pool_of
from pipelines.synthetic.truth import ZONES, Dials
from pipelines.training.fitting import fit_scan_encoder, stack
from pipelines.training.metrics import auroc, interval, patient_weights
from pipelines.training.pretrain.contrastive import Retrieval, build_pair_model, fit_pairs, retrieval
from pipelines.training.pretrain.material import Pair
from pipelines.training.pretrain.volume import fit_volumes
from pipelines.training.pretrain.zero_shot import PairReader, note_tokens, zero_shot_scores

FIRST: dict[Split, int] = {"train": 0, "validation": 100_000, "test": 200_000}
SIGNS = ("pleural-effusion", "ground-glass-opacity", "pulmonary-mass")
SCRATCH, JOINT, VOLUME = "from scratch", "scans with reports", "scans alone"
FRAMES = {
    "train": (
        ("There is {}.", "{} is present.", "The scan shows {}.", "{}, as described."),
        ("No {}.", "There is no {}.", "No sign of {}.", "{} is absent."),
    ),
    "test": (("{} can be seen.", "We see {}."), ("Without {}.", "{} cannot be seen.")),
}
log = logging.getLogger("pretraining")


def report_of(patient: Patient, example: Example, *, split: Split, rng: np.random.Generator) -> str:
    """Findings in an order and words of their own, with the side as it is seen; masses by their zone."""
    positive, negative = FRAMES["test" if split == "test" else "train"]
    labels = patient.labels
    effusion, glass = (labels[name] == 1 for name in SIGNS[:2])
    masses = [zone for zone in ZONES if labels[f"pulmonary-mass-{zone}"]]
    told = [(f"{side_of(example, back=True)} pleural effusion" if effusion else "pleural effusion", effusion)]
    told += [(f"{side_of(example, back=False)} ground-glass opacity" if glass else "ground-glass opacity", glass)]
    told += [(f"a mass in the {zone.replace('-', ' ')} lung", True) for zone in masses] or [("pulmonary mass", False)]
    said = []
    for place in rng.permutation(len(told)):
        words, there = told[place]
        frames = positive if there else negative
        line = frames[int(rng.integers(len(frames)))].format(words)
        said.append(line[:1].upper() + line[1:])
    return "FINDINGS:\n" + " ".join(said)


def side_of(example: Example, *, back: bool) -> str:
    """The denser of the two lungs in the scan itself: at the back, where fluid sinks, or before it."""
    assert example.scan is not None
    lung = example.scan.values[0, 6:24].astype(np.float32)  # the middle slices; RAS+: y to the front, x to the right
    rows = lung[:, 8:15] if back else lung[:, 15:24]
    return "right" if rows[..., 19:26].mean() > rows[..., 6:13].mean() else "left"


@dataclass(frozen=True)
class Cases:
    """One split: pairs, the tokens of their reports, labels [N, S] of the signs."""

    pairs: list[Pair]
    tokens: Tokens
    labels: np.ndarray

    @property
    def examples(self) -> list[Example]:
        return [pair.example for pair in self.pairs]


@dataclass(frozen=True)
class Done:
    """One seed: scores [N, S] by arm, labels [N, S], retrieval with its ceiling, and AUROC [S] of prompts."""

    arms: dict[str, np.ndarray]
    labels: np.ndarray
    retrieval: Retrieval
    ceiling: float
    prompted: list[float]


def draw(seed: int, split: Split, count: int, *, recipe: ModelRecipe, note_model: NoteModel) -> Cases:
    pairs = []
    for number in range(FIRST[split], FIRST[split] + count):
        patient = draw_patient(number, seed=seed, dials=Dials(), pool=pool_of(split))
        example = example_of(patient, recipe=recipe, split=split)
        report = report_of(patient, example, split=split, rng=np.random.default_rng([seed, number, 77]))
        pairs.append(Pair(example, sentences_of([report], input_sections=("findings",)), body_part="chest"))
    tokens = note_tokens(
        [pair.sentences for pair in pairs],
        keys=[pair.example.study_key for pair in pairs],
        note_model=note_model,
        recipe=recipe.note,
        device="cpu",
    )
    labels = np.array([[pair.example.labels[name] for name in SIGNS] for pair in pairs])
    return Cases(pairs, tokens, labels)


def fresh(recipe: ModelRecipe) -> ScanEncoder:
    torch.manual_seed(recipe.training.seed)
    return build_scan_encoder(recipe, signs=len(SIGNS))


@torch.no_grad()
def scores(encoder: ScanEncoder, examples: Sequence[Example]) -> np.ndarray:
    encoder.eval()
    parts = [examples[start : start + 32] for start in range(0, len(examples), 32)]
    return torch.cat([encoder(*stack(part, "cpu")).sign_logits for part in parts]).numpy()


def mean_auroc(found: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean AUROC of the signs of each bootstrap sample; signs are weighted equally."""
    return np.mean([auroc(found[:, s], labels[:, s], weights) for s in range(labels.shape[1])], axis=0)


def ceiling(labels: np.ndarray) -> float:
    """Recall at 1 of whoever knows every finding: of n patients with equal findings one is guessed right."""
    return len(Counter(map(tuple, labels))) / len(labels)


def run_seed(seed: int, *, wanted: argparse.Namespace) -> Done:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    note_model = load_note_model(resolve_note_encoder("packaged"), states=ModelRecipe().note.states)
    recipe = ModelRecipe(
        scan=ScanRecipe(shape=(32, 32, 32), spacing_mm=(10.0, 10.0, 10.0), width=wanted.width, tap="layer2"),
        training=TrainingRecipe(
            seed=seed,
            precision="fp32",
            augment=AugmentRecipe(scans=True),
            scan_epochs=wanted.epochs,
            patience=wanted.epochs,
            scan_batch_size=16,
            scan_learning_rate=2e-3,
        ),
    )
    pretrain = PretrainRecipe(
        contrastive=ContrastiveRecipe(epochs=wanted.pretrain_epochs, loss=wanted.loss, learning_rate=2e-3),
        volume=VolumeRecipe(epochs=max(wanted.volume_epochs, 1), learning_rate=2e-3),
        patience=wanted.pretrain_epochs,
    )
    began = time.monotonic()
    train = draw(seed, "train", wanted.train, recipe=recipe, note_model=note_model)
    validation = draw(seed, "validation", wanted.validation, recipe=recipe, note_model=note_model)
    test = draw(seed, "test", wanted.test, recipe=recipe, note_model=note_model)
    log.warning("seed %d: drawn, %.0f s", seed, time.monotonic() - began)
    bodies: dict[str, dict[str, torch.Tensor] | None] = {SCRATCH: None}
    model = build_pair_model(fresh(recipe), note_features=note_model.encoder.features, recipe=pretrain)
    fit_pairs(
        model,
        train.pairs,
        train.tokens,
        validation.pairs,
        validation.tokens,
        recipe=recipe,
        pretrain=pretrain,
        report=lambda epoch, metrics: log.warning("seed %d: pairs %d: %s", seed, epoch, metrics),
    )
    found = retrieval(model, test.pairs, test.tokens)
    zero = zero_shot_scores(PairReader(model, note_model, recipe.note), test.examples, SIGNS).numpy()
    bodies[JOINT] = {name: value.clone() for name, value in model.scan_encoder.body.state_dict().items()}
    log.warning("seed %d: pretrained on pairs, %.0f s", seed, time.monotonic() - began)
    if wanted.volume_epochs:
        volume = MaskedVolume(scan_encoder=fresh(recipe))
        fit_volumes(volume, train.examples, validation.examples, recipe=recipe, pretrain=pretrain)
        bodies[VOLUME] = {name: value.clone() for name, value in volume.scan_encoder.body.state_dict().items()}
        log.warning("seed %d: pretrained on volumes, %.0f s", seed, time.monotonic() - began)
    few = train.examples[: round(wanted.train * wanted.share)]
    held = validation.examples[: max(round(wanted.validation * wanted.share), 8)]
    arms = {}
    for arm, body in bodies.items():
        epochs = wanted.scratch_epochs if body is None else wanted.epochs
        encoder = fresh(recipe)
        if body is not None:
            encoder.body.load_state_dict(body)
        how = recipe.model_copy(update={"training": recipe.training.model_copy(update={"scan_epochs": epochs})})
        fitted = fit_scan_encoder(encoder, few, held, signs=SIGNS, recipe=how, pretrained=body is not None)
        arms[arm] = scores(encoder, test.examples)
        log.warning("seed %d: %s, epoch %d, validation loss %.3f", seed, arm, fitted.best_epoch, fitted.best_loss)
    log.warning("seed %d: done, %.0f s", seed, time.monotonic() - began)
    told = np.array([[row.labels[name] for name in ModelRecipe().scan_signs] for row in test.examples])
    one = np.ones((1, len(zero)))
    prompted = [float(auroc(zero[:, s], test.labels[:, s], one)[0]) for s in range(len(SIGNS))]
    return Done(arms, test.labels, found, ceiling(told), prompted)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=int, default=1000)
    parser.add_argument("--validation", type=int, default=160)
    parser.add_argument("--test", type=int, default=250)
    parser.add_argument("--share", type=float, default=0.1, help="of the patients that have labels")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=3, help="seeds at once, each in a process of its own")
    parser.add_argument("--epochs", type=int, default=25, help="of the fit on labels from pretrained weights")
    parser.add_argument("--scratch-epochs", type=int, default=75, help="of that from fresh weights")
    parser.add_argument("--pretrain-epochs", type=int, default=14)
    parser.add_argument("--volume-epochs", type=int, default=0, help="0 leaves that arm out")
    parser.add_argument("--width", type=float, default=0.25)
    parser.add_argument("--loss", choices=("info-nce", "siglip"), default="info-nce")
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--least-recall", type=float, default=5.0, help="times chance")
    wanted = parser.parse_args()
    began = time.monotonic()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(wanted.jobs, mp_context=spawn) as pool:
        done = list(pool.map(partial(run_seed, wanted=wanted), range(wanted.seeds)))
    # Test patients of all seeds are resampled together; an arm's figure is the mean over the seeds.
    weights = [
        patient_weights([str(n) for n in range(wanted.test)], draws=wanted.draws, seed=seed)
        for seed in range(wanted.seeds)
    ]
    arms = list(done[0].arms)
    samples = {
        arm: np.mean(
            [mean_auroc(row.arms[arm], row.labels, weight) for row, weight in zip(done, weights, strict=True)], axis=0
        )
        for arm in arms
    }
    labelled = round(wanted.train * wanted.share)
    print(
        f"{wanted.train} training patients, {labelled} labelled, {wanted.test} tested, {wanted.seeds} seeds; "
        f"mean AUROC of {len(SIGNS)} scan signs, 95 % intervals by patient\n"
    )
    print("| the scan encoder starts | mean AUROC | less from scratch |\n|---|---|---|")
    for arm in arms:
        less = interval(samples[arm] - samples[SCRATCH]) if arm != SCRATCH else "–"
        print(f"| {arm} | {interval(samples[arm])} | {less} |")
    gain = interval(samples[JOINT] - samples[SCRATCH])
    print(f"\n| AUROC | {' | '.join(arms)} |\n|---|{'---|' * len(arms)}")
    one = np.ones((1, wanted.test))
    for number, name in enumerate(SIGNS):
        row = [np.mean([auroc(d.arms[arm][:, number], d.labels[:, number], one)[0] for d in done]) for arm in arms]
        print(f"| {name} | {' | '.join(f'{value:.3f}' for value in row)} |")
    recall = float(np.mean([row.retrieval.recall_at_1 for row in done]))
    tenth = float(np.mean([row.retrieval.recall_at_10 for row in done]))
    top = float(np.mean([row.ceiling for row in done]))
    chance = 1 / wanted.test
    print("\n| retrieval of the own report | found | chance | ceiling |\n|---|---|---|---|")
    print(f"| first of {wanted.test} | {recall:.3f} | {chance:.3f} | {top:.3f} |")
    print(f"| among ten | {tenth:.3f} | {10 * chance:.3f} | |")
    zero = np.mean([row.prompted for row in done], axis=0)
    print("\n| without any label, by prompts | AUROC |\n|---|---|")
    for name, value in zip(SIGNS, zero, strict=True):
        print(f"| {name} | {value:.3f} |")
    print(f"\n{time.monotonic() - began:.0f} s")
    missed = []
    if not gain.low > 0:
        missed.append("pretraining does not beat training from scratch with an interval above zero")
    if recall < wanted.least_recall * chance:
        missed.append(f"recall at 1 is below {wanted.least_recall:g} times chance")
    for line in missed:
        print(f"missed: {line}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
