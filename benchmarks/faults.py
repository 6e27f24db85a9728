"""Planted faults through scanote, and side by side through the readers that are widely used.

Run in .venv-bench (`make bench-env`): .venv-bench/bin/python benchmarks/faults.py --write docs/faults.md
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]

from other_readers import READERS, judged  # noqa: E402

from pipelines.synthetic.faults.forms import FORMS, write_form  # noqa: E402
from pipelines.synthetic.faults.judge import Outcome, accepts, judge  # noqa: E402
from pipelines.synthetic.faults.kinds import FAULTS, plant_later, write_fault  # noqa: E402
from pipelines.synthetic.faults.planting import told_by  # noqa: E402
from pipelines.synthetic.faults.variants import VARIANTS  # noqa: E402
from pipelines.synthetic.faults.wedge import draw_style, make_wedge  # noqa: E402

# These readers look at one series at a time, so they cannot be asked about two.
ACROSS = {"stand-in-id", "shared-study"}
# One row further is 19 HU: a resampled voxel of another reader may lie half a pixel beside its place.
EXACT_HU, RESAMPLED_HU = 1.0, 10.0
EXPECTED = {Outcome.REFUSED, Outcome.REMARKED}
HEAD = """# Faults

Written by `.venv-bench/bin/python benchmarks/faults.py --write docs/faults.md`. One fault at a time is planted into a
series of 24 slices of 64² whose voxels tell where they lie (`pipelines/synthetic/faults`), uncompressed, in JPEG
Lossless, and as one enhanced multi-frame file where the fault can exist. `scanote synth --fault CODE=COUNT` plants
them into a synthetic hospital, by the code of the reason or remark or by the name of the kind.

*silent*: a volume came out that is not the truth, or that mixes people, studies or sides, without an error or a
warning. *refused*: no volume. *warned*: a wrong volume and a new warning. *right*: the true volume at its true place.
*died*: the process of the reader ended. A reader of several volumes is right if one of them is. MONAI is its
`PydicomReader` on the folder, SimpleITK its `ImageSeriesReader` on each series of GDCM, dcm2niix the converter with
its defaults, highdicom `get_volume_from_series`; of enhanced files SimpleITK's `ReadImage` and highdicom's
`imread(…).get_volume()`. Only faultless series that a reader reads right are spoilt for it: InstanceNumbers follow
the positions (MONAI sorts by them), and MONAI is not asked for enhanced files (it gives them no geometry). "–": the
fault lies between two series, and these readers are asked for one, or it can exist only in a form that the reader is
not asked for. A bit that flips *after* the files were indexed can only be noticed by who kept a digest. What no
reader at all can notice stands in [conformance](conformance.md).
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="seeds of each kind and form for scanote")
    parser.add_argument("--other-seeds", type=int, default=3, help="for the other readers; 0 leaves them out")
    parser.add_argument("--kinds", nargs="*", default=list(FAULTS), choices=list(FAULTS), metavar="KIND")
    parser.add_argument("--no-variants", action="store_true", help="leave out the right series")
    parser.add_argument("--write", type=Path, help="file for the page that docs/ holds")
    given = parser.parse_args()
    scanote, misses = run_scanote(given.kinds, given.seeds)
    refusals, variants = ([], 0) if given.no_variants else run_variants()
    others = run_others(given.kinds, given.other_seeds) if given.other_seeds else {}
    page = "\n".join([HEAD, *summary(scanote, others, refusals, variants), "", *table(given.kinds, scanote, others)])
    print(page)
    for line in [*misses, *refusals]:
        print("MISSED:", line, file=sys.stderr)
    if given.write:
        given.write.write_text(page + "\n", encoding="utf-8")
    return 1 if misses or refusals else 0


def run_scanote(kinds: list[str], seeds: int) -> tuple[dict[str, Counter[str]], list[str]]:
    """Outcomes by kind over seeds and forms; every case that was not as expected."""
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    misses = []
    for kind, form, seed in _cases(kinds, range(seeds)):
        with _folder() as folder:
            found = judge(folder, kind, seed=seed, form=form)
        outcomes[kind][found.outcome.value] += 1
        if found.outcome not in EXPECTED:
            misses.append(f"{kind}, {form}, seed {seed}: {found.outcome.value}; {', '.join(found.told)} {found.detail}")
        _progress("scanote", kind)
    return outcomes, misses


def run_variants() -> tuple[list[str], int]:
    """Right series that were refused or read wrongly, and how many there are in all."""
    refusals = []
    for name, variant in VARIANTS.items():
        for seed in range(variant.seeds):
            with _folder() as folder:
                problem = accepts(folder, name, seed=seed)
            if problem:
                refusals.append(f"{name}, seed {seed}: {problem}")
    return refusals, sum(variant.seeds for variant in VARIANTS.values())


