"""A short run of `benchmarks/scan_fuzz.py`: mutants, series, flipped bits and bombs; the whole of it is slow."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pipelines.scans.pool import DecoderPool

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
SYNTAXES = [
    "implicit", "explicit", "deflated", "big endian", "RLE", "JPEG baseline", "JPEG extended", "JPEG Lossless",
    "JPEG Lossless SV1", "JPEG-LS", "JPEG-LS near", "JPEG 2000", "JPEG 2000 lossy", "HTJ2K", "HTJ2K RPCL",
    "HTJ2K lossy",
]  # fmt: skip


@pytest.fixture(scope="module")
def fuzz() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module("scan_fuzz")


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(size=1, seconds=2.0) as pool:
        yield pool


def test_every_syntax_is_fuzzed(fuzz: ModuleType) -> None:
    assert list(fuzz.SYNTAXES) == SYNTAXES


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_only_typed_errors_come_out_of_mutants(
    fuzz: ModuleType, pool: DecoderPool, tmp_path: Path, syntax: str
) -> None:
    tally = fuzz.fuzz_files(syntax, mutants=200, seed=1, pool=pool, place=tmp_path)

    assert tally.escaped == []
    assert tally.deaths == 0
    assert tally.slowest < 2.0
    assert sum(tally.outcomes.values()) == 200


def test_a_mutated_file_changes_no_volume_unnoticed(fuzz: ModuleType, tmp_path: Path) -> None:
    tally = fuzz.fuzz_series(count=60, seed=1, place=tmp_path)

    assert tally.escaped == []
    assert tally.outcomes["quarantined"] > 10


def test_every_bit_flipped_after_the_index_is_found(fuzz: ModuleType, tmp_path: Path) -> None:
    tally = fuzz.flip_bits(count=200, seed=1, place=tmp_path)

    assert tally.escaped == []
    assert tally.outcomes == {"digest-changed": 200}


def test_every_bomb_is_refused_within_its_limits(fuzz: ModuleType, tmp_path: Path) -> None:
    found = list(fuzz.defuse(tmp_path))
    missed = [name for name, outcome, _, _, _ in found if outcome == "values" or ":" in outcome]
    large = [name for name, _, _, taken, _ in found if taken > fuzz.BOMB_BYTES]
    # Tests share the machine; the benchmark holds them to a tenth of a second.
    slow = [name for name, _, took, _, _ in found if took > 10 * fuzz.BOMB_SECONDS]

    assert (missed, large, slow) == ([], [], [])


def test_a_change_of_the_volume_would_be_told(fuzz: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "series"
    fuzz.write_series(folder, fuzz.phantom(8, 64), fuzz.SYNTAXES["explicit"])
    before = fuzz.index_paths(folder)
    (series,) = before.series
    (scan,) = series.scans
    across, *others = scan.geometry.affine
    shifted = scan.geometry.model_copy(update={"affine": ((*across[:3], across[3] + 0.02), *others)})
    moved = scan.model_copy(update={"geometry": shifted, "files": scan.files[::-1], "study_uid": "1.2.3"})
    after = before.model_copy(update={"series": (series.model_copy(update={"scans": (moved,)}),)})

    assert fuzz.unnoticed(before, after, "00000.dcm") == "identity, geometry, order, other slices"


@pytest.mark.slow
def test_the_whole_of_it() -> None:
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "scan_fuzz.py")], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
