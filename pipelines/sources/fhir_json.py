"""FHIR JSON as the standard has it, bounded: no key twice, no NaN, no null character, no half character."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

_SUSPECT = re.compile(r"\\u(0000|[dD][89a-fA-F])")
_UNUSABLE = re.compile("[\0\ud800-\udfff]")


def parse_fhir(data: bytes) -> Any:
    """The JSON of a FHIR file, line or answer; it must be UTF-8 (a BOM is accepted).

    Raises
    ------
    ValueError
        It is none, or says something twice (of two values under one key each reader takes another one). The message
        says what is wrong and holds nothing of the text.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None
    try:
        value = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_without_repeats
        )
    except RepeatedKeyError:
        raise ValueError("JSON that names a key twice") from None
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if _SUSPECT.search(text) and any(_UNUSABLE.search(string) for string in _strings(value)):
        raise ValueError("JSON with null characters or halves of characters")
    return value


class RepeatedKeyError(ValueError):
    """An object names a key twice."""


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RepeatedKeyError
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number beyond all bounds")
    return number


def _refuse_constant(_: str) -> None:
    raise ValueError("not a JSON number")


def _strings(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting += [*item, *item.values()]
        elif isinstance(item, list):
            waiting += item
