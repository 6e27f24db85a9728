"""From 512 × 512 × 300 to 128³: how right and how fast, beside MONAI's lazy chain.

MONAI's rows are its lazy chain (Orientation, Spacing, pad or crop: one resampling) on the very array in memory, once as
its transforms are documented (Spacing computes in float64), once with everything overridden to float32, the fastest
setting found. Neither averages what it skips: both alias where the grid is coarser than the scan, while scanote's row
includes the anti-aliasing. The floor of 3 is on the documented chain; the fastest setting's ratio stands beside it.

Right means: on data without detail finer than the grid, against the true values at the grid's places, and against the
definition (mean of the trilinear interpolant over a box) in float64.

    python benchmarks/preprocess.py [--slices 300] [--size 512] [--grid 128] [--runs 5]
"""

from __future__ import annotations

import argparse
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from data_schemas.scan import Geometry
from pipelines.scans.kernel import axis_weights
from pipelines.scans.preprocess import preprocess
from pipelines.scans.to_scan import to_scan

FLOOR_RATIO, FLOOR_ERROR, FLOOR_MB = 3.0, 1e-2, 40.0
WINDOW = (-1000.0, 1000.0)
WAVES_MM = (60.0, 85.0, 120.0)


def geometry(slices: int, size: int, turn: float = 0.0) -> Geometry:
    a = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    b = np.array([[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]])
    affine = np.eye(4)
    affine[:3, :3] = a @ b @ np.diag([-0.7, -0.7, 1.0])
    affine[:3, 3] = (170.0, 180.0, -150.0)
    return Geometry(shape=(slices, size, size), spacing_mm=(1.0, 0.7, 0.7), affine=tuple(map(tuple, affine.tolist())))


