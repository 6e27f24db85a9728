"""Light models: DenseNet121 at 96³ in torch, OpenVINO and ONNX Runtime, fp32 and int8, all in turns in one run.

The task is planted: a dense ball somewhere in a noisy volume. The net learns it at a third of the side, so that its
scores mean something, and reads new volumes at the full side; every arm's scores are compared with torch's as `scanote
compile` does, and those in int8 have a calibration of their own first, fitted on volumes that no arm is tested on (both
are shown). Floors: OpenVINO fp32 at least 1.4 times as fast as torch, int8 at least 2 times, each with the interval
of its AUROC difference inside ±0.01, and each passing the parity report: what would not be kept is no light model.

    .venv/bin/python benchmarks/light_models.py
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from scipy.special import expit

from data_schemas.parity import Bounds, ParityReport
from fusion_models.scan_encoder import ScanEncoder
from pipelines.models.compile.backends import BACKENDS, backend_version, open_graph
from pipelines.models.compile.compiled import CompiledBody
from pipelines.models.compile.export import export_scan
from pipelines.models.compile.make import evened
from pipelines.models.compile.match import match_logits
from pipelines.models.compile.quantise import quantise_scan
from pipelines.models.compile.speed import in_turns
from pipelines.training.light.parity import compare

FLOORS = {("openvino", "fp32"): 1.4, ("openvino", "int8"): 2.0}
FINDING = "ball"


def volumes(count: int, *, side: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Smooth noise [N, 1, Z, Y, X], with a ball of 4 to 7 voxels in every second one, and who has it [N, 1]."""
    rng = np.random.default_rng(seed)
    grid = np.arange(side)
    made = np.empty((count, 1, side, side, side), np.float32)
    label = (np.arange(count) % 2)[:, None].astype(np.float32)
    for number in range(count):
        noise = rng.standard_normal((side, side, side), dtype=np.float32)
        radius, contrast = rng.uniform(4, 7), rng.uniform(0.2, 1.5)
        centre = rng.uniform(radius, side - radius, 3)
        if label[number, 0]:
            z, y, x = (((grid - middle) ** 2) for middle in centre)
            noise[(z[:, None, None] + y[:, None] + x) <= radius**2] += contrast
        made[number, 0] = noise
    return made, label


def fit(encoder: ScanEncoder, *, side: int, steps: int, batch: int) -> None:
    """Teach the sign head and the body the ball."""
    affine = torch.eye(4).expand(batch, 4, 4)
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=1e-3)
    encoder.train()
    for step in range(steps):
        given, label = volumes(batch, side=side, seed=10_000 + step)
        logits = encoder(torch.from_numpy(given), affine).sign_logits
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(label))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 20 == 19:
            print(f"  step {step + 1}: loss {float(loss.detach()):.3f}", file=sys.stderr, flush=True)
    encoder.eval()


@torch.no_grad()
def logits_of(encoder: ScanEncoder, given: np.ndarray) -> np.ndarray:
    """Logit [N, 1] of each volume, read one by one."""
    affine = torch.eye(4)[None]
    rows = [encoder(torch.from_numpy(given[n : n + 1]), affine).sign_logits for n in range(len(given))]
    return torch.cat(rows).double().numpy()


