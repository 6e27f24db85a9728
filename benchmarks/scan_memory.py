"""Peak memory from a scan to its preprocessed tensor, and to its volume at full resolution.

Run: `.venv/bin/python benchmarks/scan_memory.py`. Each figure comes from a process of its own, which first reads a
small scan, so that imports and decoders are warm, and then the large one. What is counted is how far the resident
memory of the process rose above that, and that of its decoder children with it; the children's own interpreters (about
27 MB each, there before) stand in a column of their own. Exits 1 if a limit of the issue is passed. Linux only.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from scan_series import SYNTAXES, data_set, phantom

sys.path.insert(0, str(Path(__file__).parents[1]))

MB = 2**20
MOST_BEYOND_GRID, MOST_BEYOND_VOLUME = 64 * MB, 100 * MB
GRID = {
    "shape": (128, 128, 128),
    "spacing_mm": (2.5, 2.8, 2.8),
    "windows_hu": ((-1000.0, 400.0), (-160.0, 240.0)),
}


def resident(pid: int | str, key: str) -> int:
    """``VmRSS`` (now) or ``VmHWM`` (at the most) of a process, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split(key + ":")[1].split()[0]) * 1024


def work(folder: Path, how: str) -> int:
    """Read the scan of a folder to a tensor or a volume; its bytes."""
    from pipelines.scans.index import index_paths
    from pipelines.scans.preprocess import preprocess
    from pipelines.scans.read import read_slices, read_volume

    (scan,) = index_paths(folder).series[0].scans
    if how == "volume":
        return int(read_volume(scan).nbytes)
    return int(preprocess(read_slices(scan), scan.geometry, **GRID).values.nbytes)


def measure(warm: Path, folder: Path, how: str) -> dict[str, int]:
    """What the process and its children took at the most beyond what they held when warm."""
    from pipelines.scans.pool import default_pool

    target = work(warm, how)
    gc.collect()
    children = default_pool().pids()
    held = {pid: resident(pid, "VmRSS") for pid in ("self", *children)}
    for pid in held:
        Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
    target = work(folder, how)
    late = [pid for pid in default_pool().pids() if pid not in held]
    rise = resident("self", "VmHWM") - held["self"]
    rise_of_children = sum(resident(pid, "VmHWM") - held[pid] for pid in children)
    rise_of_children += sum(resident(pid, "VmHWM") for pid in late)
    return {
        "target": target,
        "process": rise,
        "children": rise_of_children,
        "warm children": sum(held[pid] for pid in children),
        "threads": threading.active_count(),
    }


def write(folder: Path, count: int, size: int, syntax: str) -> None:
    """A series of sixteen pictures over and over, each compressed once."""
    folder.mkdir()
    planes = phantom(16, size)
    sets = [data_set(plane, 0, SYNTAXES[syntax]) for plane in planes]
    for index in range(count):
        ds = sets[index % 16]
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.3680043.8.498.77.{index + 1}"
        ds.InstanceNumber = str(index + 1)
        ds.ImagePositionPatient = ["-200", "-180", f"{2.5 * index:g}"]
        ds.save_as(folder / f"{index:05d}.dcm", enforce_file_format=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, nargs="+", default=[300, 2000])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--syntaxes", nargs="+", default=["explicit", "JPEG Lossless SV1", "JPEG 2000"])
    parser.add_argument("--measure", nargs=3, metavar=("WARM", "FOLDER", "HOW"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        warm, folder, how = arguments.measure
        print(json.dumps(measure(Path(warm), Path(folder), how)))
        return 0
    missed: list[str] = []
    print("| syntax | slices | to | target MB | beyond it: process MB | children MB | limit MB | children warm MB |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for syntax in arguments.syntaxes:
            warm = Path(name) / f"warm {syntax}"
            write(warm, 8, 64, syntax)
            for count in arguments.slices:
                folder = Path(name) / f"{syntax} {count}"
                write(folder, count, arguments.size, syntax)
                for how, limit in (("tensor", MOST_BEYOND_GRID), ("volume", MOST_BEYOND_VOLUME)):
                    command = [sys.executable, __file__, "--measure", str(warm), str(folder), how]
                    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                    beyond = found["process"] - found["target"]
                    cells = (found["target"], beyond, found["children"], limit, found["warm children"])
                    print(f"| {syntax} | {count} | {how} | " + " | ".join(f"{cell / MB:.0f}" for cell in cells) + " |")
                    sys.stdout.flush()
                    if beyond + found["children"] > limit:
                        missed.append(f"{syntax}, {count} slices to {how}: {(beyond + found['children']) / MB:.0f} MB")
                for path in folder.iterdir():
                    path.unlink()
    print()
    print("\n".join(missed) or "Every limit is kept.")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
