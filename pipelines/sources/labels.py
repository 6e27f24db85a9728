"""Labels from a table: known findings, those of a cohort's own, and targets."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from data_schemas.cohort import Label, LabelValue
from data_schemas.errors import InputError, RefusedError
from data_schemas.finding import findings
from data_schemas.reasons import Reason, Remark
from data_schemas.target import TargetRecipe
from pipelines.sources.cells import KEY_COLUMNS, TEXT_COLUMNS, check_key, each_row, patient_of, read_cell, text_of
from pipelines.sources.outcome import Noticed, Records
from pipelines.sources.rows import Row, Table, read_table
from pipelines.sources.target_columns import check_targets, is_blank, target_value
from pipelines.sources.values import parse_number

LABEL_VALUES = {float(value): value for value in LabelValue}
FINDING_NAME = re.compile(r"[a-z][a-z0-9-]*", re.ASCII)
# So alike that one is more likely a slip of the other than a finding of its own.
ALIKE = 0.85
# Of the cells of a column that is no finding, at least this share is no label.
NO_LABEL_SHARE = 0.1


def read_labels(
    path: Path,
    *,
    own: Collection[str] = (),
    targets: Mapping[str, TargetRecipe] | None = None,
    encoding: str | None = None,
    decimal: Literal[".", ","] = ".",
) -> Records:
    """Labels of a table keyed by ``patient_id`` or ``study_uid``, then one column a finding with 1, 0, -1 or blank.

    A column is a finding of ``findings.yaml``, or one of the cohort's own: then it has no codes, synonyms or rules,
    and that is noticed. Case, blanks and underscores of its name do not count (``MCI to AD`` is ``mci-to-ad``).

    Parameters
    ----------
    own
        Names that are findings of their own though they resemble a known one.
    targets
        Names whose columns hold grades or measurements. A value that does not fit its target is unknown; each such
        column is one line that says how many.
    encoding
        Of a table which is not UTF-8.
    decimal
        The decimal sign of measurements that are text.

    Raises
    ------
    InputError
        The file cannot be read as a table, has no key or no finding, a column has no usable name, resembles a known
        finding without being in ``own``, or holds other things than labels.
    """
    targets = targets or {}
    expected = (*KEY_COLUMNS, *findings(), *targets)
    table = read_table(path, text_columns=TEXT_COLUMNS, expected=expected, encoding=encoding)
    check_key(table)
    columns = {name: finding_name(name) for name in table.columns if name not in KEY_COLUMNS}
    _check_names(path, columns, {*own, *targets})
    measured = {column: name for column, name in columns.items() if name in targets}
    strangers = [column for column, name in columns.items() if name not in findings() and column not in measured]
    for column in strangers:
        _check_cells(table, column)
    misfits = check_targets(table, targets, measured, decimal=decimal)

    def read(row: Row) -> list[Label]:
        found = _label_row(row, {column: name for column, name in columns.items() if column not in measured})
        for column, name in measured.items():
            cell = row.cells.get(column, "")
            value = None if is_blank(cell) else target_value(cell, targets[name], decimal=decimal)
            if value is not None:
                found.append(Label(**_whose(row), finding=name, value=value))
        return found

    labels, refused = each_row(table, read)
    noticed = tuple(
        Noticed(str(path), Remark.OWN_FINDING, f"{columns[column]}: no codes, synonyms or rules are known of it")
        for column in strangers
    )
    return Records(labels=labels, refused=(*refused, *misfits), noticed=(*table.noticed, *noticed))


def finding_name(column: str) -> str:
    """A column's name as a finding's: small letters, and one hyphen for blanks, underscores, dots and slashes."""
    return re.sub(r"[\s_./-]+", "-", column.strip().lower()).strip("-")


def _check_names(path: Path, columns: dict[str, str], own: Collection[str]) -> None:
    if not columns:
        raise InputError(f"{path}: no finding; give one column a finding, with 1, 0, -1 or blank")
    names = list(columns.values())
    for number, name in enumerate(names, 1):
        if not FINDING_NAME.fullmatch(name) or names.count(name) > 1:
            told = "stands twice" if names.count(name) > 1 else "is no name of a finding (letters, digits and hyphens)"
            raise InputError(f"{path}: finding column {number} {told}; rename it")
        alike = get_close_matches(name, findings(), n=1, cutoff=ALIKE)
        if alike and alike[0] != name and name not in {finding_name(word) for word in own}:
            raise InputError(
                f"{path}: finding '{name}' looks like '{alike[0]}'; rename the column, or list it in sources.findings"
            )


def _check_cells(table: Table, column: str) -> None:
    """Refuse a table with a column that is no finding: without its labels a cohort would seem to have none."""
    cells = [row.cells.get(column, "") for row in table.rows if not row.problem]
    odd = sum(_label(cell) is None for cell in cells if not is_blank(cell))
    if odd > NO_LABEL_SHARE * sum(not is_blank(cell) for cell in cells):
        raise InputError(
            f"{table.path}: column '{finding_name(column)}' is no finding: {odd} of its {len(cells)} cells are other "
            "than 1, 0, -1 or blank; make one column a finding, or leave it out"
        )


def _label_row(row: Row, columns: dict[str, str]) -> list[Label]:
    whose = _whose(row)
    found = []
    for column, name in columns.items():
        value = row.cells.get(column, "")
        if is_blank(value):
            continue
        read_cell(row, column, parse_number)
        label = _label(value)
        if label is None:
            raise RefusedError(Reason.UNREADABLE_ROW, f"column {name}: a label is 1, 0, -1 or blank")
        found.append(Label(**whose, finding=name, value=label))
    return found


def _whose(row: Row) -> dict[str, str]:
    study_uid = text_of(row, "study_uid").strip()
    return {"patient_id": patient_of(row, needed=not study_uid).patient_id, "study_uid": study_uid}


def _label(value: object) -> LabelValue | None:
    if isinstance(value, bool):
        return LabelValue(int(value))
    try:
        return LABEL_VALUES.get(parse_number(value))
    except ValueError:
        return None
