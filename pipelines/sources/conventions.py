"""How a hospital's sources write things: encoding, decimal sign, codes and units, as the settings say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from data_schemas.errors import SettingsError
from data_schemas.settings import SourceSettings


@dataclass(frozen=True)
class Conventions:
    """What is agreed on with the people who write the sources; the default asks nothing of them but the standard.

    Parameters
    ----------
    encoding
        Of text files and tables that are neither UTF-8 nor marked.
    decimal
        The decimal sign of numbers that are text.
    comparators
        What becomes of values such as ``<0.5``: refused, or their bound is taken and said.
    codes
        The word for each local code (``{"GLU^L": "glucose"}``).
    units
        The unit that values of a code are converted to, in UCUM; it goes before scanote's own.
    assumed_units
        The unit of values of a code where the source names none.
    """

    encoding: str | None = None
    decimal: Literal[".", ","] = "."
    comparators: Literal["refuse", "bound"] = "refuse"
    codes: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    assumed_units: Mapping[str, str] = field(default_factory=dict)


def conventions_of(sources: SourceSettings) -> Conventions:
    """The conventions of the settings.

    Raises
    ------
    SettingsError
        An encoding that Python does not know, or a unit that is none.
    """
    from pipelines.sources.encodings import is_encoding
    from pipelines.sources.units import is_unit

    if sources.encoding is not None and not is_encoding(sources.encoding):
        raise SettingsError("'sources.encoding': no known encoding of text; write for example cp1252")
    for name, units in (("units", sources.units), ("assumed_units", sources.assumed_units)):
        for code, unit in units.items():
            if not is_unit(unit):
                raise SettingsError(f"'sources.{name}.{code}': no unit of UCUM; write for example mg/L or 10*9/L")
    return Conventions(
        encoding=sources.encoding,
        decimal=sources.decimal,
        comparators=sources.comparators,
        codes=sources.codes,
        units=sources.units,
        assumed_units=sources.assumed_units,
    )
