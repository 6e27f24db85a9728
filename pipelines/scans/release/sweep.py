"""The last look at a released file: it is read again, and searched for everything that identified its source."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.scans.release.dataset import METHOD, METHOD_CODES
from pipelines.scans.release.forms import DUMMY_DATE
from pipelines.scans.release.identifiers import CHARSET, Identifiers, tells
from pipelines.scans.release.keyed import shift_date
from pipelines.scans.values import text

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Code strings and numbers have a form that is checked when they are written; a name can only be met there by chance.
_FORMED = frozenset({"AS", "AT", "CS", "DS", "FD", "FL", "IS", "OV", "SL", "SS", "SV", "TM", "UL", "US", "UV"})
_OURS = frozenset({METHOD, METHOD_CODES})


def sweep(data: bytes, known: Identifiers, *, shift_days: int | None) -> None:
    """Search the bytes of a released file for the identifying values of its source.

    Every text at every depth is searched for words, dates and UIDs; every byte of the file, pixels included, for the
    words of eight characters and more.

    Parameters
    ----------
    data
        The file as it was read back.
    known
        The identifying values of the source.
    shift_days
        By how many days dates were moved, so that a moved date that happens to be another date of the source is no
        finding; None where they were removed.

    Raises
    ------
    RefusedError
        ``identifier-left``: where it stands, and not what.
    """
    from pydicom import dcmread

    dates = known.dates - {DUMMY_DATE}
    if shift_days is not None:
        dates -= {shift_date(date, shift_days) or "" for date in dates}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = dcmread(BytesIO(data), stop_before_pixels=True)
        for tag, told in (*_texts(read.file_meta, b""), *_texts(read, b"")):
            if tells(told, known, dates):
                raise RefusedError(Reason.IDENTIFIER_LEFT, f"in element {tag:08x}")
    lower = data.lower()
    for piece in known.raw:
        if (at := lower.find(piece)) >= 0:
            raise RefusedError(Reason.IDENTIFIER_LEFT, f"at byte {at}")


def _texts(dataset: Dataset, charset: bytes) -> Iterator[tuple[int, str]]:
    """Every text of a data set as pydicom reads it: not the parser that the release itself was made with."""
    if CHARSET in dataset:
        stated = dataset[CHARSET].value or ""
        charset = (stated if isinstance(stated, str) else "\\".join(stated)).encode()
    for tag in sorted(dataset.keys()):
        raw = dataset.get_item(tag)
        if tag in _OURS or tag == CHARSET:
            continue
        if isinstance(raw.value, bytes) and raw.VR in _FORMED:
            continue
        element = dataset[tag]
        if element.VR == "SQ":
            for item in element.value:
                yield from _texts(item, charset)
        elif isinstance(raw.value, bytes) and element.VR not in _FORMED:
            yield int(tag), text(raw.value, charset)
