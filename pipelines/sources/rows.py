"""Table files as rows: CSV, JSON Lines and Parquet, with strings left exactly as they are."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data_schemas.errors import InputError

SUFFIXES = (".csv", ".jsonl", ".ndjson", ".parquet")
LONGEST_CELL = 64 * 2**20  # characters; the csv module's own limit of 131,072 is shorter than a long note


@dataclass(frozen=True)
class Row:
    """One row: its number (from 1, under the header), its cells by column, or the problem that hides them."""

    number: int
    cells: dict[str, object]
    problem: str = ""


@dataclass(frozen=True)
class Table:
    """A table as it stands in its file. A blank cell is an empty string, whatever the format."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(path: Path, *, text_columns: tuple[str, ...] = ()) -> Table:
    """Read a CSV, JSON Lines or Parquet file by its suffix.

    Cells of CSV are strings: nothing is guessed, so leading zeros, ``NA`` and ``1e5`` stay as written. JSON Lines and
    Parquet keep their types; the columns named in ``text_columns`` (identifiers) must be text there, for a number has
    lost its leading zeros.

    Raises
    ------
    InputError
        The file is missing, empty, not UTF-8 (a BOM is accepted), of another format, damaged as a whole, or has a
        column twice.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        table = _parquet(path, text_columns)
    elif suffix == ".csv":
        table = _csv(path)
    elif suffix in SUFFIXES:
        table = _json_lines(path)
    else:
        raise InputError(f"{path}: no table that scanote reads; use one of {', '.join(SUFFIXES)}")
    twice = [name for name, count in Counter(table.columns).items() if count > 1]
    if twice:
        raise InputError(f"{path}: column {', '.join(sorted(twice))} stands twice; keep one")
    return table


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, without its BOM.

    Raises
    ------
    InputError
        The file cannot be opened or is not UTF-8; the message says how to convert it.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({type(error).__name__}); check the path and its rights") from None
    except UnicodeDecodeError as error:
        line = f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8 (iconv -f latin1 -t utf-8)"
        raise InputError(line) from None


def parse_json(text: str) -> object:
    """JSON as the standard has it: no NaN, no unbounded depth, no half characters.

    Raises
    ------
    ValueError
        Anything else; the message holds nothing of the text.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    return value


def _csv(path: Path) -> Table:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    lines: Iterator[list[str]] = (line for line in _checked(reader, path) if line)
    header = next(lines, None)
    if header is None:
        raise InputError(f"{path}: empty; the first line must name the columns")
    columns = tuple(name.strip() for name in header)
    rows = []
    for number, line in enumerate(lines, 1):
        if len(line) == len(columns):
            rows.append(Row(number, dict(zip(columns, line, strict=True))))
        else:
            rows.append(Row(number, {}, f"{len(line)} cells under {len(columns)} columns"))
    return Table(path, columns, tuple(rows))


def _checked(reader: Iterator[list[str]], path: Path) -> Iterator[list[str]]:
    number = 0
    while True:
        number += 1
        try:
            line = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise InputError(f"{path}: quotes do not balance in row {number}; write a quote in a cell twice") from None
        yield line


def _json_lines(path: Path) -> Table:
    columns: dict[str, None] = {}
    rows = []
    lines = [line for line in read_text(path).split("\n") if line.strip()]
    if not lines:
        raise InputError(f"{path}: empty; write one JSON object a line")
    for number, line in enumerate(lines, 1):
        try:
            cells = parse_json(line)
        except ValueError:
            cells = None
        if isinstance(cells, dict):
            columns.update(dict.fromkeys(cells))
            rows.append(Row(number, {name: "" if value is None else value for name, value in cells.items()}))
        else:
            rows.append(Row(number, {}, "not a JSON object"))
    return Table(path, tuple(columns), tuple(rows))


def _parquet(path: Path, text_columns: tuple[str, ...]) -> Table:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            table = file.read()
            table.validate(full=True)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read as Parquet ({type(error).__name__}); write it again") from None
    columns = tuple(table.column_names)
    cells = []
    for name, column in zip(columns, table.columns, strict=True):
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)
        if name in text_columns and (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
            raise InputError(f"{path}: column {name} holds numbers, which lose leading zeros; write it as text")
        cells.append(["" if _is_blank(value) else value for value in column.to_pylist()])
    lines = zip(*cells, strict=True)
    rows = [Row(number, dict(zip(columns, line, strict=True))) for number, line in enumerate(lines, 1)]
    return Table(path, columns, tuple(rows))


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _refuse_constant(_: str) -> None:
    raise ValueError("not a JSON number")