def field(affine: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """A field of waves in the scanner's space, of wavelengths far above a grid voxel: float64 [z, y, x]."""
    result = np.zeros(shape)
    index = [
        np.arange(count).reshape([-1 if axis == place else 1 for place in range(3)]) for axis, count in enumerate(shape)
    ]
    for number, wave in enumerate(WAVES_MM):
        direction = np.roll([0.8, 0.5, 0.33], number)
        steps = direction @ affine[:3, :3] * 2 * np.pi / wave
        phase = direction @ affine[:3, 3] * 2 * np.pi / wave + number
        result += 250.0 * np.sin(phase + sum(step * i for step, i in zip(steps[::-1], index, strict=True)))
    return result


def relative(found: np.ndarray, truth: np.ndarray, margin: int = 4) -> float:
    """Error in the middle, where no border is near, as a share of the truth's own size (root mean squares)."""
    inner = tuple(slice(margin, -margin) for _ in range(3))
    return float(np.sqrt(np.mean((found[inner] - truth[inner]) ** 2) / np.mean(truth[inner] ** 2)))


def medians(competitors: dict[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """Median milliseconds of each, after a run to warm up; they take turns: a busy machine is busy for all."""
    times: dict[str, list[float]] = {name: [] for name in competitors}
    for _ in range(runs + 1):
        for name, run in competitors.items():
            began = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - began) * 1000)
    return {name: sorted(found[1:])[runs // 2] for name, found in times.items()}


def monai_chains(volume: np.ndarray, where: Geometry, spacing: tuple[float, ...], grid: int) -> dict[str, Callable]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
        from monai.data import MetaTensor
        from monai.transforms import Compose, Orientation, ResizeWithPadOrCrop, Spacing

        # As MONAI's readers hand it over: channel first, x fastest last, contiguous.
        array = torch.from_numpy(np.ascontiguousarray(volume.transpose(2, 1, 0))[None])
        image = MetaTensor(array, affine=torch.from_numpy(np.array(where.affine)))
        steps = [Orientation("RAS"), Spacing(spacing[::-1]), ResizeWithPadOrCrop((grid,) * 3)]
        single = {"dtype": np.float32, "mode": "bilinear", "padding_mode": "border"}
        documented, fastest = Compose(steps, lazy=True), Compose(steps, lazy=True, overrides=single)
    return {"MONAI lazy, as documented": lambda: documented(image), "MONAI lazy, float32": lambda: fastest(image)}


def definition(volume: np.ndarray, where: Geometry, grid: int) -> np.ndarray:
    """The method in float64, densely, for axes along the patient's."""
    slices, rows, columns = volume.shape
    weights = [axis_weights(count, grid, count / grid) for count in (slices, rows, columns)]
    out = np.zeros((grid, grid, grid))
    above = WINDOW[0]
    for number, plane in enumerate(volume):
        averaged = weights[1] @ (np.clip(plane.astype(np.float64), *WINDOW) - above) @ weights[2].T
        for reached in np.flatnonzero(weights[0][:, number]):
            out[reached] += weights[0][reached, number] * averaged
    return (out + above)[:, ::-1, ::-1]  # both in-plane axes of `geometry` point the other way


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--grid", type=int, default=128)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--no-monai", action="store_true", help="do not time MONAI")
    options = parser.parse_args()
    grid, shape = options.grid, (options.grid,) * 3
    where = geometry(options.slices, options.size)
    spacing = (options.slices / grid, options.size * 0.7 / grid, options.size * 0.7 / grid)
    volume = field(np.array(where.affine), where.shape).astype(np.float32)

    def ours(planes: object = None, where: Geometry = where) -> np.ndarray:
        given = volume if planes is None else planes
        return preprocess(given, where, shape=shape, spacing_mm=spacing, windows_hu=(WINDOW,))

    def in_hu(values: np.ndarray) -> np.ndarray:
        return values.astype(np.float64) * (WINDOW[1] - WINDOW[0]) + WINDOW[0]

    found = ours()
    truth = field(found.affine, shape)
    wrong = relative(in_hu(found.values[0]), truth)
    errors = {"scanote, volume": wrong, "scanote, plane by plane": wrong}
    competitors: dict[str, Callable] = {"scanote, volume": ours, "scanote, plane by plane": lambda: ours(iter(volume))}
    slow = definition(volume, where, grid)
    exact = relative(in_hu(found.values[0]), slow)
    if not options.no_monai:
        for name, chain in monai_chains(volume, where, spacing, grid).items():
            got = chain()
            there = field(np.asarray(got.affine, dtype=float), shape)  # its grid begins half a voxel elsewhere
            values = np.asarray(got[0]).transpose(2, 1, 0).astype(np.float64)
            errors[name] = relative(values, there)
            competitors[name] = chain
    took_each = medians(competitors, options.runs)
    first, *others = took_each.values()
    print(f"{options.size} × {options.size} × {options.slices} → {grid}³, median of {options.runs}\n")
    print("| | ms | × scanote | error against the truth |\n| --- | ---: | ---: | ---: |")
    for name, took in took_each.items():
        print(f"| {name} | {took:.0f} | {took / first:.1f} | {errors[name]:.1e} |")

    turned = geometry(options.slices, options.size, 0.25)
    askew = field(np.array(turned.affine), turned.shape).astype(np.float32)
    began = time.perf_counter()
    oblique = ours(iter(askew), turned)
    took = (time.perf_counter() - began) * 1000
    error = relative(in_hu(oblique.values[0]), field(oblique.affine, shape), margin=grid // 4)
    back = to_scan(in_hu(oblique.values[0]), oblique.affine, turned)
    inner = tuple(slice(count // 3, 2 * count // 3) for count in back.shape)
    returned = float(np.sqrt(np.mean((back[inner] - askew[inner]) ** 2) / np.mean(askew[inner].astype(float) ** 2)))
    tracemalloc.start()
    plane = np.zeros(where.shape[1:], np.float32)
    long = geometry(2000, options.size)
    kept = ours((plane for _ in range(2000)), long).values.nbytes
    peak = (tracemalloc.get_traced_memory()[1] - kept) / 1e6
    tracemalloc.stop()
    print("\n| | |\n| --- | ---: |")
    print(f"| error against the definition in float64 | {exact:.1e} |")
    print(f"| a scan that lies askew: ms, error | {took:.0f}, {error:.1e} |")
    print(f"| the same, taken back to the scanner: error | {returned:.1e} |")
    print(f"| memory beyond the grid at 2,000 slices, MB | {peak:.0f} |")

    missed = []
    if max(wrong, error, exact) > FLOOR_ERROR:
        missed.append(f"an error above {FLOOR_ERROR}")
    if not options.no_monai and others[1] / first < FLOOR_RATIO:
        missed.append(f"less than {FLOOR_RATIO:g} times as fast as MONAI's lazy chain")
    if peak > FLOOR_MB:
        missed.append(f"more than {FLOOR_MB:g} MB beyond the grid")
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
