"""Notes and values of after the cut-off: how many reach what the model is given. Must be none.

Looked for in the sub-word ids of the note encoder's windows and in the values, never on a flag. What is known from
before the cut-off is looked for in the same way, and must all be there.

.venv/bin/python benchmarks/future_notes.py
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data_schemas.case import Case
from data_schemas.recipes import ModelRecipe
from pipelines.cases.prepare import prepare
from pipelines.models.weights import PACKAGED, WINDOW_SHORT, resolve_note_encoder
from pipelines.notes.windows import cut_windows
from pipelines.synthetic.future import future_hospital, is_in


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=4_000)
    parser.add_argument("--share", type=float, default=0.1, help="of the patients with a future record, of each kind")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(resolve_note_encoder(PACKAGED), local_files_only=True)
    recipe = ModelRecipe(observation_codes=("early", "marker"))
    bad = 0
    print("| clocks | future record | planted | reached a tensor |\n| --- | --- | ---: | ---: |")
    for zone in ("UTC", "Europe/Berlin", "America/New_York"):
        began = time.monotonic()
        hospital = future_hospital(given.patients, share=given.share, zone=zone, seed=given.seed)
        planted, reached, control = Counter[str](), Counter[str](), 0
        for case in hospital.cases:
            texts, values = _seen(case, tokenizer, recipe)
            marker = hospital.past[case.study_key]
            control += is_in(texts, marker) and float(marker) in values
            for kind, mark in hospital.planted[case.study_key]:
                planted[kind] += 1
                reached[kind] += is_in(texts, mark) or float(mark) in values
        for kind in sorted(planted):
            print(f"| {zone} | {kind} | {planted[kind]} | {reached[kind]} |")
        missing = given.patients - control
        print(f"| {zone} | control: notes and values of before, missing | {given.patients} | {missing} |")
        print(f"{zone}: {time.monotonic() - began:.0f} s", file=sys.stderr)
        bad += sum(reached.values()) + missing
    return 1 if bad else 0


def _seen(case: Case, tokenizer: Any, recipe: ModelRecipe) -> tuple[str, set[float]]:
    """What the model is given of a case: its sub-word ids decoded, and its values; the scan is left out."""
    example = prepare(case.model_copy(update={"scan": None, "channels": ()}), recipe=recipe)
    cut = cut_windows(
        [sentence.text for sentence in example.sentences],
        tokenizer=tokenizer,
        window=recipe.note.window or WINDOW_SHORT,
        stride=recipe.note.stride,
        windows_at_most=recipe.note.windows_at_most,
        unit=recipe.note.unit,
    )
    return " ".join(tokenizer.decode(list(row)) for row in cut.ids), {value.value for value in example.values}


if __name__ == "__main__":
    sys.exit(main())
