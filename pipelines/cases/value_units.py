"""Values in the units that a model was trained in: converted, or refused; never passed on in another one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from data_schemas.errors import InputError, RefusedError
from data_schemas.reasons import Reason
from pipelines.cases.examples import Example, Value
from pipelines.sources.unit_spellings import plain_unit
from pipelines.sources.units import convert

# Codes and units of a hospital's own are its text: what looks like neither is not repeated.
_PLAIN = re.compile(r"[\w.^/ *%\[\]{}+-]{1,40}", re.ASCII)


def units_of(examples: Iterable[Example], *, modalities: Collection[str]) -> dict[str, str]:
    """The unit of every code among the values of a cohort, "" for what has none (a score, sex).

    Codes whose values do not tell their unit, and units that are no plain word, are left out; of a model whose
    ``modalities`` are without observations there are none.

    Raises
    ------
    InputError
        The values of a code come in two units: a model would take them for one scale.
    """
    found: dict[str, set[str]] = {}
    for example in examples if "observation" in modalities else ():
        for value in example.values:
            if value.unit is not None:
                found.setdefault(value.code, set()).add(plain_unit(value.unit))
    for code, units in sorted(found.items()):
        if len(units) > 1:
            held = " and in ".join(sorted(map(_told, units)))
            raise InputError(
                f"observations: the cases hold {_word(code)} in {held}; name one unit under sources.units, and ingest "
                "those observations again"
            )
    told = {code: next(iter(units)) for code, units in found.items()}
    return {code: unit for code, unit in sorted(told.items()) if not unit or _PLAIN.fullmatch(unit)}


def in_units(values: Sequence[Value], units: Mapping[str, str] | None) -> tuple[tuple[Value, ...], tuple[str, ...]]:
    """Values in some units by code, and a line for each code that had to be converted.

    Where a unit is not told, by the value or by ``units``, the value stays as it is.

    Raises
    ------
    RefusedError
        *unknown-unit*: a value cannot be converted; *implausible-value*: it is none that a living body has.
    """
    read = [_in_unit(value, units or {}) for value in values]
    lines = [
        f"{_word(value.code)}: converted from {_told(value.unit or '')} to {_told(other.unit or '')}, the model's unit"
        for value, other in zip(values, read, strict=True)
        if value is not other
    ]
    return tuple(read), tuple(dict.fromkeys(lines))


def example_in_units(example: Example, units: Mapping[str, str] | None) -> Example:
    """An example whose values are in some units; raises as `in_units` does."""
    values, lines = in_units(example.values, units)
    return replace(example, values=values) if lines else example


def _in_unit(value: Value, units: Mapping[str, str]) -> Value:
    target = units.get(value.code)
    if target is None or value.unit is None or plain_unit(value.unit) == target:
        return value
    try:
        # Without a target `convert` keeps the unit: then there is nothing to convert it to.
        _, number, unit = convert(value.code, value.value, value.unit, units={value.code: target})
    except RefusedError as error:
        if error.reason is not Reason.UNKNOWN_UNIT:
            raise
        unit = ""
    if not target or not unit:
        detail = (
            f"{_word(value.code)}: in {_told(value.unit)}, and the model reads it in {_told(target)}; set "
            f"sources.units to what the model was trained with, and ingest the observations again"
        )
        raise RefusedError(Reason.UNKNOWN_UNIT, detail)
    return replace(value, value=number, unit=target)


def _told(unit: str) -> str:
    if not unit:
        return "no unit"
    return unit if _PLAIN.fullmatch(unit) else "another unit"


def _word(code: str) -> str:
    return code if _PLAIN.fullmatch(code) else "a code"
