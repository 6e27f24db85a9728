"""Voxels and affine beside dcm2niix's, on every regular series, and on tilted ones within interpolation error.

.venv/bin/python benchmarks/agreement.py
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import permutations, product
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from pipelines.scans.index import index_paths  # noqa: E402
from pipelines.scans.read import read_volume  # noqa: E402
from pipelines.synthetic.dicom import STORAGE, write_series  # noqa: E402
from pipelines.synthetic.faults.forms import FORMS, write_form  # noqa: E402
from pipelines.synthetic.faults.places import shear  # noqa: E402
from pipelines.synthetic.faults.wedge import ORIENTATIONS, STEP_HU, draw_style, make_wedge, truth_of  # noqa: E402
from pipelines.synthetic.patients import draw_patient  # noqa: E402
from pipelines.synthetic.truth import Dials  # noqa: E402

# NIfTI holds the affine in single precision.
AFFINE_MM = 0.005
TILT_HU = 0.75
# Beside its own affine, dcm2niix fills the first and last row of the stored pixels.
EDGE_ROWS = 2.0
PLANES = ("axial", "coronal", "sagittal", "prone", "feet first", "oblique")


@dataclass(frozen=True)
class Line:
    """One comparison: voxels that differ of all, the largest difference, and how far the grids lie apart in mm."""

    name: str
    voxels: int
    differing: int
    largest: float
    apart_mm: float
    note: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2, help="seeds of each orientation, vendor and form")
    parser.add_argument("--real", type=Path, default=Path(os.environ.get("SCANOTE_REAL_DATA", ROOT / "../shared/data")))
    given = parser.parse_args()
    lines, missed = [], 0
    for line in [*wedges(given.seeds), *phantoms(), *real(given.real / "chest-ct" / "scans")]:
        lines.append(line)
        missed += line.differing > 0 or line.apart_mm > AFFINE_MM or line.note != ""
    print("| regular series | voxels | that differ | largest difference | grids apart, mm | |")
    print("| --- | ---: | ---: | ---: | ---: | --- |")
    for line in lines:
        figures = f"{line.voxels} | {line.differing} | {line.largest:g} | {line.apart_mm:.4f}"
        print(f"| {line.name} | {figures} | {line.note} |")
    print("\n| tilted series | voxels | scanote: largest error, HU | dcm2niix: largest error, HU | |")
    print("| --- | ---: | ---: | ---: | --- |")
    for name, voxels, ours, theirs, note in tilted():
        missed += not ours <= TILT_HU
        print(f"| {name} | {voxels} | {ours:.3f} | {theirs:.3f} | {note} |")
    print(f"""
Floors: no voxel differs, grids at most {AFFINE_MM} mm apart. Each voxel of a tilted volume, {EDGE_ROWS:g} rows off the
edge of what is stored, is held against the truth at its place, where one row further is {STEP_HU[1]} HU: at most
{TILT_HU} HU. dcm2niix moves its corrected grid by whole pixels, so that it lies up to half a row beside its affine.""")
    return 1 if missed else 0


def wedges(seeds: int) -> Iterator[Line]:
    """Every orientation, vendor and form."""
    for plane, (vendor, form) in product(range(len(ORIENTATIONS)), product(STORAGE, FORMS)):
        found = []
        for seed in range(seeds):
            with _Folder() as folder:
                style = replace(draw_style(seed), orientation=ORIENTATIONS[plane], vendor=vendor)
                write_form(make_wedge(seed, style=style).slices, folder / "in", form, seed=seed)
                found += list(compare(folder, ""))
        yield _sum(f"wedge, {PLANES[plane]}, {vendor}, {form}", found)


def phantoms() -> Iterator[Line]:
    """Chests of the synthetic hospital."""
    for number in range(6):
        with _Folder() as folder:
            write_series(folder / "in", draw_patient(number, seed=3, dials=Dials(), pool="train"), seed=3)
            yield from compare(folder, f"chest phantom {number}")


def real(scans: Path) -> Iterator[Line]:
    """The real CTs, where they are."""
    if not scans.is_dir():
        print(f"no real scans in {scans}: left out", file=sys.stderr)
        return
    for place in sorted(path for path in scans.iterdir() if path.is_dir()):
        with _Folder() as folder:
            shutil.copytree(place, folder / "in")
            yield from compare(folder, f"real CT {place.name}")


def compare(folder: Path, name: str) -> Iterator[Line]:
    """One line a scan of a folder's ``in``; dcm2niix's volume is turned, never resampled, onto scanote's axes."""
    outputs = dcm2niix(folder / "in", folder / "out")
    index = index_paths(folder / "in")
    details = "; ".join(series.detail for series in index.series if series.detail)
    for scan in (scan for series in index.series for scan in series.scans):
        volume, affine = read_volume(scan), np.array(scan.geometry.affine)
        turned = [found for given in outputs if (found := _onto(*given, volume.shape, affine)) is not None]
        if not turned:
            yield Line(name, volume.size, volume.size, np.inf, np.inf, "no output of dcm2niix on these axes")
            continue
        values, apart = min(turned, key=lambda pair: float(np.abs(pair[0] - volume).max()))
        difference = np.abs(values - volume)
        yield Line(name, volume.size, int((difference > 0).sum()), float(difference.max()), apart, details)
    if not any(series.scans for series in index.series):
        yield Line(name, 0, 0, np.inf, np.inf, details or "refused")


