"""A training step on cached features against one end to end: how much faster, and whether the result is the same.

`.venv/bin/python benchmarks/cached_features.py` takes synthetic cases (phantoms and notes, in memory), encodes them
once into a cache as `scanote train` does, and times a step of the fusion on the cached features beside the same step
end to end: the encoders run on every batch, once frozen (forward only) and once trained with the rest (in parts of
``--part`` cases whose gradients add up, for memory). The fusion is trained for ``--steps`` steps both ways with frozen
encoders, and its logits are compared. Times are of the processor, on one thread, so that what else runs on the machine
does not count. Exits 1 if, with any of the encoders, a logit differs by over 1e-4, or the cached step is not 100 times
as fast as end to end.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from data_schemas.recipes import ModelRecipe, ScanRecipe
from fusion_models.case_model import Batch, CaseModel
from fusion_models.losses import masked_bce
from pipelines.models.build import build_case_model, build_scan_encoder
from pipelines.models.features import encode
from pipelines.models.note_features import encode_notes
from pipelines.models.scan_features import encode_scans
from pipelines.models.weights import load_note_model, resolve_note_encoder
from pipelines.synthetic.memory import synthetic_examples
from pipelines.training.fitting import label_matrix
from pipelines.workspace.cache import ArrayCache

FASTEST, CLOSEST = 100.0, 1e-4
SETS = {
    "default: ResNet-10 × 0.5, 40³": ScanRecipe(),
    "DenseNet121, 96³": ScanRecipe(encoder="densenet121", tap="norm5", shape=(96, 96, 96), spacing_mm=(3.4, 3.4, 3.4)),
}


def measure(name: str, scan: ScanRecipe, *, cases: int, batch: int, part: int, steps: int, folder: Path) -> bool:
    """One row of the table; whether it holds."""
    recipe = ModelRecipe(scan=scan)
    rows = [row for row in synthetic_examples((("train", 2 * cases),), seed=1, recipe=recipe) if row.scan][:cases]
    note = load_note_model(resolve_note_encoder(recipe.note.encoder), states=recipe.note.states)
    torch.manual_seed(0)
    scan_encoder = build_scan_encoder(recipe, signs=6).eval()
    how = {
        "scan_encoder": scan_encoder,
        "scan_digest": "0" * 64,
        "note_model": note,
        "note_recipe": recipe.note,
        "codes": recipe.observation_codes,
        "modalities": recipe.modalities,
    }
    cache = ArrayCache(folder)
    cached = encode(rows, cache=cache, **how).batch
    labels = label_matrix(rows, recipe.findings)

    def model() -> CaseModel:
        torch.manual_seed(0)
        made = build_case_model(
            recipe,
            modalities=recipe.modalities,
            scan_features=scan_encoder.features,
            note_features=note.encoder.features,
        )
        with torch.no_grad():
            made.fit_statistics(cached)
        return made

    def from_cache(index: Tensor) -> Batch:
        return cached.take(index)

    def frozen(index: Tensor) -> Batch:
        return encode([rows[n] for n in index.tolist()], **how).batch

    def trained(index: Tensor) -> Batch:
        """With gradients to the encoders: the same functions, without their no_grad."""
        chosen = [rows[n] for n in index.tolist()]
        held = encode(chosen, **{**how, "modalities": ("observation",)}).batch
        notes = encode_notes.__wrapped__(chosen, note_model=note, recipe=recipe.note, device="cpu")
        scans = encode_scans.__wrapped__(chosen, encoder=scan_encoder, digest="", device="cpu")
        from fusion_models.tokens import collate

        return held.with_inputs("note", collate([tokens for tokens, _ in notes])).with_inputs("scan", collate(scans))

    order = torch.randperm(cases, generator=torch.Generator().manual_seed(0)).split(batch)
    one, other = model(), model()
    quick = run(one, from_cache, order, labels, steps=steps)
    slow = run(other, frozen, order, labels, steps=steps)
    with torch.no_grad():
        apart = float((one.eval()(cached).logits - other.eval()(frozen(torch.arange(cases))).logits).abs().max())
    parameters = [*note.encoder.parameters(), *scan_encoder.parameters()]
    full = run(model(), trained, order, labels, steps=1, part=part, also=parameters)
    print(
        f"| {name} | {1e3 * full / batch:.0f} | {1e3 * slow / batch:.0f} | {1e3 * quick / batch:.2f} "
        f"| {full / quick:.0f} × | {slow / quick:.0f} × | {apart:.1e} |",
        flush=True,
    )
    return full / quick >= FASTEST and apart <= CLOSEST


def run(
    model: CaseModel,
    read: Callable[[Tensor], Batch],
    order: tuple[Tensor, ...],
    labels: Tensor,
    *,
    steps: int,
    part: int | None = None,
    also: list[torch.nn.Parameter] | None = None,
) -> float:
    """Median processor seconds of a step: read, forward, backward, AdamW. Each step seeds its dropout."""
    optimizer = torch.optim.AdamW([*model.parameters(), *(also or [])], lr=1e-3)
    seconds = []
    for step in range(steps):
        index = order[step % len(order)]
        torch.manual_seed(step)
        model.train()
        began = time.process_time()
        for few in index.split(part or len(index)):
            (masked_bce(model(read(few)).logits, labels[few]) * len(few) / len(index)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.process_time() - began)
    return float(np.median(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=64)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--part", type=int, default=4)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--only", type=int, choices=range(len(SETS)), help="only this row of the table")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(f"A step of {given.batch} cases, milliseconds of one processor a case\n")
    print("| encoder | end to end, trained | end to end, frozen | cached | faster | than frozen | logits apart |")
    print("|---|---|---|---|---|---|---|", flush=True)
    held = True
    for number, (name, scan) in enumerate(SETS.items()):
        if given.only is None or number == given.only:
            with tempfile.TemporaryDirectory() as folder:
                held &= measure(
                    name,
                    scan,
                    cases=given.cases,
                    batch=given.batch,
                    part=given.part,
                    steps=given.steps,
                    folder=Path(folder),
                )
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
