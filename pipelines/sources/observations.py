"""Observations from tables, long or wide, and in our units."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from data_schemas.errors import InputError, RefusedError
from data_schemas.observation import Observation
from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts
from pipelines.sources.cells import (
    KEY_COLUMNS,
    TEXT_COLUMNS,
    check_columns,
    check_key,
    each_row,
    patient_of,
    read_cell,
    text_of,
)
from pipelines.sources.outcome import Records
from pipelines.sources.rows import Row, read_table
from pipelines.sources.values import parse_age_years, parse_moment, parse_sex, parse_value, parse_weight_kg

LONG_COLUMNS = ("patient_id", "datetime", "code", "value", "unit")
UNIT_SUFFIXES = {"weight_kg": ("weight", "kg")}


def read_observations(path: Path, *, columns: Collection[str] = ("sex", "age", "weight_kg")) -> Records:
    """Observations of a long table (``patient_id, datetime, code, value, unit``) or a wide one.

    A wide table has one row a patient or study, keyed by ``patient_id`` or ``study_uid``, may have ``datetime``, and
    holds the declared ``columns``. Ages become years, ``weight_kg`` the code *weight* in kg; a blank cell is no
    observation.

    Raises
    ------
    InputError
        The file cannot be read as a table, or holds an undeclared column.
    """
    table = read_table(path, text_columns=TEXT_COLUMNS)
    if "code" in table.columns:
        check_columns(table, required=LONG_COLUMNS[:4], allowed=("unit", "study_uid"))
        observations, refused = each_row(table, _long_row)
        return Records(observations=observations, refused=refused)
    declared = [name for name in columns if name in table.columns]
    check_columns(
        table,
        required=(),
        allowed=(*KEY_COLUMNS, "datetime", *columns),
        hint="declare it in the settings under sources.observation_columns, or leave it out",
    )
    check_key(table)
    if not declared:
        raise InputError(f"{path}: none of the declared observation columns ({', '.join(columns)}) is in it")
    observations, refused = each_row(table, lambda row: _wide_row(row, declared))
    return Records(observations=observations, refused=refused)


def make_observation(
    patient: PatientFacts, *, taken: object, code: str, value: object, unit: str = "", study_uid: str = ""
) -> Observation:
    """An observation in our units: *age* in years, *weight* in kg, *sex* as M, F or O; other codes as they are.

    Raises
    ------
    ValueError
        The moment, the value or the unit cannot be read.
    """
    read: float | str
    if code == "age":
        read, unit = parse_age_years(value, unit), "years"
    elif code == "weight":
        read, unit = parse_weight_kg(value, unit), "kg"
    elif code == "sex":
        read, unit = parse_sex(value), ""
        if not read:
            raise ValueError("sex is unknown")
    else:
        read = parse_value(value)
    return Observation(
        patient=patient, taken=parse_moment(taken), code=code, value=read, unit=unit, study_uid=study_uid
    )


def _long_row(row: Row) -> list[Observation]:
    patient = patient_of(row)
    code, unit = text_of(row, "code").strip(), text_of(row, "unit").strip()
    if not code:
        raise RefusedError(Reason.UNREADABLE_ROW, "no code")
    code, default_unit = UNIT_SUFFIXES.get(code, (code, ""))
    try:
        return [
            make_observation(
                patient,
                taken=row.cells.get("datetime"),
                code=code,
                value=row.cells.get("value", ""),
                unit=unit or default_unit,
                study_uid=text_of(row, "study_uid").strip(),
            )
        ]
    except ValueError as error:
        raise RefusedError(Reason.UNREADABLE_ROW, str(error)) from None


def _wide_row(row: Row, columns: list[str]) -> list[Observation]:
    study_uid = text_of(row, "study_uid").strip()
    patient = patient_of(row, needed=not study_uid)
    taken = read_cell(row, "datetime", parse_moment)
    found = []
    for column in columns:
        value = row.cells.get(column, "")
        code, unit = UNIT_SUFFIXES.get(column, (column, ""))
        blank = isinstance(value, str) and not value.strip()
        if blank or (code == "sex" and not read_cell(row, column, parse_sex)):
            continue
        try:
            found.append(make_observation(patient, taken=taken, code=code, value=value, unit=unit, study_uid=study_uid))
        except ValueError as error:
            raise RefusedError(Reason.UNREADABLE_ROW, f"column {column}: {error}") from None
    return found
