"""A long record whose last page decides: does the score move with that one sentence?

A note-only model is trained here on records of up to eight pages, in which one sentence says whether a drain grew
tumour cells, in words that the test does not have. It then reads records of twenty pages that are equal but for that
sentence, which stands on the last page: whole, as scanote reads them, and cut after the first 512 sub-words, as is
usual. A second model, trained on the cut records, reads the cut ones too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np
import torch

from data_schemas.recipes import FusionRecipe, ModelRecipe, TrainingRecipe
from fusion_models.case_model import Batch, CaseModel
from fusion_models.tokens import collate
from pipelines.cases.examples import Example, sentences_of
from pipelines.models.build import build_case_model
from pipelines.models.note_features import encode_notes
from pipelines.models.weights import NoteModel, load_note_model, resolve_note_encoder
from pipelines.training.fitting import fit_case_model, predict_logits

WORDS_A_PAGE = 300
CUT = 512 - 2
FILLER = (
    "Slept {} hours and took {} tablets.",
    "Walked {} metres with the physiotherapist, then rested for {} minutes.",
    "Blood pressure was {} over {} at the morning round.",
    "Dressing changed on day {}, next change in {} days.",
    "Ate about {} per cent of lunch and drank {} ml.",
    "Temperature 37.{} in the evening, pulse {}.",
    "Family visited for {} minutes, discharge planned in {} weeks.",
    "Bed {} of ward {} was cleaned as usual.",
    "Paracetamol was given {} times, the last at {} o'clock.",
    "Weighed {} kg on scale {} before breakfast.",
)
SAID = {
    "train": (
        ("The drain fluid grew malignant cells.", "Cytology of the drain came back as cancer.",
         "Malignant cells were seen in the fluid.", "Cytology is positive for carcinoma.",
         "The cytologist found cancer cells.", "Cytology was malignant."),
        ("The drain fluid held no malignant cells.", "Cytology of the drain came back as benign.",
         "No malignant cells were seen in the fluid.", "Cytology is negative for carcinoma.",
         "The cytologist found no cancer cells.", "Cytology was benign."),
    ),
    "test": (
        ("The fluid of the drain was read as malignant.", "Carcinoma cells were found by cytology."),
        ("The fluid of the drain was read as benign.", "No carcinoma cells were found by cytology."),
    ),
}  # fmt: skip
RECIPE = ModelRecipe(
    findings=("malignancy",),
    modalities=("note",),
    fusion=FusionRecipe(width=32, heads=4, layers=1, dropout=0.0),
    training=TrainingRecipe(epochs=40, patience=12, batch_size=16, learning_rate=2e-3, precision="fp32"),
)


def record(pages: float, told: str, *, at: float, rng: np.random.Generator) -> str:
    """So many pages of daily notes, with one sentence at a share of their length."""
    lines: list[str] = []
    words = 0
    while words < pages * WORDS_A_PAGE:
        line = FILLER[rng.integers(len(FILLER))].format(*rng.integers(2, 90, 2))
        words += len(line.split())
        lines.append(line)
    lines.insert(round(at * len(lines)), told)
    return " ".join(lines)


def example_of(text: str) -> Example:
    return Example("s", "p", None, sentences_of([text], input_sections=("body",)), ())


def cut(example: Example, tokenizer: object) -> Example:
    """What is left of a record when its first 512 sub-words are read and no more."""
    taken, room = [], CUT
    for sentence in example.sentences:
        room -= len(tokenizer(sentence.text, add_special_tokens=False)["input_ids"])  # type: ignore[operator]
        if room < 0:
            break
        taken.append(sentence)
    return Example(example.study_key, example.patient_key, None, tuple(taken), ())


def tokens_of(examples: Sequence[Example], note_model: NoteModel) -> tuple[Batch, int]:
    found = encode_notes(examples, note_model=note_model, recipe=RECIPE.note, device="cpu")
    overlap = RECIPE.note.stride
    read = max(sum(len(row) - 2 - overlap for row in windows.ids) + overlap for _, windows in found)
    return Batch({"note": collate([tokens for tokens, _ in found])}), read


def fitted(examples: Sequence[Example], labels: Sequence[int], note_model: NoteModel) -> CaseModel:
    held = len(examples) // 4
    target = torch.tensor(labels, dtype=torch.float32)[:, None]
    torch.manual_seed(0)
    model = build_case_model(RECIPE, modalities=("note",), scan_features=1, note_features=note_model.encoder.features)
    batch, _ = tokens_of(examples, note_model)
    index = torch.arange(len(examples))
    fit_case_model(
        model, batch.take(index[held:]), target[held:], batch.take(index[:held]), target[:held], recipe=RECIPE
    )
    return model.eval()


def scores(model: CaseModel, batch: Batch) -> np.ndarray:
    return torch.sigmoid(predict_logits(model, batch).double())[:, 0].numpy()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=int, default=480, help="records of up to eight pages to train on")
    parser.add_argument("--records", type=int, default=8, help="long records, each read with either sentence")
    parser.add_argument("--pages", type=float, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--least-move", type=float, default=0.5)
    wanted = parser.parse_args()
    rng = np.random.default_rng(wanted.seed)
    note_model = load_note_model(resolve_note_encoder("packaged"), states=RECIPE.note.states)

    labels = [n % 2 for n in range(wanted.train)]
    short = []
    for label in labels:
        said = SAID["train"][0 if label else 1]
        told = said[rng.integers(len(said))]
        short.append(example_of(record(float(rng.uniform(0.1, 8.0)), told, at=float(rng.uniform()), rng=rng)))
    whole_model = fitted(short, labels, note_model)
    cut_model = fitted([cut(row, note_model.tokenizer) for row in short], labels, note_model)

    pairs = []
    for number in range(wanted.records):
        place = 1 - float(rng.uniform(0.05, 0.95)) / wanted.pages
        state = rng.integers(1 << 31)
        turn = number % len(SAID["test"][0])
        pairs.append(
            [
                example_of(record(wanted.pages, said[turn], at=place, rng=np.random.default_rng(state)))
                for said in SAID["test"]
            ]
        )
    long = [row for pair in pairs for row in pair]
    whole, read = tokens_of(long, note_model)
    short_batch, read_cut = tokens_of([cut(row, note_model.tokenizer) for row in long], note_model)

    sentences = [len(row.sentences) for row in long]
    print(f"{wanted.records} records of {wanted.pages:g} pages, {min(sentences)} to {max(sentences)} sentences\n")
    print("| the record is read | sub-words | said | denied | mean move | smallest move |\n|---|---|---|---|---|---|")
    moves = {}
    for name, model, batch, most in (
        ("whole, in windows (scanote)", whole_model, whole, read),
        ("its first 512 sub-words, same model", whole_model, short_batch, read_cut),
        ("its first 512 sub-words, model trained so", cut_model, short_batch, read_cut),
    ):
        found = scores(model, batch).reshape(-1, 2)
        move = found[:, 0] - found[:, 1]
        moves[name] = move
        print(
            f"| {name} | {most:,} | {found[:, 0].mean():.3f} | {found[:, 1].mean():.3f} | {move.mean():+.3f} "
            f"| {move.min():+.3f} |"
        )
    whole_move, *cut_moves = moves.values()
    missed = []
    if whole_move.mean() < wanted.least_move or whole_move.min() <= 0:
        missed.append(f"read whole, scores move by {whole_move.mean():.3f}, and should by {wanted.least_move} or more")
    if max(np.abs(move).max() for move in cut_moves) > 1e-5:
        missed.append("cut at 512 sub-words, a score moved with a sentence that was cut off")
    print("\n".join(missed), file=sys.stderr)
    return int(bool(missed))


if __name__ == "__main__":
    raise SystemExit(main())
