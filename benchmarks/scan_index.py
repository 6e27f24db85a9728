"""Indexing many files: seconds, and bytes read, of a first run over headers, of an ingest, and of the runs after it.

Run as ``.venv/bin/python benchmarks/scan_index.py``. Bytes are those that the process asked the kernel for (``rchar``
of /proc/self/io, manifest included). Exits 1 if a floor is missed: a run over headers reads at most 8 KiB a
file, a run over an unchanged tree at most a hundredth of it, and files changed in between are all noticed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from data_schemas.scan import Index
from pipelines.scans.index import index_paths
from pipelines.scans.manifest import SETTLE_SECONDS, open_manifest

ROOT = "1.2.826.0.1.3680043.8.498"


def write_tree(root: Path, *, files: int, slices: int, side: int) -> None:
    """Write CT series of ``slices`` files each, with a private block as scanners add it, a folder a series."""
    noise = np.random.default_rng(0)
    for number in range(files // slices):
        folder = root / f"{number:04d}"
        folder.mkdir(parents=True)
        for index in range(slices):
            values = noise.integers(0, 3000, (side, side)).astype("<u2")
            _slice(number, index, values).save_as(folder / f"{index:04d}.dcm", enforce_file_format=True)


def _slice(number: int, index: int, values: np.ndarray) -> FileDataset:
    ds = Dataset()
    ds.SpecificCharacterSet, ds.ImageType = "ISO_IR 100", ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, f"{ROOT}.{number}.3.{index}"
    ds.StudyDate, ds.StudyTime, ds.Modality, ds.Manufacturer = "20240301", "080000", "CT", "SCANOTE"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = f"P^{number}", str(number), "19600102", "F"
    ds.SliceThickness, ds.PatientPosition, ds.ConvolutionKernel = "2", "HFS", "B30"
    block = ds.private_block(0x0029, "SCANOTE BENCHMARK", create=True)
    block.add_new(0x10, "OB", bytes(1500))
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{ROOT}.{number}.1", f"{ROOT}.{number}.2"
    ds.InstanceNumber, ds.FrameOfReferenceUID = str(index + 1), f"{ROOT}.{number}.4"
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, 2 * index], [1, 0, 0, 0, 1, 0]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns, ds.PixelSpacing = *values.shape, ["0.8", "0.8"]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "-1024", "1", "HU"
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    file = FileDataset("", ds, file_meta=meta, preamble=b"\0" * 128)
    file.PixelData = values.tobytes()
    file["PixelData"].VR = "OW"
    return file


def change(root: Path, count: int) -> set[str]:
    """Flip one pixel bit in some files, keeping their sizes and modification times; return their paths."""
    paths = sorted(root.rglob("*.dcm"))
    chosen = [paths[at] for at in np.random.default_rng(1).choice(len(paths), count, replace=False)]
    for path in chosen:
        status = path.stat()
        with path.open("r+b") as stream:
            stream.seek(-1, os.SEEK_END)
            last = stream.read(1)[0]
            stream.seek(-1, os.SEEK_END)
            stream.write(bytes([last ^ 1]))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return {str(path) for path in chosen}


def digests_of(index: Index) -> dict[str, str]:
    return {file.path: file.sha256 for series in index.series for scan in series.scans for file in scan.files}


def measured(name: str, run: Callable[[], Index], tree: int) -> tuple[Index, int]:
    before, began, used = _bytes_read(), time.perf_counter(), time.process_time()
    index = run()
    seconds, used, read = time.perf_counter() - began, time.process_time() - used, _bytes_read() - before
    print(f"| {name} | {seconds:.2f} | {used:.2f} | {read / 1e6:.2f} | {100 * read / tree:.2f} % |", flush=True)
    return index, read


def _bytes_read() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--slices", type=int, default=100, help="files a series")
    parser.add_argument("--side", type=int, default=128, help="rows and columns")
    parser.add_argument("--changed", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, manifest = Path(folder) / "scans", Path(folder) / "headers.db"
        write_tree(root, files=options.files, slices=options.slices, side=options.side)
        tree = sum(path.stat().st_size for path in root.rglob("*.dcm"))
        time.sleep(SETTLE_SECONDS + 0.1)
        print(f"{options.files} files, {tree / 1e6:.0f} MB, page cache warm.\n")
        print("| run | seconds | of a processor | MB read | of the tree |\n|---|---|---|---|---|")

        def ingest() -> Index:
            with open_manifest(manifest) as opened:
                return index_paths(root, manifest=opened)

        first, headers = measured("headers only", lambda: index_paths(root, digests=False), tree)
        before, _ = measured("with digests, new manifest", ingest, tree)
        _, again = measured("with digests, nothing changed", ingest, tree)
        changed = change(root, options.changed)
        after, _ = measured(f"with digests, {options.changed} files changed", ingest, tree)
    old, new = digests_of(before), digests_of(after)
    noticed = {path for path in new if new[path] != old[path]}
    accepted = sum(len(series.scans) for series in first.series)
    print(f"\n{accepted} scans accepted; {len(noticed & changed)} of {len(changed)} changed files noticed.")
    floors = {
        "every series is accepted": accepted == options.files // options.slices and len(new) == len(old),
        "headers only: at most 8 KiB a file": headers <= 8192 * options.files,
        "nothing changed: at most a hundredth of the tree": again <= tree / 100,
        "all changes are noticed": noticed == changed,
    }
    missed = [name for name, met in floors.items() if not met]
    print("".join(f"\nMISSED: {name}" for name in missed) or "All floors are met.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
