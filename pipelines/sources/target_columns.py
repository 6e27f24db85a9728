"""Columns of a labels table that hold targets: grades, or measurements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from data_schemas.errors import InputError
from data_schemas.reasons import Reason
from data_schemas.target import TargetRecipe
from pipelines.sources.outcome import Refused
from pipelines.sources.rows import Table
from pipelines.sources.values import parse_number, with_point

# Of the filled cells of a column, beyond this share that does not fit the column is another one than was named.
MISFIT_SHARE = 0.1


def target_value(cell: object, target: TargetRecipe, *, decimal: Literal[".", ","] = ".") -> float | None:
    """The value of a filled cell, or None where it does not fit."""
    try:
        value = parse_number(with_point(cell, decimal=decimal))
    except ValueError:
        return None
    return value if target.holds(value) else None


def check_targets(
    table: Table, targets: Mapping[str, TargetRecipe], columns: Mapping[str, str], *, decimal: Literal[".", ","] = "."
) -> tuple[Refused, ...]:
    """A line for each column of a target that holds values which do not fit it: how many, and none of them.

    ``columns`` are the targets' names by the columns' names.

    Raises
    ------
    InputError
        More than a tenth of a column's values do not fit: it is not what the settings say.
    """
    lines = []
    for column, name in columns.items():
        target = targets[name]
        cells = [cell for row in table.rows if not row.problem and not is_blank(cell := row.cells.get(column, ""))]
        odd = sum(target_value(cell, target, decimal=decimal) is None for cell in cells)
        if odd > MISFIT_SHARE * len(cells):
            raise InputError(
                f"{table.path}: column '{name}' does not fit model.targets.{name}: {odd} of its {len(cells)} values "
                f"are not {target.values}; mend the column or the settings"
            )
        if odd:
            rows = "1 row does" if odd == 1 else f"{odd} rows do"
            detail = f"column {name}: {rows} not hold {target.values}; of this target they count as unknown"
            lines.append(Refused(str(table.path), Reason.UNREADABLE_ROW, detail))
    return tuple(lines)


def is_blank(value: object) -> bool:
    """Whether a cell holds nothing."""
    return value is None or (isinstance(value, str) and not value.strip())
