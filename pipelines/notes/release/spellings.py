"""A person's name in every spelling: as a pattern that finds it, whatever its accents, hyphens and transliteration."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from pipelines.notes.release.words import listed, plain

SHORTEST = 2
# A letter with accents may be written with them, without them, or as two letters.
_PAIRS = {"ae": "äæ", "oe": "öøœ", "ue": "ü", "ss": "ß", "aa": "å", "th": "þð"}
_PLAIN_OF = {"ä": "a", "æ": "a", "ö": "o", "ø": "o", "œ": "o", "ü": "u", "å": "a", "þ": "t", "ð": "d"}
_SINGLE = {"l": "ł", "d": "đð", "i": "ı", "o": "øő", "u": "ű", "a": "å"}
_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "y",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
    "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya",
}  # fmt: skip
_ACCENTS = r"[\u0300-\u036f]*"
_INNER = r"[\s\-‐‑–'’‘`.]*"
_BEFORE, _AFTER = r"(?<![^\W\d_])", r"(?![^\W\d_])"
_NICKNAMES = (
    "william will bill billy willy liam", "robert rob bob bobby bert", "richard rick dick rich",
    "james jim jimmy jamie",
    "john jack johnny", "michael mike mick mickey", "elizabeth liz beth betty eliza lizzy", "margaret maggie peggy meg",
    "katherine catherine kate kathy katie cathy", "thomas tom tommy", "charles charlie chuck", "edward ed eddie ted",
    "joseph joe joey", "daniel dan danny", "samuel sam sammy", "samantha sam", "benjamin ben", "matthew matt",
    "christopher chris", "christina chris tina", "patrick pat paddy", "patricia pat patty tricia", "susan sue suzie",
    "jennifer jen jenny", "rebecca becky", "deborah deb debbie", "andrew andy drew", "anthony tony", "steven steve",
    "stephen steve", "david dave", "kenneth ken", "ronald ron", "donald don", "timothy tim", "jeffrey jeff",
    "gregory greg", "nicholas nick", "alexander alex sasha", "alexandra alex sandra", "victoria vicky", "theresa terry",
    "barbara barb", "dorothy dot dottie", "lawrence larry", "raymond ray", "frederick fred", "johannes hans johann",
    "francisco paco", "jose pepe", "mohammed mohamed muhammad mohammad", "ekaterina katya", "dmitri dima",
)  # fmt: skip


def parts_of_name(name: str) -> tuple[tuple[str, ...], ...]:
    """The parts of a name as a source writes it: family name, given name, others; one tuple a script.

    DICOM joins family, given, middle name, prefix and suffix by ``^`` and scripts by ``=`` (PS3.5 6.2); tables write
    ``Smith, John`` or ``John Smith``. Titles and suffixes are dropped: they name nobody.
    """
    found = []
    for group in re.split(r"[=\\]", unicodedata.normalize("NFC", name)):
        if "^" in group:
            parts = group.split("^")[:3]
        elif "," in group:
            family, _, given = group.partition(",")
            parts = [family, *given.split()]
        else:
            words = group.split()
            parts = [*words[-1:], *words[:-1]]
        kept = tuple(part.strip(" .\0") for part in parts)
        kept = tuple(part for part in kept if part and plain(part) not in listed("titles"))
        if kept:
            found.append(kept)
    return tuple(found)


def pieces_of(part: str) -> tuple[str, ...]:
    """The words of one part of a name that may stand alone: of ``van der Berg`` only ``Berg``."""
    words = [word for word in re.split(r"[\s\-‐‑–.]+", part) if word]
    whole = re.sub(r"[\s\-‐‑–.]+", "", part)
    kept = [word for word in words if len(word) >= _shortest(word) and plain(word) not in listed("particles")]
    return tuple(dict.fromkeys([*kept, *([whole] if len(words) > 1 and kept else [])]))


@lru_cache(maxsize=4096)
def spelt(word: str) -> str:
    """The pattern of a word in every spelling: ``Müller`` finds ``MULLER``, ``Mueller`` and ``Müller``.

    It is to be compiled with IGNORECASE, and has no bounds of its own.
    """
    latin = _latin(word)
    alternatives = [_pattern(unicodedata.normalize("NFC", word.casefold()))]
    if latin and latin != word.casefold():
        alternatives.append(_pattern(latin))
    return alternatives[0] if len(alternatives) == 1 else f"(?:{'|'.join(dict.fromkeys(alternatives))})"


def bounded(pattern: str) -> str:
    """The pattern where no letter stands before or behind it."""
    return rf"{_BEFORE}(?:{pattern}){_AFTER}"


def alone(parts: Iterable[Iterable[str]]) -> Iterator[tuple[str, str]]:
    """Every word of a name that is looked for on its own, and its pattern; with the short forms of given names."""
    seen: set[str] = set()
    for script in parts:
        for place, part in enumerate(script):
            words = [*pieces_of(part), *(other for piece in pieces_of(part) if place for other in _nicknames(piece))]
            for word in words:
                if word.casefold() not in seen:
                    seen.add(word.casefold())
                    yield word, spelt(word)


def together(parts: Iterable[Iterable[str]]) -> Iterator[str]:
    """Patterns of two or more parts of a name beside each other, in any order, with initials: ``SMITH, J.``"""
    for script in parts:
        words = [word for part in script for word in pieces_of(part)]
        if len(words) > 1:
            full = "|".join(sorted({spelt(word) for word in words}, key=len, reverse=True))
            initials = "|".join(sorted({_letter(plain(word)[0]) for word in words if plain(word)}))
            initial = rf"(?:(?:{initials}){_AFTER}\.?)" if initials else full
            gap = r"(?:[\s,._\-^]{0,3}|\s+(?:" + "|".join(sorted(listed("particles"))) + r")\s+)"
            yield rf"(?:(?:{full}|{initial}){gap}){{0,4}}(?:{full})(?:{gap}(?:{full}|{initial}(?![\w'’]))){{0,4}}"


def _shortest(word: str) -> int:
    return 1 if not word.isascii() and not _latin(word) else SHORTEST


def _nicknames(word: str) -> Iterator[str]:
    for line in _NICKNAMES:
        forms = line.split()
        if plain(word) in forms:
            yield from (form for form in forms if form != plain(word))


def _latin(word: str) -> str:
    """The word in Latin letters, where it is Cyrillic; empty where its script is another."""
    lower = word.casefold()
    if any(letter in _CYRILLIC for letter in lower):
        return "".join(_CYRILLIC.get(letter, letter) for letter in lower)
    return lower if any("LATIN" in unicodedata.name(letter, "") for letter in lower) else ""


def _pattern(word: str) -> str:
    parts, at = [], 0
    while at < len(word):
        pair, letter = word[at : at + 2], word[at]
        wide = next((pair for pair, forms in _PAIRS.items() if letter in forms), None)
        if pair in _PAIRS:
            plainer = "" if pair in {"ss", "th", "aa"} else f"|{_letter(pair[0])}{_ACCENTS}"
            parts.append(f"(?:{pair}|[{_PAIRS[pair]}]{plainer})")
            at += 2
            continue
        if wide:
            one = _PLAIN_OF.get(letter, "ss")
            parts.append(f"(?:{letter}|{wide}|{_letter(one) + _ACCENTS if len(one) == 1 else one})")
        elif letter.isalpha():
            parts.append(_letter(letter) + _ACCENTS)
        elif re.match(_INNER + r"\Z", letter):
            parts.append(_INNER)
        else:
            parts.append(re.escape(letter))
        at += 1
    return "".join(parts)


@lru_cache(maxsize=1024)
def _letter(letter: str) -> str:
    """A letter with any accent or none."""
    base = plain(letter) or letter
    if len(base) != 1 or not base.isascii():
        return re.escape(letter)
    accented = "".join(
        chr(code)
        for code in range(0xC0, 0x180)
        if chr(code).islower() and unicodedata.normalize("NFD", chr(code))[0] == base
    )
    return f"[{base}{accented}{_SINGLE.get(base, '')}]"
