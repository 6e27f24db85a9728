"""What the words of a text add to its sentences' vectors in a small cohort: real reports, their index as the label.

`.venv/bin/python benchmarks/note_words.py` takes the findings sections of real chest reports, and as labels whether a
term stands in their MeSH column. The linear score of small cohorts is fitted on a hundred or three hundred cases, over
the sentences' vectors, over words, and over both, and tested on the rest of a thousand. Printed are AUROCs, means of
three draws. Exits 1 if both together are below the vectors alone in the mean of all rows.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from data_schemas.recipes import NoteRecipe
from fusion_models.given_tokens import GivenTokens
from fusion_models.linear_diagnoser import pool
from fusion_models.tokens import Tokens, collate
from fusion_models.word_bag import WordBag
from pipelines.cases.examples import Example, sentences_of
from pipelines.models.note_features import encode_notes
from pipelines.models.weights import load_note_model, resolve_note_encoder
from pipelines.models.word_features import encode_words
from pipelines.training.linear import Vectors, fit_finding

REPORTS = Path(__file__).parents[2] / "shared/data/reports/indiana_reports.csv"
TERMS = ("cardiomegaly", "normal", "opacity", "granuloma", "effusion", "spine", "atelectasis", "calcinosis")
ARMS = (("note",), ("words",), ("note", "words"))
LEAST_POSITIVES = 12


def vectors(note: Tokens, words: Tokens, train: np.ndarray) -> dict[str, Vectors]:
    """Every case's vectors, standardised after the training cases."""
    made = {}
    encoders = {"note": GivenTokens(features=note.values.shape[2], position_scale=(4.0, 4.0))}
    for name, encoder, tokens in (
        ("note", encoders["note"], note),
        ("words", WordBag(features=words.values.shape[2]), words),
    ):
        encoder.fit(tokens.take(torch.from_numpy(train)))
        values, present = pool(encoder(tokens))
        made[name] = Vectors(values.double().numpy(), present.numpy())
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=Path, default=REPORTS)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--cases", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--draws", type=int, default=3)
    wanted = parser.parse_args()
    with wanted.reports.open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["findings"].strip()]
    random = np.random.default_rng(0)
    rows = [rows[number] for number in random.permutation(len(rows))[: wanted.rows]]
    examples = [
        Example(str(n), str(n), None, sentences_of([row["findings"]], input_sections=("body",)), ())
        for n, row in enumerate(rows)
    ]
    recipe = NoteRecipe()
    note_model = load_note_model(resolve_note_encoder("packaged"), states=recipe.states)
    encoded = encode_notes(examples, note_model=note_model, recipe=recipe, device="cpu")
    note, words = collate([tokens for tokens, _ in encoded]), collate(encode_words(examples))

    print("| term in the index | positives | cases | sentences' vectors | words | both |\n|---|---|---|---|---|---|")
    table = []
    for term in TERMS:
        label = np.array([term in row["MeSH"].lower() for row in rows], float)
        for cases in wanted.cases:
            found = np.zeros(len(ARMS))
            for draw in range(wanted.draws):
                order = np.random.default_rng(draw).permutation(len(label))
                share = max(int(cases * label.mean()), LEAST_POSITIVES)
                positive, negative = order[label[order] == 1], order[label[order] == 0]
                train = np.concatenate([positive[:share], negative[: cases - share]])
                test = np.setdiff1d(order, train)
                given = vectors(note, words, train)
                for column, names in enumerate(ARMS):
                    taken = {name: given[name].take(train) for name in names}
                    fitted = fit_finding(taken, label[train], [str(row) for row in train], seed=draw)
                    score = fitted.arms[fitted.chosen].logits({name: given[name].take(test) for name in names})
                    found[column] += roc_auc_score(label[test], score) / wanted.draws
            table.append(found)
            told = " | ".join(f"{value:.3f}" for value in found)
            print(f"| {term} | {int(label.sum())} | {cases} | {told} |", flush=True)
    mean = np.mean(table, axis=0)
    print(f"| mean of {len(table)} rows | | | {' | '.join(f'{value:.3f}' for value in mean)} |")
    return int(mean[2] < mean[0])


if __name__ == "__main__":
    raise SystemExit(main())
