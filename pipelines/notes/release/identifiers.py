"""What is known of a patient before a note is read, and every place where it stands in the note."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from data_schemas.scan import PatientFacts
from pipelines.notes.release.spans import Found
from pipelines.notes.release.spellings import alone, bounded, parts_of_name, together
from pipelines.notes.release.words import listed, plain, tokens_of

SHORTEST_ID = 4  # a shorter one stands everywhere by chance; it is found behind a label, as any number is
LONGEST_TAIL = 5  # digits behind the letters of an id that are looked for without them
_SEPARATORS = r"[ \-‐‑–./_:]?"
_EDGE_BEFORE, _EDGE_AFTER = r"(?<![^\W_])", r"(?![^\W_])"
_TITLE = re.compile(
    r"(?:\b(?:" + "|".join(sorted(listed("titles"))) + r")\b\.?|\bpatient|\b(?:re|name|patient|pt|surname)[ ]*:)\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Known:
    """A patient's own identifiers, as the sources write them. Nothing of it is ever shown.

    ``names`` are as DICOM or a table has them, ``ids`` are all numbers and UIDs that point at the patient.
    """

    names: frozenset[str] = field(default=frozenset(), repr=False)
    ids: frozenset[str] = field(default=frozenset(), repr=False)
    birth_dates: frozenset[date] = field(default=frozenset(), repr=False)


def known_of(facts: Iterable[PatientFacts], *, ids: Iterable[str] = ()) -> Known:
    """Collect a patient's identifiers from what several sources say of the patient, and further ids."""
    people = tuple(facts)
    return Known(
        names=frozenset(person.name for person in people if person.name.strip()),
        ids=frozenset(text.strip(" \0") for text in (*(person.patient_id for person in people), *ids)) - {""},
        birth_dates=frozenset(person.birth_date for person in people if person.birth_date),
    )


def find_known(text: str, known: Known) -> Iterator[Found]:
    """Every place of the patient's names and ids; a name that is also a word only where it is written as a name."""
    names = _names(known.names)
    for pattern in names.together:
        for match in pattern.finditer(text):
            whole = any(single.fullmatch(match.group()) for _, single in names.alone)
            if not whole and not _ordinary(match.group()):
                yield Found(match.start(), match.end(), "NAME")
    for word, pattern in names.alone:
        for match in pattern.finditer(text):
            if _is_name(text, match.start(), match.end(), word):
                yield Found(match.start(), match.end(), "NAME")
    for pattern in _ids(known.ids):
        yield from (Found(match.start(), match.end(), "ID") for match in pattern.finditer(text))


def left_over(text: str, known: Known) -> bool:
    """Whether an identifier still stands in a text: looked for by other means than `find_known`.

    The text is folded to plain letters, and searched for whole words of names and for ids without their separators.
    """
    words = {token.plain for token in tokens_of(text)}
    parts = {part for token in tuple(words) for part in re.split(r"[-']", token)}
    names = {
        plain(word)
        for name in known.names
        for script in parts_of_name(name)
        for part in script
        for word in part.split()
        if len(word) >= SHORTEST_ID
    }
    common = listed("word_names") | listed("stop") | listed("eponyms") | listed("particles")
    if (words | parts) & (names - common):
        return True
    runs = {re.sub(r"[\W_]", "", run).casefold() for run in re.findall(r"[\w./\-]*\d[\w./\-]*", text)}
    squeezed = {re.sub(r"[\W_]", "", text).casefold() for text in known.ids}
    return any(text in runs for text in squeezed if len(text) >= SHORTEST_ID and any(map(str.isdigit, text)))


@dataclass(frozen=True, slots=True)
class _Names:
    together: tuple[re.Pattern[str], ...]
    alone: tuple[tuple[str, re.Pattern[str]], ...]


@lru_cache(maxsize=256)
def _names(names: frozenset[str]) -> _Names:
    parts = [script for name in sorted(names) for script in parts_of_name(name)]
    return _Names(
        tuple(re.compile(bounded(pattern), re.IGNORECASE) for pattern in together(parts)),
        tuple((word, re.compile(_bounds(word, pattern), re.IGNORECASE)) for word, pattern in alone(parts)),
    )


def _bounds(word: str, pattern: str) -> str:
    """Scripts without capitals write words without blanks between them."""
    return bounded(pattern) if word[0].lower() != word[0].upper() else pattern


@lru_cache(maxsize=256)
def _ids(ids: frozenset[str]) -> tuple[re.Pattern[str], ...]:
    forms: set[str] = set()
    for text in ids:
        bare = "".join(filter(str.isalnum, text))
        forms.add(bare)
        tail = re.search(r"\d+$", bare)
        if tail and tail.group() != bare and len(tail.group().lstrip("0")) >= LONGEST_TAIL:
            forms.add(tail.group())
    patterns = []
    for form in sorted(forms, key=lambda form: (-len(form), form)):
        digits = form.lstrip("0")
        if len(form) >= SHORTEST_ID and _tells(form):
            # Without its zeros "0007" is every 7.
            inner = _SEPARATORS.join(map(re.escape, digits if len(digits) >= SHORTEST_ID else form))
            patterns.append(re.compile(rf"{_EDGE_BEFORE}(?:0{_SEPARATORS})*{inner}{_EDGE_AFTER}", re.IGNORECASE))
    return tuple(patterns)


def _tells(form: str) -> bool:
    """Whether an id is more than a word of the language or a year."""
    if form.isalpha():
        return plain(form) not in listed("stop") | listed("word_names")
    return not (len(form) == 4 and form.isdigit() and form[:2] in {"19", "20"})


def _ordinary(found: str) -> bool:
    """Whether one of the words that would make up a name is in lower case and a word of the language: ``Will may``."""
    return any(token.text.islower() and token.plain in listed("word_names") for token in tokens_of(found))


def _is_name(text: str, start: int, end: int, word: str) -> bool:
    """Whether one word of the patient's name is meant as the name here."""
    found = text[start:end]
    ahead = re.match(r"(?:['’]s)?[\s\-]+([^\W\d_]+)", text[end : end + 40])
    titled = bool(_TITLE.search(text[max(0, start - 20) : start]))
    if titled and (not found.islower() or plain(word) not in listed("word_names") | listed("stop")):
        return True
    if ahead and plain(ahead[1]).removesuffix("s") in listed("eponym_heads") and plain(word) in listed("eponyms"):
        return False
    # A vocabulary word or a very short name in lower case, or in a heading of capitals, is the word.
    if plain(word) in listed("word_names") | listed("stop") or (found.isascii() and len(found) <= 2):
        if found.isupper():
            line = text[text.rfind("\n", 0, start) + 1 : (text.find("\n", end) + 1 or len(text) + 1) - 1]
            return not line.isupper()
        return found[:1].isupper()
    return True
