"""Mixtures of two people through the checks, on header records in memory and on files, counted."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from data_schemas.reasons import Reason
from pipelines.scans.check import check_series
from pipelines.scans.headers import read_header
from pipelines.scans.index import index_paths
from pipelines.scans.slice_header import SliceHeader
from pipelines.synthetic.faults.forms import write_files
from pipelines.synthetic.faults.mixtures import Mixture, draw_mixture, in_headers, in_slices
from pipelines.synthetic.faults.wedge import draw_style, make_wedge

FEWEST, MOST = 6, 24


@dataclass
class Trials:
    """Counts: series tried, those that became volumes, those refused as of two people; and by what they differ in."""

    series: int = 0
    volumes: int = 0
    refused: int = 0
    by_fields: Counter[str] = field(default_factory=Counter)
    accepted_by_fields: Counter[str] = field(default_factory=Counter)

    def count(self, mixture: Mixture, *, accepted: bool, mixed: bool) -> None:
        """Count one series."""
        fields = ", ".join(mixture.fields)
        self.series += 1
        self.volumes += accepted
        self.refused += mixed
        self.by_fields[fields] += 1
        self.accepted_by_fields[fields] += accepted


def base_headers(folder: Path) -> list[SliceHeader]:
    """The header records of a faultless series of `MOST` slices, in slice order."""
    wedge = make_wedge(2, style=draw_style(2, slices=MOST))
    names = [f"{index:04d}.dcm" for index in range(MOST)]
    paths = write_files(wedge.slices, folder, names=names)
    return [read_header(path.read_bytes(), path=str(path)) for path in paths]


def on_records(folder: Path, count: int, rng: np.random.Generator, *, two_people: bool) -> Trials:
    """Try mixtures on header records; ``folder`` is written to once."""
    headers = base_headers(folder)
    trials = Trials()
    for _ in range(count):
        slices = int(rng.integers(FEWEST, MOST + 1))
        mixture = draw_mixture(rng, slices=slices, two_people=two_people)
        verdict = check_series(in_headers(headers[:slices], mixture))
        mixed = any(problem.reason is Reason.MIXED_PATIENTS for problem in verdict.problems)
        trials.count(mixture, accepted=verdict.accepted, mixed=mixed)
    return trials


def on_files(folder: Path, count: int, rng: np.random.Generator, *, two_people: bool) -> Trials:
    """Try mixtures on files, written and read one series after another."""
    trials = Trials()
    for number in range(count):
        slices = int(rng.integers(FEWEST, 10))
        wedge = make_wedge(number, style=draw_style(number, slices=slices))
        mixture = draw_mixture(rng, slices=slices, two_people=two_people)
        in_slices(wedge.slices, mixture)
        write_files(wedge.slices, folder / "series", seed=number)
        index = index_paths(folder / "series")
        shutil.rmtree(folder / "series")
        mixed = any(Reason.MIXED_PATIENTS in series.reasons for series in index.series)
        trials.count(mixture, accepted=any(series.scans for series in index.series), mixed=mixed)
    return trials
