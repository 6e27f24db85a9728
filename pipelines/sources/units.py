"""Units: a value is converted to the unit of its code, or refused; never passed on in another one.

UCUM is read by ucumvert, the arithmetic is that of pint; both are imported only where a unit is not the code's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.sources.codes import Quantity, quantities
from pipelines.sources.unit_spellings import annotation_of, ucum_readings

HOW_TO_MEND = "state it in UCUM, or under sources.units and sources.assumed_units of the settings"


def convert(code: str, value: float, unit: str, *, units: Mapping[str, str] | None = None) -> tuple[str, float, str]:
    """A value in the unit of its code: the code, the value, and that unit.

    Parameters
    ----------
    code
        The word of `pipelines.sources.codes`; *d-dimer* becomes *d-dimer-feu* or *d-dimer-ddu*, as the unit says.
    value, unit
        As the source has them; the spelling of the unit may be a common one.
    units
        Units by code that go before scanote's own. A code that neither knows keeps value and unit.

    Raises
    ------
    RefusedError
        *unknown-unit*: blank, unknown, or of another kind than the code's. *implausible-value*: beyond what a living
        body has. The detail names the code and its unit, never the value.
    """
    quantity = quantities().get(code, Quantity(code))
    wanted = (units or {}).get(code, "")
    word, bare = annotation_of(unit) if quantity.parts or quantity.annotation else ("", unit)
    if quantity.parts:
        if word not in quantity.parts:
            raise RefusedError(Reason.UNKNOWN_UNIT, f"{code}: its unit must say {' or '.join(quantity.parts)}")
        quantity = quantities()[quantity.parts[word]]
        wanted = (units or {}).get(quantity.code, wanted)
    elif quantity.annotation and word not in ("", quantity.annotation):
        raise RefusedError(Reason.UNKNOWN_UNIT, f"{code}: {word} cannot be converted to {quantity.annotation}")
    target = wanted or quantity.unit
    if not target:
        return quantity.code, value, unit
    slope, offset = _factor(bare, target, quantity)
    low, high = quantity.low, quantity.high
    if target != quantity.unit and quantity.unit:
        scale, shift = _factor(quantity.unit, target, quantity)
        low, high = low * scale + shift, high * scale + shift
    # A conversion may leave 36.999999999999943 of 37: what lies beyond twelve digits is rounding.
    number = float(f"{value * slope + offset:.12g}") if (slope, offset) != (1.0, 0.0) else value
    if not low <= number <= high:
        detail = f"{quantity.code}: not within {low:g} to {high:g} {target}; is the unit right?"
        raise RefusedError(Reason.IMPLAUSIBLE_VALUE, detail)
    told = f"{target}{{{quantity.annotation}}}" if quantity.annotation else target
    return quantity.code, number, told


def is_unit(unit: str) -> bool:
    """Whether a unit, or a common spelling of one, can be read."""
    return any(_parsed(reading) is not None for reading in ucum_readings(unit))


def _factor(unit: str, target: str, quantity: Quantity) -> tuple[float, float]:
    if not unit.strip() and target == "1":
        return 1.0, 0.0
    if not unit.strip():
        raise RefusedError(Reason.UNKNOWN_UNIT, f"{quantity.code}: no unit; {HOW_TO_MEND}")
    for reading in ucum_readings(unit):
        if reading == target:
            return 1.0, 0.0
        if (found := _linear(reading, target, quantity.molar_mass)) is not None:
            return found
    raise RefusedError(Reason.UNKNOWN_UNIT, f"{quantity.code}: its unit cannot be converted to {target}; {HOW_TO_MEND}")


@lru_cache(maxsize=4096)
def _linear(source: str, target: str, molar_mass: float | None) -> tuple[float, float] | None:
    """Slope and offset from one UCUM unit to another; None where they measure different things."""
    start, end = _parsed(source), _parsed(target)
    if start is None or end is None:
        return None
    if start.dimensionality != end.dimensionality:
        if molar_mass is None:
            return None
        mass = _parsed("g/mol") * molar_mass
        # By their dimensions: pint divides no degrees, which have an offset.
        if start.dimensionality / mass.dimensionality == end.dimensionality:
            start = start / mass
        elif start.dimensionality * mass.dimensionality == end.dimensionality:
            start = start * mass
        else:
            return None
    # The magnitudes are those of the units themselves (1 throughout, but for a molar mass); degrees have an offset.
    zero, one = (type(start)(number, start.units).to(end.units).magnitude for number in (0.0, 1.0))
    return (float(one) - float(zero)) * float(start.magnitude) / float(end.magnitude), float(zero)


@lru_cache(maxsize=4096)
def _parsed(unit: str) -> Any:
    """A UCUM unit as a quantity of pint; None for what is none."""
    try:
        parsed = _registry().from_ucum(unit)
    except Exception:  # the grammar, its visitor and pint raise many kinds
        return None
    return parsed if hasattr(parsed, "dimensionality") else None


@cache
def _registry() -> Any:
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()
