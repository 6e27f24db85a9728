"""Table files as rows: CSV, JSON Lines and Parquet, with strings left exactly as they are, formulas too."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from data_schemas.errors import InputError
from data_schemas.reasons import Remark
from pipelines.sources.delimiters import NAMES, choose_delimiter
from pipelines.sources.encodings import LARGEST, Decoded, mojibake, read_decoded
from pipelines.sources.outcome import Noticed

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
# What a file is that is named as a table and is none, by its first bytes.
WORKBOOK = b"PK\x03\x04"
FOREIGN = {
    WORKBOOK: "an Excel workbook or another zip archive; save the sheet as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV UTF-8",
    b"\x1f\x8b": "compressed with gzip; unpack it first",
    b"%PDF": "a PDF; scanote reads its text nowhere",
}
MOST_CELLS = 10**8  # of a Parquet file: a few bytes may stand for as many
LONGEST_CELL = 64 * 2**20  # characters; the csv module's own limit of 131,072 is shorter than a long note


@dataclass(frozen=True)
class Row:
    """One row: its number (from 1, under the header), its cells by column, or the problem that hides them."""

    number: int
    cells: dict[str, object] = field(repr=False)
    problem: str = ""


@dataclass(frozen=True)
class Table:
    """A table as it stands in its file. A blank cell is an empty string, whatever the format."""

    path: Path
    columns: tuple[str, ...] = field(repr=False)
    rows: tuple[Row, ...] = field(repr=False)
    noticed: tuple[Noticed, ...] = ()


def read_table(
    path: Path,
    *,
    text_columns: tuple[str, ...] = (),
    expected: Collection[str] = (),
    encoding: str | None = None,
) -> Table:
    """Read a CSV, JSON Lines or Parquet file by its suffix.

    Cells of CSV are strings: nothing is guessed, so leading zeros, ``NA`` and ``1e5`` stay as written. JSON Lines and
    Parquet keep their types; the columns named in ``text_columns`` (identifiers) must be text there, for a number has
    lost its leading zeros. Null characters become blanks.

    ``expected`` are the names that columns may have: one that differs from them in capitals only takes their spelling,
    and they tell the delimiter of a CSV file where it is no comma. ``encoding`` is that of files which are not UTF-8.
    What was chosen is noticed.

    Raises
    ------
    InputError
        The file is missing, empty, in no known encoding, of another format, damaged as a whole, or has a column twice.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        hint = f"; {FOREIGN[WORKBOOK]}" if suffix in (".xlsx", ".xls", ".ods") else ""
        raise InputError(f"{path}: no table that scanote reads; use one of {', '.join(SUFFIXES)}{hint}")
    if suffix == ".parquet":
        table = _parquet(path, text_columns)
    else:
        _refuse_foreign(path)
        decoded = read_decoded(path, encoding=encoding)
        if suffix in (".csv", ".tsv"):
            table = _csv(path, decoded.text, expected=expected, tabs=suffix == ".tsv")
        else:
            table = _json_lines(path, decoded.text)
        table = replace(table, noticed=(*notices_of_text(path, decoded), *table.noticed))
    table = _without_nulls(_spelled(table, expected))
    twice = [name for name, count in Counter(table.columns).items() if count > 1]
    if twice:
        # Without a header the first row stands here: patients' ids and notes.
        named = ", ".join(sorted(twice)) if set(table.columns) & set(expected) else "a name that is not known"
        raise InputError(f"{path}: column {named} stands twice; keep one")
    return table


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


def notices_of_text(path: Path, decoded: Decoded) -> Iterator[Noticed]:
    """What must be said of how a text file was decoded."""
    if decoded.told:
        yield Noticed(str(path), Remark.ENCODING_CHOSEN, decoded.told)
    if places := mojibake(decoded.text):
        yield Noticed(str(path), Remark.MOJIBAKE_SUSPECTED, f"{places} places; export it again as UTF-8")


def _refuse_foreign(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({type(error).__name__}); check the path and its rights") from None
    for mark, what in FOREIGN.items():
        if start.startswith(mark):
            raise InputError(f"{path}: no table but {what}")


def _spelled(table: Table, expected: Collection[str]) -> Table:
    """The table with the spelling of its expected columns: PATIENT_ID is patient_id."""
    names = {name.casefold(): name for name in expected}
    columns = {name: name if name in expected else names.get(name.casefold(), name) for name in table.columns}
    if all(old == new for old, new in columns.items()):
        return table
    rows = [
        replace(row, cells={columns.get(name, name): cell for name, cell in row.cells.items()}) for row in table.rows
    ]
    return replace(table, columns=tuple(columns[name] for name in table.columns), rows=tuple(rows))


def _without_nulls(table: Table) -> Table:
    """Null characters within cells become blanks, and that is said: databases cut or refuse them."""
    holding = [
        number
        for number, row in enumerate(table.rows)
        if any(isinstance(cell, str) and "\0" in cell for cell in row.cells.values())
    ]
    if not holding:
        return table
    rows = list(table.rows)
    for number in holding:
        cells = rows[number].cells.items()
        blanked = {name: cell.replace("\0", " ") if isinstance(cell, str) else cell for name, cell in cells}
        rows[number] = replace(rows[number], cells=blanked)
    told = Noticed(str(table.path), Remark.NULLS_BLANKED, f"in {len(holding)} rows")
    return replace(table, rows=tuple(rows), noticed=(*table.noticed, told))


def _csv(path: Path, text: str, *, expected: Collection[str], tabs: bool) -> Table:
    csv.field_size_limit(LONGEST_CELL)
    delimiter = "\t" if tabs else choose_delimiter(path, text, expected=expected)
    noticed: tuple[Noticed, ...] = ()
    if delimiter != "," and not tabs:
        noticed = (Noticed(str(path), Remark.DELIMITER_CHOSEN, f"read with {NAMES[delimiter]} between cells"),)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
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
    return Table(path, columns, tuple(rows), noticed)


def _checked(reader: Iterator[list[str]], path: Path) -> Iterator[list[str]]:
    number = 0
    while True:
        number += 1
        try:
            line = next(reader)
        except StopIteration:
            return
        except csv.Error:
            told = f"{path}: quotes do not balance in row {number}, or a cell is longer than {LONGEST_CELL} characters"
            raise InputError(f"{told}; write a quote in a cell twice") from None
        yield line


def _json_lines(path: Path, text: str) -> Table:
    columns: dict[str, None] = {}
    rows = []
    lines = [line for line in text.split("\n") if line.strip()]
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
            parts = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
            cells = file.metadata.num_rows * file.metadata.num_columns
            if sum(part.total_byte_size for part in parts) > LARGEST or cells > MOST_CELLS:
                raise InputError(f"{path}: larger than {LARGEST // 2**30} GiB or {MOST_CELLS} cells; split it")
            table = file.read()
            table.validate(full=True)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read as Parquet ({type(error).__name__}); write it again") from None
    columns = tuple(table.column_names)
    lists = []
    for name, column in zip(columns, table.columns, strict=True):
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)
        if name in text_columns and (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
            raise InputError(f"{path}: column {name} holds numbers, which lose leading zeros; write it as text")
        lists.append(["" if _is_blank(value) else value for value in column.to_pylist()])
    lines = zip(*lists, strict=True)
    rows = [Row(number, dict(zip(columns, line, strict=True))) for number, line in enumerate(lines, 1)]
    return Table(path, columns, tuple(rows))


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _refuse_constant(_: str) -> None:
    raise ValueError("not a JSON number")