def main() -> int:
    """Train, compile, compare and time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=96)
    parser.add_argument("--architecture", default="densenet121")
    parser.add_argument("--tap", default="norm5")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--test", type=int, default=200)
    parser.add_argument("--test-seed", type=int, default=20, help="int8 was picked on volumes of seed 2")
    parser.add_argument("--calibration", type=int, default=8, help="Volumes that tell the ranges of activations.")
    parser.add_argument("--matched", type=int, default=64, help="Volumes that an int8 arm's calibration is fitted on.")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=("openvino",), help="Floors: OpenVINO's.")
    parser.add_argument("--weights", type=Path, help="Safetensors of the trained net: read, or written where absent.")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    encoder = ScanEncoder(architecture=given.architecture, channels=1, tap=given.tap, width=1.0, signs=1)
    if given.weights and given.weights.is_file():
        encoder.load_state_dict(load_file(given.weights))
        encoder.eval()
    else:
        fit(encoder, side=given.side // 3, steps=given.steps, batch=given.batch)
        if given.weights:
            save_file(encoder.state_dict(), given.weights)
    print(f"  trained; load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    calibration = list(volumes(given.calibration, side=given.side, seed=1)[0])
    test, label = volumes(given.test, side=given.side, seed=given.test_seed)
    eager = encoder.body
    graphs, bodies = {}, {("torch", "fp32"): eager}
    began = time.perf_counter()
    whole = export_scan(encoder, shape=(given.side,) * 3)
    even = export_scan(evened(encoder, calibration), shape=(given.side,) * 3)
    print(f"  exported in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    for backend in given.backends:
        for precision in ("fp32", "int8"):
            data = whole if precision == "fp32" else quantise_scan(even, calibration, backend=backend)
            graphs[backend, precision] = data
            run = open_graph(data, backend=backend, threads=given.threads, one_case=True)
            bodies[backend, precision] = CompiledBody(run)  # type: ignore[assignment]
    before = os.getloadavg()[0]
    one = torch.from_numpy(test[:1])
    with torch.no_grad():
        times = in_turns([lambda body=body: body(one) for body in bodies.values()], rounds=given.rounds)
    after = os.getloadavg()[0]
    matched = volumes(given.matched, side=given.side, seed=3)[0]
    encoder.body = bodies[given.backends[0], "fp32"]  # as torch says it, in half of the time
    aim = logits_of(encoder, matched)
    read, plain = {}, {}
    for name, body in bodies.items():
        encoder.body = body  # type: ignore[assignment]
        read[name] = plain[name] = expit(logits := logits_of(encoder, test))
        if name[1] == "int8":
            [(slope, intercept)] = match_logits(logits_of(encoder, matched), aim)
            read[name] = expit(slope * logits + intercept)
            print(f"  {name}: logits times {slope:.3f}, plus {intercept:+.3f}", file=sys.stderr)
        print(f"  {name} read; load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    patients = [str(number) for number in range(len(test))]

    def parity(rows: np.ndarray, *, exact: bool) -> ParityReport:
        return compare(read["torch", "fp32"], rows, label, patients, [FINDING], exact=exact)

    reports, uncalibrated = (
        {name: parity(rows, exact=name[1] == "fp32") for name, rows in table.items()} for table in (read, plain)
    )
    weights = sum(value.numel() * value.element_size() for value in eager.state_dict().values()) / 1e6
    print(f"\n{given.architecture} {given.side}³, {given.threads} threads, {given.rounds} rounds in turns,")
    print(f"{given.test} test volumes, {given.matched} for the calibration of int8;")
    print(f"load average {before:.1f} before and {after:.1f} after the timing;")
    libraries = ", ".join(f"{backend} {backend_version(backend)}" for backend in given.backends)
    print(f"{libraries}, torch {torch.__version__}, {os.cpu_count()} cores\n")
    print(
        "| arm | median ms | times as fast | MB | AUROC | AUROC less torch's (95 %) | Brier less torch's (95 %) "
        "| without own calibration | scores differ at most (mean) |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    missed, refused = [], []
    for (name, report), ms in zip(reports.items(), times, strict=True):
        [row] = report.findings
        ratio = times[0] / ms
        size = len(graphs[name]) / 1e6 if name in graphs else weights
        [before_it] = uncalibrated[name].findings
        print(
            f"| {' '.join(name)} | {ms:.0f} | {ratio:.2f} | {size:.1f} | {_area(read[name], label):.4f} "
            f"| {_told(row.auroc_difference, row.auroc_interval)} | {_told(row.brier_difference, row.brier_interval)} "
            f"| {_told(before_it.brier_difference, before_it.brier_interval) if name[1] == 'int8' else '–'} "
            f"| {row.largest_score_difference:.1e} ({row.mean_score_difference:.1e}) |"
        )
        if ratio < FLOORS.get(name, 0.0):
            missed.append(f"{' '.join(name)}: {ratio:.2f} times as fast, and {FLOORS[name]} is the floor")
        (missed if name in FLOORS else refused).extend(f"{' '.join(name)}: {line}" for line in report.failed)
    for line in refused:
        print(f"would not be kept by 'scanote compile': {line}")
    for line in missed:
        print(f"missed: {line}")
    return int(bool(missed))


def _told(value: float | None, bounds: Bounds | None) -> str:
    low, high = bounds or (float("nan"), float("nan"))
    return f"{value or 0.0:+.4f} ({low:+.4f} to {high:+.4f})"


def _area(score: np.ndarray, label: np.ndarray) -> float:
    from pipelines.training.metrics import auroc

    return float(auroc(score[:, 0], label[:, 0], np.ones((1, len(label))))[0])


if __name__ == "__main__":
    sys.exit(main())
