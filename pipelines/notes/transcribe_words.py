"""Words that must not be misheard: negations, sides and numbers, in one form whatever the spelling."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

Kind = Literal["negation", "side", "number"]

NEGATIONS = frozenset(
    [
        *("no", "not", "none", "never", "neither", "nor", "without", "cannot", "nothing", "nobody", "non"),
        *("deny", "denies", "denied", "denying", "exclude", "excludes", "excluded", "excluding", "free", "clear"),
        *("absent", "absence", "resolved", "negative", "positive", "likely", "normal", "remarkable", "changed"),
        *("increased", "decreased", "stable", "symptomatic", "unless", "except", "lacks", "lacking", "ruled", "rule"),
    ]
)
# What is denied within a word is the same as denied by one: "unchanged" and "isn't changed".
DENIED = {"unlikely": "likely", "abnormal": "normal", "unremarkable": "remarkable", "unchanged": "changed"}
DENIED |= {"asymptomatic": "symptomatic"}
SIDES = {
    **dict.fromkeys(("left", "leftward", "lefthand", "leftsided"), "left"),
    **dict.fromkeys(("right", "rightward", "righthand", "rightsided"), "right"),
    **dict.fromkeys(("bilateral", "bilaterally", "both", "bibasilar", "bibasal", "biapical"), "both"),
    **dict.fromkeys(("upper", "lower", "middle"), ""),  # lobes and zones: compared as they are
}
_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
_ONES += "seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
NUMBERS = {word: number for number, word in enumerate(_ONES.split())}
NUMBERS |= {word: 10 * number for number, word in enumerate(_TENS.split(), 2)}
NUMBERS |= {"hundred": 100, "thousand": 1000}
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
NUMBERS |= {word: number for number, word in enumerate(_ORDINALS.split(), 1)}
UNITS = {
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), "mm"),
    **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre", "centimetres"), "cm"),
    **dict.fromkeys(("percent", "percentage", "%"), "%"),
    **dict.fromkeys(("day", "days"), "days"),
    **dict.fromkeys(("week", "weeks"), "weeks"),
    **dict.fromkeys(("month", "months"), "months"),
    **dict.fromkeys(("year", "years"), "years"),
}
LENGTHS = frozenset(unit for unit, short in UNITS.items() if short in {"mm", "cm", "%"})
_BEFORE_UNITS = frozenset(["few", "several", "some", "in", "a", "point", "half", "of", "many", "hundred"])
# What a number is misheard as, before a plural.
LIKE_NUMBERS = frozenset(["free", "tree", "fore", "won", "ate", "sex", "tin", "too"])
COUNTED = frozenset(["nodules", "masses", "lesions", "nodes", "granulomas", "fractures", "cysts", "metastases"])
PLACES = frozenset(["lobe", "apex", "base", "hilum", "lung", "rib", "chest", "hemithorax", "hemidiaphragm", "heart"])
PLACES |= {"infiltrate", "tumor", "nodule", "lesion", "arm", "shoulder", "breast", "kidney", "strain", "angle", "pain"}
LIKE_NOT = frozenset(["hot", "knot", "know", "now", "nought", "noon", "nod", "gnaw"])
_LOW = frozenset(["lung", "grade", "dose", "density", "attenuation", "volume", "volumes", "back", "blood", "oxygen"])
_BEFORE_NOR = frozenset(["neither", "no", "not", "never", "cannot", "without"])
_LIKE_BI = frozenset(["by", "buy", "bi", "a", "my", "why", "i", "eye", "pie"])
_PAIRED = ("lateral", "basilar", "basal", "apical", "hilar")
_NOT_COUNTED = frozenset(["ribs", "lungs", "lobes", "bases", "apices", "hours", "this", "us", "is", "was", "has", "as"])
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*(?:st|nd|rd|th)?|%|[^\W\d_]+(?:['’][^\W\d_]+)*")
_NUMBER = re.compile(r"(\d+(?:[.,]\d+)*)(?:st|nd|rd|th)?")


@dataclass(frozen=True)
class Said:
    """A negation, side or number: its kind, its value in one form, and the number of the word that says it."""

    kind: Kind
    value: str = field(repr=False)
    word: int


def compared(word: str) -> str:
    """Letters and digits of a word, in lower case: what two passes are compared by."""
    return "".join(character for character in word.lower() if character.isalnum())


def critical(words: Sequence[str]) -> tuple[Said, ...]:
    """Every negation, side and number of some words, in their order."""
    return tuple(_said(list(_tokens(words))))


def like_a_number(words: Sequence[str]) -> tuple[int, ...]:
    """Words that stand where a number would: *free nodules* for three, *a mass of force centimeters* for four."""
    tokens = list(_tokens(words))
    found = [number for number, token in tokens if token in {"force"}]  # "four centimeters" without its middle
    for (number, token), (_, after) in pairwise(tokens):
        plural = after.endswith("s") and not after.endswith("ss") and after not in _NOT_COUNTED and len(after) > 3
        measured = after in LENGTHS and _value(token) is None and token not in _BEFORE_UNITS
        if measured or (plural and (token in LIKE_NUMBERS or (token in {"to", "do", "for"} and after in COUNTED))):
            found.append(number)
    return tuple(found)


def like_a_negation(words: Sequence[str]) -> tuple[int, ...]:
    """Words that a negation is misheard as: *hot and large* for not enlarged, *low effusion* for no effusion.

    And a *nor* without its first half: *Neamer consolidation nor effusion*.
    """
    tokens = list(_tokens(words))
    said = [token for _, token in tokens]
    found = [number for number, token in tokens if token in LIKE_NOT]
    if said[:1] == ["low"] and not _LOW.intersection(said[1:4]):
        found.append(tokens[0][0])
    if "nor" in said and not _BEFORE_NOR.intersection(said[: said.index("nor")]):
        found.append(tokens[said.index("nor")][0])
    return tuple(found)


def side_of_nothing(words: Sequence[str], vocabulary: Set[str]) -> bool:
    """Whether a side is told and nothing that is known lies there: *my masellaratic task is more on the right*."""
    tokens = [token for _, token in _tokens(words)]
    known = {token for token in vocabulary if len(token) > 3} | PLACES
    named = {token for token in tokens if token in known or token.removesuffix("s") in known} - SIDES.keys()
    return bool(vocabulary) and not named and bool(SIDES.keys() & set(tokens))


def like_a_side(words: Sequence[str]) -> tuple[int, ...]:
    """Words that a side is misheard as: *by basilar* for bibasilar, *left or left fusion* for left pleural effusion."""
    tokens = list(_tokens(words))
    found = []
    for place, (number, token) in enumerate(tokens):
        after = [other for _, other in tokens[place + 1 : place + 3]]
        begins = place == 0 and token.startswith(_PAIRED)
        if (
            begins
            or (token in _LIKE_BI and after[:1] and after[0].startswith(_PAIRED))
            or (SIDES.get(token) and any(SIDES.get(other) == SIDES[token] for other in after))
        ):
            found.append(number)
    return tuple(found)


def odd_numbers(words: Sequence[str]) -> tuple[int, ...]:
    """Words in which a number is glued to other letters, or to another number: *F2.5*, *7-3*, *3b*."""
    odd = []
    for number, word in enumerate(words):
        text = word.strip(" .,;:?!()\"'")
        parts = _TOKEN.findall(text)
        digits = [part for part in parts if part[0].isdigit()]
        if len(digits) > 1 or (
            digits and len(parts) > 1 and not {*parts} - {*digits} <= {*UNITS, "year", "old", "sided"}
        ):
            odd.append(number)
    return tuple(odd)


def _tokens(words: Sequence[str]) -> Iterator[tuple[int, str]]:
    for number, word in enumerate(words):
        for token in _TOKEN.findall(word.lower().replace("’", "'")):
            yield number, token


def _said(tokens: list[tuple[int, str]]) -> Iterator[Said]:
    place = 0
    while place < len(tokens):
        number, word = tokens[place]
        place += 1
        if word == "cannot" or word.endswith("n't"):
            yield Said("negation", "not", number)
        elif word in DENIED:
            yield Said("negation", "not", number)
            yield Said("negation", DENIED[word], number)
        elif word == "free" and (place == len(tokens) or tokens[place][1] not in {"of", "from"}):
            continue  # free air denies nothing
        elif word in NEGATIONS:
            yield Said("negation", word, number)
        elif word in SIDES:
            yield Said("side", SIDES[word] or word, number)
        elif word in UNITS:
            yield Said("number", UNITS[word], number)
        elif (value := _value(word)) is not None:
            ten = place < len(tokens) and value in range(20, 100, 10) and NUMBERS.get(tokens[place][1], 10) < 10
            if ten and not word[0].isdigit():
                value += NUMBERS[tokens[place][1]]
                place += 1
            yield Said("number", f"{value:g}", number)


def _value(word: str) -> float | None:
    if match := _NUMBER.fullmatch(word):
        try:
            return float(match[1].replace(",", "."))
        except ValueError:  # 1.000.000
            return float(match[1].replace(",", "").replace(".", ""))
    return NUMBERS.get(word)
