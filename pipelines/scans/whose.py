"""Whose a quarantined series is: an index keeps no patient of it, so its files are asked again, the headers alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from data_schemas.reasons import Reason
from data_schemas.scan import Series
from pipelines.scans.look import look
from pipelines.scans.manifest_rows import Owner

MOST_FILES = 20_000
SEVERAL = {Reason.MIXED_PATIENTS, Reason.MIXED_STUDIES}


def owners_of_series(series: Series) -> frozenset[Owner]:
    """Return whom the files of a series name, as far as they are still there; an entry of one file is that file's.

    Of a folder, files are read until one is of the series; it speaks for the others, unless the series holds several
    patients: then all of them are read.
    """
    found: set[Owner] = set()
    for path in _files(Path(series.where)):
        slices = look(path)[1]
        if not isinstance(slices, tuple):
            continue
        own = {
            Owner(header.patient_id, header.study_uid, header.series_uid)
            for header in slices
            if header.series_uid == series.series_uid or not series.series_uid
        }
        found |= own
        if own and not SEVERAL.intersection(series.reasons):
            break
    return frozenset(found)


def _files(where: Path) -> Iterator[Path]:
    if where.is_file():
        yield where
    elif where.is_dir():
        for number, path in enumerate(sorted(where.rglob("*"))):
            if number >= MOST_FILES:
                return
            if path.is_file():
                yield path
