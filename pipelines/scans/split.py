"""Several stacks in one series, told apart: echoes, b-values, kinds of image, times and acquisitions.

A series is split only where places are taken more than once; acquisitions that continue each other in space stay one
volume. The keys are tried in this order, each on what the ones before left with a place taken twice:

1. stack id (enhanced objects; also where the planes differ),
2. echo: number and time,
3. b-value,
4. kind: the words of Image Type (magnitude and phase, water and fat, an ADC map),
5. temporal position identifier,
6. acquisition number,
7. reconstruction kernel,
8. trigger time, then acquisition time: the first, second, … at every place. A time is one value a slice, so that a
   single wrong one would carry a slice into another volume unnoticed: the order of the instance numbers must be the
   same at every place, and every place must be taken equally often.

A key counts only where its parts are stacks (of `MIN_SLICES` or more, by their median) and fewer slices share a place
after it. What it leaves together is judged by `pipelines.scans.stack`, as is each part.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import UTC
from typing import NamedTuple

import numpy as np

from data_schemas.reasons import Reason
from pipelines.scans.problem import Problem
from pipelines.scans.slice_header import SliceHeader
from pipelines.scans.stack import DIRECTION_TOLERANCE, MIN_SLICES, places

Headers = Sequence[SliceHeader]
# In Image Type, neither a kind of image nor part of a name: how it came about, and Siemens' contrast clock.
_NO_KIND = re.compile(r"ORIGINAL|PRIMARY||[A-Z0-9]+=.*")
_KIND_NAMES = {"M": "magnitude", "P": "phase", "R": "real", "I": "imaginary", "W": "water", "F": "fat"}
# One echo's times in a header agree to the rounding; a b-value is a whole number.
ECHO_TIME_TOLERANCE_MS = 0.1
B_VALUE_TOLERANCE = 1.0
# Triggered by a heart, a sequence's times vary from slice to slice, but not by this.
MR_TIME_FACTOR = 2.0


class Part(NamedTuple):
    """Slices that belong together, and what tells them from the other slices of their series."""

    label: str
    slices: tuple[SliceHeader, ...]


Split = Callable[[Headers, np.ndarray], Sequence[Part] | None]


def split_stacks(images: Headers) -> tuple[Part, ...]:
    """Split the images of one series into the stacks that it holds.

    Images that no key separates stay together, with their places taken twice; so does a series without positions.
    """
    if any(header.position is None or header.orientation is None for header in images):
        return (Part("", tuple(images)),)
    done: list[Part] = []
    left = [Part("", tuple(images))]
    for split in (_stack_ids, _echoes, _b_values, _kinds, _temporal, _acquisitions, _kernels, _triggers, _times):
        shared: list[Part] = []
        for part in left:
            taken = _places(part.slices)
            if len(part.slices) < 2 or (taken is not None and not _shared(taken)):
                done.append(part)
            else:
                shared += _apply(split, part, taken)
        left = shared
    return tuple(done + left)


def strangers(images: Headers) -> Iterator[Problem]:
    """Find slices of another echo, b-value, time, kernel, voltage, scanner, contrast or kind among those of a stack.

    Acquisition numbers and trigger times may differ: step-and-shoot goes through space in several.
    """
    reason = Reason.MIXED_INTENSITY_SCALE
    if len({header.image_type[:1] for header in images}) > 1:
        yield Problem(Reason.DERIVED, "original and derived slices in one stack")
    elif len({_kind(header) for header in images}) > 1:
        yield Problem(reason, "slices of several kinds in one stack, by their image type")
    echo_times = [header.echo_time for header in images]
    if len({header.echo for header in images}) > 1 or _spread(echo_times) > ECHO_TIME_TOLERANCE_MS:
        yield Problem(reason, "slices of several echoes in one stack")
    if _spread([header.b_value for header in images]) > B_VALUE_TOLERANCE:
        yield Problem(reason, "slices of several b-values in one stack")
    for name in ("repetition", "inversion"):
        if _factor([getattr(header, f"{name}_time") for header in images]) > MR_TIME_FACTOR:
            yield Problem(reason, f"slices of several {name} times in one stack")
    if len({header.kernel for header in images}) > 1:
        yield Problem(reason, "slices of several reconstruction kernels in one stack")
    if len({header.kvp for header in images}) > 1:
        yield Problem(reason, "slices of several tube voltages in one stack")
    if len({header.manufacturer for header in images}) > 1:
        yield Problem(reason, "slices of several manufacturers' scanners in one stack")
    if len({header.contrast for header in images}) > 1:
        yield Problem(reason, "slices with and without a contrast agent, or with several, in one stack")
    if len({header.temporal for header in images}) > 1:
        yield Problem(Reason.SEVERAL_STACKS, "slices of several temporal positions in one stack")


def _spread(found: Sequence[float | None]) -> float:
    stated = {value for value in found if value is not None}
    if None in found and stated:
        return float("inf")
    return max(stated) - min(stated) if stated else 0.0


def _factor(found: Sequence[float | None]) -> float:
    stated = {value for value in found if value}
    if stated and not all(found):
        return float("inf")
    return max(stated) / min(stated) if stated else 1.0


def _apply(split: Split, part: Part, taken: np.ndarray | None) -> Sequence[Part]:
    """Split a part whose slices share places, or lie in several planes (``taken`` is None), where the key counts."""
    if taken is None and split is not _stack_ids:
        return (part,)
    smaller = split(part.slices, np.zeros(0, int) if taken is None else taken)
    if smaller is None or len(smaller) < 2:
        return (part,)
    if taken is not None:
        left = sum(_shared(_places(each.slices)) for each in smaller)
        if left >= _shared(taken) or np.median([len(each.slices) for each in smaller]) < MIN_SLICES:
            return (part,)
    return [Part(", ".join(filter(None, (part.label, each.label))), each.slices) for each in smaller]


def _places(images: Headers) -> np.ndarray | None:
    """The place of each image along the normal, counted from 0; None where their planes differ."""
    directions = np.array([header.orientation for header in images])
    if not np.all(np.abs(directions - directions[0]) <= DIRECTION_TOLERANCE):
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        along = np.array([header.position for header in images]) @ np.cross(directions[0, :3], directions[0, 3:])
    return places(along)


def _shared(taken: np.ndarray | None) -> int:
    """How many slices lie at a place already taken."""
    return 0 if taken is None else len(taken) - int(taken.max()) - 1


def _by(images: Headers, key: Callable[[SliceHeader], Hashable], name: Callable[[list], dict]) -> list[Part]:
    """Group by a key. ``name`` takes its values in order and returns labels by value, in the order of the parts."""
    groups: dict[Hashable, list[SliceHeader]] = {}
    for header in images:
        groups.setdefault(key(header), []).append(header)
    return [Part(label, tuple(groups[value])) for value, label in name(sorted(groups, key=_order)).items()]


def _order(value: Hashable) -> tuple:
    """A sortable form of key values: numbers by size, absent ones first."""
    parts = value if isinstance(value, tuple) else (value,)
    return tuple((0, 0.0, "") if part is None else (1, *_number(part)) for part in parts)


def _number(part: object) -> tuple[float, str]:
    text = str(part)
    return (float(text), "") if re.fullmatch(r"-?\d{1,15}(\.\d+)?", text) else (float("inf"), text)


def _named(word: str) -> Callable[[list], dict]:
    """Labels of values that are short codes; others, which might be anything, are counted."""

    def name(found: list) -> dict:
        ranks = {value: rank for rank, value in enumerate(found, 1)}
        told = {value: str(value) if re.fullmatch(r"[\w.+-]{1,16}", str(value), re.ASCII) else "" for value in found}
        plain = all(told.values()) and len(set(told.values())) == len(found)
        return {value: f"{word} {told[value] if plain else ranks[value]}" for value in found}

    return name


def _stack_ids(images: Headers, taken: np.ndarray) -> list[Part]:
    return _by(images, lambda header: header.stack_id, _named("stack"))


def _echoes(images: Headers, taken: np.ndarray) -> list[Part]:
    def name(found: list) -> dict:
        numbers = [number for number, _ in found]
        distinct = len(set(numbers)) == len(numbers) and all(re.fullmatch(r"\d{1,4}", number) for number in numbers)
        if not distinct:
            found = sorted(found, key=lambda value: _order((value[1], value[0])))
        return {value: f"echo {int(value[0]) if distinct else rank}" for rank, value in enumerate(found, 1)}

    def key(header: SliceHeader) -> Hashable:
        return header.echo, None if header.echo_time is None else round(header.echo_time, 1)

    return _by(images, key, name)


def _b_values(images: Headers, taken: np.ndarray) -> list[Part]:
    def name(found: list) -> dict:
        return {value: "b unknown" if value is None else f"b {value:g}" for value in found}

    return _by(images, lambda header: None if header.b_value is None else round(header.b_value), name)


def _kind(header: SliceHeader) -> tuple[str, ...]:
    return tuple(sorted({word for word in header.image_type if not _NO_KIND.fullmatch(word)}))


def _kinds(images: Headers, taken: np.ndarray) -> list[Part]:
    def name(found: list) -> dict:
        common = set.intersection(*(set(kind) for kind in found))
        own = {kind: [word for word in kind if word not in common] for kind in found}
        own = {kind: [word for word in words if word != "DERIVED"] or words for kind, words in own.items()}
        told = {
            kind: " ".join(_KIND_NAMES.get(word, word.lower().replace("_", " ")) for word in words) or "plain"
            for kind, words in sorted(own.items(), key=lambda item: len(item[1]))
        }
        clean = all(re.fullmatch(r"[a-z0-9 ]{1,40}", label) for label in told.values())
        return told if clean and len(set(told.values())) == len(found) else _named("kind")(found)

    return _by(images, _kind, name)


def _temporal(images: Headers, taken: np.ndarray) -> list[Part]:
    return _by(images, lambda header: header.temporal, _named("time"))


def _acquisitions(images: Headers, taken: np.ndarray) -> list[Part]:
    return _by(images, lambda header: header.acquisition_number, _named("acquisition"))


def _kernels(images: Headers, taken: np.ndarray) -> list[Part]:
    return _by(images, lambda header: header.kernel, _named("kernel"))


def _triggers(images: Headers, taken: np.ndarray) -> list[Part] | None:
    return _ranked(images, taken, [header.trigger_time for header in images])


def _times(images: Headers, taken: np.ndarray) -> list[Part] | None:
    if not all(header.acquired_from.startswith(("acquisition", "frame_acquisition")) for header in images):
        return None
    moments = [header.acquired.replace(tzinfo=UTC).timestamp() if header.acquired else None for header in images]
    return _ranked(images, taken, moments)


def _ranked(images: Headers, taken: np.ndarray, moments: Sequence[float | None]) -> list[Part] | None:
    """Split into the first, second, … at every place; None where the instance numbers do not bear it out."""
    numbers = [int(header.instance_number) if header.instance_number.isdecimal() else None for header in images]
    counts = np.bincount(taken)
    if None in numbers or None in moments or counts.min() != counts.max():
        return None
    by_time = np.lexsort((np.array(moments, float), taken))
    by_number = np.lexsort((np.array(numbers, float), taken))
    if not np.array_equal(by_time, by_number):
        return None
    shape = (len(counts), counts[0])
    for values in (np.array(moments, float)[by_time], np.array(numbers, float)[by_number]):
        if not np.all(np.diff(values.reshape(shape), axis=1) > 0):
            return None
    members = by_time.reshape(shape).T
    return [Part(f"time {rank}", tuple(images[at] for at in row)) for rank, row in enumerate(members, 1)]
