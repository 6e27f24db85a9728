"""Reports a second: sectioned, concept-read and cut into windows, and as a ratio to a plain pass of the tokenizer.

The plain pass gives each report's text to the tokenizer, one call for all; the others take the same texts one by one
as a run does. Every step is timed in turn, in each round; a row is the median of the rounds.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.models.weights import load_note_model, resolve_note_encoder
from pipelines.notes.concepts import read_concepts
from pipelines.notes.sections import split_sections
from pipelines.notes.windows import cut_windows

COLUMNS = ("indication", "comparison", "findings", "impression")
REPORTS = Path(__file__).parents[2] / "shared/data/reports/indiana_reports.csv"


def read_texts(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return ["\n".join(f"{name.upper()}: {row[name]}" for name in COLUMNS if row[name].strip()) for row in rows]


def windows_of(text: str, tokenizer: Any) -> None:
    sentences = [sentence for section in split_sections(text) for sentence in section.sentences]
    cut_windows(sentences, tokenizer=tokenizer, window=256, stride=32, windows_at_most=64, unit="sentence")


def timed(step: Callable[[], object]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=Path, default=REPORTS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--encoder", default="packaged")
    wanted = parser.parse_args()
    texts = read_texts(wanted.reports)
    tokenizer = load_note_model(resolve_note_encoder(wanted.encoder), states=(-1,)).tokenizer
    read_concepts("FINDINGS: No effusion.")  # the reader is made once
    how = {"add_special_tokens": False, "split_special_tokens": True, "verbose": False}
    steps: dict[str, Callable[[], object]] = {
        "plain pass of the tokenizer": lambda: tokenizer(texts, **how),
        "sections and sentences": lambda: [split_sections(text) for text in texts],
        "concepts (with their sections)": lambda: [read_concepts(text) for text in texts],
        "windows of sub-words (with their sections)": lambda: [windows_of(text, tokenizer) for text in texts],
        "all three": lambda: [(read_concepts(text), windows_of(text, tokenizer)) for text in texts],
    }
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(wanted.rounds):
        for name, step in steps.items():
            taken[name].append(timed(step))
    plain = statistics.median(taken["plain pass of the tokenizer"])
    print(f"{len(texts):,} reports, {sum(map(len, texts)) / 1e6:.2f} MB of text, median of {wanted.rounds} rounds\n")
    print("| step | s | reports a second | times the plain pass |\n|---|---|---|---|")
    for name, seconds in taken.items():
        middle = statistics.median(seconds)
        print(f"| {name} | {middle:.2f} | {len(texts) / middle:,.0f} | {middle / plain:.1f} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
