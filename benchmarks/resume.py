"""Kill a training at random steps, resume it, and compare the weights with those of an unbroken one.

`.venv/bin/python benchmarks/resume.py` fits the scan encoder on synthetic phantoms (augmented) and then a case model on
tokens, in a process of its own on the CPU, once unbroken and then ``--runs`` times with SIGKILLs at random moments,
``--kills`` of them a run, before it is left to end. Printed are the steps after which each kill struck (as the last
kept state tells) and the SHA-256 of the final weights. Exits 1 if any differs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def child(folder: Path, scans: int) -> None:
    """Fit both parts, with checkpoints, and print the digest of their weights."""
    sys.path.insert(0, str(ROOT))
    import torch
    from safetensors.torch import save

    from data_schemas.recipes import AugmentRecipe, FusionRecipe, ModelRecipe, ScanRecipe, TrainingRecipe
    from fusion_models.case_model import Batch
    from fusion_models.tokens import Tokens
    from pipelines.models.build import build_case_model, build_scan_encoder
    from pipelines.synthetic.memory import synthetic_examples
    from pipelines.training.fitting import choose_signs, fit_case_model, fit_scan_encoder

    recipe = ModelRecipe(
        modalities=("scan", "note"),
        findings=("pleural-effusion", "heart-failure"),
        scan=ScanRecipe(shape=(24, 24, 24), spacing_mm=(14.0, 14.0, 14.0), width=0.25),
        fusion=FusionRecipe(width=32, heads=4, layers=2),
        training=TrainingRecipe(
            scan_epochs=3,
            scan_batch_size=4,
            epochs=8,
            batch_size=16,
            averaging="ema",
            augment=AugmentRecipe(scans=True, notes=True),
            checkpoint_steps=2,
        ),
    )
    rows = [row for row in synthetic_examples((("train", scans), ("validation", 8)), seed=3, recipe=recipe) if row.scan]
    train, held_out = ([row for row in rows if row.split == name] for name in ("train", "validation"))
    signs = choose_signs(train, recipe)
    torch.manual_seed(0)
    encoder = build_scan_encoder(recipe, signs=len(signs))
    print("start", flush=True)  # the imports are behind it: what is killed is a fit
    fit_scan_encoder(encoder, train, held_out, signs=signs, recipe=recipe, checkpoint=folder / "scan-encoder")
    generator = torch.Generator().manual_seed(1)

    def tokens(count: int, features: int, coordinates: int) -> Tokens:
        values = torch.randn(200, count, features, generator=generator)
        mask = torch.ones(200, count, dtype=torch.bool)
        return Tokens(values, mask, torch.rand(200, count, coordinates, generator=generator), mask.long())

    batch = Batch({"scan": tokens(27, 64, 3), "note": tokens(12, 96, 2)})
    labels = (torch.rand(200, 2, generator=generator) < 0.3).float()
    torch.manual_seed(0)
    model = build_case_model(recipe, modalities=("scan", "note"), scan_features=64, note_features=96)
    fit_case_model(model, batch, labels, batch, labels, recipe=recipe, checkpoint=folder / "fusion")
    tensors = {**encoder.state_dict(prefix="scan."), **model.state_dict(prefix="case.")}
    data = save({name: part.contiguous() for name, part in tensors.items()})
    print("digest", hashlib.sha256(data).hexdigest(), flush=True)


def run(folder: Path, scans: int, *, kill_after: float | None = None) -> tuple[str | None, float]:
    """The digest that a child prints (None: killed, so many seconds after it began to fit), and the seconds it took."""
    command = [sys.executable, __file__, "--child", str(folder), "--scans", str(scans)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith("start"):
        sys.exit("the child did not start")
    began = time.perf_counter()
    if kill_after is not None:
        time.sleep(kill_after)
        process.send_signal(signal.SIGKILL)
    told = process.stdout.read()
    process.wait()
    return told.split()[-1] if "digest" in told else None, time.perf_counter() - began


def place(folder: Path) -> str:
    """Part, epoch and step of the last state that was kept."""
    for part in ("fusion", "scan-encoder"):
        state = folder / part / "state.json"
        if state.is_file():
            content = json.loads(state.read_text())
            return f"{part} epoch {len(content['epochs'])} step {content['step']}"
    return "before the first"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--scans", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.scans)
        return
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as name:
        whole, seconds = run(Path(name) / "whole", given.scans)
        print("| run | killed after | digest of the weights | same |\n|---|---|---|---|")
        print(f"| unbroken | – | {str(whole)[:16]} | |", flush=True)
        wrong = whole is None
        for number in range(given.runs):
            folder, share = Path(name) / str(number), seconds / given.kills
            struck = [
                place(folder)
                for _ in range(given.kills)
                if run(folder, given.scans, kill_after=chance.uniform(0.0, share))[0] is None
            ]
            found, _ = run(folder, given.scans)
            wrong |= found != whole
            print(
                f"| {number + 1} | {'; '.join(struck)} | {str(found)[:16]} | {'yes' if found == whole else 'NO'} |",
                flush=True,
            )
    sys.exit(int(wrong))


if __name__ == "__main__":
    main()
