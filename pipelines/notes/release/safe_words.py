"""Words that may stay: those known to be harmless where they stand. Every other word goes.

The principle of a safe list (Norgeot et al., npj Digital Medicine 2020, doi:10.1038/s41746-020-0258-y): a list of names
finds the names that somebody foresaw, a list of words lets through what is known to name nobody. A word in lower case
stays if it is one of English or of medicine; one with a capital inside a sentence only if it is one of medicine or of
the words that notes write so; one at the beginning of a sentence as in lower case, unless a name follows. In lines of
capitals, and beside a name, a word that is a name as well goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from pipelines.notes.release.beside_names import spread
from pipelines.notes.release.called import find_called, is_called
from pipelines.notes.release.reading import Fate, Reading, begins, digit_beside, read
from pipelines.notes.release.spans import Found
from pipelines.notes.release.vocabulary import is_abbreviation, is_clinical, is_word, may_be_name
from pipelines.notes.release.words import listed

_EPONYM_NEAR = 3
# What a score follows: "Nottingham 3", "Glasgow: 15".
_MEASURED = re.compile(r"[ ]*+[:=]?+[ ]*+\d{1,2}(?![\d])")


def find_unsafe_words(text: str, taken: bytearray, named: bytearray) -> Iterator[Found]:
    """Every word that is not known to be harmless where it stands.

    ``taken`` marks what other findings replace, ``named`` those of them that are names or places.
    """
    reading = read(text)
    tokens = reading.tokens
    fates = [_fate(reading, number, taken, named) for number in range(len(tokens))]
    starts = {token.start: number for number, token in enumerate(tokens)}
    for start, spoken_of in find_called(text):
        number = starts.get(start)
        if number is not None and fates[number] is Fate.STAYS and is_called(tokens[number], spoken_of):
            fates[number] = Fate.GOES
    spread(reading, fates)
    for token, fate in zip(tokens, fates, strict=True):
        if fate is Fate.GOES and not all(taken[token.start : token.end]):
            owns = (
                token.text[-2:].lower() in {"'s", "’s"}
                and text[token.end : token.end + 1] == " "
                and text[token.end + 1 : token.end + 2].islower()
                and text[token.end + 1 : token.end + 4] != "of "
            )
            ending = 2 if owns else 0
            yield Found(token.start, token.end - ending, "NAME")


def _fate(reading: Reading, number: int, taken: bytearray, named: bytearray) -> Fate:
    text, token = reading.text, reading.tokens[number]
    if any(taken[token.start : token.end]):
        return Fate.GONE if any(named[token.start : token.end]) else Fate.STAYS
    if digit_beside(text, token):
        return Fate.STAYS  # a part of a token with digits, of which `safe_numbers` decides
    return Fate.STAYS if _is_safe(reading, number) else Fate.GOES


def _is_safe(reading: Reading, number: int) -> bool:
    text, token = reading.text, reading.tokens[number]
    word, written = token.plain, token.text
    if len(word) < 2 or word in listed("titles"):
        return True
    caseless = written[0].lower() == written[0].upper()
    if caseless:
        return not any(character.isalpha() for character in written)
    name_alone = word in listed("given") and word not in _words_too()
    if written.islower() or reading.shouted[number]:
        if is_word(word):
            return not name_alone
        return is_abbreviation(word) and (len(word) <= 3 or not written.islower()) and word not in may_be_name()
    if len(written) > 1 and written.isupper():
        if text[token.end : token.end + 1] == ":" and is_word(word):
            return True
        return is_abbreviation(word) or is_clinical(word) or (is_word(word) and word not in may_be_name())
    if not (written[0].isupper() and written[1:].islower()) and not _is_compound(written):
        bare = word.removesuffix("s")
        return (
            is_abbreviation(word)
            or is_abbreviation(bare)
            or is_clinical(word)
            or (is_word(word) and not written.startswith(("Mc", "Mac", "O'", "O’")))
        )
    if begins(text, token) and (word not in listed("eponyms") or word not in _people()):
        return is_word(word) and not name_alone
    return _is_medical(reading, number)


def _is_medical(reading: Reading, number: int) -> bool:
    """Whether a word with a capital inside a sentence is one of medicine: Foley, Metformin; Baker only before cyst."""
    text, tokens = reading.text, reading.tokens
    word = tokens[number].plain
    if word in listed("scales"):
        following = {token.plain.removesuffix("s") for token in tokens[number + 1 : number + 1 + _EPONYM_NEAR]}
        return bool(_MEASURED.match(text, tokens[number].end)) or not following.isdisjoint(_scale_heads())
    if word in listed("eponyms") and (word in _people() or word in listed("word_names")):
        near = {token.plain.removesuffix("s") for token in tokens[number + 1 : number + 1 + _EPONYM_NEAR]}
        return not near.isdisjoint(listed("eponym_heads"))
    if is_clinical(word):
        return word not in listed("given") or word in listed("stop")
    parts = re.split(r"[-']", word)
    return len(parts) > 1 and all(
        is_clinical(part) or part in listed("eponyms") or len(part) == 1 for part in parts if part
    )


@cache
def _people() -> frozenset[str]:
    return listed("given") | listed("family")


@cache
def _words_too() -> frozenset[str]:
    """Names that are words as well."""
    return listed("word_names") | listed("stop")


@cache
def _scale_heads() -> frozenset[str]:
    """What stands behind the name of a scale."""
    return listed("eponym_heads") | {"stem", "ii", "iii", "iv", "level"}


def _is_compound(written: str) -> bool:
    """``Anglo-Saxon``, ``O'Shea's``: parts that each begin with a capital."""
    parts = re.split(r"[-'’]", written)
    return len(parts) > 1 and all(not part or part[1:].islower() or len(part) == 1 for part in parts)
