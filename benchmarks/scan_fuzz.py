"""Mutated files, mutated series, flipped bits and bombs: the process never dies, and only typed errors come out.

Run: `.venv/bin/python benchmarks/scan_fuzz.py [--mutants N] [--series N] [--flips N] [--seed S]`. Exits 1 where
anything but our own errors came out, a limit was passed, or a change went unnoticed.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scan_bombs import bombs
from scan_series import SYNTAXES, data_set, phantom, write_series

sys.path.insert(0, str(Path(__file__).parents[1]))

from data_schemas.errors import RefusedError, ScanoteError
from data_schemas.scan import Index, Scan
from pipelines.scans.headers import read_headers
from pipelines.scans.index import index_paths
from pipelines.scans.pool import DecoderPool, default_pool
from pipelines.scans.read import read_volume, slice_values

SIDE, SECONDS = 64, 2.0
BOMB_SECONDS, BOMB_BYTES = 0.1, 64 * 2**20
GEOMETRY_MM, GEOMETRY_DEGREES = 0.01, 0.1
_EXTREMES = (0, 1, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFF)


@dataclass
class Tally:
    """What became of the mutants of one kind of file."""

    outcomes: Counter[str] = field(default_factory=Counter)
    escaped: list[str] = field(default_factory=list)
    slowest: float = 0.0
    deaths: int = 0


def mutate(data: bytes, rng: np.random.Generator, *, head: int) -> bytes:
    """Change a file in one of eight ways; half of the changes fall into its first ``head`` bytes."""
    out = bytearray(data)
    reach = head if rng.random() < 0.5 else len(out)
    at = int(rng.integers(reach))
    kind = int(rng.integers(8))
    if kind == 0:
        out[at] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        for place in rng.integers(reach, size=int(rng.integers(2, 17))):
            out[place] ^= 1 << int(rng.integers(8))
    elif kind == 2:
        run = int(rng.integers(1, 65))
        out[at : at + run] = rng.bytes(min(run, len(out) - at))
    elif kind == 3:
        run = int(rng.integers(1, 65))
        out[at : at + run] = bytes([int(rng.integers(256))]) * min(run, len(out) - at)
    elif kind == 4:
        del out[at:]
    elif kind == 5:
        out[at:at] = rng.bytes(int(rng.integers(1, 65)))
    elif kind == 6:
        del out[at : at + int(rng.integers(1, 65))]
    else:
        width = int(rng.choice([2, 4]))
        value = _EXTREMES[int(rng.integers(len(_EXTREMES)))] & (256**width - 1)
        out[at : at + width] = value.to_bytes(width, rng.choice(["little", "big"]))
    return bytes(out)


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise TimeoutError(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def look_and_read(path: Path, pool: DecoderPool) -> str:
    """Index one file, and decode its slices whatever the index says of so small a series; the code of what came out."""
    index_paths(path)
    data = path.read_bytes()
    headers = read_headers(data)
    if headers[0].fault:
        return headers[0].fault.value
    try:
        for header in headers:
            slice_values(data, header, pool=pool)
    except RefusedError as refused:
        return refused.reason.value
    return "values"


def fuzz_files(syntax: str, *, mutants: int, seed: int, pool: DecoderPool, place: Path) -> Tally:
    """Mutants of one 64² slice in one transfer syntax."""
    rng = np.random.default_rng([seed, list(SYNTAXES).index(syntax)])
    original = file_of(data_set(phantom(3, SIDE)[1], 0, SYNTAXES[syntax]))
    head = original.rfind(b"\xe0\x7f\x10\x00") + 600 if syntax != "deflated" else len(original)
    path = place / "mutant.dcm"
    path.write_bytes(original)
    if look_and_read(path, pool) != "values":
        raise SystemExit(f"the seed of {syntax} is not read")
    tally, before = Tally(), pool.deaths
    for number in range(mutants):
        path.write_bytes(mutate(original, rng, head=min(head, len(original))))
        started = time.perf_counter()
        try:
            with _alarm(SECONDS * 3):
                tally.outcomes[look_and_read(path, pool)] += 1
        except ScanoteError as error:
            tally.outcomes[type(error).__name__] += 1
        except BaseException as error:
            tally.escaped.append(f"{syntax} mutant {number}: {type(error).__name__}: {error}"[:200])
        tally.slowest = max(tally.slowest, time.perf_counter() - started)
    tally.deaths = pool.deaths - before
    return tally


def file_of(ds: object) -> bytes:
    """The bytes of a data set as a file."""
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)  # type: ignore[attr-defined]
    return out.getvalue()


def unnoticed(before: Index, after: Index, changed: str) -> str:
    """What differs in the accepted scan although the index says nothing of it; empty where nothing does.

    Anything that a person would see counts as said: a quarantine, an ignored file, another remark.
    """
    (series,) = before.series
    (scan,) = series.scans
    told = len(after.series) != 1 or after.ignored != before.ignored or not after.series[0].scans
    if told or set(after.series[0].remarks) != set(series.remarks):
        return ""
    (now,) = after.series[0].scans
    found = []
    if (now.patient, now.study_uid, now.series_uid) != (scan.patient, scan.study_uid, scan.series_uid):
        found.append("identity")
    if moved(scan, now):
        found.append("geometry")
    if [file.path for file in now.files] != [file.path for file in scan.files]:
        found.append("order")
    try:
        was, values = read_volume(scan, verify=False), read_volume(now)
    except RefusedError:
        return ", ".join(found)
    # The pixels of the changed file may be others: no reader can notice. Those of all other files are the same.
    same = [index for index, file in enumerate(scan.files) if Path(file.path).name != changed]
    if not np.array_equal(was[same], values[same]):
        found.append("other slices")
    return ", ".join(found)


def moved(scan: Scan, now: Scan) -> bool:
    """Whether a volume lies elsewhere by more than 0.01 mm at a corner, or is turned by more than 0.1°."""
    if scan.geometry.shape != now.geometry.shape:
        return True
    was, affine = np.array(scan.geometry.affine), np.array(now.geometry.affine)
    slices, rows, columns = scan.geometry.shape
    corners = np.array([[i, j, k, 1] for i in (0, columns - 1) for j in (0, rows - 1) for k in (0, slices - 1)]).T
    axes = was[:3, :3] / np.linalg.norm(was[:3, :3], axis=0), affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    cosine = np.clip((axes[0] * axes[1]).sum(axis=0), -1.0, 1.0)
    turned = np.degrees(np.arccos(cosine)).max() > GEOMETRY_DEGREES
    return bool(turned or np.linalg.norm((affine - was)[:3] @ corners, axis=0).max() > GEOMETRY_MM)


def fuzz_series(*, count: int, seed: int, place: Path) -> Tally:
    """Series of 8 slices of 64² with one mutated file, against the verdict of the unmutated one."""
    rng = np.random.default_rng([seed, 1000])
    tally = Tally()
    kinds = ("explicit", "JPEG Lossless", "RLE")
    originals: dict[str, tuple[Path, Index]] = {}
    for kind in kinds:
        folder = place / kind
        write_series(folder, phantom(8, SIDE), SYNTAXES[kind])
        originals[kind] = folder, index_paths(folder)
    for number in range(count):
        folder, before = originals[kinds[number % len(kinds)]]
        name = f"{int(rng.integers(8)):05d}.dcm"
        data = (folder / name).read_bytes()
        # Most changes fall into the header: those of pixels made before the index are nobody's to find.
        mutant = mutate(data, rng, head=data.rfind(b"\xe0\x7f\x10\x00") + 12)
        try:
            (folder / name).write_bytes(mutant)
            with _alarm(SECONDS * 10):
                after = index_paths(folder)
                accepted = any(series.scans for series in after.series)
                # The unmutated files are needed again for the volume as it was.
                missed = unnoticed_on_disk(before, after, folder, name, data, mutant) if accepted else ""
            tally.outcomes["accepted" if accepted else "quarantined"] += 1
            if missed:
                tally.escaped.append(f"series {number}, {name}: {missed} changed unnoticed")
        except ScanoteError as error:
            tally.outcomes[type(error).__name__] += 1
        except BaseException as error:
            tally.escaped.append(f"series {number}: {type(error).__name__}: {error}"[:200])
        finally:
            (folder / name).write_bytes(data)
    return tally


def unnoticed_on_disk(before: Index, after: Index, folder: Path, name: str, data: bytes, mutant: bytes) -> str:
    """As `unnoticed`, and whether the changed slice's own numbers are on another scale."""
    found = unnoticed(before, after, name)
    old, new = read_headers(data)[0], read_headers(mutant)[0]
    (series,) = before.series
    quiet = len(after.series) == 1 and after.ignored == before.ignored and after.series[0].scans
    if (
        quiet
        and set(after.series[0].remarks) == set(series.remarks)
        and (old.slope, old.intercept)
        != (
            new.slope,
            new.intercept,
        )
    ):
        found = ", ".join(filter(None, [found, "intensity scale"]))
    return found


