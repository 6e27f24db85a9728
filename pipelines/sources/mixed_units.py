"""Codes that scanote does not know keep their units; two of them under one code must not become one scale."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from data_schemas.observation import Observation
from data_schemas.reasons import Reason
from pipelines.sources.codes import quantities
from pipelines.sources.outcome import Records, Refused
from pipelines.sources.unit_spellings import plain_unit

HOW_TO_MEND = "name one under sources.units, or give each its own code under sources.codes"
_PLAIN = re.compile(r"[\w.^/ -]{1,40}")


def without_mixed_units(records: Records, *, held: Iterable[Observation] = ()) -> Records:
    """Records without the numbers of unknown codes that come in several units; each such code is one refused line.

    ``held`` are observations that are known already: they stay, and what comes in another unit than theirs goes.
    """
    known = quantities()
    before = _units(held, known)
    now = _units(records.observations, known)
    mixed = {code for code, units in now.items() if len(units | before.get(code, set())) > 1}
    if not mixed:
        return records
    kept, gone = [], dict.fromkeys(sorted(mixed), 0)
    for item in records.observations:
        keeps = (
            item.code not in mixed or isinstance(item.value, str) or before.get(item.code) == {plain_unit(item.unit)}
        )
        if keeps:
            kept.append(item)
        else:
            gone[item.code] += 1
    refused = [
        Refused(_told(code), Reason.MIXED_UNITS, f"{count} values in several units; {HOW_TO_MEND}")
        for code, count in gone.items()
        if count
    ]
    return replace(records, observations=tuple(kept), refused=(*records.refused, *refused))


def has_unknown_codes(records: Records) -> bool:
    """Whether records hold a number of a code that scanote does not know."""
    return bool(_units(records.observations, quantities()))


def _units(observations: Iterable[Observation], known: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for item in observations:
        if item.code not in known and not isinstance(item.value, str):
            found.setdefault(item.code, set()).add(plain_unit(item.unit))
    return found


def _told(code: str) -> str:
    return f"code {code}" if _PLAIN.fullmatch(code) else "a code"
