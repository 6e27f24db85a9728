"""Observations from tables, long or wide, and in our units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path

from data_schemas.errors import InputError, RefusedError
from data_schemas.observation import Observation
from data_schemas.reasons import Reason, Remark
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
from pipelines.sources.codes import plain_code, quantities
from pipelines.sources.conventions import Conventions
from pipelines.sources.outcome import Noticed, Records
from pipelines.sources.rows import Row, read_table
from pipelines.sources.units import convert
from pipelines.sources.values import parse_age_years, parse_measure, parse_moment, parse_sex, with_point

LONG_COLUMNS = ("patient_id", "datetime", "code", "value", "unit")
UNIT_SUFFIXES = {"weight_kg": ("weight", "kg"), "height_cm": ("height", "cm"), "temperature_c": ("temperature", "Cel")}
DEFAULT = Conventions()
DETAILS = {
    Remark.UNIT_ASSUMED: "values without a unit; taken in that of sources.assumed_units",
    Remark.BOUND_TAKEN: "values with a comparator; their bound was taken",
    Remark.CODE_UNKNOWN: "values with local codes; name their words under sources.codes",
}


def read_observations(
    path: Path, *, columns: Collection[str] = ("sex", "age", "weight_kg"), conventions: Conventions = DEFAULT
) -> Records:
    """Observations of a long table (``patient_id, datetime, code, value, unit``) or a wide one.

    A wide table has one row a patient or study, keyed by ``patient_id`` or ``study_uid``, may have ``datetime``, and
    holds the declared ``columns``. Values are brought into the unit of their code; a blank cell is no observation.
    ``conventions`` say how the table is written: encoding, decimal sign, local codes and units.

    Raises
    ------
    InputError
        The file cannot be read as a table, or holds an undeclared column.
    """
    table = read_table(
        path,
        text_columns=TEXT_COLUMNS,
        expected=(*LONG_COLUMNS, "study_uid", *columns),
        encoding=conventions.encoding,
    )
    told: Counter[Remark] = Counter()
    if "code" in table.columns:
        check_columns(table, required=LONG_COLUMNS[:4], allowed=("unit", "study_uid", "accession"))
        observations, refused = each_row(table, lambda row: [_long_row(row, conventions, told)])
    else:
        declared = [name for name in columns if name in table.columns]
        check_columns(
            table,
            required=(),
            allowed=(*KEY_COLUMNS, "datetime", "accession", *columns),
            hint="declare it in the settings under sources.observation_columns, or leave it out",
        )
        check_key(table)
        if not declared:
            raise InputError(f"{path}: none of the declared observation columns ({', '.join(columns)}) is in it")
        observations, refused = each_row(table, lambda row: _wide_row(row, declared, conventions, told))
    noticed = (*table.noticed, *notices(str(path), told))
    return Records(observations=observations, refused=refused, noticed=noticed)


def notices(where: str, told: Counter[Remark]) -> tuple[Noticed, ...]:
    """What was counted while values were read, as lines."""
    counted = sorted((remark, count) for remark, count in told.items() if count)
    return tuple(Noticed(where, remark, f"{count} {DETAILS[remark]}") for remark, count in counted)


def make_observation(
    patient: PatientFacts,
    *,
    taken: object,
    code: str,
    value: object,
    unit: str = "",
    study_uid: str = "",
    accession: str = "",
    conventions: Conventions = DEFAULT,
    told: Counter[Remark] | None = None,
) -> Observation:
    """An observation by its plain word and in the unit of its code; *age* in years, *sex* as M, F or O.

    A code that neither scanote nor ``conventions`` know keeps value and unit. ``told`` counts what must be said:
    units that were assumed, bounds that were taken.

    Raises
    ------
    RefusedError
        *unknown-unit* or *implausible-value*.
    ValueError
        The moment or the value cannot be read.
    """
    word = plain_code(code, codes=conventions.codes)
    read: float | str
    if word == "age":
        read, unit = parse_age_years(value, unit), "years"
    elif word == "sex":
        read, unit = parse_sex(value), ""
        if not read:
            raise ValueError("sex is unknown")
    else:
        assumed = "" if unit.strip() else conventions.assumed_units.get(word, "")
        read, bound = parse_measure(value, comparators=conventions.comparators)
        if word in quantities() or word in conventions.units:
            if isinstance(read, str):
                raise ValueError(f"{word} is a number")
            word, read, unit = convert(word, read, unit or assumed, units=conventions.units)
        unit = unit or assumed
        if told is not None:
            told.update([Remark.UNIT_ASSUMED] * bool(assumed) + [Remark.BOUND_TAKEN] * bound)
    moment = parse_moment(taken)
    return Observation(
        patient=patient, taken=moment, code=word, value=read, unit=unit, study_uid=study_uid, accession=accession
    )


def _long_row(row: Row, conventions: Conventions, told: Counter[Remark]) -> Observation:
    patient = patient_of(row)
    code, unit = text_of(row, "code").strip(), text_of(row, "unit").strip()
    if not code:
        raise RefusedError(Reason.UNREADABLE_ROW, "no code")
    code, default_unit = UNIT_SUFFIXES.get(code, (code, ""))
    try:
        return make_observation(
            patient,
            taken=row.cells.get("datetime"),
            code=code,
            value=with_point(row.cells.get("value", ""), decimal=conventions.decimal),
            unit=unit or default_unit,
            study_uid=text_of(row, "study_uid").strip(),
            accession=text_of(row, "accession").strip(),
            conventions=conventions,
            told=told,
        )
    except RefusedError:
        raise
    except ValueError as error:
        raise RefusedError(Reason.UNREADABLE_ROW, str(error)) from None


def _wide_row(row: Row, columns: list[str], conventions: Conventions, told: Counter[Remark]) -> list[Observation]:
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
            made = make_observation(
                patient,
                taken=taken,
                code=code,
                value=with_point(value, decimal=conventions.decimal),
                unit=unit,
                study_uid=study_uid,
                accession=text_of(row, "accession").strip(),
                conventions=conventions,
                told=told,
            )
        except RefusedError as error:
            raise RefusedError(error.reason, f"column {column}: {error.detail}") from None
        except ValueError as error:
            raise RefusedError(Reason.UNREADABLE_ROW, f"column {column}: {error}") from None
        found.append(made)
    return found