def flip_bits(*, count: int, seed: int, place: Path) -> Tally:
    """Single bits flipped after the index, each looked for by reading the volume."""
    rng = np.random.default_rng([seed, 2000])
    folder = place / "flips"
    write_series(folder, phantom(5, SIDE), SYNTAXES["explicit"])
    (scan,) = index_paths(folder).series[0].scans
    tally = Tally()
    for _ in range(count):
        path = Path(scan.files[int(rng.integers(5))].path)
        at, bit = int(rng.integers(path.stat().st_size)), int(rng.integers(8))
        with path.open("r+b") as stream:
            stream.seek(at)
            old = stream.read(1)[0]
            stream.seek(at)
            stream.write(bytes([old ^ 1 << bit]))
        try:
            read_volume(scan)
            tally.escaped.append(f"bit {bit} of byte {at} of {path.name} flipped, and not found")
        except RefusedError as refused:
            tally.outcomes[refused.reason.value] += 1
        with path.open("r+b") as stream:
            stream.seek(at)
            stream.write(bytes([old]))
    return tally


def peak_bytes() -> int:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def children_bytes(pool: DecoderPool) -> int:
    """The most memory that the pool's children hold, together; 0 where the platform does not tell."""
    total = 0
    for pid in pool.pids():
        try:
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        except OSError:
            continue
        if "VmHWM:" in status:  # it has none once it has ended
            total += int(status.split("VmHWM:")[1].split()[0]) * 1024
    return total


