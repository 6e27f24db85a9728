"""CSV that scanote writes: no cell of it is a formula to the program that opens it.

A spreadsheet computes a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return, and may send what
it finds elsewhere. Method: OWASP, "CSV injection": such text is written behind an apostrophe. Numbers stay numbers, and
plain numbers that are text (``-1``, ``+0.5``) stay as they are, for no spreadsheet computes more than their value.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def plain_cell(value: object) -> object:
    """A cell that no spreadsheet takes for a formula; what is none stays as it is."""
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    # Blanks before the sign are passed over by some programs, quotes by others.
    bare = value.lstrip(" \u00a0\"'")
    return f"'{value}" if value.startswith(STARTS) or bare.startswith(STARTS) else value


def write_csv(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV (UTF-8, line feeds), every cell through `plain_cell`."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([plain_cell(cell) for cell in row] for row in rows)