def run_others(kinds: list[str], seeds: int) -> dict[str, dict[str, Counter[str]]]:
    """Outcomes by reader and kind, in the forms that a reader can read at all."""
    pools = {name: _pool() for name in READERS}
    drawn = list(islice(_plainly_numbered(), seeds))
    known: dict[str, dict[str, frozenset[str]]] = {name: _faultless(name, pools[name], drawn) for name in READERS}
    outcomes: dict[str, dict[str, Counter[str]]] = {name: defaultdict(Counter) for name in READERS}
    for kind, form, seed in _cases(kinds, drawn):
        if kind in ACROSS:
            continue
        with _folder() as folder:
            truth = write_fault(folder, kind, seed=seed, form=form)
            plant_later(folder, kind, seed=seed)
            fault = FAULTS[kind]
            tolerance = RESAMPLED_HU if fault.from_headers or fault.resample else EXACT_HU
            asked = {
                name: pools[name].submit(
                    judged,
                    name,
                    folder,
                    truth,
                    identity=fault.identity,
                    known=known[name][form],
                    tolerance_hu=tolerance,
                )
                for name in READERS
                if form in known[name]
            }
            for name, future in asked.items():
                try:
                    outcome, _ = future.result(timeout=120)
                except (BrokenProcessPool, TimeoutError):
                    outcome, pools[name] = "died", _pool()
                outcomes[name][kind][outcome] += 1
        _progress("others", kind)
    for pool in pools.values():
        pool.shutdown()
    return outcomes


def _plainly_numbered() -> Iterator[int]:
    """Seeds whose InstanceNumbers follow the positions: MONAI sorts by them, and is right only then."""
    return (seed for seed in count() if draw_style(seed).numbering == "along")


def _faultless(name: str, pool: ProcessPoolExecutor, seeds: list[int]) -> dict[str, frozenset[str]]:
    """The forms whose faultless series a reader reads right, and what it warns of there."""
    alarms: dict[str, frozenset[str]] = {}
    for form in FORMS:
        told: set[str] = set()
        outcomes = set()
        for seed in seeds:
            with _folder() as folder:
                wedge = make_wedge(seed)
                write_form(wedge.slices, folder, form, seed=seed)
                call = pool.submit(judged, name, folder, wedge.truth, identity=False, known=frozenset())
                outcome, printed = call.result()
            outcomes.add(outcome)
            told |= printed
        if outcomes == {"right"}:
            alarms[form] = frozenset(told)
        else:
            print(f"{name} leaves out {form}: the faultless series is {', '.join(sorted(outcomes))}", file=sys.stderr)
    return alarms


def summary(
    scanote: dict[str, Counter[str]],
    others: dict[str, dict[str, Counter[str]]],
    refusals: list[str],
    variants: int,
) -> Iterator[str]:
    """The figures of the whole run."""
    yield "| reader | kinds | cases | silent cases | kinds with a silent case |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for name, found in {"scanote": scanote, **others}.items():
        cases = sum(outcomes.total() for outcomes in found.values())
        silent = sum(outcomes["silent"] for outcomes in found.values())
        kinds = sum(outcomes["silent"] > 0 for outcomes in found.values())
        yield f"| {name} | {len(found)} | {cases} | {silent} | {kinds} |"
    if variants:
        yield f"\nRight series, however odd they look: {variants}, of which scanote refused {len(refusals)}."


def table(
    kinds: list[str], scanote: dict[str, Counter[str]], others: dict[str, dict[str, Counter[str]]]
) -> Iterator[str]:
    """One line a kind."""
    yield "| kind | fault | must be told | scanote | " + " | ".join(others) + " |"
    yield "| --- " * (4 + len(others)) + "|"
    for kind in kinds:
        codes = ", ".join(f"`{code}`" for code in told_by(FAULTS[kind]))
        cells = [_cell(scanote[kind]), *(_cell(found[kind]) if kind in found else "–" for found in others.values())]
        yield f"| {kind} | {FAULTS[kind].what} | {codes} | {' | '.join(cells)} |"


def _cell(outcomes: Counter[str]) -> str:
    if len(outcomes) == 1:
        word = next(iter(outcomes))
        return f"**{word}**" if word in {"silent", "died"} else word
    return ", ".join(f"**{word} {count}**" if word == "silent" else f"{word} {count}"
                     for word, count in outcomes.most_common())  # fmt: skip


def _cases(kinds: list[str], seeds: Iterable[int]) -> Iterator[tuple[str, str, int]]:
    for kind in kinds:
        for form in FAULTS[kind].forms:
            for seed in seeds:
                yield kind, form, seed


def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="scanote-faults-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _progress(what: str, kind: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{what}: {kind:<40}", end="", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