def tilted() -> Iterator[tuple[str, int, float, float, str]]:
    """Tilted wedges: how far either reader is from the plane in space that the voxels were drawn from."""
    for seed, degrees in enumerate((-25.0, -12.5, 5.0, 17.0)):
        with _Folder() as folder:
            # dcm2niix corrects 16 signed bits alone, and the wrong way where instance numbers run against positions.
            plain = {"vendor": "SCANOTE-A", "numbering": "along", "pixel_mm": (0.9, 0.7)}
            style = replace(draw_style(seed), orientation=ORIENTATIONS[0], **plain)
            slices = shear(make_wedge(seed, style=style).slices, degrees, stated=True)
            truth = truth_of(slices)
            write_form(slices, folder / "in", FORMS[0], seed=seed)
            scans = [scan for series in index_paths(folder / "in").series for scan in series.scans]
            ours = [(read_volume(scan), np.array(scan.geometry.affine)) for scan in scans]
            # dcm2niix writes the slices as they are stored too; its corrected volume has more rows.
            theirs = [
                given
                for given in dcm2niix(folder / "in", folder / "out")
                if _is_upright(given[1]) and given[0].shape[1] > truth.shape[1]
            ]
            (count, mine), (_, other) = (_errors(given, truth.affine, truth.shape) for given in (ours, theirs))
            yield f"{degrees:g}°", count, mine, other, "" if theirs else "dcm2niix corrected nothing"


def dcm2niix(folder: Path, out: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Volumes [slices, rows, columns] as float64 with their affines to RAS+."""
    import dcm2niix as package
    import nibabel

    out.mkdir()
    command = [package.bin, "-b", "n", "-z", "n", "-f", "%s_%j", "-o", str(out), str(folder)]
    subprocess.run(command, capture_output=True, check=False, timeout=600)
    images = [nibabel.load(path) for path in sorted(out.glob("*.nii"))]
    return [(np.asarray(image.dataobj, float).transpose(2, 1, 0), np.array(image.affine)) for image in images]


def _onto(
    values: np.ndarray, given: np.ndarray, shape: tuple[int, ...], affine: np.ndarray
) -> tuple[np.ndarray, float] | None:
    """Flip and exchange axes until the affines agree; how far the corners are apart then, in mm."""
    for order in permutations(range(3)):
        for signs in product((1, -1), repeat=3):
            turned = values.transpose(order)[tuple(slice(None, None, sign) for sign in signs)]
            if turned.shape != shape:
                continue
            # Axes of the array are (slice, row, column); those of the affine the other way round.
            change = np.eye(4)
            change[:3, :3] = 0.0
            for new, old in enumerate(order):
                change[2 - old, 2 - new] = signs[new]
                change[2 - old, 3] = 0 if signs[new] == 1 else values.shape[old] - 1
            moved = given @ change
            apart = _corner_distance(moved, affine, shape)
            if apart < 0.1:
                return turned, apart
    return None


def _corner_distance(one: np.ndarray, other: np.ndarray, shape: tuple[int, ...]) -> float:
    corners = np.array([[*corner, 1.0] for corner in product(*((0, count - 1) for count in shape[::-1]))])
    return float(np.linalg.norm((corners @ (one - other).T)[:, :3], axis=1).max())


def _is_upright(affine: np.ndarray) -> bool:
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.abs(axes.T @ axes - np.eye(3)).max() < 1e-3)


def _errors(
    volumes: list[tuple[np.ndarray, np.ndarray]], affine: np.ndarray, shape: tuple[int, int, int]
) -> tuple[int, float]:
    """Voxels inside the stored lattice, and the largest distance of one from the truth at its place."""
    for volume, given in volumes:
        to_truth = np.linalg.inv(affine) @ given
        grid = np.stack(np.meshgrid(*(np.arange(count) for count in volume.shape), indexing="ij"), axis=-1)[..., ::-1]
        places = grid @ to_truth[:3, :3].T + to_truth[:3, 3]
        edge = np.array([1e-3, EDGE_ROWS, 1e-3])
        inside = np.all((places > edge) & (places < np.array(shape[::-1]) - 1 - edge), axis=-1)
        expected = -1000.0 + places @ np.array(STEP_HU[::-1], float)
        return int(inside.sum()), float(np.abs(volume - expected)[inside].max())
    return 0, np.inf


def _sum(name: str, lines: list[Line]) -> Line:
    return Line(
        name,
        sum(line.voxels for line in lines),
        sum(line.differing for line in lines),
        max(line.largest for line in lines),
        max(line.apart_mm for line in lines),
        "; ".join(dict.fromkeys(line.note for line in lines if line.note)),
    )


class _Folder:
    def __enter__(self) -> Path:
        self.path = Path(tempfile.mkdtemp(prefix="scanote-agreement-"))
        return self.path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path)


if __name__ == "__main__":
    sys.exit(main())
