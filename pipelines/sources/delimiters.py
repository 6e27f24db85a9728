"""What parts the cells of a CSV file: a comma, or the one other sign under which its header names known columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from pathlib import Path

from data_schemas.errors import InputError

NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
LONGEST_HEADER = 2**20  # characters that are looked at


def choose_delimiter(path: Path, text: str, *, expected: Collection[str]) -> str:
    """The delimiter of a CSV text: a comma, unless the header names ``expected`` columns under another one alone.

    Raises
    ------
    InputError
        The header names known columns under several delimiters.
    """
    head = text[:LONGEST_HEADER]
    fitting = [delimiter for delimiter in NAMES if _names_columns(head, delimiter, expected)]
    if len(fitting) > 1:
        raise InputError(
            f"{path}: its header names known columns under {' and under '.join(NAMES[item] for item in fitting)}; "
            "part the cells by commas"
        )
    return fitting[0] if fitting else ","


def _names_columns(text: str, delimiter: str, expected: Collection[str]) -> bool:
    """Whether the header has two cells or more under a delimiter, one of them a known name."""
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
        header = next((line for line in reader if line), [])
    except csv.Error:
        return False
    known = {name.casefold() for name in expected}
    return len(header) > 1 and any(name.strip().casefold() in known for name in header)
