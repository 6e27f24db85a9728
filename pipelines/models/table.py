"""A table of cases, one a row, as MLflow's users hand it in: to examples, and to a table of probabilities."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data_schemas.errors import InputError, RefusedError
from data_schemas.reasons import Reason
from data_schemas.recipes import ModelRecipe
from data_schemas.selection import SelectSettings
from pipelines.cases.examples import WORDS, Example, ScanTensor, Value, sentences_of
from pipelines.cases.mentions import mentions_of
from pipelines.cases.tensor import read_planes, resample
from pipelines.models.artefact import LoadedModel
from pipelines.models.reading import read_cases
from pipelines.scans.index import index_paths
from pipelines.scans.select import rank

SCAN, NOTE = "scan", "note"
TEXT_CODES = {"sex": WORDS}


def read_table(model: LoadedModel, table: pd.DataFrame) -> pd.DataFrame:
    """Probabilities of every row: one column a finding, the rows in their order and under their index.

    Targets have no column here; ``scanote diagnose`` tells their estimates.

    Parameters
    ----------
    table
        ``scan``: path of a DICOM folder or a NIfTI file, or "" for no scan; ``note``: text, or "" for no note; then a
        column an observation code of the recipe (``age`` in years, ``weight`` in kg, ``sex`` as M or F), in the
        unit that the model's card names for it, which may be missing or blank. All of it counts as known at the time
        of the scan.

    Raises
    ------
    InputError
        A cell cannot be used; the message names row and column.
    """
    examples = examples_of(table, recipe=model.card.recipe)
    findings = list(model.card.recipe.findings)
    return pd.DataFrame(probabilities(model, examples), columns=findings, index=table.index)


def probabilities(model: LoadedModel, examples: list[Example]) -> np.ndarray:
    """Probability [N, F] of each finding of the recipe, on the CPU, as a diagnosis has them."""
    if not examples:
        return np.empty((0, len(model.card.recipe.findings)))
    return read_cases(model, examples).probabilities


def examples_of(table: pd.DataFrame, *, recipe: ModelRecipe) -> list[Example]:
    """The rows as examples. Raises as `read_table` does."""
    absent = [name for name in (SCAN, NOTE) if name not in table.columns]
    if absent:
        raise InputError(f"the table has no column '{absent[0]}'; it takes scan, note, and observations")
    rows = table.to_dict(orient="records")
    return [_example({str(key): cell for key, cell in row.items()}, n, recipe) for n, row in enumerate(rows)]


def _example(row: dict[str, object], number: int, recipe: ModelRecipe) -> Example:
    note, scan = _text(row[NOTE], number, NOTE), _text(row[SCAN], number, SCAN)
    texts = [note] if note else []
    sentences = sentences_of(texts, input_sections=recipe.note.input_sections)
    return Example(
        study_key=f"row-{number}",
        patient_key=f"row-{number}",
        scan=_scan(scan, number, recipe) if scan else None,
        sentences=sentences,
        values=tuple(
            Value(code, value)
            for code in sorted(recipe.observation_codes)
            if (value := _value(row.get(code), number, code)) is not None
        ),
        mentions=mentions_of(texts, sentences, recipe=recipe),
    )


def _text(cell: object, number: int, column: str) -> str:
    if _is_blank(cell):
        return ""
    if not isinstance(cell, str):
        raise InputError(f"row {number}, column {column}: not a text; give text, or nothing")
    return cell


def _value(cell: object, number: int, code: str) -> float | None:
    if _is_blank(cell):
        return None
    if code in TEXT_CODES:
        value = TEXT_CODES[code].get(str(cell).strip().upper())
        if value is None:
            raise InputError(f"row {number}, column {code}: not one of {', '.join(TEXT_CODES[code])}, or nothing")
        return value
    if not isinstance(cell, (int, float, np.number)) or not np.isfinite(float(cell)):
        raise InputError(f"row {number}, column {code}: not a finite number; give a number, or nothing")
    return float(cell)


def _is_blank(cell: object) -> bool:
    return cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell)) or cell == ""


def _scan(path: str, number: int, recipe: ModelRecipe) -> ScanTensor:
    """The tensor of the accepted scan under a path: of several, the best by the default rules of the settings."""
    where = f"row {number}, column {SCAN}"
    try:
        series = index_paths(path).series
    except InputError:
        raise InputError(f"{where}: no file or folder that holds a scan") from None
    scans = [scan for found in series for scan in found.scans]
    if not scans:
        reasons = sorted({reason.value for found in series for reason in found.reasons})
        raise InputError(f"{where}: no scan to be used there ({', '.join(reasons) or 'none found'})")
    if recipe.scan.channels:
        raise InputError(f"{where}: this model reads several sequences of a study; give them to 'scanote diagnose'")
    scan = rank(scans, prefer=SelectSettings().prefer)[0].scan
    if scan.modality and scan.modality not in recipe.scan.modalities:
        raise InputError(f"{where}: this model reads {' or '.join(recipe.scan.modalities)}, and this is another scan")
    try:
        tensor = resample(read_planes(scan, recipe=recipe), scan.geometry, recipe=recipe)
    except RefusedError as error:
        raise InputError(f"{where}: refused ({error.reason.value})") from None
    if not np.isfinite(tensor.values).all():
        raise InputError(f"{where}: refused ({Reason.IMPLAUSIBLE_INTENSITY.value})")
    return tensor