def defuse(place: Path) -> Iterator[tuple[str, str, float, int, bool]]:
    """Each bomb's name, what came out, seconds, bytes taken beyond what was held, and whether that is within limits."""
    pool = default_pool()
    path = place / "bomb.dcm"
    path.write_bytes(file_of(data_set(phantom(3, SIDE)[1], 0, SYNTAXES["JPEG 2000"])))
    look_and_read(path, pool)
    for name, data in bombs():
        path.write_bytes(data)
        held = bytes_now = 0
        held, bytes_now = peak_bytes(), children_bytes(pool)
        started = time.perf_counter()
        try:
            outcome = look_and_read(path, pool)
        except BaseException as error:
            outcome = f"{type(error).__name__}: {error}"[:80]
        took = time.perf_counter() - started
        taken = max(0, peak_bytes() - held) + max(0, children_bytes(pool) - bytes_now)
        fine = outcome not in {"values"} and ":" not in outcome and took <= BOMB_SECONDS and taken <= BOMB_BYTES
        yield name, outcome, took, taken, fine


def _show(label: str, count: int, tally: Tally) -> str:
    worst = ", ".join(f"{code} {number}" for code, number in tally.outcomes.most_common(4))
    return f"| {label} | {count} | {worst} | {tally.deaths} | {tally.slowest * 1000:.0f} | {len(tally.escaped)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=10_000, help="of each transfer syntax")
    parser.add_argument("--series", type=int, default=500)
    parser.add_argument("--flips", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--syntaxes", nargs="+", default=list(SYNTAXES), choices=list(SYNTAXES))
    arguments = parser.parse_args()
    escaped: list[str] = []
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=base) as name, DecoderPool(size=1, seconds=SECONDS) as pool:
        place = Path(name)
        print("| bomb | outcome | ms | MB | |\n|---|---|---|---|---|")
        for bomb, outcome, took, taken, fine in defuse(place):
            print(f"| {bomb} | {outcome} | {took * 1000:.0f} | {taken / 2**20:.0f} | {'' if fine else '**missed**'} |")
            escaped += [] if fine else [f"{bomb}: {outcome}, {took:.2f} s, {taken / 2**20:.0f} MB"]
        print("\n| mutated | tried | outcomes | children that died | slowest ms | escaped |\n|---|---|---|---|---|---|")
        runs: list[tuple[str, int, Callable[[], Tally]]] = [
            (
                syntax,
                arguments.mutants,
                lambda syntax=syntax: fuzz_files(
                    syntax, mutants=arguments.mutants, seed=arguments.seed, pool=pool, place=place
                ),
            )
            for syntax in arguments.syntaxes
        ]
        runs.append(
            ("series", arguments.series, lambda: fuzz_series(count=arguments.series, seed=arguments.seed, place=place))
        )
        runs.append(
            ("bit flips", arguments.flips, lambda: flip_bits(count=arguments.flips, seed=arguments.seed, place=place))
        )
        for label, count, run in runs:
            tally = run()
            print(_show(label, count, tally), flush=True)
            escaped += tally.escaped
    print()
    print("\n".join(escaped) or "Nothing escaped.")
    return int(bool(escaped))


if __name__ == "__main__":
    sys.exit(main())
